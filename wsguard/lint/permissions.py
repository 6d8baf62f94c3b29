"""Dated permissions for old algorithms: ``[[algorithms.legacy]]``."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import FAR, SOON, Finding, Look, Looker, Rule

MANY_PERMISSIONS: Final = 5
"""What one old stack needs: a signature, a digest, a canonicalization, data encryption and key transport."""

_OVER: Final = Rule(
    name="lint.legacy_over",
    risk="low",
    finds="a permission has ended",
    cure="take the entry out",
)
_ENDS: Final = Rule(
    name="lint.legacy_ends",
    risk="low",
    finds=f"a permission ends within {SOON.days} days, and with it whoever still needs it",
    cure="see in the audit who still uses it, and have them changed",
)
_FAR: Final = Rule(
    name="lint.legacy_far",
    risk="medium",
    finds="a permission lasts longer than a year",
    cure="set a nearer date; a date can be moved when it comes",
)
_FOR_ALL: Final = Rule(
    name="lint.legacy_for_all",
    risk="medium",
    finds="a permission is for every client",
    cure="name the clients that need it; each is a [[client]] entry",
)
_MANY: Final = Rule(
    name="lint.legacy_many",
    risk="low",
    finds=f"there are more than {MANY_PERMISSIONS} permissions",
    cure="take out those that the metric wsguard_legacy_algorithms_total never counts",
)
_SUPERFLUOUS: Final = Rule(
    name="lint.legacy_superfluous",
    risk="low",
    finds="a permission for what is allowed to everybody anyway",
    cure="take the entry out, or the algorithm out of the list that everybody has",
)

PERMISSION_CATALOGUE: Final = (_OVER, _ENDS, _FAR, _FOR_ALL, _MANY, _SUPERFLUOUS)


def _permissions_end(look: Look) -> Iterator[Finding]:
    for index, permission in enumerate(look.demands.algorithms.legacy):
        setting = f"algorithms.legacy[{index}]"
        if permission.until < look.today:
            yield _OVER.at(setting, f"{permission.algorithm} has been refused since {permission.until}")
        elif permission.until - look.today <= SOON:
            yield _ENDS.at(setting, f"{permission.algorithm} is refused after {permission.until}")
        elif permission.until - look.today > FAR:
            text = f"{permission.algorithm} is allowed until {permission.until}, longer than anybody will think of it"
            yield _FAR.at(f"{setting}.until", text)


def _permissions_are_wide(look: Look) -> Iterator[Finding]:
    algorithms = look.demands.algorithms
    open_to_all = {
        *algorithms.signature, *algorithms.digest, *algorithms.canonicalization, *algorithms.encryption,
        *algorithms.key_transport,
    }  # fmt: skip
    alive = [(index, one) for index, one in enumerate(algorithms.legacy) if one.until >= look.today]
    for index, permission in alive:
        setting = f"algorithms.legacy[{index}]"
        if permission.algorithm in open_to_all:
            text = f"{permission.algorithm} is allowed to everybody without end: the date means nothing"
            yield _SUPERFLUOUS.at(f"{setting}.algorithm", text)
        elif not permission.clients:
            text = f"{permission.algorithm} is taken of everybody, whoever it was meant for"
            yield _FOR_ALL.at(f"{setting}.clients", text)
    if len(alive) > MANY_PERMISSIONS:
        yield _MANY.at("algorithms.legacy", f"{len(alive)} old algorithms are still taken of somebody")


PERMISSION_RULES: Final[tuple[Looker, ...]] = (_permissions_end, _permissions_are_wide)
