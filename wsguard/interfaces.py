"""The extension points: what wsguard asks of the parts that an operator chooses, and the values that pass between.

Each is a ``Protocol``: a new store or sink is one class in one file, given to the constructor that wants it. Anything
that keeps an implementation from answering is raised as ``wsguard.faults.StoreUnavailable``; nothing else leaves it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypedDict, TypeVar, Unpack, runtime_checkable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml.etree import _Element

from wsguard.certificates import CertificateReference
from wsguard.explanation import Explanation
from wsguard.policy import Demands
from wsguard.verified import Principal

Clock = Callable[[], datetime]
"""The current time as an aware datetime."""


class Closable(Protocol):
    """Holds something until it is closed."""

    def close(self) -> None:
        """Release what is held. It is not used again."""
        ...


@runtime_checkable
class ReplayStore(Protocol):
    """Remembers what was seen. The same object serves all threads; the same store may serve several processes."""

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        """Remember ``key`` until ``until``, in one atomic step.

        Args:
            key: at most 64 bytes; compared exactly.
            until: aware; the key is kept at least this long.
            now: aware; the time of this request. Stores with a clock of their own use ``until - now``.

        Returns:
            True for exactly one of all calls with this key while it is remembered; False for every other.

        Raises:
            StoreUnavailable: nothing is known about the key; the request must be refused.
        """
        ...

    def close(self) -> None:
        """Release what the store holds. It is not used again."""
        ...


@runtime_checkable
class JointReplayStore(ReplayStore, Protocol):
    """A replay store that remembers several keys at the price of one."""

    def remember_all(self, keys: Sequence[bytes], until: datetime, now: datetime) -> bool:
        """Remember every one of ``keys`` until ``until``.

        Args:
            keys: one at least; a key that stands there twice was seen before.
            until: as for ``remember``.
            now: as for ``remember``.

        Returns:
            True where ``remember`` would have said so of each: of all calls that share a key at most one is told so. On
            False some of the keys may be remembered.

        Raises:
            StoreUnavailable: nothing is known about some key; the request must be refused.
        """
        ...


RememberAll = Callable[[Sequence[bytes], datetime, datetime], bool]
"""``JointReplayStore.remember_all``."""


def all_at_once(store: ReplayStore) -> RememberAll:
    """How ``store`` remembers several keys: at once where it can, else one after the other up to one that was seen."""
    if isinstance(store, JointReplayStore):
        return store.remember_all
    return lambda keys, until, now: all(store.remember(key, until, now) for key in keys)


@dataclass(frozen=True, slots=True)
class User:
    """One row of the user table."""

    name: str
    password: bytes | None = field(repr=False)
    """The password in UTF-8; None where only its hash is kept, which is good for PasswordText alone."""
    enabled: bool = True
    services: frozenset[str] = frozenset()
    """Services it may call; empty: all."""
    password_hash: str = field(default="", repr=False)
    """Hash of the password in PHC string format; looked at where ``password`` is None."""


@runtime_checkable
class PasswordVerifier(Protocol):
    """Holds passwords against slow hashes. The same object serves all threads."""

    stand_in: str
    """A hash that fits no password: verified for users that have none, so that every attempt takes the same work."""

    def matches(self, password_hash: str, password: bytes) -> bool:
        """Whether ``password`` is what ``password_hash`` was made of; within a bound on work at the same time.

        Raises:
            StoreUnavailable: too many are at work, or the hash cannot be read.
        """
        ...


@runtime_checkable
class FailureCounter(Protocol):
    """Counts wrong passwords. Replay stores do this too, so that it holds over processes."""

    def failures(self, key: bytes, now: datetime) -> int:
        """How many failures of ``key`` are remembered at ``now``.

        Raises:
            StoreUnavailable: nothing is known about the key.
        """
        ...

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        """Remember one more failure of ``key`` until ``until``.

        Raises:
            StoreUnavailable: it was not remembered.
        """
        ...


@runtime_checkable
class UserStore(Protocol):
    """Finds users. The same object serves all threads."""

    def find(self, name: str) -> User | None:
        """The user with exactly this name (no folding, no normalisation), or None.

        Raises:
            StoreUnavailable: the table cannot be read.
        """
        ...

    def close(self) -> None:
        """Release what the store holds. It is not used again."""
        ...


PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
"""The kinds of key that XML Signature has identifiers for here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedCertificate:
    """A certificate that was found trusted at the time of the request, under the ``trust`` of its service."""

    certificate: x509.Certificate = field(repr=False)
    public_key: PublicKey = field(repr=False)
    subject: str
    """RFC 4514."""
    sha256: str
    """Of the certificate in DER, in hexadecimal."""
    identity: str
    """SHA-256 of what the authority signed, in hexadecimal: a signature can be written in several ways."""
    how: str
    """For people: by which anchor, or that it is pinned."""


@runtime_checkable
class Trust(Protocol):
    """Decides whose certificates are believed. Immutable for its callers; the same object serves all threads."""

    def choose(
        self, reference: CertificateReference, demands: Demands, now: datetime, explanation: Explanation
    ) -> tuple[TrustedCertificate, ...]:
        """The certificates that ``reference`` fits and that are trusted; several where twins share what it names.

        Args:
            reference: how the message names the certificate.
            demands: whose ``trust`` and ``algorithms.min_rsa_bits`` hold.
            now: aware; when the certificate must be valid.
            explanation: is told which certificate was chosen, by which form, and how trust was decided.

        Returns:
            at least one, none of them of a key of our own.

        Raises:
            SecurityFault: ``certificate.*``, none is here, or none of them is trusted.
        """
        ...


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
"""The kinds of key that XML Encryption has identifiers for here."""


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """A private key of ours that messages may be encrypted for."""

    name: str
    """The key path of the setting that names it: ``keys.decrypt[0]``."""
    private_key: PrivateKey = field(repr=False)
    certificate: x509.Certificate | None = field(default=None, repr=False)
    """Its certificate; None where the file has none."""


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The keys of one configuration: those of peers, those that both sides know, and our own."""

    trust: Trust
    shared: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """ds:KeyName -> the symmetric key."""
    client_certificates: Mapping[str, str] = field(default_factory=dict)
    """Name of a ``[[client]]`` entry -> ``TrustedCertificate.identity`` of its certificate."""
    decrypt: tuple[DecryptionKey, ...] = ()
    """Keys that messages may be encrypted for."""


RequestOutcome = Literal["accepted", "rejected", "exempt", "error", "reported"]


@dataclass(slots=True)
class AuditRecord:
    """What is kept of one request. Texts that a sender chose are bounded and escaped before they come here."""

    incident: str
    """Opaque and time-ordered; also in the fault that the peer got."""
    time: datetime
    """When the request was judged: aware, UTC."""
    outcome: RequestOutcome
    check: str = ""
    """The check that decided; empty where none refused."""
    fault: str = ""
    """The fault code sent; empty where none was."""
    service: str = ""
    operation: str = ""
    """``{namespace}name`` of the Body's child."""
    soap_version: str = ""
    """``1.1``, ``1.2`` or empty where no envelope was read."""
    client: str = ""
    username: str = ""
    certificate_subject: str = ""
    certificate_sha256: str = ""
    remote_addr: str = ""
    path: str = ""
    message_sha256: str = ""
    """Of the body as received, in hexadecimal; empty where none was read."""
    message_bytes: int = 0
    duration_ms: float = 0.0
    """Time that the guard took, without the application."""
    clock_skew_s: float | None = None
    """The message's Created minus our clock."""
    explanation: list[dict[str, str]] = field(default_factory=list)
    writer: str = field(default="", compare=False)
    """Who wrote it: a random id for each process and opened sink. Set by the sink, as are the next three; empty where
    the sink keeps no chain, and in records of releases before 0.2. Where a record stands is no part of what it says:
    records are equal without these four."""
    seq: int = field(default=0, compare=False)
    """Its number among the entries of its writer, from 1."""
    prev: str = field(default="", compare=False)
    """``mac`` of the writer's entry before it; empty for the first."""
    mac: str = field(default="", compare=False)
    """SHA-256, or HMAC-SHA-256 where there is a key, of ``prev`` and all other fields as they were written."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; ``time`` as ISO 8601 in UTC."""
        plain = asdict(self)
        plain["time"] = self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return plain


@runtime_checkable
class AuditSink(Protocol):
    """Keeps audit records. The same object serves all threads."""

    def write(self, record: AuditRecord) -> None:
        """Keep ``record``; it is durable, as far as the sink can tell, when this returns.

        Raises:
            StoreUnavailable: it was not kept.
        """
        ...

    def amend(self, incident: str, outcome: RequestOutcome, duration_ms: float, check: str = "") -> None:
        """Add what became of a request whose record was written before its hand-off.

        Args:
            incident: of the record.
            outcome: in the place of the recorded one.
            duration_ms: likewise.
            check: which decided in the end; empty: the recorded one did.

        Raises:
            StoreUnavailable: it was not kept.
        """
        ...

    def close(self) -> None:
        """Flush and release. It is not used again."""
        ...


class AuditFilter(TypedDict, total=False):
    """Which records are asked for: those that fit everything that is given. None and empty texts ask for nothing."""

    since: datetime | None
    """Aware; not older."""
    until: datetime | None
    """Aware; older."""
    check: str
    """A check by its name, or all of a family by its first part: ``timestamp`` is ``timestamp.expired`` too."""
    outcome: str
    client: str
    service: str
    username: str


@runtime_checkable
class AuditReader(Protocol):
    """An audit that can be read again; sinks that are files or databases are readers too."""

    def read(self, *, limit: int = 100, **which: Unpack[AuditFilter]) -> list[AuditRecord]:
        """The newest records that fit, newest first.

        Raises:
            StoreUnavailable: the audit cannot be read.
        """
        ...

    def find(self, incident: str) -> AuditRecord | None:
        """The record of one incident, or None.

        Raises:
            StoreUnavailable: the audit cannot be read.
        """
        ...


Operations = Mapping[str, frozenset[str]]
"""Service name -> the ``{namespace}name`` of each of its operations."""


@dataclass(frozen=True, slots=True)
class Application:
    """What introspection found out about an application."""

    operations: Operations
    """Everything it can dispatch on; a name that is not here is no operation of it."""
    actions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Operation -> the SOAPActions that its WSDL gives it."""
    namespaces: frozenset[str] = frozenset()
    """Those of its types and elements: what prefixes in content may be bound to."""
    types: frozenset[str] = frozenset()
    """``{namespace}name`` of each type that it may take an element for by ``xsi:type``."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The circumstances of one authentication."""

    demands: Demands
    remote_addr: str
    now: datetime
    signed_by: frozenset[str] = frozenset()
    """Users with whose own keys all was signed that must be."""


@dataclass(frozen=True, slots=True)
class UserKey:
    """A symmetric key that is made of a user's password: who signs with it knows that."""

    user: str
    octets: bytes = field(repr=False)
    """Random ones where nobody with this name may sign: no signature fits."""
    for_signatures: bool
    """Whether the sender says that it is for those, and not to derive others from."""
    otherwise: str
    """For people: what is wrong where a signature does not fit."""


@runtime_checkable
class Observer(Protocol):
    """Is told of every verdict, also of those that are not recorded. The same object serves all threads."""

    def judged(self, record: AuditRecord, stages: Mapping[str, float]) -> None:
        """Take note; what it raises is logged and changes no verdict.

        Args:
            record: as the audit would keep it.
            stages: seconds that each stage of the guard took, by name, in order.
        """
        ...


TokenT = TypeVar("TokenT")


class TokenProcessor(Protocol[TokenT]):
    """Reads and authenticates one kind of security token."""

    tag: str
    """``{namespace}name`` of the element it reads."""
    family: str
    """First part of its check names, and the section of ``Demands`` that governs it."""

    def read(self, element: _Element, demands: Demands, now: datetime, explanation: Explanation) -> TokenT:
        """Read the element strictly and check all that needs no store.

        Raises:
            SecurityFault: it is misshapen, outside its window, or not what ``demands`` allow.
        """
        ...

    def authenticate(self, token: TokenT, attempt: "Attempt", explanation: Explanation) -> Principal:
        """Find out whose token it is.

        Raises:
            SecurityFault: nobody's.
            StoreUnavailable: a store that is needed does not answer.
        """
        ...

    def replay_keys(self, token: TokenT) -> tuple[bytes, ...]:
        """What of the token may be seen once only; keys of the replay store."""
        ...


KeyedT_contra = TypeVar("KeyedT_contra", contravariant=True)


@runtime_checkable
class KeyedTokenProcessor(Protocol[KeyedT_contra]):
    """A ``TokenProcessor`` of tokens that keys may be made of."""

    def key(self, token: KeyedT_contra, attempt: Attempt) -> UserKey:
        """The key of a token that was read. It proves nothing: what is signed with it does.

        Raises:
            SecurityFault: no key is made of such a token, or there were too many failures.
            StoreUnavailable: a store that is needed does not answer.
        """
        ...

    def not_proven(self, token: KeyedT_contra, attempt: Attempt) -> None:
        """Count a failure: the key of ``token`` was used, and nothing was signed with it.

        Raises:
            StoreUnavailable: it was not counted.
        """
        ...
