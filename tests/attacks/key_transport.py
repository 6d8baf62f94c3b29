"""J: EncryptedKeys that lead elsewhere or in a circle, or open something else than was meant."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.attacks.ciphertext import KEY, STANDARD, tells_nothing
from tests.encrypting import KEY_INFOS, Encryption, key_info, key_name, to_id, transport
from tests.guard_encryption.deriving import derived_token
from tests.guard_encryption.sealing import (
    draft,
    element_of,
    encrypted_body,
    encrypted_then_signed,
    for_server,
    new_server,
    stranger,
)
from tests.messages import DS, XENC, timestamp

KEY_TRANSPORT: Final = Chapter("J", "opened")
OLD: Final = Chapter("J", "old")

RECURSION: Final = "a key that is had from itself: libxmlsec 1.3.9 ends with SIGSEGV"

_RETRIEVAL: Final = f'<ds:RetrievalMethod URI="{{}}" Type="{XENC}EncryptedKey"/>'


@KEY_TRANSPORT.each_refused(
    "encryption.malformed",
    {
        "itself": lambda: "#EK-1",
        "its data": lambda: "#ED-1",
        "a file": lambda: canary().as_uri(),
        "another host": lambda: "http://127.0.0.1:9/key",
        "everything": lambda: "",
    },
    source=RECURSION,
    isolated=True,
)
def a_retrievalmethod_leads_from_the_key_to(uri: Callable[[], str]) -> Built:
    return encrypted_body(for_server(key_info=key_info(_RETRIEVAL.format(uri()))))


@KEY_TRANSPORT.refused("encryption.malformed", source=RECURSION, isolated=True)
def two_keys_lead_to_each_other_by_retrievalmethod() -> Built:
    one = for_server(key_info=key_info(_RETRIEVAL.format("#EK-2")))
    two = replace(one, key_id="EK-2", key_info=key_info(_RETRIEVAL.format("#EK-1")), references=())
    return encrypted_body(one, two.key_xml())


@OLD.each_refused(
    "encryption.key",
    {"itself": ("EK-1", "EK-1"), "another, and back": ("EK-2", "EK-1"), "a derived one of itself": ("DK-1", "EK-1")},
    source=RECURSION,
    isolated=True,
)
def a_key_is_wrapped_under(circle: tuple[str, str]) -> Built:
    one = Encryption(key=KEY, session=KEY, method="kw-aes128", key_info=to_id(circle[0]))
    two = replace(one, key_id="EK-2", key_info=to_id(circle[1]), references=())
    return encrypted_body(one, two.key_xml(), derived_token("EK-1", length=16))


@KEY_TRANSPORT.refused("encryption.malformed", source=RECURSION, isolated=True)
def a_key_stands_in_its_own_keyinfo() -> Built:
    inner = for_server(session=KEY, references=())
    outer = replace(inner, key_id="EK-0", key_info=key_info(inner.key_xml()), references=None)
    return draft(outer.key_xml(), timestamp(), body=outer.data_xml()).encode()


@KEY_TRANSPORT.refused("limits.depth", source=RECURSION, isolated=True)
def keys_stand_in_each_other_a_hundred_deep() -> Built:
    layer = for_server(session=KEY, references=(), key_cipher=b"x")
    for number in range(100):
        layer = replace(layer, key_id=f"EK-{number}", key_info=key_info(layer.key_xml()))
    return draft(replace(layer, references=None).key_xml(), timestamp(), body=layer.data_xml()).encode()


@KEY_TRANSPORT.refused("limits.encrypted_keys", source="a private operation for each")
def a_hundred_keys() -> Built:
    one = for_server(references=(), key_cipher=bytes(256))
    return encrypted_body(None, *(replace(one, key_id=f"EK-{n}").key_xml() for n in range(2, 102)))


@KEY_TRANSPORT.each_refused(
    "encryption.key",
    {form: form for form in KEY_INFOS if form not in ("none", "DirectReference")},
    source="the wrong recipient",
)
def a_key_for_somebody_else_named_by(form: str) -> Built:
    return encrypted_body(Encryption.for_(stranger(), form).fixed())


@KEY_TRANSPORT.refused("encryption.failed", also=tells_nothing)
def a_key_for_somebody_else_that_names_nobody() -> Built:
    return encrypted_body(Encryption.for_(stranger(), "none").fixed())


@KEY_TRANSPORT.refused("encryption.failed", also=tells_nothing)
def a_key_for_somebody_else_that_names_the_server() -> Built:
    return encrypted_body(for_server(session=KEY, key_cipher=transport("rsa-oaep", new_server().key, KEY)))


@OLD.each_refused(
    "encryption.key",
    {"nobody shares": key_name("nobody"), "is a path": key_name("../../server.pem")},
)
def a_wrapping_key_whose_name(info: str) -> Built:
    return encrypted_body(Encryption(key=KEY, session=KEY, method="kw-aes128", key_info=info))


@KEY_TRANSPORT.each_refused(
    "encryption.malformed",
    {
        "endless OAEPparams": {"label": bytes(100_000), "key_cipher": bytes(256)},
        "an endless key": {"key_cipher": bytes(100_000)},
        "a mask where it is fixed": {"mask": "sha256", "key_cipher": bytes(256)},
        "a Type of an element": {"replaced": {' Id="EK-1"': f' Id="EK-1" Type="{XENC}Element"'}},
        "no CipherData": {"replaced": {"xenc:CipherData": "xenc:Nothing"}},
    },
    source=STANDARD,
    elsewhere=False,
)
def an_encryptedkey_with(changes: Any) -> Built:
    return encrypted_body(for_server(**changes))


# --- Which data a key opens -------------------------------------------------------------------------------------------


@KEY_TRANSPORT.refused("encryption.failed", source="key substitution", site="sealed", also=tells_nothing)
def the_key_of_ciphertext_that_was_signed_is_another() -> Built:
    """Sent on by somebody who would have other words come out of what Alice signed."""
    encryption = for_server()
    text = encrypted_then_signed(encryption).decode()
    other = replace(encryption, session=KEY).key_xml()
    return text.replace(element_of(text, "xenc:EncryptedKey"), other).encode()


@KEY_TRANSPORT.refused("envelope.duplicate_id", source="key substitution")
def two_keys_have_one_id() -> Built:
    return encrypted_body(None, for_server(references=()).key_xml())


@KEY_TRANSPORT.refused("encryption.malformed", source="key substitution", elsewhere=False)
def two_keys_list_the_same_data() -> Built:
    return encrypted_body(None, for_server(key_id="EK-2").key_xml())


@KEY_TRANSPORT.refused("encryption.failed", source="key substitution", also=tells_nothing)
def the_data_name_another_key_than_lists_them() -> Built:
    other = for_server(key_id="EK-2", references=())
    return encrypted_body(for_server(data_key_info=to_id("EK-2")), other.key_xml())


@KEY_TRANSPORT.each_refused(
    "encryption.algorithm",
    {
        "MD5 in OAEP": {"method": "rsa-oaep", "digest": "http://www.w3.org/2001/04/xmldsig-more#md5"},
        "a mask with MD5": {"method": "rsa-oaep", "mask": "http://www.w3.org/2009/xmlenc11#mgf1md5"},
        "no hash": {"method": "rsa-oaep", "digest": ""},
        "Diffie-Hellman": {"method": f"{XENC}dh"},
        "data encryption": {"method": "http://www.w3.org/2009/xmlenc11#aes128-gcm"},
        "a signature": {"method": f"{DS}rsa-sha1"},
        "nothing": {"method": ""},
    },
)
def a_key_under(changes: dict[str, str]) -> Built:
    return encrypted_body(for_server(key_cipher=bytes(256), **changes))


EVERY: Final = (*KEY_TRANSPORT, *OLD)
