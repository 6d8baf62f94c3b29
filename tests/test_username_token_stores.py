"""What authenticating a UsernameToken asks of users, counter, verifier and keeper, and what it tells of them."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from tests.message.refusing import refused
from tests.messages import NOW, PROFILE, WSSE, WSU, Token, stamp
from wsguard.explanation import CheckResult, Explanation
from wsguard.faults import FailedAuthentication, InvalidSecurityToken, MessageExpired
from wsguard.interfaces import Attempt, User
from wsguard.policy import Policy
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.tokens.reading import UsernameToken
from wsguard.tokens.username import UsernameTokenProcessor, password_digest
from wsguard.verified import Principal

NONCE, CREATED, ADDRESS = b"0123456789abcdef", stamp(), "192.0.2.7"
ALICE = User("alice", b"correct horse", services=frozenset({"orders"}))
HASHED = User("hanna", None, password_hash="$hash-of-hanna")
NEITHER = User("nemo", None)
KEY = hashlib.sha256(b"192.0.2.7\0alice").digest()
SETTING = "username_token.max_failures"


@dataclass
class Counter:
    """Says that there were so many failures, and remembers what it was asked and told."""

    count: int = 0
    asked: list[tuple[bytes, datetime]] = field(default_factory=list)
    added: list[tuple[bytes, datetime, datetime]] = field(default_factory=list)

    def failures(self, key: bytes, now: datetime) -> int:
        self.asked.append((key, now))
        return self.count

    def add_failure(self, key: bytes, until: datetime, now: datetime) -> None:
        self.added.append((key, until, now))


@dataclass
class Verifier:
    """Finds every password right, or wrong, and remembers what it was asked."""

    right: bool
    stand_in: str = "$stand-in"
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def matches(self, password_hash: str, password: bytes) -> bool:
        self.asked.append((password_hash, password))
        return self.right


@dataclass
class Keeper:
    """Remembers who was seen."""

    told: list[tuple[str, datetime]] = field(default_factory=list)

    def seen(self, name: str, now: datetime) -> None:
        self.told.append((name, now))


def text(username: str = "alice", password: bytes = b"correct horse") -> UsernameToken:
    return UsernameToken(username, "PasswordText", password, NONCE, CREATED)


def digest(username: str = "alice", password: bytes = b"correct horse") -> UsernameToken:
    return UsernameToken(username, "PasswordDigest", password_digest(NONCE, CREATED, password), NONCE, CREATED)


def authenticate(token: UsernameToken, explanation: Explanation | None = None, **stores: Any) -> Principal:
    processor = UsernameTokenProcessor(MemoryUserStore([ALICE, HASHED, NEITHER]), **stores)
    demands = Policy.model_validate({"username_token": {"max_failures": 3, "failure_window": 60}})
    return processor.authenticate(token, Attempt(demands, ADDRESS, NOW), explanation or Explanation())


def read(token: str, explanation: Explanation | None = None, **username_token: Any) -> UsernameToken:
    element = etree.fromstring(f'<r xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{token}</r>')[0]
    policy = Policy.model_validate({"username_token": username_token})
    return UsernameTokenProcessor(MemoryUserStore()).read(element, policy, NOW, explanation or Explanation())


# --- Wrong passwords are counted --------------------------------------------------------------------------------------


def test_failures_are_counted_for_this_name_at_this_address_until_the_window_ends() -> None:
    counter = Counter()
    with refused("username_token.authentication"):
        authenticate(text(password=b"wrong"), failures=counter)
    assert counter.asked == [(KEY, NOW)]
    assert counter.added == [(KEY, NOW + timedelta(seconds=60), NOW)]


def test_a_right_password_counts_nothing() -> None:
    counter = Counter()
    authenticate(text(), failures=counter)
    assert (counter.asked, counter.added) == ([(KEY, NOW)], [])


def test_as_many_failures_as_allowed_end_it_and_one_less_does_not() -> None:
    authenticate(text(), failures=Counter(2))
    for count in (3, 4):
        counter = Counter(count)
        with refused("username_token.authentication", FailedAuthentication) as caught:
            authenticate(text(), failures=counter)
        assert caught.value.setting == SETTING
        assert caught.value.seen == "3 wrong passwords in 60 s: not looked at"
        assert counter.added == [], "what was not looked at was not wrong"


def test_every_other_failure_names_the_users() -> None:
    with refused("username_token.authentication") as caught:
        authenticate(text("nobody"))
    assert (caught.value.setting, caught.value.seen) == ("users", "no such user")


# --- Whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [text(), digest()], ids=["text", "digest"])
def test_who_was_authenticated_is_told_with_all_that_belongs_to_it(token: UsernameToken) -> None:
    explanation, keeper = Explanation(), Keeper()
    assert authenticate(token, explanation, seen=keeper) == Principal("alice", "username", frozenset({"orders"}))
    assert keeper.told == [("alice", NOW)]
    [result] = explanation.results
    assert result == CheckResult(
        "username_token",
        "passed",
        "a known, enabled user with the right password",
        f"alice, {token.password_type}",
        "users",
    )


def test_who_was_not_authenticated_was_not_seen() -> None:
    keeper = Keeper()
    with refused("username_token.authentication"):
        authenticate(text(password=b"wrong"), seen=keeper)
    assert keeper.told == []


# --- Hashes -----------------------------------------------------------------------------------------------------------


def test_the_hash_of_the_user_is_what_the_password_is_held_against() -> None:
    verifier = Verifier(right=True)
    assert authenticate(text("hanna", b"secret"), verifier=verifier).name == "hanna"
    assert verifier.asked == [("$hash-of-hanna", b"secret")]


def test_a_password_that_does_not_fit_the_hash_is_wrong() -> None:
    with refused("username_token.authentication"):
        authenticate(text("hanna"), verifier=Verifier(right=False))


@pytest.mark.parametrize("name", ["alice", "nemo", "nobody"])
def test_who_has_no_hash_takes_the_work_of_one_and_gains_nothing_by_it(name: str) -> None:
    verifier = Verifier(right=True)
    with refused("username_token.authentication"):
        authenticate(text(name, b"wrong"), verifier=verifier)
    assert verifier.asked == [("$stand-in", b"wrong")]


@pytest.mark.parametrize("name", ["hanna", "nemo"])
@pytest.mark.parametrize("password", [b"", b"\0" * 16, b"$hash-of-hanna"], ids=["empty", "zeros", "the hash"])
def test_without_a_verifier_nobody_is_let_in_whose_password_is_not_kept(name: str, password: bytes) -> None:
    for token in (text(name, password), digest(name, password)):
        with refused("username_token.authentication"):
            authenticate(token)


def test_a_kept_password_decides_also_where_the_verifier_says_no() -> None:
    assert authenticate(text(), verifier=Verifier(right=False)).name == "alice"


# --- Remembered keys --------------------------------------------------------------------------------------------------


def test_the_keys_of_a_token_are_spelled_as_ever_for_stores_outlive_releases() -> None:
    processor = UsernameTokenProcessor(MemoryUserStore())
    of_nonce = hashlib.sha256(b"nonce\x00" + b"5\x00alice\x00" + NONCE).digest()
    of_digest = hashlib.sha256(b"digest\x00" + digest().password).digest()
    assert processor.replay_keys(digest()) == (of_nonce, of_digest)
    assert processor.replay_keys(text()) == (of_nonce,)


# --- What a refusal tells ---------------------------------------------------------------------------------------------


def test_the_skew_is_told_in_whole_milliseconds() -> None:
    explanation = Explanation()
    read(Token(created="2026-11-21T12:00:00.001499Z").xml(), explanation)
    assert explanation.facts.clock_skew_s == 0.001


@pytest.mark.parametrize(
    "offset, expected, setting",
    [
        (-301, f"Created at most 300 s before {NOW}", "username_token.time_to_live"),
        (61, f"Created at most 60 s after {NOW}", "username_token.future_time_to_live"),
    ],
)
def test_a_token_outside_its_window_is_told_which_side_was_left(offset: int, expected: str, setting: str) -> None:
    with pytest.raises((MessageExpired, InvalidSecurityToken)) as caught:
        read(Token(created=stamp(offset)).xml())
    assert (caught.value.expected, caught.value.setting) == (expected, setting)


@pytest.mark.parametrize("part", ["Nonce", "Created"])
@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
def test_a_part_that_is_missing_is_the_doing_of_a_switch_only_where_one_decides(part: str, kind: str) -> None:
    xml = f'<wsse:Username>alice</wsse:Username><wsse:Password Type="{PROFILE}#{kind}">{"A" * 27}=</wsse:Password>'
    other = f"<wsu:Created>{CREATED}</wsu:Created>" if part == "Nonce" else "<wsse:Nonce>AAAA</wsse:Nonce>"
    with refused(f"username_token.{part.lower()}_missing") as caught:
        read(f"<wsse:UsernameToken>{xml}{other}</wsse:UsernameToken>", password_types=[kind])
    assert caught.value.setting == ("" if kind == "PasswordDigest" else f"username_token.require_{part.lower()}")


def test_a_type_that_is_not_taken_names_the_setting() -> None:
    with refused("username_token.password_type") as caught:
        read(Token(kind="PasswordText").xml())
    assert caught.value.setting == "username_token.password_types"


@pytest.mark.parametrize("part", ["Password", "Nonce"])
def test_base64_that_is_none_is_told_with_its_place_and_never_quoted(part: str) -> None:
    password = f'<wsse:Password Type="{PROFILE}#PasswordDigest">{"*" * 28 if part == "Password" else "A" * 27 + "="}'
    nonce = f"<wsse:Nonce>{'*' * 28 if part == 'Nonce' else 'AAAA'}</wsse:Nonce>"
    xml = f"<wsse:Username>alice</wsse:Username>{password}</wsse:Password>{nonce}"
    with refused("username_token.malformed") as caught:
        read(f"<wsse:UsernameToken>{xml}<wsu:Created>{CREATED}</wsu:Created></wsse:UsernameToken>")
    assert (caught.value.expected, caught.value.seen) == (f"base64 in {part}", "28 characters that are not")


def test_sha_1_is_there_for_digests_also_where_openssl_has_it_for_no_security(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a FIPS module."""
    sha1 = hashlib.sha1

    def of_fips(octets: bytes, *, usedforsecurity: bool = True) -> Any:
        if usedforsecurity:
            raise ValueError("disabled for FIPS")
        return sha1(octets, usedforsecurity=False)

    monkeypatch.setattr(hashlib, "sha1", of_fips)
    assert password_digest(NONCE, CREATED, b"p") == sha1(NONCE + CREATED.encode() + b"p").digest()
