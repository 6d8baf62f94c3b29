"""K: less than is demanded: in the clear, unsigned, without a Security header, or encrypted by what is weaker."""

from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.ciphertext import BACKWARDS, KEY, cbc, gcm
from tests.attacks.tokens import user
from tests.encrypting import Agreement, Encryption, key_info, key_name
from tests.guard_encryption.sealing import (
    element_of,
    encrypted_body,
    encrypted_then_signed,
    for_server,
    sealed,
    signed_text,
    signed_then_encrypted,
)
from tests.messages import XENC, envelope, security, timestamp
from tests.pki import ec_key
from tests.signature.signatures import bent, honest

SEALED: Final = Chapter("K", "sealed")
SIGNED: Final = Chapter("K", "signed")


# --- In the clear, unsigned -------------------------------------------------------------------------------------------


@SEALED.refused("encryption.missing")
def a_signed_message_in_the_clear() -> Built:
    return honest().encode()


@SEALED.refused("encryption.missing", source="the recipient's own proxy opened it, and sends it on")
def a_message_that_was_opened_on_its_way() -> Built:
    return signed_text().replace("@EK-1@", "").encode()


@SEALED.refused("encryption.missing")
def a_key_and_nothing_that_it_opens() -> Built:
    return signed_text().replace("@EK-1@", for_server(references=()).key_xml()).encode()


@SEALED.each_refused(
    "encryption.coverage",
    {"a text of the operation": ("hello", "Content"), "an element of it": ("<e:text>hello</e:text>", "Element")},
)
def nothing_is_encrypted_but(target: tuple[str, str]) -> Built:
    return sealed(signed_text(), (target[0], for_server(kind=target[1])))


@SEALED.each_refused(
    "encryption.coverage", {"the Signature": "ds:Signature", "the Timestamp": "wsu:Timestamp", "a block": "h:To"}
)
def nothing_is_encrypted_but_in_the_header(name: str) -> Built:
    block = '<h:To xmlns:h="urn:h">here</h:To>'
    text = signed_text(header=block)
    return sealed(text, (element_of(text, name), for_server(kind="Element")))


@SEALED.refused("signature.missing")
def an_encrypted_message_that_nobody_signed() -> Built:
    return encrypted_body()


@SEALED.refused("signature.missing")
def the_signature_is_stripped() -> Built:
    text = signed_then_encrypted().decode()
    return text.replace(element_of(text, "ds:Signature"), "").encode()


@SEALED.refused("signature.missing")
def the_signature_is_stripped_and_a_username_token_added() -> Built:
    text = signed_then_encrypted().decode()
    return text.replace(element_of(text, "ds:Signature"), user().xml()).encode()


@SEALED.refused("signature.missing")
def the_signature_is_a_foreign_actors() -> Built:
    text = signed_then_encrypted().decode()
    signature = element_of(text, "ds:Signature")
    other = f'<wsse:Security S:actor="urn:else">{signature}</wsse:Security>'
    return text.replace(signature, "").replace("<S:Header>", f"<S:Header>{other}").encode()


@SEALED.each_refused(
    "security.unknown_token",
    {"a prefix of nobody's": 'xmlns:ds="urn:x"', "XML Signature 2.0": 'xmlns:ds="http://www.w3.org/2010/xmldsig2#"'},
)
def the_signature_is_of_another_namespace(declared: str) -> Built:
    text = signed_then_encrypted().decode()
    return text.replace("<ds:Signature ", f"<ds:Signature {declared} ").encode()


def renamed(header: str, namespace: str) -> str:
    """A Security header of another namespace; what is in it stays as it is."""
    return (
        header.replace("<wsse:Security", f'<x:Security xmlns:x="{namespace}"', 1).removesuffix("</wsse:Security>")
        + "</x:Security>"
    )


@SIGNED.each_refused(
    "security.missing",
    {
        "is stripped": lambda header: "",
        "is another actor's": lambda header: header.replace("S:mustUnderstand", 'S:actor="urn:else" S:mustUnderstand'),
        "is of another namespace": lambda header: renamed(header, "urn:x"),
        "is of the draft of 2003": lambda header: renamed(header, "http://schemas.xmlsoap.org/ws/2002/12/secext"),
        "is a comment": lambda header: f"<!--{header}-->",
        "is in a block": lambda header: f"<wrap>{header}</wrap>",
    },
)  # fmt: skip
def the_security_header(change: Callable[[str], str]) -> Built:
    text = honest()
    header = element_of(text, "wsse:Security")
    return text.replace(header, change(header)).encode()


@SIGNED.refused("timestamp.missing")
def a_security_header_with_nothing_in_it() -> Built:
    return envelope(security())


@SIGNED.each_refused(
    "signature.missing",
    {"with a digest": "PasswordDigest", "in the clear": "PasswordText"},
    source="a password in the place of a key",
)
def a_username_token_in_the_place_of_the_signature(kind: str) -> Built:
    return envelope(security(timestamp(), user().xml() if kind == "PasswordDigest" else ""))


# --- Weaker encryption ------------------------------------------------------------------------------------------------


@SEALED.each_refused(
    "encryption.algorithm",
    {
        "3DES": {"algorithm": "tripledes-cbc"},
        "AES in CBC mode, 128 bits": {"algorithm": "aes128-cbc"},
        "AES in CBC mode, 192 bits": {"algorithm": "aes192-cbc"},
        "AES in CBC mode, 256 bits": {"algorithm": "aes256-cbc"},
        "RSA 1.5": {"method": "rsa-1_5"},
        "3DES and RSA 1.5": {"algorithm": "tripledes-cbc", "method": "rsa-1_5"},
    },
    source="XML Encryption 1.1 §6.1.1",
)
def it_is_encrypted_by(changes: dict[str, str]) -> Built:
    return signed_then_encrypted(for_server(**changes))


@SEALED.each_refused(
    "encryption.algorithm", {"signed first": signed_then_encrypted, "encrypted first": encrypted_then_signed}
)
def the_client_of_old_uses_3des(make: Callable[[Encryption], bytes]) -> Built:
    return make(for_server(algorithm="tripledes-cbc", method="rsa-1_5"))


@SEALED.each_refused(
    "encryption.algorithm", {"CBC": "aes128-cbc", "no mode": "aes128", "RC4": "arcfour"}, source=BACKWARDS
)
def ciphertext_of_gcm_is_said_to_be(algorithm: str) -> Built:
    """The key stays that of GCM: what CBC tells of it is told of both."""
    name = algorithm if algorithm.endswith("-cbc") else f"{XENC}{algorithm}"
    cipher = cbc() if algorithm.endswith("-cbc") else gcm()
    return signed_then_encrypted(for_server(session=KEY, cipher=cipher, algorithm=name))


@SEALED.refused("encryption.algorithm", source=BACKWARDS)
def the_key_of_a_captured_message_is_said_to_be_under_rsa_1_5() -> Built:
    text = signed_then_encrypted().decode()
    return bent(text, (f"{XENC}rsa-oaep-mgf1p", f"{XENC}rsa-1_5"))


@SEALED.each_refused("encryption.algorithm", {"128": 128, "192": 192, "256": 256}, source="key wrap downgrade")
def the_key_is_wrapped_by_aes(bits: int) -> Built:
    wrapped = Encryption(key=bytes(bits // 8), method=f"kw-aes{bits}", key_info=key_name("carol")).fixed()
    return signed_then_encrypted(wrapped)


@SEALED.refused("encryption.algorithm", source="key wrap downgrade")
def the_key_is_wrapped_under_an_agreed_one() -> Built:
    agreement = Agreement(ec_key().public_key(), ec_key())
    return signed_then_encrypted(
        Encryption(key=agreement.key(32), method="kw-aes256", key_info=key_info(agreement.xml())).fixed()
    )


EVERY: Final = (*SEALED, *SIGNED)
