"""J: data that are said to be elsewhere, to be something else than XML, or to be theirs who never wrote them."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.attacks.canary import canary
from tests.attacks.cases import Built, Chapter
from tests.attacks.ciphertext import KEY, STANDARD, data, gcm, tells_nothing
from tests.encrypting import b64, key_info, reference_list, to_id
from tests.guard_encryption.sealing import body_with, draft, encrypted_body, for_server
from tests.messages import DS, PAYLOAD, XENC, timestamp

ELSEWHERE: Final = Chapter("J", "opened")

_ELSEWHERE: Final[dict[str, Callable[[], str]]] = {
    "a file": lambda: canary().as_uri(),
    "a path": lambda: str(canary()),
    "another host": lambda: "http://127.0.0.1:9/ciphertext",
    "the message": lambda: "#TS-1",
    "everything": lambda: "",
}


@ELSEWHERE.each_refused("encryption.malformed", _ELSEWHERE, source=STANDARD, isolated=True)
def a_cipherreference_fetches_the_data(uri: Callable[[], str]) -> Built:
    encryption = for_server()
    cut = re.sub(r"<xenc:CipherValue>.*</xenc:CipherValue>", _reference(uri()), encryption.data_xml())
    return draft(encryption.key_xml(), timestamp(), body=cut).encode()


@ELSEWHERE.each_refused("encryption.malformed", _ELSEWHERE, source=STANDARD, isolated=True)
def a_cipherreference_fetches_the_key(uri: Callable[[], str]) -> Built:
    encryption = for_server()
    cut = re.sub(r"<xenc:CipherValue>.*</xenc:CipherValue>", _reference(uri()), encryption.key_xml())
    return draft(cut, timestamp(), body=encryption.data_xml()).encode()


def _reference(uri: str, inner: str = "") -> str:
    return f'<xenc:CipherReference URI="{uri}">{inner}</xenc:CipherReference>'


@ELSEWHERE.each_refused(
    "encryption.malformed",
    {
        "XSLT": "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "XPath": "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "base64": f"{DS}base64",
    },
    source="WS-Attacker: transforms in a CipherReference",
    isolated=True,
)
def a_cipherreference_transforms_what_it_fetches(algorithm: str) -> Built:
    transforms = f'<xenc:Transforms><ds:Transform xmlns:ds="{DS}" Algorithm="{algorithm}"/></xenc:Transforms>'
    encryption = for_server()
    cut = re.sub(r"<xenc:CipherValue>.*</xenc:CipherValue>", _reference("#TS-1", transforms), encryption.data_xml())
    return draft(encryption.key_xml(), timestamp(), body=cut).encode()


@ELSEWHERE.each_refused(
    "encryption.malformed",
    {
        "gzip, by MimeType": ' MimeType="application/gzip"',
        "zlib, by Encoding": f' Encoding="{XENC}zlib"',
        "EXI, by Type": ' Type="http://www.w3.org/2009/xmlenc11#EXI"',
        "a media type, by Type": ' Type="application/gzip"',
        "an attachment, by Type": ' Type="http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Complete"',
        "a key, by Type": f' Type="{XENC}EncryptedKey"',
    },
    source="XML Encryption 1.1 §3.1 and §9: decompression, and Types that are no XML",
    elsewhere=False,
)
def the_plaintext_is_said_to_be_something_else_than_xml(attribute: str) -> Built:
    kind = None if " Type=" in attribute else "Content"
    return encrypted_body(for_server(kind=kind, replaced={' Id="ED-1"': f' Id="ED-1"{attribute}'}))


@ELSEWHERE.refused("limits.encrypted_data", source="encryption in encryption without end", elsewhere=False)
def data_are_encrypted_seventeen_times_over() -> Built:
    inner = PAYLOAD
    keys = []
    for number in range(17):
        layer = for_server(id=f"ED-{number}", key_id="EK-1", session=KEY, kind="Element", plaintext=inner.encode())
        inner = layer.data_xml()
        keys.append(layer)
    listed = tuple(one.id for one in keys)
    return draft(replace(keys[0], references=listed).key_xml(), timestamp(), body=inner).encode()


@ELSEWHERE.each_refused(
    "encryption.malformed",
    {
        "twice": reference_list("ED-1", "ED-1"),
        "by two lists": reference_list("ED-1") * 2,
        "beside a reference to the key": reference_list("ED-1", "EK-1"),
        "beside a reference to the Timestamp": reference_list("ED-1", "TS-1"),
        "beside a reference to nothing": reference_list("ED-1", "ED-9"),
        "beside everything": reference_list("ED-1", "ED-1").replace("#ED-1", "", 1),
        "beside an XPointer": reference_list("ED-1", "xpointer(/)"),
        "beside a file": reference_list("ED-1", "x").replace("#x", "file:///dev/zero"),
        "beside a key": reference_list("ED-1").replace(
            "</xenc:ReferenceList>", '<xenc:KeyReference URI="#EK-1"/></xenc:ReferenceList>'
        ),
    },
    source="Somorovsky 2013, On the insecurity of XML security: references of a ReferenceList",
    elsewhere=False,
    isolated=True,
)
def the_data_are_referred_to(listed: str) -> Built:
    encryption = for_server(references=())
    return draft(encryption.key_xml(), listed, timestamp(), body=encryption.data_xml()).encode()


@ELSEWHERE.refused("limits.encrypted_data", source="Somorovsky 2013: a flood of references")
def ten_thousand_references_to_data() -> Built:
    listed = reference_list("ED-1", *(f"ED-{number}" for number in range(2, 10_001)))
    encryption = for_server(references=())
    return draft(encryption.key_xml(), listed, timestamp(), body=encryption.data_xml()).encode()


@ELSEWHERE.refused("encryption.failed", also=tells_nothing)
def a_hundred_kilobytes_that_are_nothing() -> Built:
    return data(bytes(100_000), "aes128-gcm")


@ELSEWHERE.refused("certificate.unavailable")
def data_say_that_they_are_their_own_key() -> Built:
    return encrypted_body(for_server(references=(), data_key_info=to_id("ED-1")))


@ELSEWHERE.refused("encryption.malformed", source="XML Signature §4.5.3", isolated=True)
def a_retrievalmethod_leads_to_the_data_themselves() -> Built:
    retrieval = f'<ds:RetrievalMethod URI="#ED-1" Type="{XENC}EncryptedKey"/>'
    return encrypted_body(for_server(data_key_info=key_info(retrieval)))


@ELSEWHERE.refused("encryption.failed", also=tells_nothing)
def the_base64_of_the_ciphertext_is_that_of_its_base64() -> Built:
    return data(b64(gcm()).encode(), "aes128-gcm")


@ELSEWHERE.refused("encryption.failed", also=tells_nothing)
def the_plaintext_is_nothing_but_a_null() -> Built:
    return body_with("\0")


EVERY: Final = (*ELSEWHERE,)
