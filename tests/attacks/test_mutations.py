"""Real messages, changed at random in thousands of ways: refused, or the application sees what the signer signed."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest
from lxml import etree

import wsguard.engine
from tests.attacks.mutating import OPERATIONS, mutant
from tests.attacks.originals import CORPUS, Broken, Original, Patient, captured, demand, ours
from tests.attacks.sites import write_sites
from wsguard.coverage import Parts
from wsguard.signature import verification

OF_EACH_SIGNED: Final = 150
OF_EACH_OTHER: Final = 30
"""Where the Body is not signed there is little to break."""
OURS: Final = tuple(ours())
ORIGINALS: Final = (*OURS, *captured())


@pytest.fixture(scope="module")
def guards(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Patient]:
    """The guard of a policy, made once."""
    directory = tmp_path_factory.mktemp("sites")
    write_sites(directory)

    @cache
    def make(policy: str) -> Patient:
        return Patient(directory / policy)

    return make


def changed(guard: Patient, original: Original, number: int) -> int:
    """Hold so many mutants against the invariant; how many of them were accepted."""
    accepted = 0
    _, first = guard.send(original, original.octets)
    assert first is not None, "the original itself was refused"
    for one in range(number):
        bent = mutant(original.octets, one, original.name)
        answer, handed = guard.send(original, bent.octets)
        demand(original, first, bent, answer, handed)
        accepted += handed is not None
    return accepted


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_a_mutant_is_refused_or_says_what_was_signed(guards: Callable[[str], Patient], original: Original) -> None:
    number = OF_EACH_SIGNED if original.signed else OF_EACH_OTHER
    accepted = changed(guards(original.policy), original, number)
    assert accepted < number, "nothing was ever refused"


def test_thousands_of_mutants_were_made_of_messages_of_other_stacks_too() -> None:
    assert sum(OF_EACH_SIGNED if one.signed else OF_EACH_OTHER for one in OURS) > 1_900
    if not CORPUS.is_dir():
        pytest.skip("the corpus of foreign messages is not beside the repository")
    assert sum(one.signed for one in ORIGINALS) > 35
    assert len(ORIGINALS) > 95


def test_a_mutant_is_the_same_whenever_its_number_is_asked_for() -> None:
    octets = OURS[0].octets
    assert [mutant(octets, number) for number in range(50)] == [mutant(octets, number) for number in range(50)]
    assert len({mutant(octets, number).octets for number in range(200)}) > 150


def test_every_change_is_made_and_most_messages_are_changed_little() -> None:
    plans = [mutant(OURS[0].octets, number).plan for number in range(500)]
    assert {name for plan in plans for name in plan} >= set(OPERATIONS) | {"rebind", "comment", "cut"}
    assert sum(len(plan) <= 2 for plan in plans) > 250


# --- A guard that is broken on purpose --------------------------------------------------------------------------------


def everything(envelope: Any, **_: object) -> bytes:
    """Prunes nothing."""
    return etree.tostring(envelope.root, encoding="UTF-8")


def covered(parts: Parts, by: Any) -> frozenset[str]:
    """Goes by names: whoever signed anything signed it all."""
    return frozenset(parts.elements) if by else frozenset()


def equal(*_: object) -> None:
    """Takes every digest for the right one."""


@pytest.mark.parametrize(
    ("owner", "name", "broken", "seen"),
    [
        pytest.param(wsguard.engine, "without", everything, "header blocks", id="nothing is pruned"),
        pytest.param(Parts, "covered_by", covered, "Body", id="everything is covered"),
        pytest.param(verification._Digester, "_compare", equal, "Body", id="no digest is compared"),
    ],
)
def test_the_invariant_notices_a_guard_where(
    guards: Callable[[str], Patient],
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    broken: Callable[..., Any],
    seen: str,
) -> None:
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(Broken, match=f"another .*{seen}"):
        for original in OURS:
            if original.signed:
                changed(guards(original.policy), original, 200)
