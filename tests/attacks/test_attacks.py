"""wsguard refuses every hostile case, each by its own check, and accepts every legal one."""

import pytest

from tests.attacks.cases import CLASSES, Case
from tests.attacks.catalogue import EVERYTHING, HOSTILE, LEGAL
from tests.attacks.places import CPU_SECONDS, LARGEST, MEMORY, Making, judge, judge_apart

FAULT_STATUS = {"400", "405", "411", "413", "415", "500", "503"}


def named(case: Case) -> str:
    """The name of a test, the same in every process."""
    return f"{case.kind}: {case.name}"


@pytest.mark.parametrize("case", HOSTILE, ids=named)
def test_it_is_refused_by_its_check_and_leaves_one_record_and_nothing_else(case: Case, make: Making) -> None:
    outcome = (judge_apart if case.isolated else judge)(case, make)
    assert outcome.prelude == (), "a message before it had another answer than it was meant to have"
    assert outcome.answer.check == case.check
    assert outcome.records == 1
    assert outcome.answer.record is not None
    assert outcome.answer.record.outcome == "rejected"
    assert outcome.handed is None, "the application saw it"
    assert outcome.answer.status.split()[0] in FAULT_STATUS
    assert b"Fault" in outcome.answer.body
    assert not outcome.canary, "a file was read"
    assert outcome.cpu <= CPU_SECONDS
    assert outcome.memory <= MEMORY * LARGEST
    if case.also is not None:
        case.also(outcome.answer)


@pytest.mark.parametrize("case", LEGAL, ids=named)
def test_it_is_accepted_and_the_application_sees_it(case: Case, make: Making) -> None:
    outcome = judge(case, make)
    assert outcome.prelude == ()
    assert outcome.answer.status == "200 OK"
    assert outcome.answer.check in ("", "exemption")
    assert outcome.handed is not None
    assert (case.handed or "").encode() in outcome.handed
    assert not case.withheld or case.withheld.encode() not in outcome.handed
    assert not outcome.canary, "a file was read"
    if case.also is not None:
        case.also(outcome.answer)


def test_the_catalogue_has_at_least_300_hostile_cases_of_every_class_and_60_legal_ones() -> None:
    assert len(HOSTILE) >= 300
    assert {case.kind for case in HOSTILE} >= CLASSES.keys() - {"legal"}
    assert len(LEGAL) >= 60


def test_no_two_cases_have_one_name() -> None:
    names = [named(case) for case in EVERYTHING]
    assert sorted(set(names)) == sorted(names)
