"""What a service demands less than the top of the file."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule
from wsguard.policy import Demands

_SERVICE_WEAKER: Final = Rule(
    name="lint.service_weaker",
    risk="low",
    finds="a service demands less than the top of the file",
    cure="see that it is meant: take the keys out of [services.NAME], or name the one client that needs them",
)

_PINS_WIDENED: Final = Rule(
    name="lint.pins_widened",
    risk="medium",
    finds="a service pins certificates, and the authorities of the top of the file are believed beside them",
    cure="set trust.ca_files = [] in [services.NAME], or take the pins out",
)
_OPERATIONS_LEFT: Final = Rule(
    name="lint.operations_left",
    risk="medium",
    finds="a section is named like a service of the application and claims some of its operations only",
    cure="name all of them, or none: then it is for the whole service",
)

OVERRIDE_CATALOGUE: Final = (_SERVICE_WEAKER, _PINS_WIDENED, _OPERATIONS_LEFT)

_SWITCHES: Final = (
    ("timestamp", "require_created"),
    ("timestamp", "require_expires"),
    ("username_token", "require_nonce"),
    ("username_token", "require_created"),
    ("encryption", "require_signed_encrypted_data"),
)
_SMALLER_IS_STRONGER: Final = (
    ("timestamp", "time_to_live"),
    ("timestamp", "future_time_to_live"),
    ("timestamp", "max_lifetime"),
    ("username_token", "time_to_live"),
    ("username_token", "future_time_to_live"),
    ("username_token", "max_failures"),
)


def _services_demand_less(look: Look) -> Iterator[Finding]:
    for name, service in look.policy.services.items():
        less = sorted(_less(look.policy, service))
        if less:
            text = f"whoever calls it needs less than elsewhere: {', '.join(less)}"
            yield _SERVICE_WEAKER.at(f"services.{name}", text)


def _less(top: Demands, service: Demands) -> Iterator[str]:
    """The key paths in which ``service`` is weaker than ``top``."""
    for section in ("timestamp", "username_token", "signature", "encryption"):
        above, below = getattr(top, section).use, getattr(service, section).use
        if above == "required" != below and not _is_exchanged(section, top, service):
            yield f"{section}.use"
    for section in ("signature", "encryption"):
        above, below = getattr(top, section), getattr(service, section)
        if above.use == below.use == "required" and set(above.required_parts) - set(below.required_parts):
            yield f"{section}.required_parts"
    for section, key in _SWITCHES:
        if getattr(getattr(top, section), key) and not getattr(getattr(service, section), key):
            yield f"{section}.{key}"
    for section, key in _SMALLER_IS_STRONGER:
        if getattr(getattr(top, section), key) < getattr(getattr(service, section), key):
            yield f"{section}.{key}"
    if set(service.username_token.password_types) - set(top.username_token.password_types):
        yield "username_token.password_types"
    if service.algorithms.min_rsa_bits < top.algorithms.min_rsa_bits:
        yield "algorithms.min_rsa_bits"
    if (top.trust.crl_coverage, service.trust.crl_coverage) == ("chain", "listed"):
        yield "trust.crl_coverage"
    if set(top.trust.crl_files) - set(service.trust.crl_files):
        yield "trust.crl_files"
    if (top.handoff.unsigned_headers, service.handoff.unsigned_headers) == ("drop", "keep"):
        yield "handoff.unsigned_headers"


def _is_exchanged(section: str, top: Demands, service: Demands) -> bool:
    """Whether a signer is demanded in the place of a user."""
    return section == "username_token" and service.signature.use == "required" != top.signature.use


def _pins_are_widened(look: Look) -> Iterator[Finding]:
    top = look.policy.trust
    for name, service in look.policy.services.items():
        trust = service.trust
        pinned_here = set(trust.pinned_certificates) - set(top.pinned_certificates)
        if pinned_here and trust.ca_files and trust.ca_files == top.ca_files:
            text = "whoever the authorities of the top of the file certify may sign too, not only who is pinned here"
            yield _PINS_WIDENED.at(f"services.{name}.trust.ca_files", text)


def _operations_are_left(look: Look) -> Iterator[Finding]:
    for name, service in look.policy.services.items():
        claims = set(service.operations)
        of_class = () if look.operations is None or not claims else look.operations.get(name, ())
        left = sorted(one for one in of_class if not claims & {one, f"{one.rpartition('}')[0]}}}*"})
        if left and len(left) < len(of_class):
            text = f"the rest of {name} is under the demands of other sections: {', '.join(left)}"
            yield _OPERATIONS_LEFT.at(f"services.{name}.operations", text)


OVERRIDE_RULES: Final[tuple[Looker, ...]] = (_services_demand_less, _pins_are_widened, _operations_are_left)
