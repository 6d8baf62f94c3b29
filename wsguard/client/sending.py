"""A request on its way: secured, and what its answer will be held against."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from lxml.etree import _Element

from wsguard.names import DS, SIGNATURE
from wsguard.policy.surroundings import Limits
from wsguard.securing import Securing, secure

_VALUE: Final = f"{SIGNATURE}/{{{DS}}}SignatureValue"


@dataclass(frozen=True, slots=True)
class Sent:
    """What is remembered of a request until its answer comes."""

    signature_values: tuple[bytes, ...] | None = ()
    """Its SignatureValues, decoded: what the answer must confirm. None: they are encrypted, and nobody here knows."""
    signer: bytes = field(default=b"", repr=False)
    """SubjectPublicKeyInfo in DER of the certificate's key that signed it; empty where none did. No answer is by it."""


@dataclass(frozen=True, slots=True)
class Secured:
    """A request as it goes out."""

    root: _Element = field(repr=False)
    """However it is serialised, its digests stay true."""
    octets: bytes = field(repr=False)
    """UTF-8 with XML declaration."""
    sent: Sent


def secure_request(octets: bytes, plan: Securing, now: datetime, limits: Limits) -> Secured:
    """Secure a request as ``plan`` says.

    Args:
        octets: an envelope without a Security header for the actor of the plan.
        plan: how.
        now: aware.
        limits: ``response_bytes`` bounds the octets.

    Raises:
        NotSecurable: it cannot be done; nothing may be sent.
        ValueError: ``now`` is naive.
    """
    secured = secure(octets, plan, now, limits)
    root = etree.fromstring(secured, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    return Secured(root, secured, _sent(root, plan))


def _sent(root: _Element, plan: Securing) -> Sent:
    if not plan.signature_method:
        return Sent()
    signer = b""
    if plan.sign is not None:
        signer = plan.sign.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # Our Security header is the first block; what an application sends may have a Signature elsewhere.
    values = tuple(base64.b64decode(value.text or "") for value in root[0][0].findall(_VALUE))
    return Sent(values or None, signer)
