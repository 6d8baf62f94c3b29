"""Certificates as octets of a message (X.509 Token Profile 1.1 §3.1): within bounds, or refused before they cost."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from wsguard.certificates.foreign import FOREIGN
from wsguard.faults import InvalidSecurityToken
from wsguard.names import PKCS7, X509_PKI_PATH, X509_V3

LONGEST_TOKEN: Final = 65_536
"""Octets: chains of four certificates with keys of 4,096 bits have 8,000."""
LONGEST_CERTIFICATE: Final = 8192
"""Octets: one with a key of 8,192 bits has 3,000. Names and extensions cost a millisecond for every 5,000."""
MOST_CERTIFICATES: Final = 8
"""In one token or ds:X509Data: a root, a bridge and its authorities, with room."""
LARGEST_RSA_BITS: Final = 8192
"""Twice what anybody uses: a verification's cost grows with the square."""

_KEPT: Final = 128
"""Tokens whose certificates are kept: clients send the same one with every message."""
_SEQUENCE: Final = 0x30

Certificates = tuple[x509.Certificate, ...]


@lru_cache(maxsize=_KEPT)
def decode(octets: bytes, value_type: str) -> Certificates:
    """The certificates in a token: the one that is meant first, then the others, nearest first where it is known.

    Args:
        octets: of a wsse:BinarySecurityToken or ds:X509Certificate, decoded from base64.
        value_type: ``names.X509_V3`` (one certificate), ``X509_PKI_PATH`` (a SEQUENCE OF Certificate, the one that is
            meant last: ITU-T X.509 §7.9) or ``PKCS7`` (certificates in no order).

    Returns:
        one to eight; names and extensions are read when they are asked for, and may raise ``foreign.FOREIGN`` then.

    Raises:
        InvalidSecurityToken: ``certificate.malformed``, it cannot be read, is out of bounds, or does not say which
            certificate is meant; ``certificate.key_size``, an RSA key has more than 8,192 bits.
    """
    if not 1 <= len(octets) <= LONGEST_TOKEN:
        raise malformed(f"1 to {LONGEST_TOKEN} octets of certificates", f"{len(octets)} octets")
    read = _READERS.get(value_type)
    if read is None:
        raise malformed("certificates in a form of the X.509 token profile", value_type)
    try:
        return read(octets)
    except FOREIGN:
        # Without its cause: the library may quote what it read.
        raise malformed(_READABLE, f"{len(octets)} octets that are none") from None


def leaf_first(certificates: Iterable[x509.Certificate]) -> Certificates:
    """Certificates in no order (ds:X509Data, PKCS #7): the one that issued none of the others, then those above it.

    Args:
        certificates: the same one may occur twice.

    Raises:
        InvalidSecurityToken: ``certificate.malformed``, none or more than eight, or several may be meant.
    """
    left = list(dict.fromkeys(certificates))
    try:
        return _leaf_first(left)
    except FOREIGN:
        raise malformed(_READABLE, "one with a name that cannot be read") from None


def malformed(expected: str, seen: str) -> InvalidSecurityToken:
    """The fault for certificates that are not taken as they are."""
    return InvalidSecurityToken("certificate.malformed", expected=expected, seen=seen)


_READABLE: Final = "an X.509 certificate that can be read"


def _single(octets: bytes) -> Certificates:
    return (_examined(x509.load_der_x509_certificate(octets)),)


def _pki_path(octets: bytes) -> Certificates:
    certificates = [_single(element)[0] for element in _elements(octets)]
    return tuple(reversed(certificates))


def _pkcs7(octets: bytes) -> Certificates:
    # Not all versions of the library look behind the SEQUENCE.
    if _content(octets, 0)[1] != len(octets):
        raise malformed("one SEQUENCE in DER", "something behind it")
    certificates = pkcs7.load_der_pkcs7_certificates(octets)
    if len(certificates) > MOST_CERTIFICATES:
        raise malformed(f"at most {MOST_CERTIFICATES} certificates", f"{len(certificates)} of them")
    return leaf_first(_examined(certificate) for certificate in certificates)


def _leaf_first(left: list[x509.Certificate]) -> Certificates:
    if not 1 <= len(left) <= MOST_CERTIFICATES:
        raise malformed(f"1 to {MOST_CERTIFICATES} certificates", f"{len(left)} of them")
    leaves = [one for one in left if not any(one.subject == other.issuer for other in left if other is not one)]
    if len(leaves) != 1:
        raise malformed("certificates of which one issued none of the others", f"{len(leaves)} such ones")
    ordered = leaves
    left.remove(leaves[0])
    while above := next((one for one in left if one.subject == ordered[-1].issuer), None):
        ordered.append(above)
        left.remove(above)
    return (*ordered, *left)


def _examined(certificate: x509.Certificate) -> x509.Certificate:
    """Read what is cheap, and refuse a key that is dear to compute with."""
    if (length := len(certificate.public_bytes(Encoding.DER))) > LONGEST_CERTIFICATE:
        raise malformed(f"a certificate of at most {LONGEST_CERTIFICATE} octets", f"{length} octets")
    key = certificate.public_key()
    _ = (certificate.serial_number, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > LARGEST_RSA_BITS:
        raise InvalidSecurityToken(
            "certificate.key_size",
            expected=f"RSA keys of at most {LARGEST_RSA_BITS} bits",
            seen=f"one of {key.key_size} bits",
        )
    return certificate


_READERS: Final[Mapping[str, Callable[[bytes], Certificates]]] = MappingProxyType(
    {X509_V3: _single, X509_PKI_PATH: _pki_path, PKCS7: _pkcs7}
)

# --- DER (ITU-T X.690 §8.1, §10.1) ------------------------------------------------------------------------------------


def _elements(octets: bytes) -> list[bytes]:
    """The elements of a SEQUENCE that is all of ``octets``: at least one."""
    start, end = _content(octets, 0)
    elements: list[bytes] = []
    while start < end:
        if len(elements) == MOST_CERTIFICATES:
            raise malformed(f"at most {MOST_CERTIFICATES} certificates", "more")
        _, following = _content(octets, start)
        elements.append(octets[start:following])
        start = following
    if not elements or end != len(octets):
        raise malformed("a SEQUENCE of certificates in DER", "nothing in it, or something behind it")
    return elements


def _content(octets: bytes, at: int) -> tuple[int, int]:
    """Where the content of the SEQUENCE at ``at`` starts and ends.

    Raises:
        ValueError: there is none, or its length is open.
    """
    if octets[at : at + 1] != bytes([_SEQUENCE]) or at + 2 > len(octets):
        raise ValueError("no SEQUENCE")
    length, start = octets[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        if not 1 <= size <= 3:
            raise ValueError("an open or huge length")
        length, start = int.from_bytes(octets[start : start + size], "big"), start + size
    return start, start + length
