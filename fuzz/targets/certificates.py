"""A letter, and octets: certificates and revocation lists in DER, and names of certificates as text.

``x``, ``p``, ``7``: a BinarySecurityToken of that kind, read and judged. ``c``: a revocation list. ``n``: a name.

Invariant: a SecurityFault or a ValueError for the operator, or, of a certificate, one of ours as its authority signed
it; of a list, what the root signed; of a name, the same whatever case it is in.
"""

from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from fuzz import keys
from fuzz.guarded import NOW
from fuzz.silence import silent
from fuzz.target import Target, demand
from wsguard.certificates import CertificateReference
from wsguard.certificates.decoding import MOST_CERTIFICATES, decode
from wsguard.certificates.naming import key_of, name_key, names_equal
from wsguard.explanation import Explanation
from wsguard.faults import SecurityFault
from wsguard.names import PKCS7, X509_PKI_PATH, X509_V3
from wsguard.policy import Demands
from wsguard.trust.choosing import CertificateTrust
from wsguard.trust.material import Material
from wsguard.trust.revocation import TrustFileError, read_list

_TYPES: Final = {b"x": X509_V3, b"p": X509_PKI_PATH, b"7": PKCS7}
_DEMANDS: Final = Demands()


@cache
def _trust() -> CertificateTrust:
    return CertificateTrust({_DEMANDS.trust: Material(anchors=(keys.ROOT.certificate,))}, {}, frozenset())


def judge(octets: bytes) -> bool:
    """Hold octets of one kind against the invariant."""
    kind, content = octets[:1], octets[1:]
    with silent():
        if kind in _TYPES:
            return _judge_token(content, _TYPES[kind])
        return _judge_list(content) if kind == b"c" else _judge_name(content.decode("utf-8", "replace"))


def _judge_token(octets: bytes, value_type: str) -> bool:
    try:
        certificates = decode(octets, value_type)
        reference = CertificateReference(form="DirectReference", presented=certificates)
        (trusted,) = _trust().choose(reference, _DEMANDS, NOW, Explanation())
    except SecurityFault as fault:
        demand(fault.check.startswith("certificate."), f"a check of certificates: {fault.check}")
        return False
    demand(1 <= len(certificates) <= MOST_CERTIFICATES, "the number of certificates is bounded")
    genuine = {one.certificate.tbs_certificate_bytes for one in (keys.ALICE, keys.MALLORY)}
    demand(trusted.certificate.tbs_certificate_bytes in genuine, "the root signed it as it is")
    demand(trusted.certificate == certificates[0], "what is trusted is what was sent")
    return True


def _judge_list(octets: bytes) -> bool:
    try:
        found = read_list(x509.load_der_x509_crl(octets), [keys.ROOT.certificate])
    except (TrustFileError, ValueError, x509.InvalidVersion):
        return False
    demand(found.serials == {keys.MALLORY.certificate.serial_number}, "the list is the one that the root signed")
    return True


def _judge_name(text: str) -> bool:
    key = name_key(text)
    equal = names_equal(text, keys.ALICE.certificate.issuer)
    demand(not equal or "root" in text.casefold() or "\\" in text or "#" in text, "who means the root says so")
    demand(equal == (key == key_of(keys.ALICE.certificate.issuer)), "names that are equal have one key")
    if key is not None and text.isascii() and "#" not in text and "\\" not in text:
        demand(name_key(text.swapcase()) == key, "the case says nothing")
    return key is not None


def seeds() -> list[bytes]:
    """Certificates and lists of ours and of others, and names as stacks write them."""
    people = (keys.ALICE, keys.STRANGER, keys.ROOT)
    chains = ([keys.ALICE.certificate, keys.ROOT.certificate], [keys.STRANGER.certificate])
    path = keys.ROOT.der + keys.ALICE.der
    names = (
        "CN=Root", "cn = root", "OID.2.5.4.3=Root", "2.5.4.3=#0c04526f6f74", 'CN="Root"', "CN=R\\6fot", "CN=Root,O=x",
        "O=a+OU=b, CN=\\,c", "C=DE; ST=x, L=\\c3\\a9", "CN=#1e080052006f006f0074", "EMAILADDRESS=a@b,DC=x,UID=y",
    )  # fmt: skip
    return [
        *(b"x" + one.der for one in people),
        b"x" + keys.ALICE.der[:-9],
        b"x" + keys.ALICE.der.replace(b"\x02\x01\x02", b"\x02\x01\xfb", 1),
        b"x" + keys.ALICE.der.replace(b"Alice", b"Aloce"),
        b"p\x30\x82" + len(path).to_bytes(2, "big") + path,
        *(b"7" + pkcs7.serialize_certificates(chain, Encoding.DER) for chain in chains),
        b"c" + keys.crl(keys.MALLORY),
        *(b"n" + name.encode() for name in names),
    ]


TARGET: Final = Target(name="certificates", judge=judge, seeds=seeds, dictionary="der", longest=2048)
