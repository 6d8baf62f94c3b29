"""A signed message is accepted once, however it is written anew: what counts is what was signed, and by which key."""

import base64
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import pytest
from lxml import etree

from tests.messages import DS, NOW, Token, stamp, timestamp
from tests.pki import rsa_key
from tests.signature.signatures import ALICE, BOB, ROOT, Guarding, SignedGuard, both_sign, honest, rsa_client
from tests.signing import BODY, TIMESTAMP, Part, Signing, binary_token, canonical, signed, value_of
from wsguard.faults import StoreUnavailable
from wsguard.remembering import SKEW_MARGIN, UNDATED

RETENTION: Final = timedelta(seconds=300 + 60) + SKEW_MARGIN
"""Of a message with a signed Timestamp: the window of the policy that tests use."""
BODY_ONLY: Final = {"required_parts": ["Body"]}
SHARED: Final = b"k" * 32


class Recording:
    """A replay store that has seen nothing, and notes what it is to remember."""

    def __init__(self) -> None:
        self.remembered: list[tuple[bytes, datetime]] = []

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        self.remembered.append((key, until))
        return True

    def close(self) -> None:
        return


class Away(Recording):
    """One that cannot be reached."""

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        raise StoreUnavailable("no answer")


# --- The same again ---------------------------------------------------------------------------------------------------


def spaced(text: str) -> str:
    """With other white space wherever nothing is signed."""
    spread = text.replace("<S:Header>", "\n  <S:Header>\n\t").replace("</wsse:Security>", "</wsse:Security>\n ")
    return re.sub(r"(?<=SignatureValue>)([^<]{40})", "\\1\n", spread).replace("<ds:KeyInfo>", "\n<ds:KeyInfo>\n")


def signed_again(text: str) -> str:
    """With another value of the same SignedInfo: ECDSA makes a new one each time."""
    (info,) = etree.fromstring(text.encode()).iter(f"{{{DS}}}SignedInfo")
    value = base64.b64encode(value_of(ALICE.key, "ecdsa-sha256", canonical(info))).decode()
    return re.sub(r"(?<=SignatureValue>)[^<]+", value, text)


def reordered(text: str) -> str:
    """With the Timestamp before everything, and an unsigned block."""
    return text.replace(timestamp(), "").replace(
        '<wsse:Security S:mustUnderstand="1">', f'<w:W xmlns:w="urn:w"/><wsse:Security>{timestamp()}'
    )


def renamed_token(text: str) -> str:
    """With another Id of the certificate: KeyInfo is not signed."""
    return text.replace("X509-1", "X509-2")


def by_another_reference(text: str) -> str:
    """With the certificate in ds:X509Data."""
    data = f"<ds:X509Certificate>{base64.b64encode(ALICE.der).decode()}</ds:X509Certificate>"
    return re.sub(r"(?<=<ds:KeyInfo>).*(?=</ds:KeyInfo>)", f"<ds:X509Data>{data}</ds:X509Data>", text)


def by_another_certificate(text: str) -> str:
    """With another certificate of ours for the same key."""
    again = ROOT.leaf("Alice again", key=ALICE.key).certificate
    return text.replace(binary_token(ALICE.certificate), binary_token(again))


@pytest.mark.parametrize(
    "change",
    [str, spaced, signed_again, reordered, renamed_token, by_another_reference, by_another_certificate],
    ids=lambda change: change.__name__,
)
def test_the_same_signed_message_is_accepted_once(guard: SignedGuard, change: type[str]) -> None:
    text = honest()
    assert change is str or change(text) != text
    guard.accepted(text.encode())
    assert guard.refusal(change(text).encode()) == "replay.signature"


def test_a_second_covering_signature_that_is_stripped_saves_nothing(guard: SignedGuard) -> None:
    sent = both_sign(Signing.by(ALICE), Signing.by(BOB))
    guard.accepted(sent)
    for stripped in ("SIG-A", "SIG-B"):
        left = re.sub(f'<ds:Signature Id="{stripped}".*?</ds:Signature>', "", sent.decode()).encode()
        assert left != sent
        assert guard.refusal(left) == "replay.signature"


def test_a_second_covering_signature_that_is_added_saves_nothing(guard: SignedGuard) -> None:
    both = both_sign(Signing.by(ALICE), Signing.by(BOB))
    alone = re.sub(b'<ds:Signature Id="SIG-A".*?</ds:Signature>', b"", both)
    guard.accepted(alone)
    assert guard.refusal(both) == "replay.signature"


def test_the_same_content_that_another_signs_is_another_message(guard: SignedGuard) -> None:
    guard.accepted(signed(Signing.by(ALICE)))
    guard.accepted(signed(Signing.by(BOB)))
    guard.accepted(signed(Signing.by(rsa_client())))
    guard.accepted(signed(Signing.by(ALICE), stamp=timestamp(stamp(1))))


# --- Until when -------------------------------------------------------------------------------------------------------


def remembered_until(guarded: Guarding, octets: bytes, **policy: object) -> datetime:
    """How long an accepted message's only key is remembered."""
    store = Recording()
    guarded(replay_store=store, replay={"url": "memory://", "keep": 0}, **policy).accepted(octets)
    ((_, until),) = store.remembered
    return until


def test_inside_the_window_it_is_a_replay_and_after_it_expired(guard: SignedGuard) -> None:
    octets = signed(Signing.by(ALICE), stamp=timestamp(expires=None))
    guard.accepted(octets)
    guard.clock.now = NOW + timedelta(seconds=300)
    assert guard.refusal(octets) == "replay.signature"
    guard.clock.now += timedelta(seconds=1)
    assert guard.refusal(octets) == "timestamp.expired"


def test_with_a_signed_timestamp_it_is_remembered_as_long_as_its_window_lasts(guarded: Guarding) -> None:
    assert remembered_until(guarded, signed(Signing.by(ALICE))) == NOW + RETENTION


@pytest.mark.parametrize(
    "stamp_element, use",
    [
        pytest.param(timestamp(), "required", id="one that is not signed"),
        pytest.param("", "optional", id="none"),
        pytest.param(timestamp(None, None), "optional", id="an empty one"),
    ],
)
def test_without_a_signed_date_it_is_remembered_for_ten_years(guarded: Guarding, stamp_element: str, use: str) -> None:
    """A certificate may be renewed for the same key: its end is none of the signature's."""
    parts = (BODY, TIMESTAMP) if stamp_element == timestamp(None, None) else (BODY,)
    octets = signed(Signing.by(ALICE, parts=parts), stamp=stamp_element)
    until = remembered_until(
        guarded, octets, signature=BODY_ONLY, timestamp={"use": use, "require_created": "Created" in stamp_element}
    )
    assert until == NOW + UNDATED


def test_a_certificate_that_lasts_longer_makes_it_longer(guarded: Guarding) -> None:
    ends = NOW + timedelta(days=9000)
    octets = signed(Signing.by(ROOT.leaf("Long", key=rsa_key(), not_after=ends), parts=(BODY,)))
    assert remembered_until(guarded, octets, signature=BODY_ONLY) == ends + SKEW_MARGIN


def test_a_certificate_that_ends_soon_shortens_nothing(guarded: Guarding) -> None:
    ends = ROOT.leaf("Ends", key=rsa_key(), not_after=NOW + timedelta(seconds=5))
    octets = signed(Signing.by(ends, parts=(BODY,)))
    assert remembered_until(guarded, octets, signature=BODY_ONLY) == NOW + UNDATED


@pytest.mark.parametrize("parts, until", [((BODY,), NOW + UNDATED), ((BODY, TIMESTAMP), NOW + RETENTION)])
def test_a_shared_key_has_no_end_and_its_signatures_are_remembered_for_ten_years(
    guarded: Guarding, monkeypatch: pytest.MonkeyPatch, parts: tuple[Part, ...], until: datetime
) -> None:
    monkeypatch.setenv("SHARED", base64.b64encode(SHARED).decode())
    signing = Signing(key=SHARED, method="hmac-sha256", key_info="<ds:KeyName>ours</ds:KeyName>", parts=parts)
    policy = {
        "signature": BODY_ONLY,
        "keys": {"shared": [{"name": "ours", "key_env": "SHARED"}]},
        "algorithms": {"signature": ["hmac-sha256"]},
    }
    assert remembered_until(guarded, signed(signing), **policy) == until


def test_a_spared_client_is_remembered_as_long_as_it_is_spared(guarded: Guarding) -> None:
    """Its Timestamp may be as old as it likes until then."""
    client = {"name": "old", "certificate": ALICE, "mode": "report", "report_until": date(2026, 12, 24)}
    until = remembered_until(guarded, signed(Signing.by(ALICE)), client=[client])
    assert until >= datetime.combine(date(2026, 12, 24), time.max, UTC)


def test_a_signed_timestamp_that_was_put_aside_does_not_outlive_what_is_remembered(guarded: Guarding) -> None:
    guard = guarded(signature=BODY_ONLY)
    text = honest()
    guard.accepted(text.encode())
    guard.clock.now = NOW + timedelta(days=1)
    fresh = timestamp(stamp(86_400), stamp(86_700)).replace("TS-1", "TS-2")
    aside = f'<w:W xmlns:w="urn:w">{timestamp()}</w:W>'
    again = text.replace(timestamp(), fresh).replace("<S:Header>", f"<S:Header>{aside}")
    assert guard.refusal(again.encode()) == "signature.coverage"


# --- What is not remembered -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets, check",
    [
        pytest.param(honest().replace("hello", "evil").encode(), "signature.digest", id="digest"),
        pytest.param(signed(Signing.by(ALICE, parts=(BODY,))), "signature.coverage", id="coverage"),
        pytest.param(signed(Signing.by(ALICE), stamp=timestamp(stamp(-400))), "timestamp.expired", id="expired"),
        pytest.param(signed(Signing.by(BOB)), "client.mismatch", id="nobody we know"),
        pytest.param(
            signed(Signing.by(ALICE), token=Token(password="changed")), "username_token.authentication", id="password"
        ),
    ],
)
def test_a_refused_message_burns_nothing(guarded: Guarding, octets: bytes, check: str) -> None:
    store = Recording()
    guard = guarded(replay_store=store, client=[{"name": "alice", "certificate": ALICE}])
    assert guard.refusal(octets) == check
    assert store.remembered == []


def test_without_the_store_nothing_is_handed_on(guarded: Guarding) -> None:
    guard = guarded(replay_store=Away())
    answer = guard.post(honest().encode())
    assert (answer.status[:3], answer.check) == ("503", "store.unavailable")
    assert guard.echo.handed == []
