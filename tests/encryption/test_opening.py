"""Whole messages: which key is meant, what is opened and where it was, in every order that stacks send."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.deriving_passwords import salted_token
from tests.encrypting import (
    KEY_INFOS,
    Agreement,
    Encryption,
    encrypted,
    key_after,
    key_info,
    key_name,
    reference_list,
    to_id,
    token_reference,
    transport,
)
from tests.encryption.messages import (
    SHARED,
    Result,
    algorithms,
    begin,
    old_server,
    opened,
    ours,
    server,
    stranger,
    text_of,
)
from tests.guard_encryption.deriving import derived_token
from tests.message.refusing import refused
from tests.messages import BASE64, PAYLOAD, SOAP11, Token, envelope, security, timestamp
from tests.pki import authority, ec_key, rsa_key
from tests.signing import binary_token
from wsguard.encryption import Decryptor
from wsguard.encryption.refusals import malformed
from wsguard.explanation import Explanation
from wsguard.faults import SecurityTokenUnavailable
from wsguard.interfaces import DecryptionKey
from wsguard.message.key_info import KeyInfo, KeyInfoReader
from wsguard.message.parse import parse
from wsguard.names import USERNAME_TOKEN
from wsguard.policy.surroundings import Limits

FOR_US = Encryption.for_(server()).fixed()


def of_body(result: Result) -> str:
    """The Body's content; what was opened must say that it was that."""
    (part,) = result.state.opened
    assert part.content
    assert part.element(result.tree.root) is result.body
    return result.body_text()


# --- Which key is meant -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", KEY_INFOS)
def test_every_way_to_name_our_certificate_finds_its_key(form: str) -> None:
    message = encrypted(Encryption.for_(server(), form), binary_token(server().certificate))
    result = opened(message, old_server(), server())
    assert of_body(result) == PAYLOAD
    assert result.state.opened[0].secret.key == "key-1.pem"


@pytest.mark.parametrize("form", [form for form in KEY_INFOS if form != "none"])
def test_a_key_for_somebody_else_is_refused_by_name(form: str) -> None:
    message = encrypted(Encryption.for_(stranger(), form), binary_token(stranger().certificate))
    with refused("encryption.key", SecurityTokenUnavailable):
        opened(message)


def test_a_key_for_somebody_else_that_names_nobody_fails_as_bad_data_do() -> None:
    with refused("encryption.failed"):
        opened(encrypted(Encryption.for_(stranger(), "none")), server(), old_server())


@pytest.mark.parametrize("form", ["SKIKeyIdentifier", "X509KeyIdentifier", "X509Data", "none"])
def test_a_key_without_certificate_is_found_by_what_it_tells_itself(form: str) -> None:
    bare = DecryptionKey("bare.pem", server().key)
    assert of_body(opened(encrypted(Encryption.for_(server(), form)), bare)) == PAYLOAD
    if form != "none":
        with refused("encryption.key"):
            opened(encrypted(Encryption.for_(stranger(), form)), bare)


@pytest.mark.parametrize("form", ["IssuerSerial", "Thumbprint"])
def test_a_key_without_certificate_is_not_found_by_a_certificate(form: str) -> None:
    with refused("encryption.key"):
        opened(encrypted(Encryption.for_(server(), form)), DecryptionKey("bare.pem", server().key))


def test_twins_that_share_issuer_and_serial_are_both_tried() -> None:
    root = authority("root")
    first, second = (root.leaf("server", key=rsa_key(n), serial=7) for n in (0, 1))
    for one in (first, second):
        assert of_body(opened(encrypted(Encryption.for_(one)), first, second)) == PAYLOAD


def test_keys_of_other_kinds_are_left_out() -> None:
    message = encrypted(Encryption.for_(server(), "none"))
    assert of_body(opened(message, authority("ec"), server())) == PAYLOAD


def test_without_keys_nothing_can_be_opened() -> None:
    state = Decryptor((), {}, Limits()).message(algorithms(), Explanation())
    tree = parse(encrypted(Encryption.for_(server(), "none")), None, ("utf-8",), Limits())
    with refused("encryption.key"):
        state.open(tree.root[0][0][0], tree, tree.root[0][0])


def test_rsa_1_5_opens_with_the_one_key_that_is_named() -> None:
    message = encrypted(Encryption.for_(server(), method="rsa-1_5"))
    assert of_body(opened(message, old_server(), server())) == PAYLOAD


def test_rsa_1_5_for_one_of_several_keys_is_refused_for_nobody_can_tell_for_which() -> None:
    message = encrypted(Encryption.for_(server(), "none", method="rsa-1_5"))
    assert of_body(opened(message)) == PAYLOAD
    with refused("encryption.key"):
        opened(message, old_server(), server())


def test_a_shared_key_wraps_a_key() -> None:
    message = encrypted(Encryption(key=SHARED["green"], key_info=key_name("green"), method="kw-aes256"))
    result = opened(message)
    assert of_body(result) == PAYLOAD
    secret = result.state.opened[0].secret
    assert (secret.key, secret.method, secret.shared) == ("green", "kw-aes256", "green")


@pytest.mark.parametrize(
    "info",
    [
        key_name("red"),
        "",
        key_info("<ds:X509Data><ds:X509SubjectName>CN=green</ds:X509SubjectName></ds:X509Data>"),
        key_info(
            "<ds:KeyName>green</ds:KeyName><ds:X509Data><ds:X509SubjectName>CN=green</ds:X509SubjectName></ds:X509Data>"
        ),
    ],
    ids=["another", "none", "a certificate", "a certificate beside it"],
)
def test_a_wrapping_key_that_nobody_shares_is_refused_by_name(info: str) -> None:
    with refused("encryption.key"):
        opened(encrypted(Encryption(key=SHARED["green"], key_info=info, method="kw-aes256")))


def test_a_shared_key_of_another_length_than_the_wrap_takes_is_refused_by_name() -> None:
    with refused("encryption.key"):
        opened(encrypted(Encryption(key=SHARED["green"], key_info=key_name("blue"), method="kw-aes256")))


def test_a_shared_key_encrypts_data_itself() -> None:
    data = Encryption(key=b"", session=SHARED["blue"], data_key_info=key_name("blue"))
    message = envelope(security(reference_list("ED-1"), timestamp()), data.data_xml())
    result = opened(message)
    assert of_body(result) == PAYLOAD
    secret = result.state.opened[0].secret
    assert (secret.key, secret.method, secret.shared) == ("blue", "KeyName", "blue")
    with refused("encryption.key"):
        opened(message, shared={"blue": SHARED["green"]})
    with refused("encryption.failed"):
        opened(message, shared={"blue": SHARED["blue"][::-1]})


# --- How the data find their key --------------------------------------------------------------------------------------


def test_data_without_key_info_are_opened_by_the_key_that_lists_them() -> None:
    assert of_body(opened(encrypted(Encryption.for_(server(), data_key_info="")))) == PAYLOAD


def test_data_without_key_info_that_no_key_lists_are_refused() -> None:
    encryption = Encryption.for_(server(), data_key_info="", references=())
    with refused("encryption.key"):
        opened(encrypted(encryption, reference_list("ED-1")))


def test_pega_refers_from_the_data_to_the_key_of_the_header() -> None:
    encryption = Encryption.for_(server(), key_id="EncKeyId-urn:uuid:1F2E", algorithm="tripledes-cbc")
    assert of_body(opened(encrypted(encryption))) == PAYLOAD


def test_a_reference_list_beside_the_key() -> None:
    assert of_body(opened(encrypted(replace(FOR_US, references=()), reference_list("ED-1")))) == PAYLOAD


def test_a_key_after_the_data_that_it_opens() -> None:
    message = key_after(replace(FOR_US, references=()), reference_list("ED-1"))
    assert message.index(b"ReferenceList") < message.index(b"EncryptedKey")
    assert of_body(opened(message)) == PAYLOAD


def test_a_key_inside_of_the_data() -> None:
    inner = replace(FOR_US, references=()).key_xml()
    message = envelope(
        security(reference_list("ED-1"), timestamp()), replace(FOR_US, data_key_info=key_info(inner)).data_xml()
    )
    assert of_body(opened(message)) == PAYLOAD


def test_the_shortest_id_is_one_character() -> None:
    assert of_body(opened(encrypted(replace(FOR_US, id="D")))) == PAYLOAD


@pytest.mark.parametrize("reference", ['URI="ED-1"', 'URI="xED-1"', 'URI="#"', 'URI=""', "", 'URI="#ED-1" Type="x"'])
def test_what_is_no_reference_to_an_id_is_refused_by_name(reference: str) -> None:
    with refused("encryption.malformed"):
        opened(encrypted(FOR_US).replace(b'URI="#ED-1"', reference.encode()))


def test_a_list_of_references_says_nothing_else() -> None:
    with refused("encryption.malformed"):
        opened(encrypted(FOR_US).replace(b"<xenc:ReferenceList ", b'<xenc:ReferenceList Recipient="us" '))


def test_two_keys_inside_of_the_data_are_refused_by_name() -> None:
    keys = "".join(replace(FOR_US, key_id=f"EK-{number}", references=()).key_xml() for number in (1, 2))
    data = replace(FOR_US, data_key_info=key_info(keys))
    with refused("encryption.malformed"):
        opened(envelope(security(reference_list("ED-1")), data.data_xml()))


def test_a_key_inside_of_the_data_stands_there_alone() -> None:
    inner = replace(FOR_US, references=()).key_xml() + "<ds:KeyName>blue</ds:KeyName>"
    message = envelope(security(reference_list("ED-1")), replace(FOR_US, data_key_info=key_info(inner)).data_xml())
    with refused("encryption.malformed"):
        opened(message)


def test_the_digest_of_an_encrypted_key_names_it() -> None:
    cipher = transport("rsa-oaep-mgf1p", server().key, FOR_US.session)
    digest = base64.b64encode(hashlib.sha1(cipher).digest()).decode()
    kind = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#EncryptedKeySHA1"
    reference = token_reference(
        f'<wsse:KeyIdentifier ValueType="{kind}" EncodingType="{BASE64}">{digest}</wsse:KeyIdentifier>'
    )
    encryption = replace(FOR_US, key_cipher=cipher, data_key_info=reference)
    assert of_body(opened(encrypted(encryption))) == PAYLOAD
    with refused("encryption.key"):
        opened(encrypted(replace(encryption, key_cipher=transport("rsa-oaep-mgf1p", server().key, FOR_US.session))))


@pytest.mark.parametrize("form", ["IssuerSerial", "X509Data"])
def test_data_encrypted_under_a_certificate_itself_are_refused(form: str) -> None:
    with refused("encryption.key"):
        opened(encrypted(Encryption.for_(server(), data_key_info=KEY_INFOS[form](server().certificate))))


def test_data_encrypted_under_another_token_are_refused() -> None:
    token = Token().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    with refused("encryption.key"):
        opened(encrypted(Encryption.for_(server(), data_key_info=to_id("UT-1")), token))


def test_an_encrypted_key_embedded_in_a_reference_is_refused() -> None:
    embedded = f"<wsse:Embedded>{replace(FOR_US, key_id='EK-2', references=()).key_xml()}</wsse:Embedded>"
    with refused("encryption.key"):
        opened(encrypted(replace(FOR_US, data_key_info=token_reference(embedded))))


def test_the_key_that_the_data_name_goes_before_the_key_that_lists_them() -> None:
    lists = Encryption.for_(stranger(), references=("ED-1",), key_id="EK-0").fixed()
    message = encrypted(replace(FOR_US, references=()), lists.key_xml())
    assert of_body(opened(message)) == PAYLOAD


# --- ECDH-ES ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_a_key_is_wrapped_under_an_agreed_one(curve: ec.EllipticCurve, digest: str) -> None:
    us, them = ec_key(curve), ec_key(curve)
    agreement = Agreement(us.public_key(), them, digest)
    message = encrypted(Encryption(key=agreement.key(32), key_info=key_info(agreement.xml()), method="kw-aes256"))
    result = opened(message, server(), DecryptionKey("other", ec_key()), DecryptionKey("ec.pem", us))
    assert of_body(result) == PAYLOAD
    secret = result.state.opened[0].secret
    assert (secret.key, secret.method, secret.shared) == ("ec.pem", "ecdh-es and kw-aes256", "")


def test_data_are_encrypted_under_an_agreed_key() -> None:
    us = authority("ec")
    assert isinstance(us.key, ec.EllipticCurvePrivateKey)
    agreement = Agreement(us.key.public_key(), ec_key())
    data = Encryption(key=b"", session=agreement.key(16), data_key_info=key_info(agreement.xml()))
    message = envelope(security(reference_list("ED-1")), data.data_xml())
    result = opened(message, us)
    assert of_body(result) == PAYLOAD
    secret = result.state.opened[0].secret
    assert (secret.key, secret.method, secret.shared) == ("key-1.pem", "ecdh-es", "")
    with refused("encryption.key"):
        opened(message, us, authority("another"))
    with refused("encryption.failed"):
        opened(message, authority("another"))


def test_a_key_that_an_agreed_one_does_not_unwrap_fails_as_bad_data_do() -> None:
    us = ec_key()
    wrapped = key_info(Agreement(us.public_key(), ec_key()).xml())
    message = encrypted(Encryption(key=bytes(32), key_info=wrapped, method="kw-aes256"))
    with refused("encryption.failed"):
        opened(message, DecryptionKey("ec.pem", us))


def test_the_recipient_of_an_agreement_is_named_as_any_other() -> None:
    us, other = authority("us"), authority("other")
    assert isinstance(us.key, ec.EllipticCurvePrivateKey)
    info = f"<ds:X509Data><ds:X509Certificate>{base64.b64encode(us.der).decode()}</ds:X509Certificate></ds:X509Data>"
    agreement = Agreement(us.key.public_key(), ec_key(), recipient_info=info)
    wrapped = key_info(agreement.xml())
    message = encrypted(Encryption(key=agreement.key(16), key_info=wrapped, method="kw-aes128"))
    assert of_body(opened(message, other, us)) == PAYLOAD
    with refused("encryption.key"):
        opened(message, other)
    data = Encryption(key=b"", session=agreement.key(16), data_key_info=wrapped)
    message = envelope(security(reference_list("ED-1")), data.data_xml())
    assert of_body(opened(message, other, us)) == PAYLOAD


# --- What is opened ---------------------------------------------------------------------------------------------------


def test_an_element_is_put_in_place_of_its_encryption() -> None:
    result = opened(encrypted(Encryption.for_(server(), kind="Element")))
    (part,) = result.state.opened
    assert not part.content
    assert part.element(result.tree.root) is result.body[0]
    assert result.body_text() == PAYLOAD


def test_without_type_it_is_an_element() -> None:
    assert opened(encrypted(Encryption.for_(server(), kind=None))).body_text() == PAYLOAD


def test_the_body_itself_may_be_encrypted() -> None:
    plaintext = f'<S:Body xmlns:S="{SOAP11}">{PAYLOAD}</S:Body>'.encode()
    encryption = replace(FOR_US, kind="Element", plaintext=plaintext)
    message = envelope(security(encryption.key_xml()), "@")
    message = message.replace(b"<S:Body>@</S:Body>", encryption.data_xml().encode())
    result = opened(message)
    assert result.body_text() == PAYLOAD
    assert result.state.opened[0].element(result.tree.root) is result.body


def test_a_token_in_the_security_header_may_be_encrypted_with_another_key_than_the_body() -> None:
    token = replace(
        Encryption.for_(old_server()), id="ED-2", key_id="EK-2", kind="Element", plaintext=Token().xml().encode()
    ).fixed()
    message = encrypted(FOR_US, token.key_xml(), token.data_xml())
    result = opened(message, server(), old_server())
    assert result.body_text() == PAYLOAD
    assert [part.element(result.tree.root).tag for part in result.state.opened] == [result.body.tag, USERNAME_TOKEN]
    assert text_of(result.security[2]).startswith("<wsse:UsernameToken")


def test_one_key_opens_several_data() -> None:
    second = replace(FOR_US, id="ED-2", kind="Element", plaintext=Token().xml().encode())
    message = encrypted(replace(FOR_US, references=("ED-2", "ED-1")), second.data_xml())
    result = opened(message)
    tags = [part.element(result.tree.root).tag for part in result.state.opened]
    assert tags == [USERNAME_TOKEN, result.body.tag]
    assert result.state.opened[0].secret is result.state.opened[1].secret
    assert result.body_text() == PAYLOAD


@pytest.mark.parametrize("target", ["EH-1", "ED-2"])
def test_an_encrypted_header_gives_way_to_the_header_block(target: str) -> None:
    block = '<h:Session xmlns:h="urn:h">7</h:Session>'
    data = replace(FOR_US, id="ED-2", kind="Element", plaintext=block.encode(), references=("ED-1", target))
    wsse11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
    wrapper = (
        f'<wsse11:EncryptedHeader xmlns:wsse11="{wsse11}" Id="EH-1" S:mustUnderstand="1">{data.data_xml()}'
        "</wsse11:EncryptedHeader>"
    )
    message = envelope(wrapper + security(data.key_xml()), FOR_US.data_xml())
    result = opened(message)
    assert text_of(result.tree.root[0][0]) == block
    assert result.state.opened[1].element(result.tree.root) is result.tree.root[0][0]
    with refused("encryption.malformed"):
        opened(message.replace(f'URI="#{target}"'.encode(), b'URI="#EH-1"/><xenc:DataReference URI="#ED-2"'))


def test_an_encrypted_header_elsewhere_than_in_the_header_is_refused() -> None:
    wsse11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
    body = f'<w:EncryptedHeader xmlns:w="{wsse11}">{replace(FOR_US, kind="Element").data_xml()}</w:EncryptedHeader>'
    with refused("encryption.malformed"):
        opened(envelope(security(FOR_US.key_xml()), body))


def test_encrypted_data_in_the_header_open_at_their_own_turn_and_a_later_list_finds_it_done() -> None:
    token = replace(FOR_US, kind="Element", plaintext=Token().xml().encode())
    message = envelope(security(token.data_xml(), token.key_xml()), PAYLOAD)
    result = opened(message, others=True)
    assert [part.element(result.tree.root).tag for part in result.state.opened] == [USERNAME_TOKEN]
    assert result.security[0].tag == USERNAME_TOKEN


def test_namespaces_of_the_place_hold_for_what_is_put_there() -> None:
    result = opened(encrypted(Encryption.for_(server(), plaintext=b"<e:Echo xmlns:e='urn:echo' S:x='1'/>")))
    assert result.body[0].get(f"{{{SOAP11}}}x") == "1"


def test_what_was_opened_is_explained_without_its_content() -> None:
    result = opened(encrypted(FOR_US))
    (check,) = result.explanation.results
    assert check.check == "encryption"
    assert check.seen == "content of Body, aes128-gcm, rsa-oaep-mgf1p by key-1.pem"
    assert "hello" not in str(result.explanation.as_list())


def test_what_was_opened_names_the_setting_of_its_key() -> None:
    (check,) = opened(encrypted(FOR_US)).explanation.results
    assert check.setting == "key-1.pem"
    data = Encryption(key=b"", session=SHARED["blue"], data_key_info=key_name("blue"))
    (check,) = opened(envelope(security(reference_list("ED-1")), data.data_xml())).explanation.results
    assert check.setting == "keys.shared"


def test_content_far_inside_is_told_with_its_place_and_the_octets_of_its_cipher() -> None:
    text = replace(FOR_US, plaintext=b"hello")
    result = opened(envelope(security(text.key_xml(), timestamp()), PAYLOAD.replace("hello", text.data_xml())))
    (part,) = result.state.opened
    assert part.content
    assert part.element(result.tree.root) is result.body[0][0]
    assert part.octets == 12 + len("hello") + 16, "vector, text and tag"


def test_the_message_from_before_stays_as_it_was() -> None:
    octets = encrypted(FOR_US)
    tree = parse(octets, None, ("utf-8",), Limits())
    before = text_of(tree.root)
    state = begin()
    state.open(tree.root[0][0][0], tree, tree.root[0][0])
    assert text_of(tree.root) == before
    assert state.begun


# --- Encryption in encryption -----------------------------------------------------------------------------------------


def nested(**changes: Any) -> tuple[Encryption, Encryption]:
    """Data, and what is around them under another key."""
    inner = replace(FOR_US, id="ED-2", key_id="EK-2", **changes)
    return inner, replace(FOR_US, plaintext=inner.data_xml().encode())


def test_data_inside_of_data_open_at_the_turn_of_their_own_key() -> None:
    inner, outer = nested()
    result = opened(encrypted(outer, inner.key_xml()))
    first, second = result.state.opened
    assert first.octets > second.octets, "what is around comes first"
    assert result.body_text() == PAYLOAD


def test_one_list_may_name_data_and_what_is_inside_of_them() -> None:
    _, outer = nested(data_key_info=to_id("EK-1"))
    for references in (("ED-1", "ED-2"), ("ED-2", "ED-1")):
        result = opened(encrypted(replace(outer, references=references)))
        assert result.body_text() == PAYLOAD


def test_data_inside_of_data_that_come_too_early_are_refused() -> None:
    inner, outer = nested()
    with refused("encryption.malformed"):
        opened(key_after(outer, inner.key_xml()))


def test_encryption_in_encryption_has_the_bound_of_all_data() -> None:
    encryption = replace(FOR_US, id="ED-0", data_key_info=to_id("EK-1"))
    for number in range(1, 5):
        encryption = replace(encryption, id=f"ED-{number}", plaintext=encryption.data_xml().encode())
    lists = [reference_list(f"ED-{number}") for number in (4, 3, 2, 1, 0)]
    message = envelope(security(replace(encryption, references=()).key_xml(), *lists), encryption.data_xml())
    assert opened(message, limits=Limits(encrypted_data=5)).body_text() == PAYLOAD
    with refused("limits.encrypted_data"):
        opened(message, limits=Limits(encrypted_data=4))


# --- Keys for signatures ----------------------------------------------------------------------------------------------


def secret_of(message: bytes, info: str, **changes: Any) -> Any:
    tree = parse(message.replace(b"<wsu:Timestamp", f"{info}<wsu:Timestamp".encode(), 1), None, ("utf-8",), Limits())
    header = tree.root[0][0]
    reader = KeyInfoReader(header, tree.ids, begin)  # type: ignore[arg-type]  # nothing is malformed
    element = next(child for child in header if str(child.tag).endswith("KeyInfo"))
    return begin(**changes).secret(reader.read(element), tree, header)


def test_the_key_of_an_encrypted_key_serves_signatures_and_proves_nobody() -> None:
    secret = secret_of(encrypted(FOR_US), to_id("EK-1"))
    assert secret.octets == FOR_US.session
    assert secret.shared == ""
    assert "octets" not in repr(secret)


def test_a_shared_key_proves_who_has_it() -> None:
    secret = secret_of(encrypted(FOR_US), key_name("green"))
    assert (secret.octets, secret.shared) == (SHARED["green"], "green")


def test_a_key_that_cannot_be_unwrapped_is_a_random_one_and_stays_so() -> None:
    message = encrypted(replace(FOR_US, key_cipher=b"\0" * 256))
    secret = secret_of(message, to_id("EK-1"))
    assert len(secret.octets) == 32
    assert secret_of(message, to_id("EK-1")).octets != secret.octets


def test_a_certificate_is_no_symmetric_key() -> None:
    with refused("encryption.key"):
        secret_of(encrypted(FOR_US), KEY_INFOS["IssuerSerial"](server().certificate))
    with refused("encryption.key"):
        state = begin()
        tree = parse(encrypted(FOR_US), None, ("utf-8",), Limits())
        state.secret(KeyInfo(), tree, tree.root[0][0])


def test_something_else_opens_nothing() -> None:
    tree = parse(encrypted(FOR_US), None, ("utf-8",), Limits())
    with pytest.raises(ValueError, match="Timestamp opens nothing"):
        begin().open(tree.root[0][0][1], tree, tree.root[0][0])


def test_a_key_never_shows_itself() -> None:
    assert repr(ours(server())[0]) == "DecryptionKey(name='key-1.pem')"


@pytest.mark.parametrize("derived", [False, True], ids=["itself", "to derive from"])
def test_where_no_keys_are_made_of_passwords_a_token_names_none(derived: bool) -> None:
    token, named = (derived_token("UT-1"), to_id("DK-1")) if derived else ("", to_id("UT-1"))
    tree = parse(envelope(security(salted_token(), token, named)), None, ("utf-8",), Limits())
    header = tree.root[0][0]
    info = KeyInfoReader(header, tree.ids, malformed).read(header[-1])
    with refused("encryption.key"):
        begin().secret(info, tree, header)
