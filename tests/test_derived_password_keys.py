"""UsernameToken with Salt (UsernameToken Profile 1.1 §4): whoever signs with the key made of it knows the password."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import Mock

import pytest
from lxml import etree

import wsguard
from tests.deriving_passwords import (
    DERIVED,
    SALT,
    TO_TOKEN,
    WITH_TOKEN,
    by_password,
    key_of,
    salted,
    salted_token,
)
from tests.encrypting import Encryption, b64, reference_list, to_id
from tests.guard_encryption.deriving import derived_octets, derived_token
from tests.guard_encryption.sealing import content_of, for_server, sealed, sealing
from tests.guarding import Answer
from tests.message.refusing import refused
from tests.messages import NOW, PAYLOAD, PROFILE, WSSE, WSU, Token, message, sent_at, stamp, timestamp
from tests.signature.signatures import ALICE, BOTH, Guarding, SignedGuard, guarding
from tests.signing import BODY, TIMESTAMP, Signing, binary_token, sign, unsigned
from wsguard.explanation import Explanation
from wsguard.faults import FailedAuthentication, StoreUnavailable
from wsguard.interfaces import Attempt, TokenProcessor, User, UserKey
from wsguard.names import USERNAME_TOKEN
from wsguard.policy import Demands
from wsguard.signature.verification import _identity
from wsguard.stores.replay_memory import MemoryReplayStore
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.token_keys import TokenKeys
from wsguard.tokens import username as module
from wsguard.tokens.derivation import MOST_ITERATIONS, Derivation, username_token_key
from wsguard.tokens.username import UsernameTokenProcessor
from wsguard.verified import Principal

AUTHENTICATION: Final = "username_token.authentication"
MALFORMED: Final = "username_token.malformed"


@pytest.fixture
def make(tmp_path: Path) -> Guarding:
    return guarding(tmp_path)


@pytest.fixture
def guard(make: Guarding) -> SignedGuard:
    return make(**DERIVED)


def merged(**changes: dict[str, Any]) -> dict[str, Any]:
    """``DERIVED`` with some keys of its sections changed."""
    return {**DERIVED, **{name: {**DERIVED.get(name, {}), **section} for name, section in changes.items()}}


# --- The key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_an_iterated_digest() -> None:
    once = hashlib.sha1(b"secret" + bytes(16)).digest()
    assert username_token_key(b"secret", Derivation(bytes(16), 1)) == once
    assert username_token_key(b"secret", Derivation(bytes(16), 2)) == hashlib.sha1(once).digest()


@pytest.mark.parametrize("iterations", [None, "1000", " 1000 ", "1001", str(MOST_ITERATIONS)])
def test_iterations_within_the_bounds_are_made(guard: SignedGuard, iterations: str | None) -> None:
    key = key_of(iterations=int(iterations or "1000"))
    assert guard.accepted(salted(salted_token(iterations=iterations), by_password(key))).username == "alice"


@pytest.mark.parametrize(
    "iterations", ["999", str(MOST_ITERATIONS + 1), "0", "-1000", "1e3", "", "\u0663\u0660\u0660\u0660", "9" * 40]
)
def test_other_iterations_are_refused_before_any_is_made(
    guard: SignedGuard, iterations: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(module, "username_token_key")
    assert guard.refusal(salted(salted_token(iterations=iterations))) == MALFORMED


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(salted_token(salt=SALT[:15]), id="a short salt"),
        pytest.param(salted_token(salt=SALT + b"x"), id="a long salt"),
        pytest.param(salted_token(salt=b""), id="no salt in Salt"),
        pytest.param(salted_token().replace(b64(SALT), "!"), id="a salt that is no base64"),
        pytest.param(
            salted_token(more=f'<wsse:Password Type="{PROFILE}#PasswordText">secret</wsse:Password>'),
            id="a password beside it",
        ),
        pytest.param(salted_token().replace("<wsse11:Salt>", "<wsse11:Salt x='1'>"), id="an attribute of Salt"),
        pytest.param(
            salted_token().replace("<wsse11:Iteration>", "<wsse11:Iteration x='1'>"), id="an attribute of Iteration"
        ),
        pytest.param(salted_token(more=f"<wsse11:Salt>{b64(SALT)}</wsse11:Salt>"), id="two salts"),
        pytest.param(salted_token(more="<wsse11:Iteration>1000</wsse11:Iteration>"), id="two numbers of iterations"),
        pytest.param(salted_token(username=""), id="no name"),
        pytest.param(salted_token().replace("<wsse11:Salt>", "<wsse11:Salt><a/>"), id="an element in Salt"),
    ],
)
def test_a_token_of_another_shape_is_refused(guard: SignedGuard, token: str) -> None:
    assert guard.refusal(salted(token)) == MALFORMED


def test_the_record_says_which_part_is_no_base64(guard: SignedGuard) -> None:
    record = guard.post(salted(salted_token().replace(b64(SALT), "!"))).record
    assert record is not None
    assert record.explanation[-1]["expected"] == "base64 in Salt"


def test_iterations_without_a_salt_are_refused(make: Guarding) -> None:
    token = Token(extra=f'<i:Iteration xmlns:i="{salted_token().split(chr(34))[1]}">1000</i:Iteration>').xml()
    guard = make(**merged(username_token={"password_types": ["PasswordDigest", "DerivedKey"]}))
    text = unsigned(token, timestamp())
    assert guard.refusal(text.encode()) == MALFORMED


# --- Who signs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["hmac-sha1", "hmac-sha256"])
def test_who_signs_with_the_key_is_the_user(guard: SignedGuard, method: str) -> None:
    message = guard.accepted(salted(None, by_password(method=method)))
    assert (message.principal, message.username) == (Principal("alice", "username"), "alice")
    assert (message.signed_parts, message.certificate, message.client) == (BOTH, None, "")
    assert guard.echo.handed[-1][0]["REMOTE_USER"] == "alice"
    assert PAYLOAD.encode() in guard.handed
    assert b"Security" not in guard.handed


def test_a_key_derived_from_the_key_signs_too(guard: SignedGuard) -> None:
    for first in (1, 2):
        salt = bytes([first]) + SALT[1:]
        signing = by_password(derived_octets(key_of(salt=salt)), key_info=TO_TOKEN.replace("UT-1", "DK-1"))
        message = guard.accepted(salted(salted_token(salt=salt), signing, derived_token("UT-1")))
        assert (message.username, message.signed_parts) == ("alice", BOTH)


def test_what_nobody_signed_is_not_handed_on(guard: SignedGuard) -> None:
    guard.accepted(salted(header='<x:Pay xmlns:x="urn:x">1</x:Pay>'))
    assert b"Pay" not in guard.handed


def test_an_entry_of_a_client_names_the_user(make: Guarding) -> None:
    guard = make(**DERIVED, client=[{"name": "shop", "username": "alice"}])
    assert guard.accepted(salted()).client == "shop"
    assert guard.refusal(salted(salted_token("bob"), by_password(key_of("hunter2")))) == "client.mismatch"


def test_the_explanation_says_how_it_was_known(make: Guarding) -> None:
    guard = make(**DERIVED, audit={"url": "memory://", "record": "all"})
    record = guard.post(salted()).record
    assert record is not None
    seen = {one["check"]: one["seen"] for one in record.explanation}
    assert seen["signature"] == "hmac-sha256 by the password of alice over Body, Timestamp"
    assert seen["username_token"] == "alice, DerivedKey"


def test_what_wss4j_signed_is_taken(make: Guarding) -> None:
    corpus = Path(__file__).parents[2] / "shared" / "corpus"
    if not corpus.is_dir():
        pytest.skip("the corpus of foreign messages is not beside the repository")
    octets = (corpus / "messages" / "wss4j-ut-derived.xml").read_bytes()
    algorithms = {"signature": ["hmac-sha1"], "digest": ["sha1"]}
    guard = make(**merged(algorithms=algorithms))
    guard.clock.now = NOW.replace(hour=2, minute=8, second=35)
    assert guard.accepted(octets).username == "alice"
    assert guard.refusal(octets) == "replay.signature"
    assert guard.refusal(octets.replace(b"hello", b"other")) == "signature.digest"
    assert guard.refusal(octets.replace(b"alice", b"bob")) == AUTHENTICATION


# --- Who does not -----------------------------------------------------------------------------------------------------


def test_the_types_that_are_taken_decide(make: Guarding) -> None:
    digests_only = make(**merged(username_token={"password_types": ["PasswordDigest"]}))
    assert digests_only.refusal(salted()) == "username_token.password_type"
    salts_only = make(**DERIVED)
    assert salts_only.refusal(unsigned(Token().xml(), timestamp()).encode()) == "username_token.password_type"


def test_a_salt_without_a_signature_is_nobodys(guard: SignedGuard) -> None:
    assert guard.refusal(unsigned(salted_token(), timestamp()).encode()) == AUTHENTICATION


def test_a_salt_beside_the_signature_of_a_certificate_is_nobodys(guard: SignedGuard) -> None:
    signing = replace(Signing.by(ALICE), parts=WITH_TOKEN)
    assert guard.refusal(salted(None, signing, binary_token(ALICE.certificate))) == AUTHENTICATION


class Users(MemoryUserStore):
    """Alice, a disabled Dora, Henry, of whose password a hash is kept, and Emma, who has an empty one."""

    def find(self, name: str) -> User | None:
        others = {
            "dora": User("dora", b"secret", enabled=False),
            "henry": User("henry", None, password_hash="$argon2id$"),
            "emma": User("emma", b""),
        }
        return others.get(name) or super().find(name)


REASONS: Final = {
    "alice": (key_of("wrong"), "wrong DerivedKey"),
    "nobody": (key_of(), "no such user"),
    "nobody at all": (key_of("\0" * 16), "no such user"),
    "dora": (key_of(), "the user is disabled"),
    "henry": (key_of("\0" * 16), "only a hash of the password is kept"),
    "emma": (key_of("\0" * 16), "only a hash of the password is kept"),
}
"""Name -> with which key a message is signed, and what the audit says."""


@pytest.mark.parametrize("name", REASONS)
def test_everybody_who_may_not_is_refused_alike(name: str) -> None:
    key, reason = REASONS[name]
    work: list[int] = []

    def counted(password: bytes, derivation: Derivation) -> bytes:
        work.append(derivation.iterations)
        return username_token_key(password, derivation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "username_token_key", counted)
        guard = Custom(**DERIVED)
        answer = guard.post(salted(salted_token(name), by_password(key)))
        wrong = guard.post(salted(salted_token("bob"), by_password(key)))
    assert (answer.check, work) == (AUTHENTICATION, [1000, 1000])
    assert answer.record is not None
    assert (answer.record.explanation[-1]["seen"], answer.record.username) == (reason, name)
    assert told(answer) == told(wrong)


def told(answer: Answer) -> tuple[str, bytes]:
    """What a peer can tell answers apart by, without the incident."""
    assert answer.record is not None
    return answer.status, answer.body.replace(answer.record.incident.encode(), b"")


class Custom(SignedGuard):
    """A guard with ``Users``."""

    def __init__(self, **policy: Any) -> None:
        super().__init__(**policy)
        self.guard = wsguard.guard(
            self.echo, self.policy, clock=self.clock, users=Users({"alice": "secret", "bob": "b"})
        )


def test_a_key_of_a_token_that_has_a_password_is_none(make: Guarding) -> None:
    guard = make(**merged(username_token={"password_types": ["PasswordDigest", "DerivedKey"]}))
    token = Token().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="UT-1">')
    assert guard.refusal(salted(token, by_password(b"\0" * 20))) == AUTHENTICATION


def test_a_salt_that_says_it_is_not_for_signatures_is_for_deriving_only(guard: SignedGuard) -> None:
    salt = b"\2" + SALT[1:]
    assert guard.refusal(salted(salted_token(salt=salt), by_password(key_of(salt=salt)))) == "encryption.key"


def test_only_a_token_of_our_header_makes_keys(guard: SignedGuard) -> None:
    token = salted_token(id="UT-2")
    embedded = f"<wsse:SecurityTokenReference><wsse:Embedded>{token}</wsse:Embedded></wsse:SecurityTokenReference>"
    assert guard.refusal(salted(None, by_password(key_info=embedded))) == "encryption.key"


# --- What it must cover -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [(BODY,), (TIMESTAMP,), WITH_TOKEN[2:]])
def test_a_signature_that_leaves_something_out_is_none(guard: SignedGuard, parts: Any) -> None:
    assert guard.refusal(salted(None, by_password(parts=parts))) == "signature.coverage"


def test_somebody_elses_signature_over_an_old_timestamp_lends_no_name(make: Guarding) -> None:
    guard = make(**DERIVED)
    own = by_password(id="SIG-U", parts=(TIMESTAMP,))
    his = replace(Signing.by(ALICE), parts=WITH_TOKEN)
    text = unsigned(binary_token(ALICE.certificate), salted_token(), "@SIG-U@", "@SIG-1@", timestamp())
    assert guard.refusal(sign(text, own, his)) == "signature.coverage"


def test_the_token_itself_is_covered_where_that_is_demanded(make: Guarding) -> None:
    guard = make(**merged(signature={"use": "optional", "required_parts": ["Body", "Timestamp", "UsernameToken"]}))
    assert guard.refusal(salted()) == "signature.coverage"
    octets = salted(None, by_password(parts=WITH_TOKEN))
    assert guard.refusal(octets.replace(b"alice", b"carol")) == "signature.digest"
    assert guard.accepted(octets).signed_parts == {"Body", "Timestamp", "UsernameToken"}


@pytest.mark.parametrize(("old", "new"), [(b"hello", b"evil!"), (b'wsu:Id="body"', b'wsu:Id="b"')])
def test_what_was_changed_is_refused(guard: SignedGuard, old: bytes, new: bytes) -> None:
    octets = salted()
    assert octets.count(old) == 1
    check = "signature.digest" if old == b"hello" else "signature.reference"
    assert guard.refusal(octets.replace(old, new)) == check


def test_a_password_is_no_second_factor(make: Guarding) -> None:
    guard = make(**merged(signature={"use": "required"}))
    assert guard.refusal(salted()) == "signature.coverage"
    own, his = by_password(id="SIG-U"), replace(Signing.by(ALICE), parts=WITH_TOKEN)
    text = unsigned(binary_token(ALICE.certificate), salted_token(), "@SIG-U@", "@SIG-1@", timestamp())
    message = guard.accepted(sign(text, own, his))
    assert (message.username, message.principal) == ("alice", Principal("CN=Alice", "certificate"))


def both_signed(prefix: str = "", header: str = "", more: str = "") -> bytes:
    """By alice's password, and by somebody's certificate over her token too."""
    own = by_password(id="SIG-U")
    his = replace(Signing.by(ALICE), parts=tuple(replace(part, prefixes=prefix or None) for part in WITH_TOKEN))
    security = (binary_token(ALICE.certificate), salted_token(), "@SIG-U@", "@SIG-1@", timestamp())
    body = PAYLOAD if not prefix else TYPED
    return sign(unsigned(*security, body=body, header=header, envelope_attributes=more), own, his)


XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
TYPED: Final = PAYLOAD.replace("<e:text>", f'<e:text xmlns:xsi="{XSI}" xsi:type="x:T">')


def test_what_nobody_signed_is_not_handed_on_beside_a_certificate_either(guard: SignedGuard) -> None:
    assert guard.accepted(both_signed(header='<x:Pay xmlns:x="urn:x">1</x:Pay>')).username == "alice"
    assert b"Pay" not in guard.handed


@pytest.mark.parametrize("use", ["optional", "required"])
def test_what_the_user_signed_keeps_its_meaning_beside_a_certificate(make: Guarding, use: str) -> None:
    """A certificate's signature over a prefix does not say that the user meant it so."""
    guard = make(**merged(signature={"use": use}), handoff={"namespaces": ["urn:good"]})
    assert guard.refusal(both_signed("x", more='xmlns:x="urn:evil"')) == "signature.coverage"


# --- Once -------------------------------------------------------------------------------------------------------------


def test_it_is_taken_once(guard: SignedGuard) -> None:
    octets = salted()
    guard.accepted(octets)
    assert guard.refusal(octets) == "replay.signature"


def test_it_is_taken_once_under_whatever_name(guard: SignedGuard) -> None:
    octets = salted()
    guard.accepted(octets)
    assert guard.refusal(octets.replace(b"alice", b"carol")) == "replay.signature"  # the same password


def test_who_repeats_it_uses_up_no_other_nonce(make: Guarding) -> None:
    guard = make(**merged(username_token={"password_types": ["PasswordDigest", "DerivedKey"]}))
    usual = Token()

    def with_nonce(nonce: bytes) -> bytes:
        return salted(salted_token(more=f"<wsse:Nonce>{b64(nonce)}</wsse:Nonce>"))

    guard.accepted(with_nonce(b"one"))
    assert guard.refusal(with_nonce(usual.nonce)) == "replay.signature"
    assert guard.accepted(message(usual)).username == "alice"
    assert guard.refusal(message(usual)) == "replay.nonce"


def test_it_is_taken_once_however_long_its_key_is_said_to_be() -> None:
    """HMAC takes a key, and the same with zeros behind it, for one (RFC 2104 §2)."""
    octets = b"k" * 20 + b"\0"
    shorter, longer = (UserKey("alice", octets[:length], True, "") for length in (20, 21))
    assert _identity(shorter) == _identity(longer)
    assert _identity(shorter) != _identity(UserKey("alice", b"x" * 20, True, ""))


def test_an_undated_one_is_remembered(make: Guarding) -> None:
    guard = make(**merged(signature={"use": "optional", "required_parts": ["Body"]}), timestamp={"use": "optional"})
    octets = salted(None, by_password(parts=(BODY,)))
    guard.accepted(octets)
    guard.clock.now = NOW.replace(year=NOW.year + 5)
    fresh = octets.replace(timestamp().encode(), b"")
    assert guard.refusal(fresh) == "replay.signature"


# --- Guessing ---------------------------------------------------------------------------------------------------------


def test_a_right_key_is_refused_once_there_were_too_many_wrong_ones_beside_it() -> None:
    """The count is looked at again when the user is taken: others may have guessed meanwhile."""
    users = MemoryUserStore({"alice": "secret"})
    failures = MemoryReplayStore()
    processor = UsernameTokenProcessor(users, failures)
    demands = Demands.model_validate(merged(username_token={"max_failures": 1}))
    token = processor.read(etree.fromstring(namespaced(salted_token())), demands, NOW, Explanation())
    attempt = Attempt(demands, "192.0.2.7", NOW, frozenset({"alice"}))
    assert processor.authenticate(token, attempt, Explanation()).name == "alice"
    processor.not_proven(token, attempt)
    with pytest.raises(FailedAuthentication, match="authenticated"):
        processor.authenticate(token, attempt, Explanation())


BOUNDED: Final = merged(username_token={"max_failures": 3})


def test_wrong_keys_are_counted_and_then_not_looked_at(make: Guarding) -> None:
    guard = make(**BOUNDED)
    wrong = salted(None, by_password(key_of("wrong")))
    assert [guard.refusal(wrong) for _ in range(3)] == [AUTHENTICATION] * 3
    answer = guard.post(salted())
    assert answer.check == AUTHENTICATION
    assert answer.record is not None
    assert answer.record.explanation[-1]["setting"] == "username_token.max_failures"
    guard.accepted(salted(), REMOTE_ADDR="192.0.2.99")


def test_the_record_of_a_wrong_key_names_the_users(make: Guarding) -> None:
    record = make(**BOUNDED).post(salted(None, by_password(key_of("wrong")))).record
    assert record is not None
    assert record.explanation[-1]["check"] == AUTHENTICATION
    assert record.explanation[-1]["setting"] == "users"


def test_after_too_many_no_key_is_made(make: Guarding, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = make(**BOUNDED)
    for _ in range(3):
        guard.refusal(salted(None, by_password(key_of("wrong"))))
    monkeypatch.delattr(module, "username_token_key")
    assert guard.refusal(salted()) == AUTHENTICATION


def test_right_keys_are_not_counted(make: Guarding) -> None:
    guard = make(**BOUNDED)
    for number in range(5):
        guard.accepted(salted(body=PAYLOAD.replace("hello", f"hello {number}")))


def test_a_right_key_in_a_message_that_is_refused_later_is_not_counted(make: Guarding) -> None:
    guard = make(**BOUNDED)
    octets = salted()
    guard.accepted(octets)
    assert {guard.refusal(octets) for _ in range(5)} == {"replay.signature"}


def test_a_right_key_beside_another_signature_that_does_not_fit_is_not_counted(make: Guarding) -> None:
    guard = make(**BOUNDED)
    octets = both_signed()
    start = octets.rindex(b"<ds:SignatureValue>") + len(b"<ds:SignatureValue>")
    wrong = octets[:start] + (b"B" if octets[start : start + 1] == b"A" else b"A") + octets[start + 1 :]
    assert {guard.refusal(wrong) for _ in range(5)} == {"signature.value"}
    assert guard.accepted(octets).username == "alice"


# --- Encryption under such a key --------------------------------------------------------------------------------------


def under_password(key_info: str, session: bytes) -> bytes:
    """Signed with the key of the token, and then the Body's content encrypted under one derived from that."""
    security = (salted_token(), derived_token("UT-1"), reference_list("ED-1"), "@SIG-1@", timestamp())
    text = sign(unsigned(*security), by_password()).decode()
    content = content_of(text)
    encryption = Encryption(key=b"", session=session, algorithm="aes128-gcm", data_key_info=key_info)
    return text.replace(content, replace(encryption, plaintext=content.encode()).data_xml()).encode()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(under_password(to_id("DK-1"), derived_octets(key_of(), 16)), id="derived"),
        pytest.param(under_password(to_id("UT-1"), key_of()[:16]), id="itself"),
    ],
)
def test_a_password_decrypts_nothing(make: Guarding, octets: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """One ciphertext can be made to open under thousands of passwords: one message would try them all."""
    guard = make(**DERIVED)
    monkeypatch.delattr(module, "username_token_key")
    assert guard.refusal(octets) == "encryption.key"


def closed(token: str | None = None, signing: Signing | None = None) -> bytes:
    """Signed with the key of the token, and then the Body's content encrypted for the server."""
    return signed_then_encrypted_by_password(token or salted_token(), signing or by_password())


def signed_then_encrypted_by_password(token: str, signing: Signing) -> bytes:
    text = sign(unsigned("@EK-1@", token, "@SIG-1@", timestamp()), signing).decode()
    return sealed(text, (content_of(text), for_server()))


@pytest.fixture
def sealed_for(tmp_path: Path) -> Guarding:
    make = sealing(tmp_path)
    return lambda **policy: make(**{**DERIVED, "encryption": {"use": "optional"}, **policy})


def test_what_is_signed_with_a_password_may_be_encrypted_for_a_certificate(sealed_for: Guarding) -> None:
    message = sealed_for().accepted(closed())
    assert (message.username, message.signed_parts, message.encrypted_parts) == ("alice", BOTH, frozenset({"Body"}))


def test_a_message_uses_the_key_of_one_token(sealed_for: Guarding) -> None:
    second = salted_token("bob", id="UT-2")
    own = by_password(id="SIG-A")
    his = by_password(key_of("hunter2"), id="SIG-B", key_info=TO_TOKEN.replace("UT-1", "UT-2"))
    text = sign(unsigned(salted_token(), "@SIG-A@", "@EK-1@", second, "@SIG-B@", timestamp()), own, his).decode()
    assert sealed_for().refusal(sealed(text, (second, for_server(kind="Element")))) == "encryption.malformed"


# --- Where the operation is hidden, and the store away ----------------------------------------------------------------


def service(**username_token: Any) -> dict[str, Any]:
    return {"Echo": {"operations": ["{urn:echo}Echo"], "username_token": username_token}}


def test_a_service_that_takes_no_such_users_refuses_them_once_it_is_known(sealed_for: Guarding) -> None:
    guard = sealed_for(services=service(password_types=["PasswordDigest"]))
    assert guard.refusal(closed()) == "username_token.password_type"


def test_a_service_that_alone_takes_such_users_takes_them_where_it_is_hidden(sealed_for: Guarding) -> None:
    top = {"username_token": {"use": "required", "password_types": ["PasswordDigest"]}}
    assert sealed_for(**top, services=service(password_types=["DerivedKey"])).accepted(closed()).username == "alice"


@pytest.mark.parametrize("seconds", [-400, 100], ids=["old", "ahead"])
def test_the_window_of_the_service_holds_where_it_is_hidden(sealed_for: Guarding, seconds: int) -> None:
    token = salted_token(more=f"<wsu:Created>{stamp(seconds)}</wsu:Created>")
    wide = sealed_for(services=service(time_to_live=900, future_time_to_live=200))
    assert wide.accepted(closed(token)).username == "alice"
    check = "username_token.expired" if seconds < 0 else "username_token.not_yet_valid"
    usual = sealed_for(services=service())
    assert usual.refusal(closed(token)) == check


def test_the_fewest_guesses_of_any_service_hold_where_it_is_hidden(sealed_for: Guarding) -> None:
    guard = sealed_for(services=service(max_failures=2, failure_window=3600))
    assert [guard.refusal(closed(signing=by_password(key_of("wrong")))) for _ in range(2)] == [AUTHENTICATION] * 2
    guard.clock.now += timedelta(seconds=61)
    with sent_at(guard.clock.now):
        assert guard.refusal(closed()) == AUTHENTICATION


def test_the_fewest_guesses_of_another_service_hold_only_where_it_is_hidden_whose_call_it_is(
    sealed_for: Guarding,
) -> None:
    another = {"operations": ["{urn:another}Other"], "username_token": {"max_failures": 2}}
    guard = sealed_for(services={"Another": another})
    for _ in range(2):
        guard.refusal(salted(None, by_password(key_of("wrong"))))
    guard.accepted(salted())
    assert guard.refusal(closed()) == AUTHENTICATION


def test_too_many_guesses_at_a_service_hold_for_one_that_comes_hidden(sealed_for: Guarding) -> None:
    guard = sealed_for(services=service(max_failures=2, failure_window=3600))
    for _ in range(2):
        guard.refusal(salted(None, by_password(key_of("wrong"))))
    assert guard.refusal(closed()) == AUTHENTICATION


def test_nobody_is_named_in_the_record_of_a_hidden_call_that_is_exempt(sealed_for: Guarding) -> None:
    guard = sealed_for(exempt=[{"operations": ["{urn:echo}Echo"]}], audit={"url": "memory://", "record": "all"})
    record = guard.post(closed()).record
    assert record is not None
    assert (record.outcome, record.username, record.certificate_subject) == ("exempt", "", "")


class Away(MemoryReplayStore):
    """Cannot count."""

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        raise StoreUnavailable("away")


def test_a_failure_that_cannot_be_counted_is_no_verdict() -> None:
    guard = SignedGuard(replay_store=Away(), **DERIVED)
    assert guard.post(salted(None, by_password(key_of("wrong")))).check == "store.unavailable"


# --- Configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"signature": {"use": "forbidden"}}, "signature.use is forbidden", id="no signatures"),
        pytest.param({"timestamp": {"use": "forbidden"}}, "timestamp.use is forbidden", id="no Timestamp"),
    ],
)
def test_demands_that_no_such_user_can_meet_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Demands.model_validate({**DERIVED, **changes})


def test_a_key_is_asked_for_by_those_who_read_the_token_first() -> None:
    processor = UsernameTokenProcessor(MemoryUserStore({"alice": "secret"}))
    demands = Demands.model_validate(DERIVED)
    token = processor.read(etree.fromstring(namespaced(salted_token())), demands, NOW, Explanation())
    key = processor.key(token, Attempt(demands, "192.0.2.7", NOW))
    assert (key.user, key.octets, key.for_signatures) == ("alice", key_of(), True)
    assert key_of().hex() not in repr(key)
    assert (processor.replay_keys(token), token.password) == ((), b"")


@pytest.mark.parametrize("processors", [{}, {USERNAME_TOKEN: Mock(spec=TokenProcessor)}], ids=["none", "another"])
def test_no_key_is_made_of_what_nobody_makes_keys_of(processors: dict[str, Any]) -> None:
    keys = TokenKeys(processors, Attempt(Demands.model_validate(DERIVED), "", NOW), Explanation())
    with refused("certificate.unavailable"):
        keys.of(etree.fromstring(namespaced(salted_token())))


def namespaced(text: str) -> bytes:
    return text.replace("<wsse:UsernameToken", f'<wsse:UsernameToken xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}"', 1).encode()
