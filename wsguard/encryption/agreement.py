"""xenc:AgreementMethod: ECDH-ES with ConcatKDF (XML Encryption 1.1 §5.4.1, §5.6.1), on P-256, P-384 and P-521.

The sender's key is of one message, and nobody vouches for it: agreeing on a key says nothing about who did.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lxml.etree import _Element

from wsguard.algorithms import Algorithms
from wsguard.encryption.methods import algorithm_of, digest_of
from wsguard.encryption.refusals import malformed, unknown
from wsguard.message.key_value import read_key_value
from wsguard.message.lexical import at_most_one, exactly_one, only_attributes, only_children
from wsguard.names import CONCAT_KDF, DS, IDS, XENC, XENC11

AGREEMENT_METHOD: Final = f"{{{XENC}}}AgreementMethod"
_ORIGINATOR: Final = f"{{{XENC}}}OriginatorKeyInfo"
_RECIPIENT: Final = f"{{{XENC}}}RecipientKeyInfo"
_KEY_VALUE: Final = f"{{{DS}}}KeyValue"
_DERIVATION: Final = f"{{{XENC11}}}KeyDerivationMethod"
_PARAMETERS: Final = f"{{{XENC11}}}ConcatKDFParams"
_DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"

_OTHER_INFO: Final = ("AlgorithmID", "PartyUInfo", "PartyVInfo", "SuppPubInfo", "SuppPrivInfo")
"""In the order of §5.4.1."""
_BIT_STRING: Final = re.compile(r"(?:00(?:[0-9A-Fa-f]{2}){0,512})?")
"""§5.4.1: the first octet counts padding bits. Nobody sends any, and joining strings of bits would be needed for them.
512 octets hold a certificate's name."""

_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = MappingProxyType(
    {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}  # noqa: S303
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """An xenc:AgreementMethod of the right shape."""

    originator: ec.EllipticCurvePublicKey = field(repr=False)
    recipient: _Element | None
    """xenc:RecipientKeyInfo, which has the content of a ds:KeyInfo."""
    digest: str
    """Short name."""
    other_info: bytes = field(repr=False)


def read_agreement(element: _Element, algorithms: Algorithms) -> Agreement:
    """Read an xenc:AgreementMethod strictly.

    Raises:
        InvalidSecurity: ``encryption.malformed``.
        UnsupportedAlgorithm: ``encryption.algorithm``.
    """
    if algorithms.admit("key_transport", algorithm_of(element)) != "ecdh-es":
        raise malformed(expected="ECDH-ES as AgreementMethod", seen=algorithm_of(element))
    only_children(element, frozenset({_DERIVATION, _ORIGINATOR, _RECIPIENT}), malformed)
    originator = exactly_one(element, _ORIGINATOR, malformed)
    only_attributes(originator, IDS, malformed)
    only_children(originator, frozenset({_KEY_VALUE}), malformed)
    digest, other_info = _derivation(exactly_one(element, _DERIVATION, malformed))
    return Agreement(
        _public_key(exactly_one(originator, _KEY_VALUE, malformed)),
        at_most_one(element, _RECIPIENT, malformed),
        digest,
        other_info,
    )


def agreed_key(agreement: Agreement, key: ec.EllipticCurvePrivateKey, length: int) -> bytes:
    """``length`` octets that the originator and the owner of ``key`` agree on.

    Args:
        agreement: what the message says.
        key: on the originator's curve.
        length: at least 1.

    Raises:
        ValueError: they are on different curves.
    """
    secret = key.exchange(ec.ECDH(), agreement.originator)
    return ConcatKDFHash(_HASHES[agreement.digest], length, agreement.other_info).derive(secret)


def _derivation(element: _Element) -> tuple[str, bytes]:
    """The digest and OtherInfo of ConcatKDF."""
    if (identifier := algorithm_of(element)) != CONCAT_KDF:
        raise unknown("ConcatKDF", identifier)
    only_children(element, frozenset({_PARAMETERS}), malformed)
    parameters = exactly_one(element, _PARAMETERS, malformed)
    only_attributes(parameters, frozenset(_OTHER_INFO), malformed)
    only_children(parameters, frozenset({_DIGEST_METHOD}), malformed)
    digest = digest_of(exactly_one(parameters, _DIGEST_METHOD, malformed), "")
    return digest, b"".join(_bit_string(parameters.get(name, ""), name) for name in _OTHER_INFO)


def _bit_string(text: str, name: str) -> bytes:
    if not _BIT_STRING.fullmatch(text):
        raise malformed(expected=f"{name} of at most 512 octets in hexadecimal behind 00", seen=f"{len(text)} others")
    return bytes.fromhex(text[2:])


def _public_key(element: _Element) -> ec.EllipticCurvePublicKey:
    octets = read_key_value(element, malformed)
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise malformed(expected="a public key in OriginatorKeyInfo", seen="one that cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise malformed(expected="an ECKeyValue in OriginatorKeyInfo", seen="another key")
    return key
