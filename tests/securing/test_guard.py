"""The guard takes what was secured for it: signed, encrypted, both in either order, with a UsernameToken."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.guarding import Guarded
from tests.messages import SOAP11, SOAP12, envelope
from tests.securing.receiving import (
    ADDRESS,
    ADDRESSED,
    ALICE,
    ALL,
    CREDENTIALS,
    IDENTIFIERS,
    MESSAGE,
    ORDERS,
    ROOT,
    SERVER,
    TO_SERVER,
    secured,
)
from wsguard.names import ENCRYPTION_ALGORITHMS, XSI
from wsguard.securing import UsernameCredentials
from wsguard.securing.plan import KEY_TRANSPORTS

Guarding = Callable[..., Guarded]


@pytest.fixture
def guarding(tmp_path: Path) -> Guarding:
    """Makes a guard that demands a signature over four parts, one of them a UsernameToken."""
    for name, octets in {"root": ROOT.pem, "alice": ALICE.pem, "server": SERVER.key_pem + SERVER.pem}.items():
        (tmp_path / f"{name}.pem").write_bytes(octets)

    def make(**policy: Any) -> Guarded:
        return Guarded(
            **{"signature": {"use": "required", "required_parts": ALL}, **policy},
            timestamp={"require_expires": True},
            trust={"ca_files": [tmp_path / "root.pem"], "known_certificates": [tmp_path / "alice.pem"]},
            keys={"decrypt": [{"file": tmp_path / "server.pem"}]},
        )

    return make


@pytest.fixture
def guard(guarding: Guarding) -> Guarded:
    return guarding()


@pytest.mark.parametrize("encryption", ENCRYPTION_ALGORITHMS)
@pytest.mark.parametrize("transport", KEY_TRANSPORTS)
@pytest.mark.parametrize("first", ORDERS)
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_the_guard_opens_it(guarding: Guarding, encryption: str, transport: str, first: bool, soap: str) -> None:
    parts = ["Body", "UsernameToken", ADDRESS, *(["Signature"] if first else [])]
    guard = guarding(
        encryption={"use": "required", "required_parts": parts},
        algorithms={"encryption": [encryption], "key_transport": [transport]},
    )
    octets = secured(
        envelope('<h:To xmlns:h="urn:h">urn:here</h:To>', soap=soap), username=CREDENTIALS, signed_parts=ALL,
        **TO_SERVER, encrypted_parts=tuple(parts), encryption=encryption, key_transport=transport,
        sign_before_encrypting=first,
    )  # fmt: skip
    kind = "application/soap+xml" if soap == SOAP12 else "text/xml"
    answer = guard.post(octets, CONTENT_TYPE=f"{kind}; charset=utf-8")
    assert (answer.status, answer.check) == ("200 OK", ""), answer.record
    message = guard.echo.handed[-1][0]["wsguard.message"]
    assert (message.username, message.principal.name) == ("alice", "CN=Alice")
    assert message.signed_parts >= set(ALL)
    assert message.encrypted_parts >= set(parts)
    handed = etree.fromstring(guard.handed)
    assert (handed.findtext(".//{urn:echo}text"), handed.findtext(f".//{ADDRESS}")) == ("hello", "urn:here")


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_the_guard_takes_it(guard: Guarded, identifier: str) -> None:
    octets = secured(ADDRESSED, username=CREDENTIALS, signed_parts=ALL, key_identifier=identifier)
    answer = guard.post(octets)
    assert (answer.status, answer.check) == ("200 OK", "")
    message = guard.echo.handed[-1][0]["wsguard.message"]
    assert (message.username, message.principal.name) == ("alice", "CN=Alice")
    assert message.signed_parts >= set(ALL)
    handed = etree.fromstring(guard.handed)
    assert (handed.findtext(".//{urn:echo}text"), handed.findtext(f".//{ADDRESS}")) == ("hello", "urn:here")
    assert guard.post(octets).check.startswith("replay.")


@pytest.mark.parametrize(
    "declared, value, listed",
    [("xmlns:o", " o:T", "o"), ("xmlns", "T", "#default"), ("xmlns:\u00fc", "\u00fc:T[3]", "\u00fc")],
)
def test_types_of_any_namespace_are_signed_with_their_prefix(
    guard: Guarded, declared: str, value: str, listed: str
) -> None:
    """The guard refuses prefixes in values that anybody could have bound anew."""
    message = ADDRESSED.replace(b"<S:Body>", f'<S:Body xmlns:xsi="{XSI}" {declared}="urn:other">'.encode())
    message = message.replace(b"<e:text>", f'<e:text xsi:type="{value}">'.encode())
    octets = secured(message, username=CREDENTIALS, signed_parts=ALL)
    assert f'PrefixList="{listed}"'.encode() in octets
    answer = guard.post(octets)
    assert (answer.status, answer.check) == ("200 OK", ""), answer.record


@pytest.mark.parametrize(
    "text, attribute, listed",
    [
        ("o:Denied", "", "o"),
        (" a\to:One\n p:Two ", "", "o p"),
        ("", "o:Denied", "o"),
        ("<b/>o:Denied", "", "o"),
        ("12:30 urn:other o: :o o:o:o", "", None),
        ("http://example/", "mailto:o", None),
    ],
    ids=["a name", "a list of names", "in an attribute", "behind an element", "other colons", "addresses"],
)
def test_names_in_texts_are_signed_with_their_prefix(
    guard: Guarded, text: str, attribute: str, listed: str | None
) -> None:
    declared = '<S:Body xmlns:o="urn:other" xmlns:p="urn:another">'
    message = ADDRESSED.replace(b"<S:Body>", declared.encode())
    message = message.replace(b"<e:text>hello", f'<e:text code="{attribute}">{text}'.encode())
    octets = secured(message, username=CREDENTIALS, signed_parts=ALL)
    assert re.findall(rb'PrefixList="(.*?)"', octets) == ([] if listed is None else [listed.encode()])
    assert guard.post(octets).check == ""
    if listed is not None:
        assert guard.post(octets.replace(b'"urn:other"', b'"urn:evil"')).check == "signature.digest"


def test_a_type_is_listed_before_names_in_texts_where_there_are_too_many() -> None:
    many = [f"o{number}" for number in range(40)]
    declared = "".join(f' xmlns:{one}="urn:{one}"' for one in (*many, "zz"))
    message = ADDRESSED.replace(b"<S:Body>", f'<S:Body xmlns:xsi="{XSI}"{declared}>'.encode())
    text = " ".join(f"{one}:x" for one in many)
    message = message.replace(b"<e:text>hello", f'<e:text xsi:type="zz:T">{text}'.encode())
    octets = secured(message, username=CREDENTIALS, signed_parts=ALL)
    (listed,) = re.findall(rb'PrefixList="(.*?)"', octets)
    assert listed.split()[0] == b"zz"
    assert len(listed.split()) == 32


def test_a_password_may_be_sent_as_text() -> None:
    guard = Guarded(username_token={"password_types": ["PasswordText"]})
    credentials = replace(CREDENTIALS, password_type="PasswordText")
    assert guard.post(secured(MESSAGE, sign=None, username=credentials)).check == ""
    wrong = replace(credentials, password="other")
    assert guard.post(secured(MESSAGE, sign=None, username=wrong)).check == "username_token.authentication"


SALTED = UsernameCredentials("alice", "secret", "DerivedKey")


@pytest.mark.parametrize("encrypted", [(), ("Body",), ("Body", "UsernameToken", "Signature")], ids=len)
@pytest.mark.parametrize("method", ["", "hmac-sha1", "hmac-sha512"])
@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_a_user_who_signs_is_known(guarding: Guarding, encrypted: tuple[str, ...], method: str, soap: str) -> None:
    guard = guarding(
        username_token={"password_types": ["DerivedKey"]},
        algorithms={"signature": [method or "hmac-sha256"]},
        signature={"use": "optional", "required_parts": ALL},
    )
    octets = secured(
        envelope('<h:To xmlns:h="urn:h">urn:here</h:To>', soap=soap), username=SALTED, sign=None, signed_parts=ALL,
        signature_algorithm=method, **({**TO_SERVER, "encrypted_parts": encrypted} if encrypted else {}),
    )  # fmt: skip
    kind = "text/xml" if soap == SOAP11 else "application/soap+xml"
    answer = guard.post(octets, CONTENT_TYPE=f"{kind}; charset=utf-8")
    assert (answer.status, answer.check) == ("200 OK", "")
    message = guard.echo.handed[-1][0]["wsguard.message"]
    assert (message.username, message.signed_parts, message.encrypted_parts) == ("alice", set(ALL), set(encrypted))


def test_no_two_salts_are_the_same() -> None:
    salts = {re.search(rb"Salt>([^<]+)<", secured(MESSAGE, username=SALTED, sign=None)) for _ in range(2)}
    assert len({found[1] for found in salts if found}) == 2
