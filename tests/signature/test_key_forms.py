"""How a signature names its certificate: every form of the X.509 token profile, and what is in none of them."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from tests.messages import timestamp
from tests.pki import Issued, name
from tests.signature.key_infos import embedded, identifier, issuer_serial, key_identifier, referring, x509_data
from tests.signature.signatures import ALICE, BOB, ROOT, Guarding, SignedGuard, bent, honest, refers_to
from tests.signing import X509_PROFILE, Signing, binary_token, sign, signed, unsigned
from wsguard.names import PKCS7, THUMBPRINT_SHA1, WSSE11, X509_PKI_PATH, X509_SUBJECT_KEY_IDENTIFIER, X509_V3

ISSUING = ROOT.authority("Issuing")
CAROL = ISSUING.leaf("Carol")
"""Whose authority the guard does not know: its certificate must come along."""
ORGANISATION = ROOT.authority(name("Sub, CA", country_name="DE", organization_name="Alice & Sons"))
DAVE = ORGANISATION.leaf("Dave", serial=0x0102030405060708)


def naming(key_info: str, one: Issued = ALICE) -> bytes:
    """Signed by ``one``, whose certificate is not in the message but as ``key_info`` says."""
    envelope = unsigned("@SIG-1@", timestamp())
    return sign(envelope, Signing.by(one, key_info=key_info))


def ski(one: Issued) -> bytes:
    return one.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def thumbprint(one: Issued) -> bytes:
    return one.certificate.fingerprint(hashes.SHA1())


# --- Certificates that are in the message -----------------------------------------------------------------------------


def path(*certificates: Issued) -> bytes:
    """A PkiPath: the one that is meant last."""
    content = b"".join(one.der for one in certificates)
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


def bag(*certificates: Issued) -> bytes:
    return pkcs7.serialize_certificates([one.certificate for one in certificates], Encoding.DER)


@pytest.mark.parametrize(
    ("kind", "octets", "value_type"),
    [
        pytest.param("X509PKIPathv1", path(ISSUING, CAROL), X509_PKI_PATH, id="a PkiPath"),
        pytest.param("X509PKIPathv1", path(ROOT, ISSUING, CAROL), X509_PKI_PATH, id="a PkiPath with the root"),
        pytest.param("X509PKIPathv1", path(ISSUING, CAROL), "", id="a reference without ValueType"),
        pytest.param("PKCS7", bag(CAROL, ISSUING), PKCS7, id="PKCS7"),
        pytest.param("PKCS7", bag(ISSUING, CAROL), PKCS7, id="PKCS7 in the other order"),
    ],
)
def test_a_chain_in_a_token_is_taken(guard: SignedGuard, kind: str, octets: bytes, value_type: str) -> None:
    envelope = unsigned(binary_token(id="X509-1", kind=kind, octets=octets), "@SIG-1@", timestamp())
    sent = sign(envelope, Signing.by(CAROL, key_info=refers_to("X509-1", value_type)))
    assert guard.accepted(sent).certificate == CAROL.der


def test_without_its_chain_it_is_untrusted(guard: SignedGuard) -> None:
    assert guard.refusal(signed(Signing.by(CAROL))) == "certificate.untrusted"


@pytest.mark.parametrize(
    "key_info",
    [
        pytest.param(x509_data(CAROL, ISSUING), id="a bare X509Data"),
        pytest.param(x509_data(ISSUING, CAROL), id="a bare X509Data, the authority first"),
        pytest.param(referring(x509_data(CAROL, ISSUING)), id="X509Data in a reference"),
    ],
)
def test_a_chain_in_x509_data_is_taken(guard: SignedGuard, key_info: str) -> None:
    assert guard.accepted(naming(key_info, CAROL)).certificate == CAROL.der


@pytest.mark.parametrize(
    "key_info",
    [
        pytest.param(refers_to("X509-1"), id="DirectReference"),
        pytest.param(refers_to("X509-1", X509_V3), id="DirectReference with ValueType"),
        pytest.param(
            refers_to("X509-1").replace(">", f' xmlns:w="{WSSE11}" w:TokenType="{X509_V3}" wsse:Usage="urn:x">', 1),
            id="DirectReference with TokenType and Usage",
        ),
        pytest.param(x509_data(ALICE), id="X509Data"),
        pytest.param(key_identifier(ALICE), id="X509KeyIdentifier"),
        pytest.param(embedded(ALICE), id="Embedded"),
        pytest.param(f"<ds:KeyName>anything</ds:KeyName>{refers_to('X509-1')}", id="a KeyName beside it"),
    ],
)
def test_a_certificate_in_the_message_is_taken(guard: SignedGuard, key_info: str) -> None:
    assert guard.accepted(signed(Signing.by(ALICE, key_info=key_info))).certificate == ALICE.der


@pytest.mark.parametrize(
    ("before", "check"),
    [
        pytest.param('<wsse:Security S:actor="urn:else">@</wsse:Security>', "certificate.unavailable", id="foreign"),
        pytest.param("@", "certificate.unavailable", id="a header block"),
        pytest.param('<w:W xmlns:w="urn:w">@</w:W>', "certificate.unavailable", id="in a header block"),
    ],
)
def test_a_token_elsewhere_is_not_ours(guard: SignedGuard, before: str, check: str) -> None:
    """Who put it there may have been asked for nothing."""
    token = binary_token(ALICE.certificate)
    moved = bent(honest(), (token, ""), ("<S:Header>", f"<S:Header>{before.replace('@', token)}"))
    assert guard.refusal(moved) == check


def test_a_token_in_the_body_is_not_ours(guard: SignedGuard) -> None:
    body = f'<e:Echo xmlns:e="urn:echo">{binary_token(ALICE.certificate)}</e:Echo>'
    sent = sign(unsigned("@SIG-1@", timestamp(), body=body), Signing.by(ALICE))
    assert guard.refusal(sent) == "certificate.unavailable"


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("#nobody", id="an unknown Id"),
        pytest.param("#TS-1", id="the Timestamp"),
        pytest.param("#SIG-1", id="the Signature"),
        pytest.param("#body", id="the Body"),
        pytest.param("X509-1", id="without number sign"),
        pytest.param("", id="empty"),
        pytest.param("http://192.0.2.1/alice.crt", id="http"),
        pytest.param("file:///etc/passwd", id="a file"),
    ],
)
def test_a_reference_to_no_certificate_here_is_refused(guard: SignedGuard, uri: str) -> None:
    elsewhere = referring(f'<wsse:Reference URI="{uri}"/>')
    assert guard.refusal(signed(Signing.by(ALICE, key_info=elsewhere))) == "certificate.unavailable"


# --- Certificates that are known --------------------------------------------------------------------------------------

SERIAL = ALICE.certificate.serial_number
KNOWN = {"known_certificates": [ALICE, DAVE], "intermediate_files": [ORGANISATION]}


@pytest.mark.parametrize(
    ("one", "key_info"),
    [
        pytest.param(ALICE, issuer_serial(ALICE), id="bare IssuerSerial"),
        pytest.param(ALICE, referring(issuer_serial(ALICE)), id="IssuerSerial in a reference"),
        pytest.param(ALICE, issuer_serial(ALICE, serial=f"  000{SERIAL}\n"), id="zeros and white space"),
        pytest.param(ALICE, issuer_serial(ALICE, issuer="cn = root"), id="another case"),
        pytest.param(DAVE, issuer_serial(DAVE), id="RFC 4514"),
        pytest.param(DAVE, issuer_serial(DAVE, 'CN="Sub, CA", O=Alice & Sons, C=DE'), id="RFC 1779"),
        pytest.param(DAVE, issuer_serial(DAVE, "C=DE,O=Alice & Sons,CN=Sub\\, CA"), id="the other way round"),
        pytest.param(DAVE, issuer_serial(DAVE, "2.5.4.3=Sub\\2C CA,o=Alice & Sons,c=de"), id="an OID"),
        pytest.param(ALICE, referring(identifier(ski(ALICE), X509_SUBJECT_KEY_IDENTIFIER)), id="SKI"),
        pytest.param(ALICE, referring(identifier(thumbprint(ALICE), THUMBPRINT_SHA1)), id="Thumbprint"),
    ],
)
def test_a_known_certificate_is_found_by_its_name(guarded: Guarding, one: Issued, key_info: str) -> None:
    guard = guarded(trust=KNOWN)
    assert guard.accepted(naming(key_info, one)).certificate == one.der
    assert guarded().refusal(naming(key_info, one)) == "certificate.unavailable"


@pytest.mark.parametrize(
    ("key_info", "check"),
    [
        pytest.param(issuer_serial(BOB), "certificate.unavailable", id="another serial number"),
        pytest.param(issuer_serial(ALICE, "CN=Other"), "certificate.unavailable", id="another issuer"),
        pytest.param(issuer_serial(ALICE, serial=f"-{SERIAL}"), "signature.malformed", id="a negative serial number"),
        pytest.param(issuer_serial(ALICE, serial=hex(SERIAL)), "signature.malformed", id="hexadecimal"),
        pytest.param(issuer_serial(ALICE, serial=""), "signature.malformed", id="no serial number"),
        pytest.param(issuer_serial(ALICE, issuer=""), "signature.malformed", id="no issuer"),
        pytest.param(referring(identifier(ski(ALICE), THUMBPRINT_SHA1)), "certificate.unavailable", id="a SKI as such"),
        pytest.param(referring(identifier(b"", THUMBPRINT_SHA1)), "signature.malformed", id="an empty thumbprint"),
        pytest.param(referring(identifier(b"x", "urn:other")), "security.unknown_token", id="an unknown ValueType"),
        pytest.param(referring(identifier(b"x", f"{X509_PROFILE}#PKCS7")), "security.unknown_token", id="PKCS7 there"),
        pytest.param(referring(""), "signature.malformed", id="an empty reference"),
        pytest.param("<ds:KeyName>CN=Alice</ds:KeyName>", "certificate.unavailable", id="a KeyName only"),
    ],
)
def test_what_names_no_known_certificate_is_refused(guarded: Guarding, key_info: str, check: str) -> None:
    assert guarded(trust=KNOWN).refusal(naming(key_info)) == check


def test_a_known_certificate_is_still_validated(guarded: Guarding) -> None:
    guard = guarded(trust={"known_certificates": [CAROL]})
    sent = naming(referring(identifier(thumbprint(CAROL), THUMBPRINT_SHA1)), CAROL)
    assert guard.refusal(sent) == "certificate.untrusted"


def test_of_twins_with_one_issuer_and_serial_number_the_one_that_signed_is_found(guarded: Guarding) -> None:
    twin = ROOT.leaf("Alice's twin", serial=SERIAL)
    guard = guarded(trust={"known_certificates": [ALICE, twin]})
    assert guard.accepted(naming(issuer_serial(ALICE), ALICE)).certificate == ALICE.der
    assert guard.accepted(naming(issuer_serial(ALICE), twin)).certificate == twin.der
    stranger = ROOT.leaf("Another", serial=SERIAL)
    assert guard.refusal(naming(issuer_serial(ALICE), stranger)) == "signature.value"


# --- Two forms at once ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(issuer_serial(ALICE), id="IssuerSerial"),
        pytest.param(referring(identifier(thumbprint(ALICE), THUMBPRINT_SHA1)), id="Thumbprint"),
        pytest.param(referring(identifier(ski(ALICE), X509_SUBJECT_KEY_IDENTIFIER)), id="SKI"),
    ],
)
def test_two_forms_that_agree_are_taken(guard: SignedGuard, second: str) -> None:
    first = x509_data(ALICE) if "IssuerSerial" not in second else refers_to("X509-1")
    assert guard.accepted(signed(Signing.by(ALICE, key_info=first + second))).certificate == ALICE.der


@pytest.mark.parametrize(
    "key_info",
    [
        pytest.param(refers_to("X509-1") + issuer_serial(BOB), id="IssuerSerial"),
        pytest.param(x509_data(ALICE) + referring(identifier(thumbprint(BOB), THUMBPRINT_SHA1)), id="Thumbprint"),
        pytest.param(referring('<wsse:Reference URI="#X509-1"/>' + issuer_serial(BOB)), id="in one reference"),
    ],
)
def test_two_forms_that_do_not_agree_are_refused(guard: SignedGuard, key_info: str) -> None:
    assert guard.refusal(signed(Signing.by(ALICE, key_info=key_info))) == "certificate.malformed"


@pytest.mark.parametrize(
    "key_info",
    [
        pytest.param(refers_to("X509-1") + x509_data(BOB), id="two certificates"),
        pytest.param(refers_to("X509-1") * 2, id="one reference twice"),
        pytest.param(x509_data(ALICE) * 2, id="X509Data twice"),
        pytest.param(referring('<wsse:Reference URI="#X509-1"/>' * 2), id="Reference twice"),
    ],
)
def test_two_of_one_kind_are_refused(guard: SignedGuard, key_info: str) -> None:
    assert guard.refusal(signed(Signing.by(ALICE, key_info=key_info))) == "signature.malformed"


def test_two_certificates_of_which_none_issued_the_other_are_refused(guard: SignedGuard) -> None:
    sent = signed(Signing.by(ALICE, key_info=x509_data(ALICE, BOB)))
    assert guard.refusal(sent) == "certificate.malformed"
