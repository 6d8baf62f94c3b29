"""Legal: encrypted messages in every shape and permitted algorithm in which honest stacks send them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.ciphertext import KEY
from tests.attacks.rsa_oracles import oaep, pkcs1
from tests.attacks.tokens import user
from tests.encrypting import KEY_INFOS, WSSE11, key_info, reference_list, to_id
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import (
    also,
    body_of,
    content_of,
    data_only,
    draft,
    encrypted_body,
    for_server,
    sealed,
    server,
)
from tests.messages import timestamp
from tests.signing import binary_token

OPENED: Final = Chapter("legal", "opened")
OLD: Final = Chapter("legal", "old")

BLOCK: Final = '<h:To xmlns:h="urn:h">here</h:To>'


# --- Algorithms -------------------------------------------------------------------------------------------------------

_DATA: Final = {name: name for name in ("aes128-gcm", "aes192-gcm", "aes256-gcm")}
_CBC: Final = {name: name for name in ("aes128-cbc", "aes192-cbc", "aes256-cbc", "tripledes-cbc")}


@OPENED.each_accepted(_DATA)
def data_encrypted_by(algorithm: str) -> Built:
    return encrypted_body(for_server(algorithm=algorithm))


@OLD.each_accepted(_CBC, source="where it is permitted; Pega, WSS4J 1.6, gSOAP")
def data_of_old_encrypted_by(algorithm: str) -> Built:
    return encrypted_body(for_server(algorithm=algorithm))


@OPENED.each_accepted(
    {
        "OAEP": {},
        "OAEP, and its digest said": {"digest": "sha1"},
        "OAEP with SHA-256": {"digest": "sha256"},
        "OAEP of 1.1": {"method": "rsa-oaep"},
        "OAEP of 1.1 with SHA-256 and its mask": {"method": "rsa-oaep", "digest": "sha256", "mask": "sha256"},
        "OAEP of 1.1 with SHA-512 and a mask of SHA-1": {"method": "rsa-oaep", "digest": "sha512", "mask": "sha1"},
        "OAEP with a label": {"label": b"label"},
        "a block of OAEP that was made by hand": {"session": KEY, "key_cipher": lambda: oaep()},
    },
    source="XML Encryption 1.1 §5.5.2",
)
def a_key_under(changes: Any) -> Built:
    return encrypted_body(for_server(**{n: v() if callable(v) else v for n, v in changes.items()}))


@OLD.each_accepted({"as it is": None, "by hand": pkcs1}, source="gSOAP")
def a_key_under_rsa_1_5_made(make: Callable[[], bytes] | None) -> Built:
    return encrypted_body(for_server(method="rsa-1_5", session=KEY, key_cipher=make() if make else None))


@OPENED.each_accepted({form: form for form in KEY_INFOS}, source="WSS4J, gSOAP, .NET")
def the_server_named_by(form: str) -> Built:
    token = binary_token(server().certificate) if form == "DirectReference" else ""
    return encrypted_body(for_server(form), token)


# --- Shapes -----------------------------------------------------------------------------------------------------------


@OPENED.each_accepted({"Element": "Element", "Content": "Content", "none": None}, source="XML Encryption 1.1 §3.1")
def a_type_of(kind: str | None) -> Built:
    return encrypted_body(for_server(kind=kind))


@OPENED.accepted(source="WSS4J: Element")
def the_body_itself_is_encrypted() -> Built:
    text = draft("@EK-1@", timestamp())
    return sealed(text, (body_of(text), for_server(kind="Element")))


@OPENED.accepted(source="gSOAP")
def the_key_comes_last() -> Built:
    text = draft(timestamp(), "@EK-1@")
    return sealed(text, (content_of(text), for_server()))


@OPENED.each_accepted({"before": True, "behind": False}, source="WSS 1.1 §9.1; WSS4J")
def a_reference_list_beside_the_key(first: bool) -> Built:
    order = (reference_list("ED-1"), "@EK-1@")
    text = draft(*(order if first else order[::-1]), timestamp())
    return sealed(text, (content_of(text), for_server(references=())))


@OPENED.accepted()
def data_that_no_list_names() -> Built:
    return encrypted_body(for_server(references=()))


@OPENED.accepted(source="WSS4J: EncryptedData without KeyInfo")
def data_that_name_no_key() -> Built:
    return encrypted_body(for_server(data_key_info=""))


@OPENED.each_accepted({"listed": reference_list("ED-1"), "not listed": ""}, source="CXF, .NET")
def a_key_in_the_data(listed: str) -> Built:
    encryption = for_server(references=())
    return data_only(draft(listed, timestamp()), replace(encryption, data_key_info=key_info(encryption.key_xml())))


@OPENED.accepted(source="XML Encryption: encryption in encryption")
def a_body_that_was_encrypted_twice() -> Built:
    inner, outer = for_server(), for_server(id="ED-2", key_id="EK-2", kind="Element")
    text = draft("@EK-2@", "@EK-1@", timestamp(), user().xml())
    once = sealed(text, (content_of(text), inner)).decode()
    return sealed(once, (content_of(once), outer))


def wrapped(block: str) -> str:
    """In a wsse11:EncryptedHeader."""
    return f'<w:EncryptedHeader xmlns:w="{WSSE11}" wsu:Id="EH-1" S:mustUnderstand="1">{block}</w:EncryptedHeader>'


@OPENED.each_accepted(
    {"bare": (BLOCK, "ED-2"), "wrapped": (wrapped(BLOCK), "ED-2"), "wrapped and named so": (wrapped(BLOCK), "EH-1")},
    source="WSS 1.1 §9.4",
)
def a_header_block(case: tuple[str, str]) -> Built:
    header, listed = case
    first = for_server(references=("ED-1", listed))
    text = draft("@EK-1@", timestamp(), header=header)
    return sealed(text, (content_of(text), first), (BLOCK, also(first, "ED-2", kind="Element")))


@OPENED.accepted(source="WSS4J: the token too")
def the_username_token_is_encrypted() -> Built:
    first = for_server(references=("ED-1", "ED-2"))
    text = draft("@EK-1@", timestamp(), token := user().xml())
    return sealed(text, (content_of(text), first), (token, also(first, "ED-2", kind="Element")))


@OPENED.accepted(source="WS-SecureConversation §7; .NET, WSS4J")
def a_key_that_is_derived_from_the_encrypted_one() -> Built:
    key = for_server(references=())
    data = replace(key, session=derived_octets(key.session, 16), data_key_info=to_id("DK-1"))
    return data_only(draft(key.key_xml(), derived_token(length=16), reference_list("ED-1"), timestamp()), data)


@OPENED.each_accepted(
    {
        "a MimeType of XML": {' Id="ED-1"': ' Id="ED-1" MimeType="text/xml"'},
        "a Recipient": {' Id="EK-1"': ' Id="EK-1" Recipient="us"'},
        "a CarriedKeyName": {
            "</xenc:EncryptedKey>": "<xenc:CarriedKeyName>k</xenc:CarriedKeyName></xenc:EncryptedKey>"
        },
        "lines": {"><": ">\n  <"},
        "a KeySize": {'aes128-gcm"/>': 'aes128-gcm"><xenc:KeySize>128</xenc:KeySize></xenc:EncryptionMethod>'},
    },
    source="XML Encryption 1.1 §3",
)
def encrypted_with(replaced: dict[str, str]) -> Built:
    return encrypted_body(for_server(replaced=replaced))


@OPENED.accepted()
def white_space_and_comments_around_the_data() -> Built:
    text = draft("\n  @EK-1@\n  ", timestamp(), "\n")
    content = content_of(text)
    return sealed(text.replace(content, f"\n  <!-- c -->{content}\n"), (content, for_server()))


@OPENED.accepted(handed="hello")
def a_prefix_that_is_declared_outside_of_the_ciphertext() -> Built:
    body = "<e:Echo><e:text>hello</e:text></e:Echo>"
    return encrypted_body(body=body, envelope_attributes='xmlns:e="urn:echo"')


EVERY: Final = (*OPENED, *OLD)
