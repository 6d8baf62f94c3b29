"""J: what comes out of ciphertext in the Header, and ciphertext in places where none may stand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import user
from tests.encrypting import WSSE11, Encryption, key_info
from tests.guard_encryption.sealing import (
    also,
    content_of,
    draft,
    element_of,
    for_server,
    sealed,
)
from tests.messages import PAYLOAD, WSSE, WSU, timestamp

HEADERS: Final = Chapter("J", "opened")

BLOCK: Final = '<h:To xmlns:h="urn:h">here</h:To>'


def _second_stamp() -> str:
    return timestamp().replace("TS-1", "TS-2")


@HEADERS.each_refused(
    "timestamp.malformed", {"by itself": (), "by a list": None}, source="a fresh Timestamp beside the one that was seen"
)
def a_second_timestamp_comes_out(references: tuple[str, ...] | None) -> Built:
    text = draft("@EK-1@", timestamp(), stamp := _second_stamp())
    return sealed(text, (stamp, for_server(kind="Element", references=references)))


@HEADERS.refused("username_token.malformed")
def a_second_usernametoken_comes_out() -> Built:
    second = user(username="bob", password="hunter2").xml()
    text = draft("@EK-1@", timestamp(), user().xml(), second)
    return sealed(text, (second, for_server(kind="Element", references=())))


@HEADERS.refused("security.duplicate")
def a_second_security_header_comes_out() -> Built:
    second = f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{_second_stamp()}</wsse:Security>'
    text = draft("@EK-1@", timestamp(), header=second)
    return sealed(text, (second, for_server(kind="Element")))


@HEADERS.refused("security.missing")
def the_security_header_itself_is_encrypted() -> Built:
    text = draft(timestamp())
    header = element_of(text, "wsse:Security")
    encryption = for_server(kind="Element", references=())
    return sealed(text, (header, replace(encryption, data_key_info=key_info(encryption.key_xml()))))


@HEADERS.each_refused(
    "security.unknown_token",
    {
        "an unknown token": "<x/>",
        "a Security header": f"<wsse:Security>{PAYLOAD}</wsse:Security>",
        "an Assertion": '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
        "a Body": f"<S:Body>{PAYLOAD}</S:Body>",
    },
)
def in_the_security_header_comes_out(token: str) -> Built:
    text = draft("@EK-1@", timestamp(), token)
    return sealed(text, (token, for_server(kind="Element", references=())))


@HEADERS.refused("encryption.malformed")
def content_of_the_security_header_is_encrypted() -> Built:
    text = draft("@EK-1@", stamp := timestamp())
    return sealed(text, (stamp, for_server()))


def _beside(first: Encryption) -> Encryption:
    """A header block under the key of ``first``, which must list it."""
    return also(first, "ED-2", kind="Element", plaintext=BLOCK.encode())


def _wrapped(inner: str) -> str:
    return f'<w:EncryptedHeader xmlns:w="{WSSE11}">{inner}</w:EncryptedHeader>'


@HEADERS.each_refused(
    "encryption.malformed",
    {
        "in another block": lambda data: f"<other>{_wrapped(data)}</other>",
        "in another of its kind": lambda data: _wrapped(_wrapped(data)),
        "beside an element": lambda data: _wrapped(f"{data}<other/>"),
        "as content": lambda data: _wrapped(data.replace("#Element", "#Content")),
        "without data": lambda data: _wrapped("") + data,
    },
    source="WSS 1.1 §9.4.1",
)
def an_encryptedheader_stands(around: Callable[[str], str]) -> Built:
    first = for_server(references=("ED-1", "ED-2"))
    block = _beside(first).data_xml()
    text = draft("@EK-1@", timestamp(), header=around(block))
    return sealed(text, (content_of(text), first))


@HEADERS.each_refused("encryption.malformed", {"bare": str, "wrapped": _wrapped})
def a_header_block_that_nothing_opens(around: Any) -> Built:
    lost = for_server(id="ED-9", key_id="EK-9", kind="Element", data_key_info="", plaintext=BLOCK.encode())
    text = draft("@EK-1@", timestamp(), header=around(lost.data_xml()))
    return sealed(text, (content_of(text), for_server()))


@HEADERS.each_refused(
    "envelope.structure",
    {
        "beside the Body": lambda text, data: text.replace("</S:Envelope>", f"{data}</S:Envelope>"),
        "before the Header": lambda text, data: text.replace("<S:Header>", f"{data}<S:Header>"),
        "around everything": lambda text, data: data,
    },
)
def data_stand(place: Callable[[str, str], str]) -> Built:
    encryption = for_server(references=("ED-1", "ED-2"))
    return place(
        draft(encryption.key_xml(), timestamp(), body=encryption.data_xml()), _beside(encryption).data_xml()
    ).encode()


EVERY: Final = (*HEADERS,)
