"""F: UsernameTokens that are not what the profile describes, or do not stand where it says."""

import base64
import os
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import created, nonce, password, user, with_token
from tests.messages import BASE64, PROFILE, Token, digest, envelope, security, stamp, timestamp

TOKENS: Final = Chapter("F", "token")

WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"

PARTS: Final[dict[str, dict[str, str]]] = {
    "no Password: an assertion of identity": {"Password": ""},
    "no Username": {"Username": ""},
    "an empty Username": {"Username": "<wsse:Username/>"},
    "two Usernames": {"Username": "<wsse:Username>alice</wsse:Username><wsse:Username>bob</wsse:Username>"},
    "an element in the Username": {"Username": "<wsse:Username>ali<x/>ce</wsse:Username>"},
    "a Username of 257 characters": {"Username": f"<wsse:Username>{'a' * 257}</wsse:Username>"},
    "an XInclude in the Username": {
        "Username": '<wsse:Username><i:include xmlns:i="http://www.w3.org/2001/XInclude" href="u"/></wsse:Username>'
    },
    "an empty Nonce": {"Nonce": nonce("")},
    "a Nonce of 129 octets": {"Nonce": nonce(base64.b64encode(bytes(129)).decode())},
    "a Nonce of a million characters": {"Nonce": nonce("AAAA" * 250_000)},
    "a Nonce without padding": {"Nonce": nonce("MDEyMw")},
    "a Nonce in the alphabet of URLs": {"Nonce": nonce("-_-_")},
    "a Nonce with characters between": {"Nonce": nonce("MDEy!MzQ1")},
    "a Nonce in hexadecimal": {"Nonce": nonce("00ff", f'EncodingType="{BASE64.replace("Base64", "Hex")}"')},
    "a Nonce of an unknown encoding": {"Nonce": nonce("MDEy", 'EncodingType="urn:rot13"')},
    "wsu Nonce": {"Nonce": nonce("MDEy").replace("wsse:", "wsu:")},
    "an attachment for a Nonce": {
        "Nonce": nonce('<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:a"/>')
    },
    "a Created that is a word": {"Created": created("now")},
    "wsse Created": {"Created": "<wsse:Created>2026-11-21T12:00:00Z</wsse:Created>"},
    "an empty digest": {"Password": password("")},
    "an element in the Password": {"Password": password("<x/>")},
    "a Password with an attribute": {"Password": password("QUJD", f'Type="{PROFILE}#PasswordDigest" x="y"')},
}


@TOKENS.each_refused("username_token.malformed", PARTS)
def the_token_has(parts: dict[str, str]) -> Built:
    return with_token(user(parts=parts))


@TOKENS.each_refused(
    "username_token.malformed",
    {
        "Salt": f'<s:Salt xmlns:s="{WSSE11}">QUJD</s:Salt>',
        "Iteration": f'<s:Iteration xmlns:s="{WSSE11}">2147483647</s:Iteration>',
        "Salt and Iteration": f'<s:Salt xmlns:s="{WSSE11}">Q</s:Salt><s:Iteration xmlns:s="{WSSE11}">1</s:Iteration>',
        "Expires": "<wsu:Expires>9999-01-01T00:00:00Z</wsu:Expires>",
        "a Role": '<x:Role xmlns:x="urn:x">admin</x:Role>',
        "a certificate": "<wsse:BinarySecurityToken>QUJD</wsse:BinarySecurityToken>",
        "a key": "<wsse:SecurityTokenReference/>",
        "text": "admin",
    },
)
def beside_the_parts_of_a_token_stands(extra: str) -> Built:
    return with_token(user(extra=extra))


@TOKENS.each_refused("username_token.malformed", {"right first": 1, "wrong first": -1, "text first": 0})
def there_are_two_passwords(order: int) -> Built:
    salt, when = os.urandom(16), stamp()
    both = [password(digest(salt, when, "secret")), password(digest(salt, when, "wrong"))]
    if not order:
        both = [password("secret", ""), both[0]]
    return with_token(user(nonce=salt, created=when, parts={"Password": "".join(both[:: order or 1])}))


@TOKENS.each_refused("username_token.malformed", {"Nonces": "Nonce", "Created": "Created"})
def there_are_two(part: str) -> Built:
    salt, when = os.urandom(16), stamp()
    honest = {"Nonce": nonce(base64.b64encode(salt).decode()), "Created": created(when)}
    return with_token(user(nonce=salt, created=when, parts={part: honest[part] * 2}))


def somebody() -> Token:
    """Bob, who is no Alice."""
    return user(username="bob", password="hunter2")


@TOKENS.each_refused("username_token.malformed", {"right": "secret", "wrong": "wrong"})
def there_are_two_tokens_and_the_second_is(word: str) -> Built:
    return with_token(somebody(), user(password=word))


@TOKENS.refused("username_token.malformed")
def a_token_stands_in_a_token() -> Built:
    return with_token(somebody().xml().replace("</wsse:UsernameToken>", f"{user().xml()}</wsse:UsernameToken>"))


@TOKENS.refused("username_token.missing")
def there_is_no_token() -> Built:
    return envelope(security(timestamp()))


@TOKENS.refused("username_token.missing")
def the_token_is_for_another_actor() -> Built:
    return envelope(security(timestamp()) + security(user().xml(), attributes='S:actor="urn:them"'))


@TOKENS.refused("security.missing")
def the_token_is_of_a_draft() -> Built:
    draft = b"http://schemas.xmlsoap.org/ws/2003/06/secext"
    sent = with_token(user())
    start = sent.index(b'xmlns:wsse="') + len(b'xmlns:wsse="')
    return sent[:start] + draft + sent[sent.index(b'"', start) :]


@TOKENS.refused("envelope.duplicate_id")
def the_token_has_the_id_of_the_timestamp() -> Built:
    return with_token(user().xml().replace("<wsse:UsernameToken>", '<wsse:UsernameToken wsu:Id="TS-1">'))


EVERY: Final = (*TOKENS,)
