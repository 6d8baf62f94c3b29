"""Attacks on answers: each is secured as ``[response]`` says, for who asked, or there is none."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from wsguard.proving import answered
from wsguard.proving.case import Case
from wsguard.proving.catalogue.control import Attack, Control
from wsguard.proving.letters import PROOF
from wsguard.proving.posting import Outcome, Stage
from wsguard.proving.rows import ACCEPTED

_NO_ENVELOPE: Final = f"<p:done xmlns:p='{PROOF}'>secret</p:done>".encode()


def _answered(case: Case) -> Iterator[Attack]:
    """By a second person with a certificate of their own: what becomes of the first one's answers is no matter."""
    sender = case.honest.sender
    changes: dict[str, Any] = {}
    if case.honest.signed_by == "certificate" and not case.scene.policy.client:
        sender = case.people.stranger
        changes["signer"] = sender.signer
    of_them = replace(case, way=replace(case.honest, sender=replace(sender, person=case.honest.sender.person)))
    sent = case.sent(**changes)

    def look(outcome: Outcome, before: Sequence[Outcome]) -> Iterator[str]:
        if outcome.handed:
            yield from answered.flaws(of_them, sent, outcome)
        else:
            yield "it was refused"

    yield Attack("none: an answer to somebody else", (ACCEPTED,), sent, before=(case.sent(),), instead=look)


def _withheld(case: Case) -> Iterator[Attack]:
    def look(outcome: Outcome, before: Sequence[Outcome]) -> Iterator[str]:
        if outcome.status[:1] != "5" or b"secret" in outcome.octets:
            yield "an answer that cannot be secured was sent as it is"

    stage = Stage(answer=_NO_ENVELOPE)
    yield Attack("an answer that cannot be secured", (ACCEPTED,), case.sent(), stage=stage, instead=look)


def _is_secured(case: Case) -> bool:
    response = case.demands.response
    return response.timestamp or response.sign or bool(response.encrypt)


CONTROLS: Final = (
    Control("answer", _is_secured, _answered),
    Control("answer.withheld", _is_secured, _withheld),
)
