"""A program that changes a signed message on its way.

Invariant: refused, or the Body that the application sees has the digest that was signed, each header block is one that
was signed, types mean what they meant, and the principal is the signer.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from lxml import etree

from fuzz import keys, program
from fuzz.guarded import Fuzzed, Outcome
from fuzz.messages import token
from fuzz.target import Target, demand
from tests.messages import DS, PAYLOAD, SOAP12, timestamp
from tests.signature.mutations import Seen, seen
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, canonical, sign, unsigned
from wsguard.names import SOAP11_ENCODING, XSD, XSI

_TYPED: Final = (
    f'<e:Echo xmlns:e="urn:echo" xmlns:xsi="{XSI}"><e:text xsi:type="xs:string">hello</e:text>'
    '<e:text xsi:type="e:Text">one</e:text></e:Echo>'
)
_BLOCK: Final = '<h:Block wsu:Id="block" xmlns:h="urn:h">b</h:Block><h:Other xmlns:h="urn:h"/>'
_IN_X509_DATA: Final = (
    f"<ds:X509Data><ds:X509Certificate>{base64.b64encode(keys.ALICE.der).decode()}</ds:X509Certificate></ds:X509Data>"
)
_MEANT: Final = frozenset({XSD, SOAP11_ENCODING, "urn:echo"})
"""Namespaces that prefixes of types may be bound to here: exclusive canonicalization signs no prefixes of values."""


@dataclass(frozen=True)
class Signed:
    """What the signer signed."""

    octets: bytes
    seen: Seen
    digests: frozenset[bytes]
    """The DigestValues of the message, whatever they are of."""
    principal: str
    prefixes: str | None
    exclusive: bool
    timestamp: object
    username: str


def _signed(signing: Signing, *more: str, **envelope: str) -> str:
    text = unsigned(binary_token(keys.ALICE.certificate), "@SIG-1@", timestamp(), *more, **envelope)
    return sign(text, signing).decode()


@cache
def messages() -> tuple[bytes, ...]:
    """Signed messages of several shapes, all by Alice."""
    by = Signing.by
    user = token().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    everything = (BODY, TIMESTAMP, Part("#block"), Part("#UT-1"))
    listed = (Part("#body", prefixes="xs"), Part("#TS-1", prefixes="wsse S"))
    typed = {"body": _TYPED, "envelope_attributes": f'xmlns:xs="{XSD}"'}
    twelve = {"soap": SOAP12, "body": PAYLOAD.replace("hello", "hel<!-- - -->lo")}
    inclusive = (Part("#body", c14n="c14n"), Part("#TS-1", transforms="", c14n="c14n"))
    return tuple(
        text.encode()
        for text in (
            _signed(by(keys.ALICE)),
            _signed(by(keys.ALICE, parts=everything), user, header=_BLOCK),
            _signed(by(keys.ALICE, parts=listed, prefixes="S"), **typed),
            _signed(by(keys.ALICE, key_info=_IN_X509_DATA), **twelve),
            _signed(by(keys.ALICE), **typed),
            _signed(by(keys.ALICE, parts=inclusive, c14n="c14n")),
            _signed(by(keys.ALICE, parts=(TIMESTAMP, BODY)), binary_token(keys.MALLORY.certificate, id="X509-2")),
        )
    )


@cache
def guard() -> Fuzzed:
    """Demands a signature over Body and Timestamp."""
    return Fuzzed(
        trust={"ca_files": [keys.file("root.pem", keys.ROOT.pem)]},
        signature={"use": "required"},
        username_token={"use": "optional"},
        algorithms={"canonicalization": ["exc-c14n", "c14n"]},
    )


@cache
def genuine() -> tuple[Signed, ...]:
    """What was signed in each of ``messages()``, as they are accepted."""
    return tuple(map(_genuine, messages()))


def _genuine(octets: bytes) -> Signed:
    root = etree.fromstring(octets)
    outcome = guard().post(octets)
    message = outcome.message
    demand(message, f"an honest message is accepted: {outcome.record}")
    assert message is not None
    assert message.principal is not None
    values = frozenset(base64.b64decode(value.text or "") for value in root.iter(f"{{{DS}}}DigestValue"))
    listed = [one.get("PrefixList") for one in root.iterfind(f".//{{{DS}}}Reference//{{*}}InclusiveNamespaces")]
    return Signed(
        octets, seen(outcome.handed), values, message.principal.name, listed[0] if listed else None,
        b"xml-exc-c14n" in octets, message.timestamp, message.username,
    )  # fmt: skip


def judge(octets: bytes) -> bool:
    """Hold what became of one message against the invariant."""
    originals = genuine()
    chosen, changed = program.run(octets, [one.octets for one in originals])
    outcome = guard().post(changed)
    if outcome.message is None:
        return False
    demand_signed(outcome, originals[chosen])
    return True


def demand_signed(outcome: Outcome, original: Signed) -> None:
    """Demand that what was handed on is ``original``, or less of it.

    Raises:
        Broken: it is not.
    """
    message, found = outcome.message, seen(outcome.handed)
    assert message is not None
    demand(message.principal and message.principal.name == original.principal, "the principal is the signer")
    demand(message.principal and message.principal.kind == "certificate", "by its certificate")
    demand(message.certificate == keys.ALICE.der, "which is the signer's")
    demand({"Body", "Timestamp"} <= message.signed_parts, "Body and Timestamp are told to be signed")
    demand(message.timestamp == original.timestamp, "the Timestamp is the one that was signed")
    demand(message.username in ("", original.username), "the user is the one who was signed, or none")
    body = etree.fromstring(outcome.handed)[-1]
    if original.exclusive:
        digest = hashlib.sha256(canonical(body, "exc-c14n", original.prefixes)).digest()
        demand(digest in original.digests, "the digest of the Body that is handed on was signed")
    demand(replace(found, blocks=original.seen.blocks, types=[]) == replace(original.seen, types=[]), "the rest is it")
    demand(set(found.blocks) <= set(original.seen.blocks), "each header block was signed")
    demand(not found.blocks - original.seen.blocks, "and none is there twice")
    demand([name for _, name in found.types] == [name for _, name in original.seen.types], "types have their names")
    for (space, _), (before, _) in zip(found.types, original.seen.types, strict=True):
        demand(space == before or space in _MEANT, f"a type is in no namespace that nobody expects: {space}")


def seeds() -> list[bytes]:
    """The messages as they are, and each step."""
    return program.seeds(messages(), b"hell")


TARGET: Final = Target(name="signature", judge=judge, seeds=seeds, dictionary="program", longest=256)
