"""``mode = "report"``: a client is spared what it still lacks, once that very client was authenticated; no other is."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pytest

from tests.messages import PAYLOAD, Token, envelope, security, stamp, timestamp
from tests.pki import Issued
from tests.signature.signatures import ALICE, BOB, STRANGER, Guarding, SignedGuard, bent, both_sign, honest
from tests.signing import BODY, TIMESTAMP, Part, Signing, signed

UNTIL: Final = date(2026, 12, 24)
YESTERDAY: Final = date(2026, 11, 20)
REPORT: Final[dict[str, Any]] = {"mode": "report", "report_until": UNTIL}
SPARED_ALICE: Final = {"name": "alice", "certificate": ALICE, **REPORT}
BOB_TOO: Final = {"name": "bob", "certificate": BOB}
ALICE_USER: Final = {"name": "user", "username": "alice", **REPORT}
BOB_USER: Final = {"name": "other", "username": "bob"}


@pytest.fixture
def sparing(guarded: Guarding) -> SignedGuard:
    """Spares Alice, by her certificate or by her name, and nobody else."""
    return guarded(client=[SPARED_ALICE, BOB_TOO, ALICE_USER, BOB_USER])


def reported(guard: SignedGuard, octets: bytes, *checks: str) -> None:
    """Demand that a message is handed on, and recorded with these checks."""
    before = len(guard.echo.handed)
    answer = guard.post(octets)
    assert (answer.status, len(guard.echo.handed)) == ("200 OK", before + 1), answer.record
    assert answer.record is not None
    assert (answer.record.outcome, answer.record.check) == ("reported", checks[0])
    told = [one["check"] for one in answer.record.explanation if one["outcome"] == "reported"]
    assert told == list(checks)
    assert guard.echo.handed[-1][0]["wsguard.message"].reported == checks


def by_name(user: str, **changes: Any) -> bytes:
    """A message with a UsernameToken and no signature."""
    password = {"alice": "secret", "bob": "hunter2"}[user]
    return envelope(security(timestamp(**changes), Token(username=user, password=password).xml()))


def body_only(signer: Issued, **changes: Any) -> bytes:
    """A message with a Body that is signed, and a Timestamp that is not."""
    return signed(Signing.by(signer, parts=(BODY,)), **changes)


# --- What is spared ---------------------------------------------------------------------------------------------------


def test_a_missing_signature_is_spared_a_client_that_its_user_name_names(sparing: SignedGuard) -> None:
    reported(sparing, by_name("alice"), "signature.missing")
    assert sparing.refusal(by_name("bob")) == "signature.missing"


def test_of_a_message_without_a_signature_nothing_is_taken_out(sparing: SignedGuard) -> None:
    blocks = '<x:Pay xmlns:x="urn:x">1</x:Pay>' + security(timestamp(), Token().xml())
    reported(sparing, envelope(blocks), "signature.missing")
    assert b"Pay" in sparing.handed


def test_a_part_that_is_not_signed_is_spared_that_client_only(sparing: SignedGuard) -> None:
    reported(sparing, body_only(ALICE), "signature.coverage")
    assert sparing.refusal(body_only(BOB)) == "signature.coverage"


@pytest.mark.parametrize("age, check", [(400, "timestamp.expired"), (-90, "timestamp.not_yet_valid")])
def test_the_window_of_a_signed_timestamp_is_spared(sparing: SignedGuard, age: int, check: str) -> None:
    stamped = timestamp(stamp(-age), stamp(300 - age))
    reported(sparing, signed(Signing.by(ALICE), stamp=stamped), check)
    assert sparing.refusal(signed(Signing.by(BOB), stamp=stamped)) == check


def test_everything_together_is_recorded_in_order(sparing: SignedGuard) -> None:
    reported(
        sparing, body_only(ALICE, stamp=timestamp(stamp(-400), stamp(-100))), "timestamp.expired", "signature.coverage"
    )
    other = body_only(ALICE, stamp="", body=PAYLOAD.replace("hello", "again"))
    reported(sparing, other, "timestamp.missing", "signature.coverage")


def legacy(until: date, *clients: str) -> dict[str, Any]:
    return {"legacy": [{"algorithm": "sha1", "until": until, "clients": list(clients)}]}


def with_sha1(signer: Issued) -> bytes:
    """A message whose digests only a permission allows."""
    return signed(Signing.by(signer, parts=(Part("#body", digest="sha1"), Part("#TS-1", digest="sha1"))))


def test_an_algorithm_whose_permission_ended_is_spared_and_recorded(guarded: Guarding) -> None:
    guard = guarded(client=[SPARED_ALICE, BOB_TOO], algorithms=legacy(YESTERDAY))
    reported(guard, with_sha1(ALICE), "signature.algorithm")
    assert guard.refusal(with_sha1(BOB)) == "signature.algorithm"


def test_an_algorithm_that_was_never_permitted_is_not_spared(guarded: Guarding) -> None:
    for policy in ({}, legacy(YESTERDAY, "bob"), legacy(UNTIL, "bob")):
        guard = guarded(client=[SPARED_ALICE, BOB_TOO], algorithms=policy)
        assert guard.refusal(with_sha1(ALICE)) == "signature.algorithm"


def test_an_algorithm_that_is_still_permitted_needs_no_sparing(guarded: Guarding) -> None:
    guard = guarded(client=[SPARED_ALICE, BOB_TOO], algorithms=legacy(UNTIL, "alice"))
    answer = guard.post(with_sha1(ALICE))
    assert (answer.status, answer.record and answer.record.outcome) == ("200 OK", "accepted")


# --- What never is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets, check",
    [
        pytest.param(honest().replace("hello", "evil").encode(), "signature.digest", id="digest"),
        pytest.param(signed(Signing.by(ALICE, key=BOB.key)), "signature.value", id="value"),
        pytest.param(signed(Signing.by(STRANGER)), "certificate.untrusted", id="untrusted"),
        pytest.param(
            signed(Signing.by(ALICE, parts=(BODY, TIMESTAMP, Part("#no")))), "signature.reference", id="target"
        ),
        pytest.param(
            signed(Signing.by(ALICE, parts=(Part("#body", c14n="c14n"), TIMESTAMP))), "signature.algorithm", id="c14n"
        ),
        pytest.param(
            bent(honest(), ("</ds:SignatureValue>", "!</ds:SignatureValue>")), "signature.malformed", id="malformed"
        ),
        pytest.param(body_only(ALICE, token=Token(password="changed")), "username_token.authentication", id="password"),
        pytest.param(
            signed(Signing.by(ALICE), stamp=timestamp(stamp(0), stamp(7200))), "timestamp.lifetime", id="lifetime"
        ),
        pytest.param(envelope(None), "security.missing", id="nothing"),
        pytest.param(envelope(security(timestamp())), "signature.missing", id="nobody"),
    ],
)
def test_it_is_refused_although_a_client_is_spared(sparing: SignedGuard, octets: bytes, check: str) -> None:
    assert sparing.refusal(octets) == check


def test_a_replay_is_never_spared(sparing: SignedGuard) -> None:
    for octets, check in ((body_only(ALICE), "replay.signature"), (by_name("alice"), "replay.nonce")):
        assert sparing.post(octets).status == "200 OK"
        assert sparing.refusal(octets) == check


def test_a_message_of_a_spared_client_is_a_replay_for_as_long_as_it_is_spared(sparing: SignedGuard) -> None:
    octets = signed(Signing.by(ALICE))
    sparing.accepted(octets)
    sparing.clock.now = datetime.combine(UNTIL, time.max, UTC)
    assert sparing.refusal(octets) == "replay.signature"
    sparing.clock.now += timedelta(microseconds=1)
    assert sparing.refusal(octets) == "timestamp.expired"


def test_two_signers_of_whom_none_covers_everything_are_not_spared(sparing: SignedGuard) -> None:
    sent = both_sign(Signing.by(ALICE, parts=(BODY,)), Signing.by(BOB, parts=(TIMESTAMP,)))
    assert sparing.refusal(sent) == "signature.coverage"


def test_two_signatures_of_one_spared_client_are(sparing: SignedGuard) -> None:
    sent = both_sign(Signing.by(ALICE, parts=(BODY,)), Signing.by(ALICE, parts=(TIMESTAMP,)))
    reported(sparing, sent.replace(b"#X509-B", b"#X509-A"), "signature.coverage")


def test_a_user_beside_the_signature_of_another_spares_nothing(sparing: SignedGuard) -> None:
    """Anybody can put a UsernameToken of the spared client beside what he signed himself."""
    assert sparing.refusal(body_only(BOB, token=Token())) == "signature.coverage"


def test_a_certificate_of_a_spared_client_that_signed_nothing_spares_nothing(sparing: SignedGuard) -> None:
    """Its certificate is public; only its signature is not."""
    sent = body_only(ALICE).decode()
    unsigned = sent[: sent.index("<ds:Signature ")] + sent[sent.index("</ds:Signature>") + len("</ds:Signature>") :]
    assert sparing.refusal(unsigned.encode()) == "signature.missing"


def test_the_day_after_its_last_nothing_is_spared(guarded: Guarding) -> None:
    guard = guarded(client=[SPARED_ALICE], timestamp={"time_to_live": 10**9, "max_lifetime": 10**9})
    octets = body_only(ALICE, stamp=timestamp(expires=None))
    guard.clock.now = datetime.combine(UNTIL, time.max, UTC)
    reported(guard, octets, "signature.coverage")
    guard.clock.now += timedelta(microseconds=1)
    assert guard.refusal(body_only(ALICE, stamp=timestamp(stamp(1), None))) == "signature.coverage"
