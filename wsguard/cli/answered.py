"""What ``wsguard send`` says of an answer."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wsguard.cli.screen import complain, say
from wsguard.client import AnswerRefused, Answers, Sent, UnverifiedFault, VerifiedAnswer, verify_answer
from wsguard.client.http import HttpAnswer
from wsguard.client.refusals import FaultClaim
from wsguard.explanation import plain

_INCIDENT: Final = re.compile(r"\[([0-9a-z]{26})\]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the message."""

    verdict: str
    """accepted, fault, unverified fault, refused, unreachable."""
    status: int = 0
    check: str = ""
    expected: str = ""
    seen: str = ""
    fault: FaultClaim | None = None
    answer: VerifiedAnswer | None = None

    def as_plain(self) -> dict[str, object]:
        """For JSON."""
        answer, fault = self.answer, self.fault
        signer = None if answer is None else answer.signer
        return {
            "verdict": self.verdict,
            "http_status": self.status,
            "check": self.check,
            "expected": self.expected,
            "seen": self.seen,
            "fault": None if fault is None else {"code": fault.code, "text": fault.text, "incident": _incident(fault)},
            "signer": None if signer is None else {"subject": signer.subject, "sha256": signer.sha256},
            "confirmed": answer is not None and answer.confirmed,
            "signed_parts": sorted(answer.signed_parts) if answer is not None else [],
            "encrypted_parts": sorted(answer.encrypted_parts) if answer is not None else [],
            "explanation": answer.explanation.as_list() if answer is not None else [],
            "answer": None if answer is None else answer.octets.decode("utf-8"),
        }


def judged(answer: HttpAnswer, expected: Answers, sent: Sent, now: datetime) -> Outcome:
    """Hold an answer against what is expected of it."""
    try:
        verified = verify_answer(answer.octets, expected, sent, now, charset=answer.charset)
    except AnswerRefused as refused:
        claim, verdict = None, "refused"
        if isinstance(refused, UnverifiedFault):
            claim, verdict = FaultClaim(refused.unverified_code, refused.unverified_text), "unverified fault"
        return Outcome(verdict, answer.status, refused.check, refused.expected, refused.seen, claim)
    verdict = "accepted" if verified.fault is None else "fault"
    return Outcome(verdict, answer.status, fault=verified.fault, answer=verified)


def _incident(fault: FaultClaim) -> str:
    found = _INCIDENT.search(fault.text)
    return found[1] if found else ""


def tell(outcome: Outcome) -> None:
    """Say it to people: what was verified to standard output, why something was not to standard error."""
    answer, fault = outcome.answer, outcome.fault
    if answer is not None:
        say(f"{answer.octets.decode('utf-8')}\n")
    if fault is not None:
        whose = "The service answers" if answer is not None and answer.signer else "Somebody answers, unproven,"
        say(f"{whose} by a fault: {plain(fault.code)}: {plain(fault.text)}")
        if incident := _incident(fault):
            say(f"Its operator finds out why: wsguard explain CONFIG --incident {incident}")
    if outcome.verdict == "unreachable":
        complain(f"There is no answer: {outcome.seen}")
    elif answer is None:
        complain(f"HTTP {outcome.status}: the answer is refused by {outcome.check}.")
        complain(f"Expected: {outcome.expected}. Seen: {outcome.seen}.")
    elif fault is None:
        say(f"Accepted: {_worth(answer)}.")


def _worth(answer: VerifiedAnswer) -> str:
    if answer.signer is None:
        return "nobody signed the answer, so that it proves nothing"
    parts = [f"{', '.join(sorted(answer.signed_parts))} signed by {plain(answer.signer.subject)}"]
    parts += [f"{', '.join(sorted(answer.encrypted_parts))} encrypted"] if answer.encrypted_parts else []
    return "; ".join([*parts, *(["our signature confirmed"] if answer.confirmed else [])])
