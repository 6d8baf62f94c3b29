"""A UsernameToken is read strictly, authenticated in one way for everybody, and taken once."""

import base64
import hmac
import logging
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import wsguard
from tests.guarding import USERS, Answer, Guarded
from tests.message.refusing import check_of, refused
from tests.messages import BASE64, NOW, PROFILE, WSSE, WSU, Token, digest, envelope, message, security, stamp, timestamp
from wsguard.explanation import Explanation, plain
from wsguard.faults import FailedAuthentication, InvalidSecurityToken, MessageExpired
from wsguard.interfaces import Attempt, User
from wsguard.message.lexical import parse_date_time
from wsguard.policy import Policy
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.tokens import username as module
from wsguard.tokens.reading import LONGEST_NAME, LONGEST_NONCE, UsernameToken, malformed
from wsguard.tokens.username import UsernameTokenProcessor, password_digest

MICROSECOND = timedelta(microseconds=1)
BOTH: dict[str, Any] = {"password_types": ["PasswordDigest", "PasswordText"]}
NONCE = Token().nonce
NONCE_TEXT = base64.b64encode(NONCE).decode()


def guarded(users: dict[str, str] | list[User] | None = None, **username_token: Any) -> Guarded:
    """A guard with these users and this ``[username_token]``."""
    found = Guarded(username_token=username_token, audit={"url": "memory://", "record": "all"})
    if users is not None:
        store = MemoryUserStore(users)
        found.guard = wsguard.guard(found.echo, found.policy, clock=found.clock, users=store)
    return found


def switched_off(part: str) -> dict[str, Any]:
    return {f"require_{part}": False}


def text_token(**changes: Any) -> Token:
    return Token(kind="PasswordText", **changes)


def nonce_element(text: str, attributes: str = f'EncodingType="{BASE64}"') -> str:
    return f"<wsse:Nonce {attributes}>{text}</wsse:Nonce>"


def password_element(text: str, attributes: str = f'Type="{PROFILE}#PasswordDigest"') -> str:
    return f"<wsse:Password {attributes}>{text}</wsse:Password>"


def read(token: Token | str, **username_token: Any) -> UsernameToken:
    """The token read by itself."""
    xml = token if isinstance(token, str) else token.xml()
    element = etree.fromstring(f'<r xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{xml}</r>')[0]
    policy = Policy.model_validate({"username_token": username_token})
    return UsernameTokenProcessor(MemoryUserStore()).read(element, policy, NOW, Explanation())


# --- Honest tokens ----------------------------------------------------------------------------------------------------


def test_an_honest_token_is_taken_and_the_application_learns_whose_it_is() -> None:
    found = guarded()
    assert found.post(message()).check == ""
    environ = found.echo.handed[0][0]
    assert (environ["REMOTE_USER"], environ["AUTH_TYPE"]) == ("alice", "WS-Security")
    assert environ["wsguard.message"].principal.name == "alice"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"Nonce": nonce_element(NONCE_TEXT, "")}, id="no EncodingType"),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT + "\n")}, id="a line feed behind the nonce"),
        pytest.param(
            {"Nonce": nonce_element(f"\n    {NONCE_TEXT[:9]}\r\n\t{NONCE_TEXT[9:]}\n  ")}, id="a wrapped nonce"
        ),
        pytest.param({"Nonce": nonce_element(f"<![CDATA[{NONCE_TEXT}]]>")}, id="a nonce in CDATA"),
        pytest.param({"Password": password_element(f"\n {digest(NONCE, stamp(), 'secret')}\n")}, id="a wrapped digest"),
        pytest.param({"Username": "<wsse:Username>al<!-- -->ice</wsse:Username>"}, id="a comment in the name"),
        pytest.param({"Username": '<wsse:Username wsu:Id="u">&#97;lice</wsse:Username>'}, id="a reference in the name"),
        pytest.param({"Username": f'<u:Username xmlns:u="{WSSE}">alice</u:Username>'}, id="another prefix"),
    ],
)
def test_oddities_of_honest_clients_are_taken(parts: dict[str, str]) -> None:
    assert guarded().post(message(parts=parts)).check == ""


@given(st.permutations(["Username", "Password", "Nonce", "Created"]))
def test_the_parts_come_in_any_order(order: list[str]) -> None:
    honest = etree.fromstring(f'<r xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{Token().xml()}</r>')[0]
    parts = {etree.QName(part).localname: etree.tostring(part, encoding="unicode") for part in honest}
    token = read(f"<wsse:UsernameToken>\n{' '.join(parts[name] for name in order)}\n</wsse:UsernameToken>")
    assert (token.username, token.nonce, token.created_text) == ("alice", NONCE, stamp())


def test_a_nonce_of_hexadecimal_text_is_the_base64_that_it_also_is() -> None:
    """As suds sends it."""
    text = "0123456789abcdef0123456789abcdef"
    nonce = base64.b64decode(text)
    parts = {"Nonce": nonce_element(text, "")}
    assert guarded().post(message(nonce=nonce, parts=parts)).check == ""


def test_the_digest_is_that_of_the_profile() -> None:
    """The bytes of a nonce and not its text, Created as it was sent, the password in UTF-8."""
    assert base64.b64encode(password_digest(NONCE, stamp(), "pässword".encode())).decode() == digest(
        NONCE, stamp(), "pässword"
    )
    assert guarded({"alice": "pässword"}).post(message(password="pässword")).check == ""


# --- Shape ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"Username": ""}, id="no Username"),
        pytest.param({"Username": "<wsse:Username/>"}, id="an empty Username"),
        pytest.param({"Username": "<wsse:Username>alice</wsse:Username>" * 2}, id="two Usernames"),
        pytest.param({"Username": "<wsse:Username><b>alice</b></wsse:Username>"}, id="an element for a name"),
        pytest.param({"Username": "<wsse:Username>al<b/>ice</wsse:Username>"}, id="an element in a name"),
        pytest.param({"Username": '<wsse:Username Type="x">alice</wsse:Username>'}, id="a Username with Type"),
        pytest.param({"Username": "<Username>alice</Username>"}, id="a Username without namespace"),
        pytest.param({"Username": "<wsu:Username>alice</wsu:Username>"}, id="a Username in the other namespace"),
        pytest.param({"Password": ""}, id="no Password"),
        pytest.param({"Password": password_element(digest(NONCE, stamp(), "secret")) * 2}, id="two Passwords"),
        pytest.param({"Password": password_element("")}, id="an empty digest"),
        pytest.param({"Password": password_element("secret")}, id="a password for a digest"),
        pytest.param({"Password": password_element("QUJD")}, id="three bytes of digest"),
        pytest.param({"Password": password_element("A" * 28)}, id="21 bytes of digest"),
        pytest.param({"Password": password_element("A" * 26 + "==")}, id="19 bytes of digest"),
        pytest.param({"Password": password_element("00" * 20)}, id="a digest in hexadecimal"),
        pytest.param({"Password": password_element("A" * 44)}, id="a digest of another algorithm"),
        pytest.param({"Password": password_element(digest(NONCE, stamp(), "secret").rstrip("="))}, id="no padding"),
        pytest.param({"Password": password_element(digest(NONCE, stamp(), "secret") + "<b/>")}, id="an element"),
        pytest.param(
            {"Password": password_element("QUJD", f'Type="{PROFILE}#PasswordDigest" x="y"')}, id="an attribute"
        ),
        pytest.param({"Password": password_element("QUJD", f'wsse:Type="{PROFILE}#PasswordDigest"')}, id="wsse:Type"),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT) * 2}, id="two Nonces"),
        pytest.param({"Nonce": nonce_element("")}, id="an empty Nonce"),
        pytest.param({"Nonce": nonce_element(" \n ")}, id="a blank Nonce"),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT.rstrip("="))}, id="a Nonce without padding"),
        pytest.param({"Nonce": nonce_element("-_-_")}, id="a Nonce in the URL alphabet"),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT + "<b/>")}, id="an element in the Nonce"),
        pytest.param(
            {"Nonce": nonce_element("00", f'EncodingType="{BASE64.replace("Base64", "Hex")}"')}, id="HexBinary"
        ),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT, 'EncodingType=""')}, id="an empty EncodingType"),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT, 'EncodingType="#Base64Binary"')}, id="a short EncodingType"),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT, 'Type="x"')}, id="a Nonce with Type"),
        pytest.param({"Nonce": nonce_element(NONCE_TEXT).replace("wsse:", "wsu:")}, id="wsu:Nonce"),
        pytest.param({"Created": f"<wsu:Created>{stamp()}</wsu:Created>" * 2}, id="two Created"),
        pytest.param({"Created": f"<wsse:Created>{stamp()}</wsse:Created>"}, id="wsse:Created"),
        pytest.param({"Created": "<wsu:Created/>"}, id="an empty Created"),
        pytest.param({"Created": f"<wsu:Created> {stamp()}</wsu:Created>"}, id="a blank before Created"),
        pytest.param({"Created": f"<wsu:Created>{stamp()}\n</wsu:Created>"}, id="a line feed behind Created"),
        pytest.param({"Created": "<wsu:Created>2026-11-21T12:00:00</wsu:Created>"}, id="Created without zone"),
        pytest.param({"Created": f"<wsu:Created>{stamp()}<b/></wsu:Created>"}, id="an element in Created"),
        pytest.param({"Created": f'<wsu:Created x="y">{stamp()}</wsu:Created>'}, id="an attribute on Created"),
    ],
)
@pytest.mark.parametrize("types", [["PasswordDigest"], BOTH["password_types"]], ids=["digest", "digest and text"])
def test_a_token_of_another_shape_is_malformed(parts: dict[str, str], types: list[str]) -> None:
    answer = guarded(password_types=types).post(message(parts=parts))
    assert (answer.check, answer.record and answer.record.fault) == (
        "username_token.malformed",
        "wsse:InvalidSecurityToken",
    )


@pytest.mark.parametrize(
    "extra",
    [
        '<x xmlns="urn:x"/>',
        "<wsse:BinarySecurityToken/>",
        '<s:Salt xmlns:s="http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd">QUJD</s:Salt>',
        "<wsu:Expires>2026-11-21T12:00:00Z</wsu:Expires>",
        "text",
        "&#160;",
    ],
)
def test_nothing_else_stands_in_a_token(extra: str) -> None:
    assert guarded().post(message(extra=extra)).check == "username_token.malformed"


@pytest.mark.parametrize("attribute", ['x="y"', 'Type="x"', 'wsse:Id="x"', 'xmlns:x="urn:x" x:Id="t"'])
def test_no_attribute_but_an_id_stands_on_a_token(attribute: str) -> None:
    for text, check in ((attribute, "username_token.malformed"), ('wsu:Id="t"', ""), ('Id="t"', "")):
        xml = Token().xml().replace("<wsse:UsernameToken>", f"<wsse:UsernameToken {text}>")
        assert guarded().post(envelope(security(timestamp(), xml))).check == check


def test_two_tokens_are_malformed_even_where_both_are_honest() -> None:
    found = guarded()
    tokens = Token().xml(), Token(username="bob", password="hunter2", nonce=b"another").xml()
    for pair in (tokens, tokens[::-1], tokens[:1] * 2):
        assert found.post(envelope(security(timestamp(), *pair))).check == "username_token.malformed"


def test_a_token_is_missing_only_where_it_is_required() -> None:
    octets = envelope(security(timestamp()))
    assert guarded().post(octets).check == "username_token.missing"
    for use in ("optional", "forbidden"):
        assert Guarded(username_token={"use": use}, unsafe_unauthenticated=True).post(octets).check == ""


def test_a_token_that_is_forbidden_is_refused_and_one_that_is_optional_must_be_right() -> None:
    found = Guarded(username_token={"use": "forbidden"}, unsafe_unauthenticated=True)
    assert found.post(message()).check == "username_token.forbidden"
    found = Guarded(username_token={"use": "optional"}, unsafe_unauthenticated=True)
    assert found.post(message(password="wrong")).check == "username_token.authentication"
    assert found.post(message()).check == ""


# --- Password types, and what each needs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "types", "check"),
    [
        ("", ["PasswordDigest"], "username_token.password_type"),
        ("", ["PasswordText"], ""),
        (f'Type="{PROFILE}#PasswordText"', ["PasswordDigest"], "username_token.password_type"),
        (f'Type="{PROFILE}#PasswordText"', ["PasswordText"], ""),
        (f'Type="{PROFILE}#PasswordText"', ["PasswordDigest", "PasswordText"], ""),
        ('Type=""', ["PasswordText"], "username_token.password_type"),
        ('Type="PasswordText"', ["PasswordText"], "username_token.password_type"),
        ('Type="wsse:PasswordText"', ["PasswordText"], "username_token.password_type"),
        (f'Type="{PROFILE}#passwordtext"', ["PasswordText"], "username_token.password_type"),
        (f'Type=" {PROFILE}#PasswordText"', ["PasswordText"], "username_token.password_type"),
        (f'Type="{PROFILE}#PasswordTextx"', ["PasswordText"], "username_token.password_type"),
    ],
)
def test_a_password_without_type_is_text_and_only_what_is_listed_is_taken(
    attributes: str, types: list[str], check: str
) -> None:
    parts = {"Password": password_element("secret", attributes)}
    assert guarded(password_types=types).post(message(parts=parts)).check == check


def test_a_digest_is_refused_where_only_text_is_taken() -> None:
    assert guarded(password_types=["PasswordText"]).post(message()).check == "username_token.password_type"


def test_the_digest_of_somebody_is_no_password_of_theirs() -> None:
    """A digest seen on the wire, sent again as PasswordText or as PasswordDigest over nothing, opens nothing."""
    seen = digest(NONCE, stamp(), "secret")
    found = guarded(**BOTH, require_nonce=False, require_created=False)
    parts = {"Password": password_element(seen, "")}
    assert found.post(message(parts=parts)).check == "username_token.authentication"
    parts = {"Password": password_element("secret", "").replace("secret", digest(b"", "", "secret"))}
    assert found.post(message(parts=parts)).check == "username_token.authentication"


@pytest.mark.parametrize("switch", [True, False])
@pytest.mark.parametrize("part", ["nonce", "created"])
def test_a_digest_needs_nonce_and_created_whatever_the_switches_say(part: str, switch: bool) -> None:
    found = guarded(**BOTH, require_nonce=switch, require_created=switch)
    parts = {part.capitalize(): ""}
    parts["Password"] = password_element(
        digest(b"" if part == "nonce" else NONCE, "" if part == "created" else stamp(), "secret")
    )
    answer = found.post(message(parts=parts))
    assert answer.check == f"username_token.{part}_missing"


@pytest.mark.parametrize("part", ["nonce", "created"])
def test_text_needs_nonce_and_created_where_the_switches_say_so(part: str) -> None:
    octets = message(text_token(parts={part.capitalize(): ""}))
    assert guarded(**BOTH).post(octets).check == f"username_token.{part}_missing"
    other = "created" if part == "nonce" else "nonce"
    assert guarded(**BOTH, **switched_off(other)).post(octets).check == f"username_token.{part}_missing"
    assert guarded(**BOTH, **switched_off(part)).post(octets).check == ""


def test_text_is_compared_to_the_last_byte() -> None:
    found = guarded({"alice": "pä ss"}, **BOTH)
    for number, (text, check) in enumerate(
        [
            ("pä ss", ""),
            ("pä ss ", "a"),
            (" pä ss", "a"),
            ("pä  ss", "a"),
            ("PÄ SS", "a"),
            ("pa\u0308 ss", "a"),
            ("", "a"),
        ]
    ):
        answer = found.post(message(text_token(password=text, nonce=b"n%d" % number)))
        assert answer.check == ("username_token.authentication" if check else "")


@pytest.mark.parametrize(
    ("bytes_", "check"), [(1, ""), (LONGEST_NONCE, ""), (LONGEST_NONCE + 1, "username_token.malformed")]
)
def test_a_nonce_is_as_long_as_the_bound_and_not_a_byte_longer(bytes_: int, check: str) -> None:
    assert guarded().post(message(nonce=b"n" * bytes_)).check == check


# --- The window -------------------------------------------------------------------------------------------------------


def micro(offset: timedelta) -> str:
    return (NOW + offset).isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("offset", "check", "code"),
    [
        (timedelta(seconds=-300), "", ""),
        (timedelta(seconds=-300) - MICROSECOND, "username_token.expired", "wsse:MessageExpired"),
        (timedelta(seconds=60), "", ""),
        (timedelta(seconds=60) + MICROSECOND, "username_token.not_yet_valid", "wsse:InvalidSecurityToken"),
    ],
)
@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
def test_created_decides_to_the_microsecond(offset: timedelta, check: str, code: str, kind: str) -> None:
    answer = guarded(**BOTH).post(message(kind=kind, created=micro(offset)))
    assert answer.check == check
    assert answer.record is not None
    assert answer.record.fault == code


def test_the_window_of_the_token_is_its_own() -> None:
    found = guarded(time_to_live=10, future_time_to_live=5)
    assert found.post(message(created=stamp(-11))).check == "username_token.expired"
    assert found.post(message(created=stamp(6))).check == "username_token.not_yet_valid"
    assert found.post(message(created=stamp(-10))).check == ""


def test_created_binds_also_where_it_is_not_required() -> None:
    found = guarded(**BOTH, require_created=False)
    assert found.post(message(text_token(created=stamp(-301)))).check == "username_token.expired"
    assert found.post(message(text_token(created="yesterday"))).check == "username_token.malformed"


def test_the_timestamp_is_judged_before_the_token() -> None:
    token = Token(created=stamp(-9999), password="wrong").xml()
    answer = guarded().post(envelope(security(token, timestamp(stamp(-301), None))))
    assert answer.check == "timestamp.expired"


@pytest.mark.parametrize("seconds", [-30.0, 12.5])
def test_the_skew_is_learned_from_the_token_where_there_is_no_timestamp(seconds: float) -> None:
    found = Guarded(timestamp={"use": "optional"}, audit={"url": "memory://", "record": "all"})
    answer = found.post(envelope(security(Token(created=stamp(seconds)).xml())))
    assert answer.record is not None
    assert answer.record.clock_skew_s == seconds


# --- X10: a digest without separators ---------------------------------------------------------------------------------


def test_bytes_that_move_from_created_into_the_nonce_leave_a_created_that_is_none() -> None:
    """The digest stays right for every one of these: nothing but the strict spelling of Created stands against them."""
    created = stamp()
    right = digest(NONCE, created, "secret")
    found = guarded()
    for moved in range(1, len(created)):
        nonce, rest = NONCE + created[:moved].encode(), created[moved:]
        assert digest(nonce, rest, "secret") == right
        answer = found.post(message(nonce=nonce, created=rest))
        assert answer.check == "username_token.malformed"
        assert answer.record is not None
        assert "xsd:dateTime" in answer.record.explanation[-1]["expected"]
    assert found.post(message()).check == ""


def test_all_of_created_moved_into_the_nonce_is_no_created() -> None:
    nonce = NONCE + stamp().encode()
    for parts in ({"Created": ""}, {"Created": "<wsu:Created/>"}):
        octets = message(nonce=nonce, created="", parts=parts)
        check = "username_token.malformed" if parts["Created"] else "username_token.created_missing"
        assert guarded().post(octets).check == check


def test_bytes_that_move_from_the_nonce_into_created_leave_a_created_that_is_none() -> None:
    for moved in range(1, len(NONCE)):
        octets = message(nonce=NONCE[:-moved], created=NONCE[-moved:].decode() + stamp())
        assert guarded().post(octets).check == "username_token.malformed"


@given(st.binary(max_size=30), st.datetimes(), st.sampled_from(["seconds", "microseconds"]))
def test_no_two_ways_to_cut_nonce_and_created_apart_are_both_taken(nonce: bytes, when: datetime, digits: str) -> None:
    created = when.isoformat(timespec=digits) + "Z"
    whole = nonce + created.encode()
    texts = [whole[at:].decode("latin-1") for at in range(len(whole) + 1)]
    assert [text for text in texts if not check_of(partial(parse_date_time, text, malformed))] == [created]


def test_a_created_of_many_spellings_is_digested_as_it_was_sent() -> None:
    found = guarded()
    other = stamp().replace(".000Z", "Z")
    assert found.post(message(created=other)).check == ""
    octets = message(nonce=b"another", created=other, parts={"Created": f"<wsu:Created>{stamp()}</wsu:Created>"})
    assert found.post(octets).check == "username_token.authentication"


# --- Replay -----------------------------------------------------------------------------------------------------------


def test_a_token_is_taken_once() -> None:
    found = guarded()
    answers = [found.post(message()) for _ in range(3)]
    assert [answer.check for answer in answers] == ["", "replay.nonce", "replay.nonce"]
    assert b"wsse:InvalidSecurityToken" in answers[1].body


def test_a_digest_is_taken_once_also_under_another_user_with_the_same_password() -> None:
    assert USERS["carol"] == USERS["alice"]
    found = guarded()
    assert found.post(message(username="alice")).check == ""
    assert found.post(message(username="carol")).check == "replay.nonce"
    assert found.post(message(username="carol", nonce=b"of her own")).check == ""


def test_the_same_nonce_of_another_user_is_no_replay() -> None:
    found = guarded()
    assert found.post(message()).check == ""
    assert found.post(message(username="bob", password="hunter2")).check == ""
    assert found.post(message(username="carol", created=stamp(1))).check == ""


RESPELLED = [
    pytest.param(lambda text: text + "\n", id="a line feed behind"),
    pytest.param(lambda text: f"\t{text[:5]}\n{text[5:]} ", id="white space inside"),
    pytest.param(lambda text: f"<![CDATA[{text}]]>", id="CDATA"),
    pytest.param(lambda text: "".join(f"&#{ord(c)};" for c in text), id="character references"),
    pytest.param(lambda text: text[:4] + "<!-- -->" + text[4:], id="a comment inside"),
    pytest.param(lambda text: text.replace("g==", "h=="), id="trailing bits"),
    pytest.param(lambda text: text.replace("g==", "v=="), id="more trailing bits"),
]


@pytest.mark.parametrize("respell", RESPELLED)
@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
def test_a_nonce_that_is_spelled_in_another_way_is_the_same_nonce(respell: Callable[[str], str], kind: str) -> None:
    """With a Created and so a digest of its own, so that nothing but the nonce gives it away."""
    text = NONCE_TEXT
    found = guarded(**BOTH)
    assert found.post(message(kind=kind)).check == ""
    parts = {"Nonce": nonce_element(respell(text))}
    assert respell(text) != text
    assert found.post(message(kind=kind, created=stamp(1), parts=parts)).check == "replay.nonce"


def test_a_digest_that_is_spelled_in_another_way_is_the_same_digest() -> None:
    """A digest of 20 bytes ends in two bits that mean nothing."""
    right = digest(NONCE, stamp(), "secret")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = right[:-2] + alphabet[alphabet.index(right[-2]) + 1] + "="
    assert other != right
    assert base64.b64decode(other) == base64.b64decode(right)
    found = guarded()
    assert found.post(message()).check == ""
    parts = {"Password": password_element(other)}
    assert found.post(message(username="carol", parts=parts)).check == "replay.nonce"


def test_the_keys_of_a_token_are_two_and_each_depends_on_its_own_half() -> None:
    processor = UsernameTokenProcessor(MemoryUserStore())
    honest = read(Token())
    keys = processor.replay_keys(honest)
    assert len(set(keys)) == 2
    assert set(processor.replay_keys(replace(honest, username="carol"))) & set(keys) == {keys[1]}
    assert set(processor.replay_keys(replace(honest, password=b"x" * 20))) & set(keys) == {keys[0]}
    assert len(processor.replay_keys(replace(honest, password_type="PasswordText"))) == 1
    assert processor.replay_keys(replace(honest, password_type="PasswordText", nonce=None)) == ()


def test_name_and_nonce_are_kept_apart_in_the_key() -> None:
    processor = UsernameTokenProcessor(MemoryUserStore())
    token = read(Token())
    keys = {
        processor.replay_keys(replace(token, username=name, nonce=nonce))[0]
        for name, nonce in [("ab", b"c"), ("a", b"bc"), ("abc", b""), ("a\0b", b"c"), ("a", b"b\0c"), ("a", b"\0bc")]
    }
    assert len(keys) == 6


def test_what_is_refused_burns_no_nonce() -> None:
    found = guarded()
    for octets, check in (
        (message(password="wrong"), "username_token.authentication"),
        (message(created=stamp(-301)), "username_token.expired"),
        (message(extra="text"), "username_token.malformed"),
        (message(body='<e:Echo xmlns:e="urn:echo"/>', username="nobody"), "username_token.authentication"),
    ):
        assert found.post(octets).check == check
    assert found.post(message()).check == ""


def test_a_token_is_remembered_until_nobody_would_take_it_again() -> None:
    found = Guarded(timestamp={"use": "optional"}, audit={"url": "memory://", "record": "all"})
    octets = envelope(security(Token(created=stamp(60)).xml()))
    assert found.post(octets).check == ""
    found.clock.now = NOW + timedelta(seconds=360)
    assert found.post(octets).check == "replay.nonce"
    found.clock.now += MICROSECOND
    assert found.post(octets).check == "username_token.expired"


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "check"), [(1, ""), (LONGEST_NAME, ""), (LONGEST_NAME + 1, "username_token.malformed")]
)
@pytest.mark.parametrize("letter", ["n", "\N{GRINNING FACE}"])
def test_a_name_is_as_long_as_the_bound_and_not_a_character_longer(length: int, check: str, letter: str) -> None:
    name = letter * length
    answer = guarded({name: "secret"}).post(message(username=name))
    assert answer.check == check


@pytest.mark.parametrize("reference", ["&#0;", "&#x0;", "alice&#0;", "ali&#x00;ce", "&#1;", "&#xFFFE;", "&#xD800;"])
def test_a_name_holds_no_character_that_xml_does_not(reference: str) -> None:
    assert guarded().post(message(username=reference)).check == "envelope.malformed"


def test_a_name_holds_no_raw_nul_either() -> None:
    assert guarded().post(message(username="ali\0ce")).check == "envelope.malformed"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Alice", id="another case"),
        pytest.param("alice ", id="a blank behind"),
        pytest.param(" alice", id="a blank in front"),
        pytest.param("alice\n", id="a line feed behind"),
        pytest.param("\talice", id="a tab in front"),
        pytest.param("alice&#13;", id="a carriage return behind"),
        pytest.param("alice\N{NO-BREAK SPACE}", id="a no-break space behind"),
        pytest.param("\N{CYRILLIC SMALL LETTER A}lice", id="a Cyrillic letter"),
        pytest.param("ａlice", id="a full-width letter"),
        pytest.param("al\N{LATIN SMALL LETTER DOTLESS I}ce", id="a dotless i"),
        pytest.param("ali\N{ZERO WIDTH SPACE}ce", id="a zero-width space"),
        pytest.param("ali\N{SOFT HYPHEN}ce", id="a soft hyphen"),
        pytest.param("alice\N{VARIATION SELECTOR-16}", id="a variation selector"),
        pytest.param("\N{RIGHT-TO-LEFT OVERRIDE}ecila", id="turned round"),
        pytest.param("\N{LATIN SMALL LETTER A}\N{COMBINING ACUTE ACCENT}lice", id="an accent"),
        pytest.param("alic", id="cut off"),
        pytest.param("alice&#x9c;", id="a control character behind"),
        pytest.param("alice,bob", id="two names"),
        pytest.param("al%", id="a wildcard"),
        pytest.param("alice'--", id="SQL"),
    ],
)
def test_a_name_that_only_looks_like_alice_is_somebody_else(name: str) -> None:
    answer = guarded().post(message(username=name))
    assert answer.check == "username_token.authentication"
    assert answer.record is not None
    assert answer.record.explanation[-1]["seen"] == "no such user"


def test_composed_and_decomposed_names_are_different_users() -> None:
    composed, decomposed = (unicodedata.normalize(form, "René") for form in ("NFC", "NFD"))
    assert composed != decomposed
    found = guarded({composed: "one", decomposed: "two"})
    for number, (name, password, check) in enumerate(
        [(composed, "one", ""), (decomposed, "two", "")]
        + [
            (name, password, "username_token.authentication")
            for name, password in ((composed, "two"), (decomposed, "one"))
        ]
    ):
        answer = found.post(message(username=name, password=password, nonce=b"n%d" % number))
        assert answer.check == check
        if not check:
            assert found.echo.handed[-1][0]["REMOTE_USER"] == name


FORGERIES = [
    pytest.param("alice\n2026-11-21 incident 1: accepted", id="line feed"),
    pytest.param("alice&#13;&#10;incident 1: accepted", id="carriage return and line feed"),
    pytest.param("alice\N{LINE SEPARATOR}incident 1", id="line separator"),
    pytest.param("alice\N{PARAGRAPH SEPARATOR}incident 1", id="paragraph separator"),
    pytest.param("alice&#x85;incident 1", id="next line"),
    pytest.param("alice&#x9b;2J", id="a control sequence for a terminal"),
    pytest.param("alice&#x7f;&#x7f;&#x7f;", id="delete"),
    pytest.param("alice\N{RIGHT-TO-LEFT OVERRIDE}detpecca", id="turned round"),
    pytest.param("alice\N{LEFT-TO-RIGHT ISOLATE}x", id="an isolate"),
    pytest.param("alice\N{ZERO WIDTH SPACE}\ufeff", id="nothing to be seen"),
    pytest.param("alice\t\tbob", id="tabs"),
    pytest.param("alice\\n", id="an escape of its own"),
    pytest.param("a" * 256, id="as long as can be"),
]


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("known", [True, False])
def test_no_name_forges_a_record_or_a_line_of_the_log(name: str, known: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent = etree.fromstring(f"<n>{name}</n>").text or ""
    answer = guarded({sent: "secret"} if known else None).post(message(username=name))
    assert answer.check == ("" if known else "username_token.authentication")
    assert answer.record is not None
    written = [answer.record.username, *(text for result in answer.record.explanation for text in result.values())]
    written += [record.getMessage() for record in caplog.records]
    assert all(text.isprintable() and len(text) <= 1300 for text in written)
    assert answer.record.username.startswith("a")
    assert known == any(sent[:5] in result["seen"] for result in answer.record.explanation)


@given(st.text(max_size=300))
def test_what_is_plain_is_printable_bounded_and_still_tells_short_names_apart(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert len(shown) <= 10 * 200
    if len(text) <= 200 and text.isprintable() and "\\" not in text:
        assert shown == text


@given(st.text(max_size=12), st.text(max_size=12))
def test_two_names_that_differ_are_plain_in_two_ways(one: str, other: str) -> None:
    assert (plain(one) == plain(other)) == (one == other)


@pytest.mark.parametrize("pair", [("a\n", "a\\n"), ("a\\", "a\\\\"), ("\x9b", "\\x9b"), ("\u202e", "\\u202e")])
def test_an_escape_is_told_from_what_it_stands_for(pair: tuple[str, str]) -> None:
    assert plain(pair[0]) != plain(pair[1])


# --- One answer -------------------------------------------------------------------------------------------------------

PEOPLE = [User("alice", b"secret"), User("gone", b"secret", enabled=False)]
STRANGERS = [
    pytest.param({"username": "nobody"}, "no such user", id="unknown"),
    pytest.param({"username": "gone"}, "the user is disabled", id="disabled, with the right password"),
    pytest.param({"username": "gone", "password": "wrong"}, "the user is disabled", id="disabled, with a wrong one"),
    pytest.param({"password": "wrong"}, "wrong PasswordDigest", id="wrong digest"),
    pytest.param({"password": "wrong", "kind": "PasswordText"}, "wrong PasswordText", id="wrong text"),
    pytest.param(
        {"username": "nobody", "password": "", "kind": "PasswordText"}, "no such user", id="unknown, no password"
    ),
    pytest.param({"username": "nobody", "password": "\0" * 16}, "no such user", id="unknown, the stand-in's password"),
]


ATTEMPT = Attempt(demands=Policy(), remote_addr="192.0.2.7", now=NOW)


def without_incident(answer: Answer) -> tuple[str, dict[str, str], bytes]:
    assert answer.record is not None
    incident = answer.record.incident.encode()
    assert answer.body.count(incident) == 1
    return answer.status, answer.headers, answer.body.replace(incident, b"")


@pytest.mark.parametrize("detail", ["standard", "unified", "detailed"])
def test_unknown_disabled_and_wrong_have_one_answer_and_the_audit_tells_them_apart(detail: str) -> None:
    found = Guarded(username_token=BOTH, faults={"detail": detail})
    found.guard = wsguard.guard(found.echo, found.policy, clock=found.clock, users=MemoryUserStore(PEOPLE))
    answers = []
    for changes, seen in (param.values for param in STRANGERS):
        assert isinstance(changes, dict)
        answer = found.post(message(Token(**changes)))
        assert answer.check == "username_token.authentication"
        assert answer.record is not None
        assert answer.record.explanation[-1]["seen"] == seen
        answers.append(without_incident(answer))
    assert all(answer == answers[0] for answer in answers)
    assert not found.echo.handed


@pytest.mark.parametrize("changes", [pytest.param(param.values[0], id=param.id) for param in STRANGERS])
def test_everybody_takes_the_same_work(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever it is: one look into the table, one digest or two hashes, one comparison."""
    done: list[str] = []

    def counting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            done.append(name)
            return real(*args, **kwargs)

        return call

    users = MemoryUserStore(PEOPLE)
    monkeypatch.setattr(users, "find", counting("find", users.find))
    monkeypatch.setattr(module, "password_digest", counting("digest", module.password_digest))
    monkeypatch.setattr(hmac, "compare_digest", counting("compare", hmac.compare_digest))
    processor = UsernameTokenProcessor(users)

    def work(token: Token) -> tuple[str, list[str]]:
        parsed = read(token, **BOTH)
        done.clear()
        check = check_of(lambda: processor.authenticate(parsed, ATTEMPT, Explanation()))
        return check, list(done)

    honest = Token(kind=changes.get("kind", "PasswordDigest"))
    steps = ["find", "compare"] if honest.kind == "PasswordText" else ["find", "digest", "compare"]
    assert work(honest) == ("", steps)
    assert work(Token(**changes)) == ("username_token.authentication", steps)


def test_a_disabled_user_with_the_stand_ins_password_is_not_let_in() -> None:
    processor = UsernameTokenProcessor(MemoryUserStore(PEOPLE))
    for name in ("", "nobody", "gone"):
        token = UsernameToken(name, "PasswordText", b"\0" * 16, b"n", stamp())
        with refused("username_token.authentication", FailedAuthentication):
            processor.authenticate(token, ATTEMPT, Explanation())


# --- Secrets ----------------------------------------------------------------------------------------------------------

SECRET = "correct-horse-battery"
SECRETIVE = Token(password=SECRET, nonce=b"sixteen nonce by")


def told(found: Guarded, answer: Answer, caplog: pytest.LogCaptureFixture) -> str:
    """Everything that anybody but the application can read of a request."""
    return f"{answer.status} {answer.headers} {answer.body!r} {found.records!r} {caplog.text}"


@pytest.mark.parametrize("kind", ["PasswordDigest", "PasswordText"])
@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({}, ""),
        ({"username": "nobody"}, "username_token.authentication"),
        ({"username": "bob"}, "username_token.authentication"),
        ({"created": stamp(-9999)}, "username_token.expired"),
        ({"created": stamp(9999)}, "username_token.not_yet_valid"),
        ({"created": "now"}, "username_token.malformed"),
        ({"extra": "<x/>"}, "username_token.malformed"),
        ({"extra": SECRET}, "username_token.malformed"),
        ({"parts": {"Username": ""}}, "username_token.malformed"),
        ({"parts": {"Username": "<wsse:Username/>"}}, "username_token.malformed"),
        ({"parts": {"Nonce": ""}}, "username_token.nonce_missing"),
        ({"parts": {"Created": ""}}, "username_token.created_missing"),
        ({"parts": {"Nonce": nonce_element(SECRET)}}, "username_token.malformed"),
        ({"parts": {"Nonce": nonce_element("c2l4dGVlbiBub25jZSBieQ")}}, "username_token.malformed"),
        ({"parts": {"Password": password_element(SECRET)}}, "username_token.malformed"),
        ({"parts": {"Password": password_element(SECRET, 'Type="urn:x"')}}, "username_token.password_type"),
        ({"parts": {"Password": password_element(SECRET + "<b/>", "")}}, "username_token.malformed"),
        ({"parts": {"Password": password_element(SECRET, "x=''")}}, "username_token.malformed"),
    ],
)
def test_no_password_digest_or_nonce_is_told_to_anybody(
    changes: dict[str, Any], check: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    found = guarded({"alice": SECRET, "bob": "hunter2"}, **BOTH)
    token = replace(SECRETIVE, kind=kind, **changes)
    answers = [found.post(message(token)), found.post(message(token))]
    assert [answer.check for answer in answers] == [check, check or "replay.nonce"]
    secrets = [SECRET, "hunter2", token.nonce.decode(), token.nonce.hex(), base64.b64encode(token.nonce).decode()[:-2]]
    right = digest(token.nonce, token.created, token.password)
    secrets += [right, right[:-1], base64.b64decode(right).hex(), repr(base64.b64decode(right))[2:-1]]
    for answer in answers:
        seen = told(found, answer, caplog)
        assert [secret for secret in secrets if secret in seen] == []


def test_a_token_that_is_only_refused_for_its_type_keeps_its_password_to_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    found = guarded({"alice": SECRET})
    answer = found.post(message(text_token(password=SECRET)))
    assert answer.check == "username_token.password_type"
    assert SECRET not in told(found, answer, caplog)


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("left&SecretRest;right", id="an ampersand"),
        pytest.param("left<SecretRest", id="an angle bracket"),
        pytest.param("left<SecretRest/>", id="a tag"),
        pytest.param("left<SecretRest>right", id="a tag that does not end"),
        pytest.param("left&SecretRest", id="an ampersand without semicolon"),
        pytest.param("left<Secret:Rest/>", id="a tag with a prefix"),
        pytest.param('left<a SecretRest="', id="an attribute"),
    ],
)
def test_a_password_that_a_client_forgot_to_escape_is_not_quoted(
    password: str, caplog: pytest.LogCaptureFixture
) -> None:
    """libxml2's messages name entities, prefixes and elements, which here are pieces of a password."""
    caplog.set_level(logging.DEBUG)
    found = guarded(**BOTH)
    answer = found.post(message(text_token(password=password)))
    assert answer.check in {"envelope.malformed", "username_token.malformed"}
    assert "Secret" not in told(found, answer, caplog)


def test_a_parsed_token_shows_neither_password_nor_nonce() -> None:
    for kind in ("PasswordDigest", "PasswordText"):
        token = read(replace(SECRETIVE, kind=kind), **BOTH)
        shown = f"{token!r} {token}"
        assert "alice" in shown
        assert not any(secret in shown for secret in (SECRET, "sixteen", repr(token.password)))


# --- Faults by themselves ---------------------------------------------------------------------------------------------


def test_each_refusal_has_the_fault_code_of_the_standard() -> None:
    with refused("username_token.malformed", InvalidSecurityToken):
        read(Token(extra="text"))
    with refused("username_token.password_type", InvalidSecurityToken) as caught:
        read(text_token())
    assert caught.value.setting == "username_token.password_types"
    with refused("username_token.nonce_missing", InvalidSecurityToken) as caught:
        read(text_token(parts={"Nonce": ""}), **BOTH)
    assert caught.value.setting == "username_token.require_nonce"
    with refused("username_token.created_missing", InvalidSecurityToken) as caught:
        read(Token(parts={"Created": ""}))
    assert caught.value.setting == ""
    with refused("username_token.expired", MessageExpired) as caught:
        read(Token(created=stamp(-301)))
    assert caught.value.setting == "username_token.time_to_live"
    with refused("username_token.not_yet_valid", InvalidSecurityToken) as caught:
        read(Token(created=stamp(61)))
    assert caught.value.setting == "username_token.future_time_to_live"


def test_the_right_password_of_another_user_is_wrong() -> None:
    assert guarded().post(message(username="bob", password="secret")).check == "username_token.authentication"


# --- Compared altogether ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "CANARY-ISLANDS",
        "Canary-islands",
        "canary-islandS",
        "canary-islandz",
        "canary-i",
        "canary-island",
        "canary-islands!",
    ],
)
def test_a_password_that_is_right_in_part_is_wrong(text: str) -> None:
    found = guarded({"alice": "canary-islands"}, **BOTH)
    assert found.post(message(text_token(password=text))).check == "username_token.authentication"
    digested = Token(password=text, nonce=b"another nonce")
    assert found.post(message(digested)).check == "username_token.authentication"


@pytest.mark.parametrize("octet", range(20))
def test_a_digest_is_compared_in_every_octet(octet: int) -> None:
    bent = bytearray(base64.b64decode(digest(NONCE, stamp(), "secret")))
    bent[octet] ^= 1
    octets = message(parts={"Password": password_element(base64.b64encode(bent).decode())})
    assert guarded().post(octets).check == "username_token.authentication"
    assert guarded().post(message()).check == ""
