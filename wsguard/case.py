"""One message on its way through the engine: as it came, as it was resolved, and what was found out about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lxml.etree import _Element

from wsguard.clients import Peer
from wsguard.coverage import Parts
from wsguard.exchange import Exchange
from wsguard.explanation import Explanation
from wsguard.message.envelope import Envelope
from wsguard.routing import Target
from wsguard.security_header import Children
from wsguard.signature import VerifiedSignature
from wsguard.sparing import Spared
from wsguard.verified import Timestamp
from wsguard.walking import Walked


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the shell knows of a message."""

    incident: str
    octets: bytes = field(repr=False)
    path: str
    """SCRIPT_NAME and PATH_INFO."""
    charset: str | None
    """``charset`` of Content-Type, if any."""
    actions: tuple[str, ...]
    """SOAPAction, and ``action`` of Content-Type."""
    remote_addr: str = ""
    """Address of the peer."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A message whose operation can be seen, and whom it is for."""

    envelope: Envelope
    target: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What step 3 found."""

    found: Children
    walked: Walked
    parts: Parts
    by_users: Sequence[VerifiedSignature]
    """Signatures under users' own keys that cover everything that must be signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What steps 3 to 7 found."""

    addressed: Addressed
    peer: Peer = field(default_factory=Peer)
    client: str = ""
    timestamp: Timestamp | None = None
    signature: VerifiedSignature | None = None
    """The one that covers everything that must be signed, and whose signer counts."""
    signed_parts: frozenset[str] = frozenset()
    encrypted_parts: frozenset[str] = frozenset()
    unsigned: list[_Element] | None = None
    """Header blocks and tokens to take out; None where nothing must be signed."""
    legacy: tuple[str, ...] = ()


@dataclass(slots=True)
class Case:
    """What every step needs."""

    request: Request
    now: datetime
    explanation: Explanation
    spared: Spared
    exchange: Exchange
    judged_tokens: bool = False
    """Whether somebody's password was looked at."""
