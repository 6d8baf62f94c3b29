"""Encrypted, then signed: what tells to open it is signed by nobody, so who carries the message can take it away."""

import re
from typing import Any, Final

import pytest

from tests.encrypting import WSSE11
from tests.guard_encryption.sealing import Sealing, draft, for_server
from tests.messages import timestamp
from tests.signature.signatures import ALICE
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, sign

LIMITED: Final = '<a:Pay xmlns:a="urn:bank"><a:to>Bob</a:to>{}</a:Pay>'
LIMIT: Final = '<a:limit xmlns:a="urn:bank">5</a:limit>'


def limited(key_info: str | None, **changes: Any) -> str:
    """What Alice encrypts, one element of the Body or of a header block, and then signs."""
    encryption = for_server(kind="Element", plaintext=LIMIT.encode(), data_key_info=key_info)
    parts = {"body": LIMITED.format(encryption.data_xml())}
    if "header" in changes:
        parts = {"header": changes.pop("header").format(encryption.data_xml())}
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", encryption.key_xml(), timestamp(), **parts)
    return sign(text, Signing.by(ALICE, **changes)).decode()


WITHOUT: Final = {
    "the key": r"<xenc:EncryptedKey.*?</xenc:EncryptedKey>",
    "the list": r"<xenc:ReferenceList.*?</xenc:ReferenceList>",
}
"""What nobody signed, and who carries a message may take out of it."""


@pytest.mark.parametrize("without", WITHOUT)
@pytest.mark.parametrize("key_info", [None, ""], ids=["KeyInfo", "no KeyInfo"])
def test_what_was_signed_as_ciphertext_does_not_stay_closed(
    guarded: Sealing, key_info: str | None, without: str
) -> None:
    """The application would find no limit, and the signature fits."""
    guard = guarded(encryption={"use": "optional"})
    octets = limited(key_info)
    assert guard.refusal(re.sub(WITHOUT[without], "", octets).encode()) == "encryption.malformed"
    guard.accepted(octets.encode())
    assert b"<a:limit" in guard.handed


@pytest.mark.parametrize("without", WITHOUT)
@pytest.mark.parametrize(
    ("header", "part"),
    [
        pytest.param(f'<w:EncryptedHeader xmlns:w="{WSSE11}" wsu:Id="H">{{}}</w:EncryptedHeader>', "#H", id="wrapped"),
        pytest.param("{}", "#ED-1", id="bare"),
        pytest.param('<h:To xmlns:h="urn:h" wsu:Id="H">{}</h:To>', "#H", id="in a block"),
    ],
)
def test_nor_does_a_header_block(guarded: Sealing, header: str, part: str, without: str) -> None:
    guard = guarded(encryption={"use": "optional"})
    octets = limited("", header=header, parts=(BODY, TIMESTAMP, Part(part)))
    assert guard.refusal(re.sub(WITHOUT[without], "", octets).encode()) == "encryption.malformed"
    guard.accepted(octets.encode())
    assert b"<a:limit" in guard.handed


def test_nor_what_was_inside_of_something_that_is_opened(guarded: Sealing) -> None:
    """The Body is encrypted as it must be, and what is in it once more is not listed any more."""
    inner = for_server(id="ED-2", key_id="EK-2", kind="Element", plaintext=LIMIT.encode())
    outer = for_server(plaintext=LIMITED.format(inner.data_xml()).encode())
    keys = outer.key_xml(), inner.key_xml()
    text = draft(binary_token(ALICE.certificate), "@SIG-1@", *keys, timestamp(), body=outer.data_xml())
    octets = sign(text, Signing.by(ALICE))
    guard = guarded()
    assert guard.refusal(octets.replace(keys[1].encode(), b"")) == "encryption.malformed"
    guard.accepted(octets)
    assert b"<a:limit" in guard.handed


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param({"encryption": {"use": "forbidden"}}, id="nothing may be encrypted"),
        pytest.param({"encryption": {"use": "optional"}, "keys": {"decrypt": []}}, id="there is no key"),
    ],
)
def test_where_nothing_is_opened_ciphertext_is_the_applications(guarded: Sealing, policy: dict[str, Any]) -> None:
    octets = re.sub(WITHOUT["the key"], "", limited(""))
    guarded(**policy).accepted(octets.encode())
