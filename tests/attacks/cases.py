"""What a case of the suite is, and how a module of the catalogue writes its own down.

WRAPPING = Chapter("A", "signed")

@WRAPPING.refused("signature.coverage", source="McIntosh and Austel 2005")
def the_signed_Body_is_put_into_a_header_of_the_senders_own() -> bytes:
    return ...
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from tests.guarding import Answer
from tests.messages import PAYLOAD

T = TypeVar("T")

CLASSES: Final = {
    "A": "signature wrapping",
    "B": "coverage",
    "C": "references, transforms, algorithms, SignedInfo",
    "D": "trust in keys",
    "E": "Timestamp",
    "F": "UsernameToken and replay",
    "G": "parser and encodings",
    "H": "SOAP structure and multiref",
    "I": "exemption, routing, HTTP",
    "J": "encryption and oracles",
    "K": "downgrade",
    "L": "answers",
    "legal": "odd and legal",
}
"""The classes of attack, and of what must not be taken for one."""

SiteName = Literal[
    "token",
    "text",
    "salted",
    "packed",
    "signed",
    "both",
    "revoking",
    "sealed",
    "opened",
    "old",
    "every",
    "clients",
    "bank",
    "answering",
]
"""The guards that cases are for: see ``sites``."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One HTTP request."""

    octets: bytes
    environ: Mapping[str, Any] = field(default_factory=dict)
    """What is not as an honest client's: WSGI names, None to leave a key out."""
    refused: bool = False
    """Where it comes before the case: it must be refused."""


Built = bytes | Sent | tuple[bytes | Sent, ...]
"""A message; of several the last one is the case, and those before it must be accepted, unless they say otherwise."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One message, and what must come of it."""

    name: str
    """A sentence."""
    kind: str
    """A key of ``CLASSES``."""
    site: SiteName
    build: Callable[[], Built] = field(repr=False)
    """Makes the message anew, at the time that ``tests.messages.sent_at`` says."""
    check: str
    """The check that refuses it; empty where it is accepted."""
    source: str = ""
    """The paper, tool or CVE that it is known from."""
    isolated: bool = False
    """It may kill or hang: a child process judges it."""
    elsewhere: bool = True
    """It means something to other guards than wsguard too."""
    handed: str | None = None
    """Text that the application must see; None: whatever it is."""
    withheld: str = ""
    """Text that it must not see."""
    also: Callable[[Answer], None] | None = field(default=None, repr=False)
    """What else must hold of the answer."""

    @property
    def requests(self) -> tuple[Sent, ...]:
        """The message, made now, behind those that come first."""
        built = self.build()
        every = built if isinstance(built, tuple) else (built,)
        return tuple(one if isinstance(one, Sent) else Sent(octets=one) for one in every)


class Chapter:
    """Collects the cases of one module."""

    def __init__(self, kind: str, site: SiteName) -> None:
        """
        Args:
            kind: a key of ``CLASSES``.
            site: the guard of those that name no other.
        """
        assert kind in CLASSES
        self._kind, self._site = kind, site
        self._cases: dict[str, Case] = {}

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases.values())

    def refused(self, check: str, **more: Any) -> Callable[[Callable[[], Built]], Callable[[], Built]]:
        """Decorates the builder of a message that this check must refuse; its name is the case's.

        Args:
            check: as the audit has it.
            more: fields of ``Case``.
        """

        def add(build: Callable[[], Built]) -> Callable[[], Built]:
            self._add(build.__name__, build, check, more)
            return build

        return add

    def accepted(self, **more: Any) -> Callable[[Callable[[], Built]], Callable[[], Built]]:
        """The same for a message that must be accepted."""
        return self.refused("", **{"handed": PAYLOAD, **more})

    def each_refused(
        self, check: str, cases: Mapping[str, T], **more: Any
    ) -> Callable[[Callable[[T], Built]], Callable[[T], Built]]:
        """The same for a builder of many messages: what it is given, by what is added to its name."""

        def add(build: Callable[[T], Built]) -> Callable[[T], Built]:
            for label, value in cases.items():
                self._add(f"{build.__name__}: {label}", lambda value=value: build(value), check, more)  # type: ignore[misc]
            return build

        return add

    def each_accepted(
        self, cases: Mapping[str, T], **more: Any
    ) -> Callable[[Callable[[T], Built]], Callable[[T], Built]]:
        """``each_refused`` for messages that must be accepted."""
        return self.each_refused("", cases, **{"handed": PAYLOAD, **more})

    def _add(self, name: str, build: Callable[[], Built], check: str, more: Mapping[str, Any]) -> None:
        name = name.replace("_", " ")
        assert name not in self._cases, name
        self._cases[name] = Case(
            **{"name": name, "kind": self._kind, "site": self._site, "build": build, "check": check, **more}
        )
