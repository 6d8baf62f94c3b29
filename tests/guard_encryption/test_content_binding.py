"""Encrypted, then signed: what a prefix outside of the ciphertext is bound to was signed by nobody."""

from dataclasses import replace
from typing import Final

import pytest

from tests.encrypting import WSSE11
from tests.guard_encryption.sealing import (
    Sealing,
    body_of,
    content_of,
    draft,
    encrypted_then_signed,
    for_server,
    sealed,
)
from tests.messages import Token, timestamp
from tests.signature.signatures import ALICE, SignedGuard, bent
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign
from wsguard.names import SOAP11, SOAP11_ENCODING, SOAP12, SOAP12_ENCODING, WSU, XSD, XSI

OUTSIDE: Final = "<a:Pay><a:to>Bob</a:to></a:Pay>"
DECLARED: Final = 'xmlns:a="urn:bank"'
REBOUND: Final = (DECLARED, 'xmlns:a="urn:evil"')


def sent(body: str, declared: str = DECLARED, signing: Signing | None = None) -> str:
    return encrypted_then_signed(signing=signing, body=body, envelope_attributes=declared).decode()


def test_names_that_are_bound_outside_are_refused(guard: SignedGuard) -> None:
    assert guard.refusal(sent(OUTSIDE).encode()) == "signature.coverage"
    assert guard.refusal(bent(sent(OUTSIDE), REBOUND)) == "signature.coverage"


def test_names_of_the_application_are_no_better(guarded: Sealing) -> None:
    """It has several namespaces: an operation of one would become that of another."""
    guard = guarded(services={"Bank": {"operations": ["{urn:bank}*"]}, "Evil": {"operations": ["{urn:evil}*"]}})
    for octets in (sent(OUTSIDE).encode(), bent(sent(OUTSIDE), REBOUND)):
        assert guard.refusal(octets) == "signature.coverage"


def test_names_are_bound_where_a_signature_counts_and_need_not_be_there(guarded: Sealing) -> None:
    guard = guarded(signature={"use": "optional"}, unsafe_unauthenticated=True)
    for octets in (sent(OUTSIDE).encode(), bent(sent(OUTSIDE), REBOUND)):
        assert guard.refusal(octets) == "signature.coverage"


def test_names_of_the_hand_offs_namespaces_are_taken(guarded: Sealing) -> None:
    guard = guarded(handoff={"namespaces": ["urn:bank"]})
    assert guard.accepted(sent(OUTSIDE).encode()).operation == "{urn:bank}Pay"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('<a:Pay xmlns:a="urn:bank"><a:to>Bob</a:to></a:Pay>', id="a prefix"),
        pytest.param('<Pay xmlns="urn:bank"><to>Bob</to></Pay>', id="the default"),
        pytest.param('<a:Pay xmlns:a="urn:bank"><to>Bob</to></a:Pay>', id="children in no namespace"),
        pytest.param('<a:Pay xmlns:a="urn:bank" a:kind="x"/>', id="an attribute"),
        pytest.param('<a:Pay xmlns:a="urn:bank" xml:lang="de"/>', id="xml:lang"),
    ],
)
def test_plaintext_that_declares_what_it_uses_is_taken(guard: SignedGuard, body: str) -> None:
    octets = sent(body, "")
    assert guard.accepted(octets.encode()).operation == "{urn:bank}Pay"
    other = octets.replace("<S:Envelope ", '<S:Envelope xmlns:a="urn:evil" ')
    assert guard.refusal(other.encode()) == "replay.signature", "the same message, whatever is declared around it"


@pytest.mark.parametrize(
    ("body", "declared", "rebound"),
    [
        pytest.param('<a:Pay xmlns:a="urn:bank"><b:to>Bob</b:to></a:Pay>', 'xmlns:b="urn:b"', "urn:evil", id="a child"),
        pytest.param('<a:Pay xmlns:a="urn:bank" b:to="Bob"/>', 'xmlns:b="urn:b"', "urn:evil", id="an attribute"),
        pytest.param(
            '<a:Pay xmlns:a="urn:bank" b:to="Bob"/>', 'xmlns:b="urn:b"', "urn:bank", id="an attribute, to one inside"
        ),
        pytest.param('<a:Pay xmlns:a="urn:bank"><to/></a:Pay>', "", "urn:evil", id="no namespace, to one"),
    ],
)
def test_what_is_bound_anew_is_refused(guarded: Sealing, body: str, declared: str, rebound: str) -> None:
    guard = guarded(handoff={"namespaces": ["urn:b"]})
    text = sent(body, declared)
    if declared:
        octets = bent(text, (declared, f'xmlns:b="{rebound}"'))
    else:
        octets = text.replace("<S:Envelope ", f'<S:Envelope xmlns="{rebound}" ').encode()
    assert guard.refusal(octets) == "signature.coverage"
    guard.accepted(text.encode())


@pytest.mark.parametrize("namespace", [XSD, XSI, WSU, SOAP11, SOAP12, SOAP11_ENCODING, "urn:b"])
def test_no_default_namespace_that_is_declared_around_it_takes_in_what_is_in_none(
    guarded: Sealing, namespace: str
) -> None:
    """Who looks for the children by their names would not find them."""
    guard = guarded(handoff={"namespaces": ["urn:b"]})
    text = sent('<a:Pay xmlns:a="urn:bank"><limit>1</limit></a:Pay>', "")
    octets = text.replace("<S:Envelope ", f'<S:Envelope xmlns="{namespace}" ').encode()
    assert guard.refusal(octets) == "signature.coverage"
    assert guard.accepted(text.encode()).operation == "{urn:bank}Pay"


@pytest.mark.parametrize("attribute", ['x:nil="true"', 'x:type="a:Gold"'])
@pytest.mark.parametrize("namespace", [XSD, WSU, SOAP11, SOAP12_ENCODING, "urn:b"])
def test_an_attribute_of_xml_schema_stays_one(guarded: Sealing, attribute: str, namespace: str) -> None:
    """In any other namespace it says nothing: what is nil would not be, and a type would be the declared one."""
    guard = guarded(handoff={"namespaces": ["urn:b"]})
    text = sent(f'<a:Pay xmlns:a="urn:bank"><limit {attribute}/></a:Pay>', f'xmlns:x="{XSI}"')
    octets = bent(text, (f'xmlns:x="{XSI}"', f'xmlns:x="{namespace}"'))
    assert guard.refusal(octets) == "signature.coverage"
    assert guard.accepted(text.encode()).operation == "{urn:bank}Pay"


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
@pytest.mark.parametrize(
    ("prefix", "declared"), [("S:", ""), ("", 'xmlns="{soap}"')], ids=["a prefix", "the default namespace"]
)
def test_a_body_that_was_encrypted_itself_is_named_by_the_envelope(
    guard: SignedGuard, soap: str, prefix: str, declared: str
) -> None:
    body = (
        f'<{prefix}Body wsu:Id="b" S:encodingStyle="urn:e"><a:Pay xmlns:a="urn:bank" xsi:type="a:Gold"/></{prefix}Body>'
    )
    text = draft(
        binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp(),
        soap=soap, envelope_attributes=f'xmlns:xsi="{XSI}" ' + declared.format(soap=soap),
    )  # fmt: skip
    text = text.replace(body_of(text), body)
    text = sealed(text, (body, for_server(kind="Element"))).decode()
    octets = sign(text, Signing.by(ALICE, parts=(Part("#ED-1"), TIMESTAMP)))
    assert guard.accepted(octets).operation == "{urn:bank}Pay"


@pytest.mark.parametrize("c14n", ["c14n", "exc-c14n"])
def test_what_the_signature_binds_is_taken(guarded: Sealing, c14n: str) -> None:
    guard = guarded(algorithms={"canonicalization": ["exc-c14n", "c14n"]})
    prefixes = "a" if c14n == "exc-c14n" else None
    signing = Signing.by(ALICE, parts=(Part("#body", c14n=c14n, prefixes=prefixes), TIMESTAMP))
    assert guard.accepted(sent(OUTSIDE, signing=signing).encode()).operation == "{urn:bank}Pay"
    assert guard.refusal(bent(sent(OUTSIDE, signing=signing), REBOUND)) == "signature.digest"


def test_types_in_what_was_encrypted_are_bound_too(guarded: Sealing) -> None:
    guard = guarded()
    body = f'<a:Pay xmlns:a="urn:bank" xmlns:xsi="{XSI}" xsi:type="t:Gold"/>'
    assert guard.refusal(sent(body, 'xmlns:t="urn:t"').encode()) == "signature.coverage"
    octets = sent(body.replace("t:Gold", "xs:int"), f'xmlns:xs="{XSD}"')
    assert guard.refusal(bent(octets, (f'xmlns:xs="{XSD}"', 'xmlns:xs="urn:evil"'))) == "signature.coverage"
    guard.accepted(octets.encode())


def test_a_header_block_is_bound_too(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"})
    block = "<b:To>here</b:To>"
    signing = Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#ED-1")))
    text = draft(
        binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp(),
        header=block, envelope_attributes='xmlns:b="urn:b"',
    )  # fmt: skip
    octets = sign(sealed(text, (block, for_server(kind="Element"))).decode(), signing)
    assert guard.refusal(octets) == "signature.coverage"
    assert guarded(encryption={"use": "optional"}, handoff={"namespaces": ["urn:b"]}).accepted(octets)


PREFIXED: Final = "<b:To>here</b:To>"
AROUND: Final = 'xmlns:b="urn:b"'
BARE: Final = "{}"
WRAPPED: Final = f'<w:EncryptedHeader xmlns:w="{WSSE11}" wsu:Id="EH-1">{{}}</w:EncryptedHeader>'


def signed_block(header: str, part: Part) -> str:
    """A header block that was encrypted, and then signed by Alice with Body and Timestamp."""
    text = draft(
        binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp(),
        header=header.format(PREFIXED), envelope_attributes=AROUND,
    )  # fmt: skip
    text = sealed(text, (PREFIXED, for_server(kind="Element"))).decode()
    return sign(text, Signing.by(ALICE, parts=(BODY, TIMESTAMP, part))).decode()


@pytest.fixture
def of_blocks(guarded: Sealing) -> SignedGuard:
    """Takes what is encrypted and signed by any canonicalization."""
    return guarded(encryption={"use": "optional"}, algorithms={"canonicalization": ["exc-c14n", "c14n"]})


BY: Final = {"a PrefixList": Part("", prefixes="b"), "inclusive canonicalization": Part("", c14n="c14n")}


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize(
    ("header", "id", "element"),
    [
        pytest.param(BARE, "ED-1", "<xenc:EncryptedData ", id="EncryptedData"),
        pytest.param(WRAPPED, "EH-1", "<w:EncryptedHeader ", id="EncryptedHeader"),
        pytest.param(WRAPPED, "ED-1", "<w:EncryptedHeader ", id="EncryptedData in EncryptedHeader"),
    ],
)
def test_a_binding_that_goes_with_the_ciphertext_is_none_of_its_place(
    of_blocks: SignedGuard, header: str, id: str, element: str, by: str
) -> None:
    """The canonical form of what was signed is the same, wherever the prefix was declared."""
    text = signed_block(header, replace(BY[by], uri=f"#{id}"))
    moved = bent(text, (AROUND, 'xmlns:b="urn:evil"'), (element, f"{element}{AROUND} "))
    assert of_blocks.refusal(moved) == "signature.coverage"
    of_blocks.accepted(text.encode())
    assert PREFIXED.encode() in of_blocks.handed


def test_a_signed_block_is_there_whatever_is_put_around_its_ciphertext(of_blocks: SignedGuard) -> None:
    """An EncryptedHeader goes when it is opened, and took the signed EncryptedData with it."""
    text = signed_block(BARE, Part("#ED-1", prefixes="b"))
    data = text[text.index("<xenc:EncryptedData") : text.index("</S:Header>")]
    data = data[: data.index("</xenc:EncryptedData>") + len("</xenc:EncryptedData>")]
    of_blocks.accepted(bent(text, (data, WRAPPED.format(data))))
    assert PREFIXED.encode() in of_blocks.handed


def test_a_token_that_was_signed_as_ciphertext_is_not_put_among_the_header_blocks(guarded: Sealing) -> None:
    guard = guarded(encryption={"use": "optional"})
    user = Token().xml()
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp(), user)
    text = sealed(text, (user, for_server(kind="Element"))).decode()
    text = sign(text, Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#ED-1")))).decode()
    start = text.index("<xenc:EncryptedData")
    data = text[start : text.index("</wsse:Security>")]
    moved = bent(text, (data, ""), ("<S:Header>", f"<S:Header>{WRAPPED.format(data)}"))
    assert guard.refusal(moved) == "signature.coverage"
    assert guard.accepted(text.encode()).username == "alice"


def test_what_was_signed_before_it_was_encrypted_was_signed_with_its_names(guard: SignedGuard) -> None:
    text = draft(
        "@EK-1@", binary_token(ALICE.certificate), "@SIG-1@", timestamp(), body=OUTSIDE, envelope_attributes=DECLARED
    )
    text = sign(text, Signing.by(ALICE)).decode()
    octets = sealed(text, (content_of(text), for_server())).decode()
    assert guard.refusal(bent(octets, REBOUND)) == "signature.digest"
    assert guard.accepted(octets.encode()).operation == "{urn:bank}Pay"


def test_many_octets_that_were_signed_as_ciphertext_come_out_of_one_key_only(guarded: Sealing) -> None:
    """A text of 31 octets is three blocks with its vector, one of 32 four."""
    guard = guarded(encryption={"use": "optional"}, algorithms={"encryption": ["aes128-cbc"]})
    for length, check in ((31, "signature.coverage"), (32, "")):
        text = draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp()).replace("hello", "x" * length)
        octets = sign(sealed(text, ("x" * length, for_server(algorithm="aes128-cbc"))).decode(), Signing.by(ALICE))
        assert guard.post(octets).check == check


@pytest.mark.parametrize(("algorithm", "check"), [("aes128-gcm", ""), ("aes128-cbc", "signature.coverage")])
def test_a_text_that_was_signed_as_ciphertext_comes_out_of_one_key_only(
    guarded: Sealing, algorithm: str, check: str
) -> None:
    """Of CBC, a few octets of text come out of another key too, whose EncryptedKey nobody signed."""
    guard = guarded(encryption={"use": "optional"}, algorithms={"encryption": ["aes128-gcm", "aes128-cbc"]})
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", "@EK-1@", timestamp())
    octets = sign(sealed(text, ("hello", for_server(algorithm=algorithm))).decode(), Signing.by(ALICE))
    assert guard.post(octets).check == check
    assert len(guard.echo.handed) == (not check)
