"""Certificates in messages are read within bounds; whatever is wrong with them is one fault and quotes nothing."""

import base64
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from tests.pki import Issued, authority, rsa_key
from wsguard.certificates import CertificateReference, decode, fits, leaf_first
from wsguard.certificates.decoding import LONGEST_CERTIFICATE, LONGEST_TOKEN, MOST_CERTIFICATES
from wsguard.faults import InvalidSecurityToken, SecurityFault
from wsguard.names import PKCS7, X509_PKI_PATH, X509_V3

ROOT = authority()
MIDDLE = ROOT.authority("middle")
LEAF = MIDDLE.leaf("leaf", key=rsa_key())


def check(act: Callable[[], object]) -> str:
    with pytest.raises(InvalidSecurityToken) as caught:
        act()
    assert caught.value.__cause__ is None
    return caught.value.check


def sequence(*elements: bytes) -> bytes:
    content = b"".join(elements)
    return b"\x30\x83" + len(content).to_bytes(3, "big") + content


def test_a_single_certificate_is_read() -> None:
    assert decode(LEAF.der, X509_V3) == (LEAF.certificate,)


def test_a_pki_path_is_read_from_its_end() -> None:
    assert decode(sequence(ROOT.der, MIDDLE.der, LEAF.der), X509_PKI_PATH) == LEAF.chain


def test_pkcs7_is_put_in_order() -> None:
    octets = pkcs7.serialize_certificates([ROOT.certificate, LEAF.certificate, MIDDLE.certificate], Encoding.DER)
    assert decode(octets, PKCS7) == LEAF.chain


def test_certificates_without_order_begin_with_the_one_that_issued_no_other() -> None:
    for order in ((ROOT, MIDDLE, LEAF), (LEAF, ROOT, MIDDLE), (MIDDLE, LEAF, ROOT, LEAF)):
        assert leaf_first([one.certificate for one in order]) == LEAF.chain
    assert leaf_first([ROOT.certificate]) == (ROOT.certificate,)


def test_certificates_of_which_several_may_be_meant_are_refused() -> None:
    other = ROOT.leaf("other")
    assert check(lambda: leaf_first([LEAF.certificate, other.certificate])) == "certificate.malformed"
    twin = authority("middle").leaf("root")
    assert check(lambda: leaf_first([twin.certificate, MIDDLE.certificate])) == "certificate.malformed"
    assert check(lambda: leaf_first([])) == "certificate.malformed"


@pytest.mark.parametrize("value_type", [X509_V3, X509_PKI_PATH, PKCS7, "urn:other"])
@pytest.mark.parametrize("octets", [b"", b"0", b"0\x80", b"0\x00", b"0\x84\xff\xff\xff\xff", b"hello", LEAF.pem])
def test_what_is_no_certificate_is_malformed(value_type: str, octets: bytes) -> None:
    assert check(lambda: decode(octets, value_type)) == "certificate.malformed"


@pytest.mark.parametrize(
    ("value_type", "octets"),
    [
        (X509_V3, LEAF.der),
        (X509_PKI_PATH, sequence(ROOT.der, LEAF.der)),
        (PKCS7, pkcs7.serialize_certificates([LEAF.certificate], Encoding.DER)),
    ],
)
def test_octets_behind_the_certificates_are_malformed(value_type: str, octets: bytes) -> None:
    decode(octets, value_type)
    assert check(lambda: decode(octets + b"\0", value_type)) == "certificate.malformed"
    assert check(lambda: decode(octets[:-1], value_type)) == "certificate.malformed"


def test_octets_inside_a_pki_path_that_are_no_certificate_are_malformed() -> None:
    assert check(lambda: decode(sequence(ROOT.der, b"\x30\x00"), X509_PKI_PATH)) == "certificate.malformed"
    assert check(lambda: decode(sequence(ROOT.der, b"\x05\x00"), X509_PKI_PATH)) == "certificate.malformed"
    assert check(lambda: decode(sequence(), X509_PKI_PATH)) == "certificate.malformed"
    overlapping = sequence(ROOT.der[:-1])
    assert check(lambda: decode(overlapping, X509_PKI_PATH)) == "certificate.malformed"


def test_more_certificates_than_any_chain_has_are_malformed() -> None:
    several = [ROOT.leaf(f"leaf {number}") for number in range(MOST_CERTIFICATES + 1)]
    path = sequence(*(one.der for one in several))
    assert check(lambda: decode(path, X509_PKI_PATH)) == "certificate.malformed"
    assert len(decode(sequence(*(one.der for one in several[:-1])), X509_PKI_PATH)) == MOST_CERTIFICATES
    bag = pkcs7.serialize_certificates([one.certificate for one in several], Encoding.DER)
    assert check(lambda: decode(bag, PKCS7)) == "certificate.malformed"
    assert check(lambda: leaf_first([one.certificate for one in several])) == "certificate.malformed"


def test_more_octets_than_any_certificate_has_are_malformed() -> None:
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), bytes(LONGEST_CERTIFICATE))
    large = ROOT.leaf(extensions=[(padding, False)])
    assert check(lambda: decode(large.der, X509_V3)) == "certificate.malformed"
    assert check(lambda: decode(sequence(large.der), X509_PKI_PATH)) == "certificate.malformed"
    bag = pkcs7.serialize_certificates([large.certificate], Encoding.DER)
    assert check(lambda: decode(bag, PKCS7)) == "certificate.malformed"
    assert check(lambda: decode(bytes(LONGEST_TOKEN + 1), X509_V3)) == "certificate.malformed"


def test_a_key_that_is_dear_to_compute_with_is_refused_unseen() -> None:
    public = rsa.RSAPublicNumbers(65537, (1 << 8193) + 1).public_key()
    # No private key is needed to present it: the certificate is of another key, with this one put in its place.
    builder = x509.CertificateBuilder(
        issuer_name=ROOT.certificate.subject,
        subject_name=LEAF.certificate.subject,
        public_key=public,
        serial_number=1,
        not_valid_before=LEAF.certificate.not_valid_before_utc,
        not_valid_after=LEAF.certificate.not_valid_after_utc,
    )
    octets = Issued(ROOT.key, builder.sign(ROOT.key, LEAF.certificate.signature_hash_algorithm)).der  # type: ignore[arg-type]
    assert check(lambda: decode(octets, X509_V3)) == "certificate.key_size"
    assert check(lambda: decode(sequence(octets, LEAF.der), X509_PKI_PATH)) == "certificate.key_size"


def test_a_refusal_quotes_no_octets() -> None:
    with pytest.raises(InvalidSecurityToken) as caught:
        decode(b"0\x0aAAAAAAAAAA", X509_V3)
    told = f"{caught.value.expected} {caught.value.seen}"
    assert "AAAA" not in told
    assert base64.b64encode(b"AAAAAA").decode() not in told


@given(st.data())
def test_a_damaged_certificate_is_a_fault_or_a_certificate(data: st.DataObject) -> None:
    value_type, good = data.draw(
        st.sampled_from(
            [
                (X509_V3, LEAF.der),
                (X509_PKI_PATH, sequence(ROOT.der, LEAF.der)),
                (PKCS7, pkcs7.serialize_certificates([LEAF.certificate, MIDDLE.certificate], Encoding.DER)),
            ]
        )
    )
    octets = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(octets), value_type) in {"read", "certificate.malformed", "certificate.key_size"}


def outcome(octets: bytes, value_type: str) -> str:
    everything = CertificateReference(form="", serial=1, issuer="CN=root", key_identifier=b"1", thumbprint=b"1")
    try:
        for certificate in decode(octets, value_type):
            fits(everything, certificate)
    except SecurityFault as fault:
        return fault.check
    return "read"
