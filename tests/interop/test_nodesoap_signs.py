"""A real node-soap client calls a guarded service over HTTP, and gets its answer or the fault it deserves."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from tests.guarding import Guarded
from tests.interop.judging import guarded, replaced, sent, signature_changed
from tests.interop.node import NodeSoap
from tests.interop.pki import Pki
from tests.interop.serving import Wire, answering, serving
from wsguard.names import SIGNATURE_ALGORITHMS

Options = dict[str, Any]

SHA256: Options = {"signatureAlgorithm": SIGNATURE_ALGORITHMS["rsa-sha256"]}
SHA1: Options = {"signatureAlgorithm": SIGNATURE_ALGORITHMS["rsa-sha1"]}
WSU_IDS: Options = {"signerOptions": {"idMode": "wssecurity"}}
BARE_EXC_C14N: Options = {"signatureTransformations": ["http://www.w3.org/2001/10/xml-exc-c14n#"]}
PREFIXED: Options = {"signerOptions": {"prefix": "ds"}}


@dataclass(frozen=True)
class Service:
    """A guarded service that listens."""

    guard: Guarded
    wire: Wire
    url: str

    @property
    def checks(self) -> list[str]:
        """What was refused, in order."""
        return [record.check for record in self.guard.records]


@contextmanager
def service(pki: Pki, change: Callable[[bytes], bytes] = bytes, **policy: Any) -> Iterator[Service]:
    """A service that answers Echo, guarded by the real clock; ``change`` is done to messages on their way."""
    guard = guarded(pki, answering, **policy)

    def in_real_time(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        guard.clock.now = datetime.now(UTC)
        return guard.guard(environ, start_response)

    wire = Wire(in_real_time, change)
    with serving(wire) as url:
        yield Service(guard, wire, url)


@pytest.mark.parametrize("soap12", [False, True], ids=["soap11", "soap12"])
@pytest.mark.parametrize(
    "signing", [{}, SHA256, WSU_IDS, BARE_EXC_C14N, PREFIXED], ids=["default", "sha256", "wsu", "exc-c14n", "ds"]
)
def test_a_signed_call_is_answered(nodesoap: NodeSoap, pki: Pki, signing: Options, soap12: bool) -> None:
    with service(pki) as called:
        (outcome,) = nodesoap.call(called.url, "grüße & <\U0001f600>", soap12=soap12, **signing)
    assert (outcome.text, called.checks) == ("grüße & <\U0001f600>", []), called.guard.records


def test_one_client_may_call_again_and_again(nodesoap: NodeSoap, pki: Pki) -> None:
    with service(pki) as called:
        outcomes = nodesoap.call(called.url, "one", "two", "three")
    assert [outcome.text for outcome in outcomes] == ["one", "two", "three"], called.guard.records


def test_sha1_is_answered_only_where_it_is_configured(nodesoap: NodeSoap, pki: Pki) -> None:
    with service(pki) as called:
        (outcome,) = nodesoap.call(called.url, "hello", **SHA1)
    assert (outcome.status, called.checks) == (500, ["signature.algorithm"])
    with service(pki, algorithms={"signature": ["rsa-sha1"]}) as called:
        (outcome,) = nodesoap.call(called.url, "hello", **SHA1)
    assert (outcome.text, called.checks) == ("hello", [])


def test_a_call_without_a_timestamp_is_answered_only_where_none_is_demanded(nodesoap: NodeSoap, pki: Pki) -> None:
    with service(pki) as called:
        nodesoap.call(called.url, "hello", hasTimeStamp=False)
    assert called.checks == ["timestamp.missing"]
    unstamped: Options = {
        "timestamp": {"use": "optional"},
        "signature": {"required_parts": ["Body"]},
    }
    with service(pki, **unstamped) as called:
        (outcome,) = nodesoap.call(called.url, "hello", hasTimeStamp=False)
    assert (outcome.text, called.checks) == ("hello", [])


def test_a_signed_token_says_who_calls(nodesoap: NodeSoap, pki: Pki) -> None:
    parts = ["Body", "Timestamp", "UsernameToken", "BinarySecurityToken"]
    demanded: Options = {"signature": {"required_parts": parts}, "username_token": {"use": "required"}}
    token: Options = {"passwordType": "PasswordDigest", "hasTimeStamp": False}
    references = ["wsse:UsernameToken", "wsse:BinarySecurityToken"]
    with service(pki, audit={"url": "memory://", "record": "all"}, **demanded) as called:
        (outcome,) = nodesoap.call(
            called.url,
            "hello",
            username="alice",
            password="secret",
            token=token,
            additionalReferences=references,
            **WSU_IDS,
        )
    assert (outcome.text, called.checks) == ("hello", [""]), called.guard.records
    assert called.guard.records[0].username == "alice"


@pytest.mark.parametrize("left_out", ["Body", "Timestamp"])
def test_a_part_that_is_not_signed_is_missed(nodesoap: NodeSoap, pki: Pki, left_out: str) -> None:
    with service(pki) as called:
        nodesoap.call(called.url, "hello", excludeReferencesFromSigning=[left_out])
    assert called.checks == ["signature.coverage"]


@pytest.mark.parametrize(
    "change, check",
    [
        (lambda message: replaced(message, b"hello", b"hullo"), "signature.digest"),
        (lambda message: signature_changed(message, "SignatureValue"), "signature.value"),
        (lambda message: signature_changed(message, "DigestValue"), "signature.value"),
    ],
    ids=["Body", "SignatureValue", "SignedInfo"],
)
def test_a_message_that_is_changed_on_its_way_is_refused(
    nodesoap: NodeSoap, pki: Pki, change: Callable[[bytes], bytes], check: str
) -> None:
    with service(pki, change) as called:
        (outcome,) = nodesoap.call(called.url, "hello")
    assert (outcome.status, called.checks) == (500, [check])
    assert "FailedCheck" in outcome.fault


@pytest.mark.parametrize("signer, check", [("foreign", "certificate.untrusted"), ("expired", "certificate.expired")])
def test_a_certificate_that_is_no_good_is_refused(nodesoap: NodeSoap, pki: Pki, signer: str, check: str) -> None:
    with service(pki) as called:
        (outcome,) = nodesoap.call(called.url, "hello", signer=signer)
    assert (outcome.status, called.checks) == (500, [check])


def test_what_a_client_sent_is_accepted_once_and_not_for_long(nodesoap: NodeSoap, pki: Pki) -> None:
    with service(pki) as called:
        nodesoap.call(called.url, "hello")
    (message,) = called.wire.sent
    assert sent(called.guard, message).check == "replay.signature"
    called.guard.clock.now += timedelta(seconds=330)
    assert sent(called.guard, message).check == "timestamp.expired"
