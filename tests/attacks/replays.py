"""F: what was accepted once, again, and written in another way; bytes that move between the parts of a digest."""

import base64
import re
from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter, Sent
from tests.attacks.tokens import created, nonce, password, user, with_token
from tests.messages import SOAP12, Token, digest, envelope, security, stamp, timestamp
from tests.signature.signatures import ALICE, EVIL, honest, rewritten
from tests.signing import binary_token

REPLAYS: Final = Chapter("F", "token")
BOUNDARY: Final = Chapter("F", "token")
SIGNED: Final = Chapter("F", "signed")

REPLAY: Final = "replay attack, WSS 1.1 §13.3"
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def next_letter(letter: str) -> str:
    """The one behind ``letter`` in base64: where bits mean nothing, it stands for the same octets."""
    return ALPHABET[ALPHABET.index(letter) + 1]


# --- The same token again ---------------------------------------------------------------------------------------------


@REPLAYS.refused("replay.nonce", source=REPLAY)
def a_message_is_sent_twice() -> Built:
    octets = with_token(user())
    return octets, octets


@REPLAYS.refused("replay.nonce", source=REPLAY)
def a_message_is_sent_three_times() -> Built:
    octets = with_token(user())
    return octets, Sent(octets=octets, refused=True), octets


@REPLAYS.refused("replay.nonce", site="text", source=REPLAY)
def a_message_with_a_password_in_text_is_sent_twice() -> Built:
    octets = with_token(user(kind="PasswordText"))
    return octets, octets


@REPLAYS.each_refused(
    "replay.nonce",
    {
        "another Body": {"body": EVIL},
        "SOAP 1.2": {"soap": SOAP12},
    },
    source=REPLAY,
)
def a_token_that_was_seen_is_put_into(more: dict[str, str]) -> Built:
    token = user()
    return with_token(token), with_token(token, **more)


@REPLAYS.refused("replay.nonce", source=REPLAY)
def a_token_that_was_seen_stands_beside_a_fresh_timestamp() -> Built:
    token = user(created=stamp(-200))
    first = envelope(security(timestamp(stamp(-200)), token.xml()))
    return first, with_token(token)


@REPLAYS.each_refused(
    "replay.nonce",
    {
        "another charset": lambda octets: Sent(
            octets=octets.decode().encode("utf-16"), environ={"CONTENT_TYPE": "text/xml; charset=utf-16"}
        ),
        "another path": lambda octets: Sent(octets=octets, environ={"PATH_INFO": "/other"}),
        "a query": lambda octets: Sent(octets=octets, environ={"QUERY_STRING": "again"}),
        "another host": lambda octets: Sent(octets=octets, environ={"HTTP_HOST": "other.example.org"}),
        "a comment in front": lambda octets: Sent(octets=b"<!-- again -->" + octets),
        "another prefix": lambda octets: Sent(octets=octets.replace(b"wsse:", b"w:").replace(b":wsse=", b":w=")),
    },
    source=REPLAY,
)  # fmt: skip
def a_message_is_sent_again_with(sent: Callable[[bytes], Sent]) -> Built:
    octets = with_token(user())
    return octets, sent(octets)


@REPLAYS.refused("replay.nonce", source=REPLAY, elsewhere=False)
def a_message_is_sent_again_from_another_address() -> Built:
    octets = with_token(user())
    return octets, Sent(octets=octets, environ={"REMOTE_ADDR": "198.51.100.9"})


RESPELLINGS: Final[dict[str, Callable[[str], str]]] = {
    "a line feed behind": lambda text: text + "\n",
    "white space inside": lambda text: f"\t{text[:5]}\n{text[5:]} ",
    "a carriage return": lambda text: text[:7] + "&#13;" + text[7:],
    "CDATA": lambda text: f"<![CDATA[{text}]]>",
    "two CDATA sections": lambda text: f"<![CDATA[{text[:3]}]]><![CDATA[{text[3:]}]]>",
    "character references": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "references with zeros": lambda text: f"&#x0000{ord(text[0]):x};{text[1:]}",
    "a comment inside": lambda text: text[:4] + "<!-- -->" + text[4:],
    "bits that mean nothing": lambda text: text[:-3] + next_letter(text[-3]) + "==",
}


@REPLAYS.each_refused("replay.nonce", RESPELLINGS, source=REPLAY)
def the_nonce_of_a_seen_token_is_spelled_with(respelled: Callable[[str], str]) -> Built:
    token = user()
    other = nonce(respelled(base64.b64encode(token.nonce).decode()))
    return with_token(token), with_token(user(nonce=token.nonce, created=token.created, parts={"Nonce": other}))


@REPLAYS.refused("replay.nonce", source=REPLAY)
def the_nonce_of_a_seen_token_has_no_encoding_type() -> Built:
    token = user()
    other = nonce(base64.b64encode(token.nonce).decode(), "")
    return with_token(token), with_token(user(nonce=token.nonce, created=token.created, parts={"Nonce": other}))


@REPLAYS.each_refused(
    "replay.nonce",
    {
        "the nonce again": lambda text: text,
        "bits that mean nothing": RESPELLINGS["bits that mean nothing"],
        "white space": RESPELLINGS["white space inside"],
    },
    site="text",
    source=REPLAY,
)
def a_password_in_text_is_sent_with_a_fresh_created_and(respelled: Callable[[str], str]) -> Built:
    token = user(kind="PasswordText")
    other = nonce(respelled(base64.b64encode(token.nonce).decode()))
    again = user(kind="PasswordText", created=stamp(1), parts={"Nonce": other})
    return with_token(token), with_token(again)


@REPLAYS.refused("replay.nonce", source="UsernameToken Profile 1.1 §3.1: the digest is not over the name")
def a_seen_digest_is_sent_for_another_user_with_the_same_password() -> Built:
    token = user()
    return with_token(token), with_token(user(username="carol", nonce=token.nonce, created=token.created))


@REPLAYS.refused("replay.nonce", source="UsernameToken Profile 1.1 §3.1: the digest is not over the name")
def a_seen_digest_is_spelled_in_another_way_for_another_user() -> Built:
    token = user()
    right = digest(token.nonce, token.created, "secret")
    other = {"Password": password(right[:-2] + next_letter(right[-2]) + "=")}
    again = user(username="carol", nonce=token.nonce, created=token.created, parts=other)
    return with_token(token), with_token(again)


# --- Bytes that move --------------------------------------------------------------------------------------------------

MOVED: Final[dict[str, int]] = {"one byte": 1, "the year": 4, "the day": 10, "all but the zone": 23}


@BOUNDARY.each_refused("username_token.malformed", MOVED, source="a digest without separators")
def bytes_of_created_move_into_the_nonce(count: int) -> Built:
    token = user()
    moved = user(nonce=token.nonce + token.created[:count].encode(), created=token.created[count:])
    return with_token(token), with_token(moved)


@BOUNDARY.each_refused(
    "username_token.malformed",
    {"one byte": 1, "half of it": 8, "all but one": 15},
    source="a digest without separators",
)
def bytes_of_the_nonce_move_into_created(count: int) -> Built:
    token = user(nonce=b"0123456789abcdef")
    moved = Token(nonce=token.nonce[:-count], created=token.nonce[-count:].decode() + token.created)
    return with_token(token), with_token(moved)


@BOUNDARY.refused("username_token.created_missing", source="a digest without separators")
def all_of_created_moves_into_the_nonce() -> Built:
    token = user()
    moved = user(nonce=token.nonce + token.created.encode(), created="", parts={"Created": ""})
    return with_token(token), with_token(moved)


@BOUNDARY.refused("username_token.malformed", source="a digest without separators")
def all_of_created_moves_into_the_nonce_and_leaves_an_empty_one() -> Built:
    token = user()
    moved = user(nonce=token.nonce + token.created.encode(), created="", parts={"Created": created("")})
    return with_token(token), with_token(moved)


@BOUNDARY.refused("username_token.malformed", source="a digest without separators")
def the_password_moves_into_created() -> Built:
    """Whoever guessed how it begins needs to know the rest only."""
    salt = user().nonce
    when = stamp() + "sec"
    return with_token(user(nonce=salt, created=when, parts={"Password": password(digest(salt, when, "ret"))}))


# --- The same signature again -----------------------------------------------------------------------------------------


def with_twin_value(octets: bytes) -> bytes:
    """With the other value that fits: (r, n - s) for (r, s)."""
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # P-256, FIPS 186-4 D.1.2.3

    def twin(value: bytes) -> bytes:
        r, s = value[:32], int.from_bytes(value[32:], "big")
        return r + (n - s).to_bytes(32, "big")

    return rewritten(octets, twin)


@SIGNED.each_refused(
    "replay.signature",
    {
        "nothing changed": lambda octets: octets,
        "its other value": with_twin_value,
        "a wrapped value": lambda octets: re.sub(rb"(?<=SignatureValue>)([^<]{40})", rb"\1\n", octets),
        "another Id of the certificate": lambda octets: octets.replace(b"X509-1", b"X509-2"),
        "an unsigned header": lambda octets: octets.replace(b"<S:Header>", b'<S:Header><x:x xmlns:x="urn:x"/>'),
        "white space": lambda octets: octets.replace(b"<S:Header>", b"\n <S:Header>\n\t"),
        "another prefix of the envelope": lambda octets: octets.replace(
            b"<S:Header>", b'<T:Header xmlns:T="http://schemas.xmlsoap.org/soap/envelope/">'
        ).replace(b"</S:Header>", b"</T:Header>"),
        "its certificate in KeyInfo": lambda octets: re.sub(
            rb"(?<=<ds:KeyInfo>).*(?=</ds:KeyInfo>)",
            b"<ds:X509Data><ds:X509Certificate>%b</ds:X509Certificate></ds:X509Data>" % base64.b64encode(ALICE.der),
            octets.replace(binary_token(ALICE.certificate).encode(), b""),
        ),
    },
    source=REPLAY,
)  # fmt: skip
def a_signed_message_is_sent_again_with(change: Callable[[bytes], bytes]) -> Built:
    octets = honest().encode()
    return octets, change(octets)


EVERY: Final = (*REPLAYS, *BOUNDARY, *SIGNED)
