"""Certificates and revocation lists that others vouch with: files of trust, of peers."""

import re
from pathlib import Path
from typing import Final

from cryptography import x509

from wsguard.keys.errors import FOREIGN, KeyFileError, nothing
from wsguard.keys.files import format_of, read
from wsguard.keys.java import refused_jceks, trusted_in_jks
from wsguard.keys.pem import certificates_in_pem
from wsguard.keys.pfx import certificates_in_pkcs12

_CRLS: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_MARKS: Final = re.compile(rb"-----(BEGIN|END) ([^-\r\n]*)(-----)?")
"""RFC 7468 §2."""


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """All certificates in ``path``, in its order.

    PEM with one or several, DER with one, the trusted certificates of a JKS keystore, or a PKCS#12 file without private
    key and password.

    Raises:
        KeyFileError: the file cannot be read, has no such certificate, one in it is damaged, or it needs a password.
    """
    octets = read(path)
    match format_of(octets):
        case "JKS":
            return trusted_in_jks(path, octets)
        case "PKCS#12":
            return certificates_in_pkcs12(path, octets)
        case "PEM":
            _demand_whole(path, octets)
            return certificates_in_pem(path, octets) or nothing(path, "certificate")
        case "JCEKS":
            raise refused_jceks(path, "JKS")
        case None:
            return (_der_certificate(path, octets),)


def load_crls(path: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """All revocation lists in ``path``, in its order: PEM with one or several, or DER with one.

    Raises:
        KeyFileError: the file cannot be read, has no revocation list, or one in it is damaged.
    """
    octets = read(path)
    in_pem = format_of(octets) == "PEM"
    if in_pem:
        _demand_whole(path, octets)
    try:
        if not in_pem:
            return (x509.load_der_x509_crl(octets),)
        lists = tuple(x509.load_pem_x509_crl(match[0]) for match in _CRLS.finditer(octets))
    except FOREIGN as error:
        raise KeyFileError(f"{path}: not a revocation list that can be read, in PEM or DER") from error
    return lists or nothing(path, "revocation list")


def _demand_whole(path: Path, octets: bytes) -> None:
    """Refuse a file that was cut off, or whose marks are damaged: a list that is not found revokes nothing.

    Raises:
        KeyFileError: something begins that does not end, or ends that did not begin.
    """
    marks = [(match[1], match[2], match[3]) for match in _MARKS.finditer(octets)]
    pairs = zip(marks[::2], marks[1::2], strict=False)
    if len(marks) % 2 or any(
        (begin, end) != ((b"BEGIN", begin[1], b"-----"), (b"END", begin[1], b"-----")) for begin, end in pairs
    ):
        raise KeyFileError(f"{path}: it is damaged: something in it begins and does not end, or the other way round")


def _der_certificate(path: Path, octets: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(octets)
    except FOREIGN as error:
        raise KeyFileError(f"{path}: no certificate that can be read, in PEM or DER") from error
