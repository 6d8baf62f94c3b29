"""Real messages to change: those captured from other stacks, where they are there, and ours; and what must hold."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Final

from lxml import etree

import wsguard
from tests.attacks.mutating import Mutant
from tests.attacks.tokens import user, with_token
from tests.guard_encryption.sealing import also, draft, for_server, sealed
from tests.guard_encryption.test_changes import shapes
from tests.guarding import Answer, Bare, Clock, Echo
from tests.messages import NOW, timestamp
from tests.signature.mutations import Forgetful, Seen, seen
from tests.signature.shapes import SHAPES, shape
from tests.signature.signatures import ALICE
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, canonical, sign
from wsguard.names import XSD, XSI
from wsguard.verified import VerifiedMessage

CORPUS: Final = Path(__file__).parents[3] / "shared" / "corpus"
"""Messages of other stacks, where they are beside the repository."""
GZIP: Final = b"\x1f\x8b"
_ADDRESSES: Final = count(1)


class Broken(AssertionError):
    """The application saw what the signer did not sign."""


@dataclass(frozen=True)
class Original:
    """A message that is accepted, and where."""

    name: str
    octets: bytes
    policy: str
    """The file of the guard's policy."""
    received: datetime
    content_type: str
    signed: bool
    """The policy demands that the Body is signed."""


def ours() -> Iterator[Original]:
    """Of every shape that the tests know."""
    for name in SHAPES:
        yield _ours(name, shape(name), "every")
    for name, octets in shapes().items():
        yield _ours(f"{name}, encrypted", octets, "every")
    yield _ours("partly encrypted, then signed", partly_encrypted_then_signed(), "every")
    yield _ours("a token", with_token(user()), "token")


def partly_encrypted_then_signed() -> bytes:
    """Elements of the Body and a header block under one key, each named by what is declared around it, then signed."""
    blocks = '<h:To xmlns:h="urn:h">here</h:To>', '<text xsi:nil="true"/>', '<text xsi:type="xs:string">1</text>'
    first = for_server(kind="Element", references=("ED-1", "ED-2", "ED-3"))
    body = f'<e:Echo xmlns:e="urn:echo">{blocks[1]}<e:more>{blocks[2]}</e:more></e:Echo>'
    text = draft(
        binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp(),
        header=blocks[0], body=body, envelope_attributes=f'xmlns:xsi="{XSI}" xmlns:xs="{XSD}"',
    )  # fmt: skip
    targets = [(block, also(first, f"ED-{number}")) for number, block in enumerate(blocks, 1)]
    parts = (BODY, TIMESTAMP, Part("#ED-1"))
    return sign(sealed(text, *targets).decode(), Signing.by(ALICE, parts=parts))


def _normal(octets: bytes) -> bytes:
    """In UTF-8, without comments and XML declaration: no signature notices."""
    parser = etree.XMLParser(remove_comments=True, resolve_entities=False)
    return etree.tostring(etree.fromstring(octets, parser), encoding="utf-8")


def _ours(name: str, octets: bytes, site: str) -> Original:
    kind = "application/soap+xml" if "SOAP 1.2" in name else "text/xml"
    return Original(name, _normal(octets), f"{site}.toml", NOW, f"{kind}; charset=utf-8", site != "token")


def captured() -> Iterator[Original]:
    """Those of other stacks that are accepted."""
    if not CORPUS.is_dir():
        return
    for entry in json.loads((CORPUS / "manifest.json").read_text("utf-8")):
        octets = (CORPUS / "messages" / f"{entry['name']}.xml").read_bytes()
        octets = gzip.decompress(octets) if octets.startswith(GZIP) else octets
        kind = next(value for name, value in entry["headers"] if name.lower() == "content-type").partition(";")[0]
        if entry["expect"] == "accept" and not kind.startswith("multipart"):
            received = datetime.fromisoformat(entry["received"])
            signed, policy = entry["profile"].startswith("sig"), str(CORPUS / f"{entry['profile']}.toml")
            yield Original(entry["name"], _normal(octets), policy, received, f"{kind}; charset=utf-8", signed)


# --- What must hold ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Handed:
    """What the application was given."""

    message: VerifiedMessage
    octets: bytes

    @property
    def digest(self) -> bytes:
        """Of the Body's exclusive canonical form."""
        return sha256(canonical(etree.fromstring(self.octets)[-1])).digest()

    @property
    def seen(self) -> Seen:
        """The rest of the envelope."""
        return seen(self.octets)


class Patient(Bare):
    """A guard that forgets what it saw, so that one message can be sent in thousands of forms."""

    def __init__(self, policy: Path) -> None:
        self.echo, self.clock = Echo(), Clock()
        self.guard = wsguard.guard(self.echo, policy, clock=self.clock, replay=Forgetful())

    def send(self, original: Original, octets: bytes) -> tuple[Answer, Handed | None]:
        """The answer, and what the application saw."""
        self.clock.now = original.received
        self.echo.handed.clear()
        # Everybody has an address of their own: no user is locked out for the wrong passwords of others.
        address = f"2001:db8::{next(_ADDRESSES):x}"
        answer = self.post(octets, CONTENT_TYPE=original.content_type, REMOTE_ADDR=address)
        if not self.echo.handed:
            return answer, None
        ((environ, handed),) = self.echo.handed
        return answer, Handed(environ["wsguard.message"], handed)


def demand(original: Original, first: Handed, mutant: Mutant, answer: Answer, handed: Handed | None) -> None:
    """The invariant: refused for a reason, or what the application sees is what the signer signed.

    Args:
        first: what the application saw of the original itself.

    Raises:
        Broken: it does not hold.
    """
    if handed is None:
        _demand_refusal(mutant, answer)
    elif original.signed:
        _demand_the_same(first, mutant, handed)
    else:
        _demand_nobody_else(first, mutant, handed)


def _demand_refusal(mutant: Mutant, answer: Answer) -> None:
    record = answer.record
    refused = record is not None and (record.outcome, record.check != "internal.error") == ("rejected", True)
    if not refused or b"Fault>" not in answer.body or answer.status.startswith("2"):
        raise Broken(f"{mutant.plan}: no refusal, but {answer}")


def _demand_the_same(first: Handed, mutant: Mutant, handed: Handed) -> None:
    one, other = first.message, handed.message
    pairs = {
        "principal": (one.principal, other.principal),
        "certificate": (one.certificate, other.certificate),
        "client": (one.client, other.client),
        "operation": (one.operation, other.operation),
        "Body": (first.digest, handed.digest),
        "Envelope and Header": (first.seen.outside, handed.seen.outside),
    }
    if "Timestamp" in one.signed_parts:
        pairs["Timestamp"] = (one.timestamp, other.timestamp if "Timestamp" in other.signed_parts else None)
    different = [name for name, (before, after) in pairs.items() if before != after]
    if other.username not in ("", one.username):
        different.append("user")
    if handed.seen.blocks != first.seen.blocks:
        different.append("header blocks")
    if different:
        raise Broken(f"{mutant.plan}: another {', '.join(different)}")


def _demand_nobody_else(first: Handed, mutant: Mutant, handed: Handed) -> None:
    """Where nothing must be signed anybody may change the Body, and is nobody but who has the password."""
    if handed.message.principal not in (None, first.message.principal):
        raise Broken(f"{mutant.plan}: {handed.message.principal} is somebody else")
    if handed.message.encrypted_parts:
        return
    sent = etree.fromstring(mutant.octets, etree.XMLParser(remove_comments=True))
    (body,) = [child for child in sent if etree.QName(child).localname == "Body"]
    if sha256(canonical(body)).digest() != handed.digest:
        raise Broken(f"{mutant.plan}: another Body than was sent")
