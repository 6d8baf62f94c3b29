"""HMACs: under a key that both sides know by its name, and under nothing else."""

import base64
import hashlib
from datetime import datetime
from typing import Any

import pytest
from lxml import etree

import wsguard
from tests.messages import DS
from tests.signature.key_infos import x509_data
from tests.signature.signatures import ALICE, BOTH, Guarding, SignedGuard, rewritten
from tests.signing import Signing, canonical, signed
from wsguard.verified import Principal

HMACS = ["hmac-sha256", "hmac-sha384", "hmac-sha512"]
SHARED_KEY = b"0123456789abcdef0123456789abcdef"
KEY_NAME = "<ds:KeyName>ours</ds:KeyName>"


@pytest.fixture
def sharing(guarded: Guarding, monkeypatch: pytest.MonkeyPatch) -> SignedGuard:
    """A guard that knows a shared key, ``ours``, and takes HMACs."""
    monkeypatch.setenv("OURS", base64.b64encode(SHARED_KEY).decode())
    algorithms = {"signature": ["rsa-sha256", "ecdsa-sha256", *HMACS]}
    return guarded(keys={"shared": [{"name": "ours", "key_env": "OURS"}]}, algorithms=algorithms)


def with_hmac(**changes: Any) -> bytes:
    return signed(Signing(**{"key": SHARED_KEY, "method": "hmac-sha256", "key_info": KEY_NAME, **changes}))


@pytest.mark.parametrize("method", HMACS)
def test_a_shared_key_signs_for_whoever_knows_it(sharing: SignedGuard, method: str) -> None:
    message = sharing.accepted(with_hmac(method=method))
    assert (message.principal, message.certificate) == (Principal("ours", "shared_key"), None)
    assert message.signed_parts == BOTH


@pytest.mark.parametrize(
    ("message", "check"),
    [
        pytest.param(with_hmac(key=b"x" * 32), "signature.value", id="another key"),
        pytest.param(with_hmac(key=b""), "signature.value", id="an empty key"),
        pytest.param(with_hmac(key_info="<ds:KeyName>theirs</ds:KeyName>"), "certificate.unavailable", id="unknown"),
        pytest.param(with_hmac(key_info="<ds:KeyName>Ours</ds:KeyName>"), "certificate.unavailable", id="another case"),
        pytest.param(with_hmac(key_info="<ds:KeyName/>"), "signature.malformed", id="an empty name"),
        pytest.param(
            with_hmac(key_info=KEY_NAME + x509_data(ALICE)), "certificate.unavailable", id="a certificate beside it"
        ),
        pytest.param(with_hmac(key_info=x509_data(ALICE)), "certificate.unavailable", id="a certificate"),
        pytest.param(
            signed(Signing.by(ALICE, key_info=KEY_NAME)), "certificate.unavailable", id="its name for another method"
        ),
        pytest.param(rewritten(with_hmac(), lambda v: v[:16]), "signature.value", id="half of the value"),
        pytest.param(rewritten(with_hmac(), lambda v: v[:1]), "signature.value", id="an octet of the value"),
        pytest.param(rewritten(with_hmac(), lambda v: b""), "signature.value", id="nothing of the value"),
        pytest.param(with_hmac(method="hmac-sha1"), "signature.algorithm", id="an HMAC that is not listed"),
    ],
)
def test_another_key_or_name_is_refused(sharing: SignedGuard, message: bytes, check: str) -> None:
    assert sharing.refusal(message) == check


def test_the_name_of_the_key_is_told(guarded: Guarding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", base64.b64encode(SHARED_KEY).decode())
    shared = {"shared": [{"name": "ours", "key_env": "OURS"}]}
    guard = guarded(keys=shared, algorithms={"signature": HMACS}, audit={"url": "memory://", "record": "all"})
    answer = guard.post(with_hmac())
    assert answer.record is not None
    [told] = [one for one in answer.record.explanation if one["check"] == "signature"]
    assert told["seen"] == "hmac-sha256 by shared key ours over Body, Timestamp"
    assert (told["outcome"], told["setting"]) == ("passed", "signature")


def test_a_name_of_no_key_of_ours_is_told_with_the_setting(sharing: SignedGuard) -> None:
    for key_info, seen in (("<ds:KeyName>theirs</ds:KeyName>", "theirs"), (x509_data(ALICE), "no KeyName")):
        answer = sharing.post(with_hmac(key_info=key_info))
        assert answer.record is not None
        last = answer.record.explanation[-1]
        assert (last["check"], last["seen"], last["setting"]) == ("certificate.unavailable", seen, "keys.shared")


def test_a_name_where_a_certificate_is_needed_is_the_doing_of_no_setting(sharing: SignedGuard) -> None:
    answer = sharing.post(signed(Signing.by(ALICE, key_info=KEY_NAME)))
    assert answer.record is not None
    last = answer.record.explanation[-1]
    assert (last["check"], last["seen"], last["setting"]) == ("certificate.unavailable", "ours", "")


def test_a_message_with_a_shared_key_is_taken_once(sharing: SignedGuard) -> None:
    sent = with_hmac()
    sharing.accepted(sent)
    assert sharing.refusal(sent) == "replay.signature"


def test_its_signature_is_remembered_by_the_name_of_the_key_as_ever_for_stores_outlive_releases(
    sharing: SignedGuard,
) -> None:
    seen: list[bytes] = []

    class Recording:
        def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
            seen.append(key)
            return True

        def close(self) -> None:
            return

    sent = with_hmac()
    guard = wsguard.guard(sharing.echo, sharing.policy, clock=sharing.clock, replay=Recording())
    sharing.guard = guard
    sharing.accepted(sent)
    [info] = etree.fromstring(sent).iter(f"{{{DS}}}SignedInfo")
    assert hashlib.sha256(b"shared\0" + hashlib.sha256(b"ours").digest() + canonical(info)).digest() in seen
