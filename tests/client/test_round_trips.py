"""Requests and answers, secured in every combination, between zeep and a live guard."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import zeep.exceptions
from requests import Session
from werkzeug.serving import make_server

from tests.client.echo import FAILS, NAMESPACES, WSDL
from tests.client.serving import (
    CLIENT,
    LIFETIME,
    RESPONSE,
    ROOT,
    SERVER,
    USER,
    ZEEP,
    Live,
    answers,
    live,
    opening,
    plan,
    signing,
)
from tests.pki import ec_key
from wsguard.client import Securing, UnverifiedFault, UsernameCredentials, ZeepSecurity, from_files
from wsguard.policy.demands import AlgorithmDemands, TimestampDemands

VERSIONS = ("1.1", "1.2")
COMBINATIONS = [combination for combination in product((True, False), repeat=4) if combination[0] or combination[2]]
"""Signed, encrypted, with a UsernameToken, with a Timestamp; never with nobody to answer for it."""


def use(there: bool) -> str:
    return "required" if there else "forbidden"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("sign", "encrypt", "user", "timestamp"), COMBINATIONS)
def test_every_combination_goes_there_and_back(
    tmp_path: Path, version: str, sign: bool, encrypt: bool, user: bool, timestamp: bool
) -> None:
    parts = ("Body", "Timestamp") if timestamp else ("Body",)
    service = live(
        tmp_path,
        signature={"use": use(sign), "required_parts": parts},
        encryption={"use": use(encrypt)},
        username_token={"use": use(user)},
        timestamp={"use": use(timestamp)},
        response={
            **RESPONSE, "timestamp": timestamp, "signed_parts": parts, "encrypt": "useReqSigCert" if sign else "",
        },
    )  # fmt: skip
    securing = Securing(
        timestamp=LIFETIME if timestamp else None,
        username=USER if user else None,
        sign=signing(CLIENT) if sign else None,
        signed_parts=(*parts, "UsernameToken") if user else parts,
        encrypt_for=SERVER.certificate if encrypt else None,
    )
    expected = answers(
        timestamp=TimestampDemands(use=use(timestamp)),
        signed_parts=parts,
        encrypted_parts=("Body",) if sign else (),
    )
    client = service.client(service.security(securing, expected))
    for text in ("hello", "żółw & <b>", ""):
        assert client.echo(text, version) == (text or None)
    assert (b"EncryptedData" in client.wire.sent[-1]) == encrypt
    assert (b"EncryptedData" in client.wire.received[-1]) == sign
    assert NAMESPACES[version].encode() in client.wire.received[-1]
    assert service.guarded.records == []


@pytest.mark.parametrize("encrypt", [False, True], ids=["signed", "encrypted"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_user_who_signs_is_answered(tmp_path: Path, version: str, encrypt: bool) -> None:
    service = live(
        tmp_path,
        signature={"use": "optional"},
        encryption={"use": use(encrypt)},
        username_token={"use": "required", "password_types": ["DerivedKey"]},
        algorithms={"signature": ["hmac-sha256"]},
        response={**RESPONSE, "encrypt": ""},
    )
    securing = Securing(
        timestamp=LIFETIME,
        username=UsernameCredentials("alice", "secret", "DerivedKey"),
        encrypt_for=SERVER.certificate if encrypt else None,
    )
    client = service.client(service.security(securing, answers(encrypted_parts=())))
    assert client.echo("hello", version) == "hello"
    assert b"Confirmation" in client.wire.received[-1]
    assert service.guarded.records == []


IDENTIFIERS = ("DirectReference", "IssuerSerial", "SKIKeyIdentifier", "Thumbprint", "X509KeyIdentifier")


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_however_the_server_names_its_certificate(tmp_path: Path, identifier: str) -> None:
    service = live(tmp_path, response={**RESPONSE, "key_identifier": identifier})
    expected = answers(server_certificate=SERVER.certificate)
    assert service.client(service.security(None, expected)).echo() == "hello"


@pytest.mark.parametrize("order", [True, False], ids=["sign-encrypt", "encrypt-sign"])
@pytest.mark.parametrize("encryption", ["aes128-gcm", "aes256-gcm", "aes256-cbc", "tripledes-cbc"])
def test_either_order_and_the_algorithms_of_older_servers(tmp_path: Path, order: bool, encryption: str) -> None:
    algorithms = {"encryption": [encryption]}
    service = live(tmp_path, algorithms=algorithms)
    securing = plan(encryption=encryption, sign_before_encrypting=order, encrypted_parts=("Body", "UsernameToken"))
    expected = answers(algorithms=AlgorithmDemands(encryption=(encryption,)))
    assert service.client(service.security(securing, expected)).echo() == "hello"


def test_an_ec_key_signs_and_an_rsa_key_opens(tmp_path: Path) -> None:
    ellen = ROOT.leaf("Ellen", key=ec_key())
    service = live(tmp_path, response={**RESPONSE, "encrypt": ""})
    securing = plan(sign=signing(ellen))
    expected = answers(encrypted_parts=(), decrypt=(opening(CLIENT),))
    assert service.client(service.security(securing, expected)).echo() == "hello"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fault_of_the_application_is_a_fault_for_zeep(service: Live, version: str) -> None:
    client = service.client(service.security())
    with pytest.raises(zeep.exceptions.Fault, match="asked for"):
        client.echo(FAILS, version)
    assert b"EncryptedData" in client.wire.received[-1]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fault_of_the_guard_that_knows_the_signer_is_one_too(service: Live, version: str) -> None:
    client = service.client(service.security(plan(encrypt_for=None)))
    with pytest.raises(zeep.exceptions.Fault, match=r"processing the <wsse:Security> header \[\w{26}\]"):
        client.echo("hello", version)
    (record,) = service.guarded.records
    assert record.check == "encryption.missing"
    assert b"EncryptedData" in client.wire.received[-1]


def test_of_an_encrypted_request_it_never_says_how_far_it_came(service: Live) -> None:
    client = service.client(service.security(plan(username=UsernameCredentials("alice", "not-hers"))))
    with pytest.raises(UnverifiedFault) as caught:
        client.echo()
    (record,) = service.guarded.records
    assert (record.check, caught.value.check) == ("username_token.authentication", "confirmation.mismatch")
    assert caught.value.unverified_text.endswith(f"[{record.incident}]")


def test_credentials_may_change_with_each_request(service: Live) -> None:
    made: list[Securing] = []

    def securing() -> Securing:
        made.append(plan())
        return made[-1]

    client = service.client(service.security(securing))
    assert [client.echo(text) for text in ("one", "two")] == ["one", "two"]
    assert len(made) == 2


# --- Over real HTTP ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(application: Any) -> Iterator[str]:
    """The address of ``application`` behind werkzeug's server."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/soap"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("version", VERSIONS)
def test_over_real_http_with_everything_from_files(
    service: Live, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.guarded.clock.now = datetime.now(UTC)
    monkeypatch.setenv("ALICES_PASSWORD", "secret")
    security = from_files(
        username="alice",
        password_env="ALICES_PASSWORD",
        sign=tmp_path / "client.pem",
        encrypt_for=tmp_path / "server-certificate.pem",
        ca_files=tmp_path / "ca.pem",
        server_certificate=tmp_path / "server-certificate.pem",
    )
    (tmp_path / "echo.wsdl").write_text(WSDL)
    with served(service.guarded.guard) as address, Session() as session:
        client = ZEEP.Client(str(tmp_path / "echo.wsdl"), wsse=security, transport=ZEEP.Transport(session=session))
        proxy = client.create_service(f"{{urn:echo}}Binding{version.replace('.', '')}", address)
        assert proxy.Echo(text="over the wire") == "over the wire"


def test_one_object_serves_several_clients(service: Live) -> None:
    security: ZeepSecurity = service.security()
    one, two = service.client(security), service.client(security)
    assert [one.echo("1"), two.echo("2"), one.echo("3")] == ["1", "2", "3"]
