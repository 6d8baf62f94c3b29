"""J: what comes out of ciphertext breaks out of its place."""

from typing import Final

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.attacks.ciphertext import tells_nothing
from tests.guard_encryption.sealing import (
    body_of,
    body_with,
    draft,
    for_server,
    sealed,
)
from tests.messages import PAYLOAD, SOAP11, timestamp

PLAINTEXT: Final = Chapter("J", "opened")

_XXE: Final = '<!DOCTYPE e [<!ENTITY x SYSTEM "@file@">]>' + PAYLOAD.replace("hello", "&x;")
_LAUGHS: Final = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))


@PLAINTEXT.each_refused(
    "encryption.failed",
    {
        "a document type": f"<!DOCTYPE e>{PAYLOAD}",
        "an entity from a file": _XXE,
        "a parameter entity from a file": f'<!DOCTYPE e [<!ENTITY % x SYSTEM "@file@"> %x;]>{PAYLOAD}',
        "a billion laughs": f"<!DOCTYPE e [{_LAUGHS}]>{PAYLOAD.replace('hello', '&l9;')}",
        "an entity of nobody": PAYLOAD.replace("hello", "&e;"),
        "an XML declaration": f'<?xml version="1.0"?>{PAYLOAD}',
        "a processing instruction": f"<?php echo 1 ?>{PAYLOAD}",
        "a stylesheet": f'<?xml-stylesheet href="@file@"?>{PAYLOAD}',
        "a byte order mark": "\ufeff" + PAYLOAD,
        "a null": PAYLOAD.replace("hello", "\0"),
        "a reference to a null": PAYLOAD.replace("hello", "&#0;"),
        "the end of the Body": f"</S:Body><S:Body>{PAYLOAD}",
        "the end of the message": f"{PAYLOAD}</S:Body></S:Envelope><!--",
        "a comment without end": f"{PAYLOAD}<!--",
        "a section without end": f"{PAYLOAD}<![CDATA[",
        "a prefix of nobody": "<x:Echo/>",
        "half an element": PAYLOAD[: len(PAYLOAD) // 2],
        "elements a hundred deep": PAYLOAD.replace("hello", "<a>" * 100 + "</a>" * 100),
        "elements 100,000 deep": "<a>" * 100_000,
        "60,000 elements": PAYLOAD.replace("hello", "<a/>" * 60_000),
        "a thousand attributes": PAYLOAD.replace(
            "<e:text>", "<e:text " + " ".join(f'a{n}="x"' for n in range(1000)) + ">"
        ),
        "a thousand namespaces": PAYLOAD.replace(
            "<e:text>", "<e:text " + " ".join(f'xmlns:a{n}="urn:{n}"' for n in range(1000)) + ">"
        ),
        "the Id of the Timestamp": PAYLOAD.replace("<e:text>", '<e:text id="TS-1">'),
        "an Id twice": PAYLOAD.replace("hello", '<a id="x"/><b ID="x"/>'),
    },
    source="XML Encryption 1.1 §4.5: plaintext is parsed where it stands; WS-Attacker: DTD attacks, inside",
    isolated=True,
    also=tells_nothing,
)
def the_plaintext_has(plaintext: str) -> Built:
    return body_with(plaintext.replace("@file@", canary().as_uri()))


@PLAINTEXT.each_refused(
    "encryption.failed",
    {"UTF-16": "utf-16", "UTF-32": "utf-32", "UTF-7": "utf-7", "EBCDIC": "cp500"},
    also=tells_nothing,
)
def the_plaintext_is_in(encoding: str) -> Built:
    encryption = for_server(plaintext=PAYLOAD.replace("hello", "<ä>").encode(encoding))
    return draft(encryption.key_xml(), timestamp(), body=encryption.data_xml()).encode()


@PLAINTEXT.each_refused(
    "encryption.failed",
    {"ends too early": b"\xc3", "is overlong": b"\xc0\xbc", "is half a surrogate": b"\xed\xa0\x80"},
    also=tells_nothing,
)
def the_plaintext_has_a_character_that(octets: bytes) -> Built:
    encryption = for_server(plaintext=PAYLOAD.encode().replace(b"hello", octets))
    return draft(encryption.key_xml(), timestamp(), body=encryption.data_xml()).encode()


@PLAINTEXT.each_refused(
    "envelope.structure",
    {
        "two operations": PAYLOAD * 2,
        "none": "",
        "a comment alone": "<!-- nothing -->",
        "text": "transfer",
        "text beside it": f"text{PAYLOAD}",
        "a reference out of the Body": PAYLOAD.replace("<e:text>", '<e:text href="#TS-1">'),
        "a Fault": f'<S:Fault xmlns:S="{SOAP11}"><faultcode>S:Server</faultcode><faultstring/></S:Fault>',
    },
    also=tells_nothing,
)
def the_operation_in_the_plaintext_is(plaintext: str) -> Built:
    return body_with(plaintext)


@PLAINTEXT.refused("operation.unknown", also=tells_nothing, elsewhere=False)
def the_operation_in_the_plaintext_has_no_namespace() -> Built:
    return body_with("<Echo><text>hello</text></Echo>")


@PLAINTEXT.each_refused(
    "encryption.failed",
    {
        "two elements": PAYLOAD * 2,
        "text": "hello",
        "nothing": "",
        "a comment": "<!-- -->",
        "text around": f"x{PAYLOAD}",
    },
    source="XML Encryption 1.1 §3.1: Type says what it is",
    also=tells_nothing,
)
def data_of_type_element_are(plaintext: str) -> Built:
    return body_with(plaintext, kind="Element")


@PLAINTEXT.each_refused(
    "envelope.structure",
    {
        "its content": PAYLOAD,
        "a Header": f"<S:Header>{PAYLOAD}</S:Header>",
        "a Body of another namespace": f'<Body xmlns="urn:x">{PAYLOAD}</Body>',
        "an Envelope": f"<S:Envelope><S:Body>{PAYLOAD}</S:Body></S:Envelope>",
    },
)
def in_the_place_of_the_body_comes_out(other: str) -> Built:
    text = draft("@EK-1@", timestamp())
    return sealed(text.replace(body_of(text), other), (other, for_server(kind="Element")))


EVERY: Final = (*PLAINTEXT,)
