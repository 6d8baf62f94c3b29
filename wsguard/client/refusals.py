"""What a client is told of an answer that it does not get."""

from dataclasses import dataclass
from typing import Final

from lxml.etree import _Element

from wsguard.explanation import plain
from wsguard.faults import Fault
from wsguard.message.envelope import SOAP_1_1, Outline
from wsguard.names import XML


class AnswerRefused(Exception):
    """An answer is not what was demanded of it, and nothing of it is handed on.

    ``str()`` is for the caller's own log: it may quote what the answer claims, in one line of printable characters.
    """

    def __init__(self, check: str, *, expected: str, seen: str) -> None:
        """
        Args:
            check: what refused: one of ``wsguard.checks.CHECKS``, or ``confirmation.missing``, ``.mismatch``.
            expected: what would have passed.
            seen: what the answer had.
        """
        self.check: Final = check
        self.expected: Final = plain(expected)
        self.seen: Final = plain(seen)
        super().__init__(f"the answer is refused ({check}): expected {self.expected}; seen: {self.seen}")

    @classmethod
    def because_of(cls, fault: Fault) -> "AnswerRefused":
        """The same refusal, by one of the checks that a guard makes of requests."""
        return cls(fault.check, expected=fault.expected, seen=fault.seen)


@dataclass(frozen=True, slots=True)
class FaultClaim:
    """What a SOAP fault says. Claims: anybody on the way could have written it."""

    code: str
    """The faultcode; of SOAP 1.2 the innermost Subcode, or the Code where there is none."""
    text: str


class UnverifiedFault(AnswerRefused):
    """The answer is a SOAP fault, and not the proven word of the server.

    A guard that cannot tell whose a request is answers it like this, and so can anybody between. What the fault says is
    in ``unverified_code`` and ``unverified_text``: good for finding out why, and for nothing that decides.
    """

    def __init__(self, refused: AnswerRefused, claim: FaultClaim) -> None:
        """
        Args:
            refused: why the answer is.
            claim: what it says.
        """
        super().__init__(refused.check, expected=refused.expected, seen=refused.seen)
        self.unverified_code: Final = plain(claim.code)
        self.unverified_text: Final = plain(claim.text)

    def __str__(self) -> str:
        claim = f"{self.unverified_code}: {self.unverified_text}"
        return f"{super().__str__()}. It is a fault, which nobody vouches for, and says: {claim}"


def fault_of(outline: Outline) -> FaultClaim | None:
    """What the fault in the Body says; None where there is none.

    Args:
        outline: an answer; SOAP 1.1 §4.4, SOAP 1.2 part 1 §5.4.
    """
    soap = outline.version.namespace
    found = outline.body.find(f"{{{soap}}}Fault")
    if found is None:
        return None
    if outline.version is SOAP_1_1:
        return FaultClaim(_text(found.find("faultcode")), _text(found.find("faultstring")))
    values = [code.find(f"{{{soap}}}Value") for code in found.iter(f"{{{soap}}}Code", f"{{{soap}}}Subcode")]
    texts = found.findall(f"{{{soap}}}Reason/{{{soap}}}Text")
    english = [text for text in texts if text.get(f"{{{XML}}}lang", "").startswith("en")]
    return FaultClaim(_text(values[-1] if values else None), _text(next(iter(english or texts), None)))


def _text(element: _Element | None) -> str:
    return "" if element is None else (element.text or "").strip()
