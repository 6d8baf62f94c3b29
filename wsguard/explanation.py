"""The explanation of one verdict: an ordered list of what was checked, as plain data.

It is filled while a message is processed, stored in the audit record, and printed by the command line. It never holds
a password, digest, nonce, key or body content: checks put in what an operator needs and nothing a thief could use.
"""

import time
from dataclasses import asdict, dataclass, field
from typing import Literal

Outcome = Literal["passed", "refused", "reported", "noted"]

LONGEST_TEXT = 200
"""Characters kept of any text in an explanation or a record: enough for an identifier, too few for a flood."""


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """Make a sender's text safe to store and print: bounded, one line, control characters escaped.

    Everything that is not printable (control characters, line separators, bidirectional overrides, lone surrogates)
    becomes a backslash escape, so that no record can be forged or reordered on a terminal.
    """
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isprintable() and "\\" not in cut:
        return cut
    return "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in cut
    )


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found."""

    check: str
    """A name of ``wsguard.checks.CHECKS``, or the family of one (``timestamp``) where all of it passed."""
    outcome: Outcome
    expected: str
    seen: str
    setting: str
    """Key path of the setting that decided; empty where none did."""


@dataclass(frozen=True, slots=True)
class Digested:
    """One signed part as it was digested. It holds content: for ``wsguard explain``, never for the audit."""

    uri: str
    element: str
    """``{namespace}name``."""
    transforms: tuple[str, ...]
    """Short names or identifiers, in order."""
    method: str
    """Short name of the digest method."""
    expected: bytes
    """The DigestValue."""
    computed: bytes
    octets: bytes = field(repr=False)
    """What was digested: the canonical form."""


@dataclass(slots=True)
class Facts:
    """What a message says of itself, as far as it was read: claims until the message is accepted."""

    service: str = ""
    operation: str = ""
    soap_version: str = ""
    client: str = ""
    username: str = ""
    certificate_subject: str = ""
    certificate_sha256: str = ""
    clock_skew_s: float | None = None
    """The message's Created minus our clock, in seconds."""


@dataclass(slots=True)
class Explanation:
    """What was checked, in order, and what was learned on the way."""

    results: list[CheckResult] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    digested: list[Digested] | None = None
    """Every part that was digested, where the list is given; None: nothing is kept of them."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds that each stage took, by name, in order."""
    _stage_began: float = field(default_factory=time.perf_counter)

    def stage(self, name: str) -> None:
        """What was done since the last stage was called ``name``."""
        now = time.perf_counter()
        self.stages[name] = self.stages.get(name, 0.0) + now - self._stage_began
        self._stage_began = now

    def passed(self, check: str, *, expected: str = "", seen: str = "", setting: str = "") -> None:
        """A check was met."""
        self.results.append(CheckResult(check, "passed", plain(expected), plain(seen), setting))

    def noted(self, check: str, *, expected: str = "", seen: str = "", setting: str = "") -> None:
        """Something worth knowing that decided nothing."""
        self.results.append(CheckResult(check, "noted", plain(expected), plain(seen), setting))

    def reported(self, check: str, *, expected: str, seen: str, setting: str) -> None:
        """A check that would have refused the message of a client that is not in report mode."""
        self.results.append(CheckResult(check, "reported", plain(expected), plain(seen), setting))

    def refused(self, check: str, *, expected: str, seen: str, setting: str) -> None:
        """The check that decided against the message."""
        self.results.append(CheckResult(check, "refused", plain(expected), plain(seen), setting))

    def as_list(self) -> list[dict[str, str]]:
        """Plain data for JSON, in order."""
        return [asdict(result) for result in self.results]
