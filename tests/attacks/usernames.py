"""F: somebody's name without their password, and passwords in a weaker way than is demanded."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import password, user, with_token
from tests.messages import PROFILE, digest, stamp

PASSWORDS: Final = Chapter("F", "token")
DOWNGRADE: Final = Chapter("F", "token")

# --- Passwords --------------------------------------------------------------------------------------------------------

Making = Callable[[bytes, str], bytes]
"""Makes of a nonce and Created what is sent for the digest."""


def sha1(*parts: bytes) -> bytes:
    """Of the parts, one behind the other."""
    return hashlib.sha1(b"".join(parts)).digest()


WRONG_DIGESTS: Final[dict[str, Making]] = {
    "the nonce as text": lambda n, c: sha1(base64.b64encode(n), c.encode(), b"secret"),
    "the nonce in hexadecimal": lambda n, c: sha1(n.hex().encode(), c.encode(), b"secret"),
    "no nonce": lambda n, c: sha1(c.encode(), b"secret"),
    "no Created": lambda n, c: sha1(n, b"secret"),
    "the password alone": lambda n, c: sha1(b"secret"),
    "no password": lambda n, c: sha1(n, c.encode()),
    "nothing": lambda n, c: sha1(),
    "another order": lambda n, c: sha1(b"secret", c.encode(), n),
    "the password in UTF-16": lambda n, c: sha1(n, c.encode(), "secret".encode("utf-16-le")),
    "everything in UTF-16": lambda n, c: sha1(n, c.encode("utf-16-le"), "secret".encode("utf-16-le")),
    "the password in capitals": lambda n, c: sha1(n, c.encode(), b"SECRET"),
    "the password and a NUL": lambda n, c: sha1(n, c.encode(), b"secret\0"),
    "the password without its end": lambda n, c: sha1(n, c.encode(), b"secre"),
    "the hash of the password": lambda n, c: sha1(n, c.encode(), sha1(b"secret")),
    "the hash in hexadecimal": lambda n, c: sha1(n, c.encode(), sha1(b"secret").hex().encode()),
    "separators": lambda n, c: sha1(n, b"\0", c.encode(), b"\0", b"secret"),
    "the name too": lambda n, c: sha1(n, c.encode(), b"alice", b"secret"),
    "an HMAC": lambda n, c: hmac.digest(b"secret", n + c.encode(), "sha1"),
    "zeros": lambda n, c: bytes(20),
    "SHA-256 cut off": lambda n, c: hashlib.sha256(n + c.encode() + b"secret").digest()[:20],
    "the password of the stand-in": lambda n, c: sha1(n, c.encode(), bytes(16)),
}


@PASSWORDS.each_refused("username_token.authentication", WRONG_DIGESTS)
def the_digest_is_over(made: Making) -> Built:
    salt, when = os.urandom(16), stamp()
    value = base64.b64encode(made(salt, when)).decode()
    return with_token(user(nonce=salt, created=when, parts={"Password": password(value)}))


NO_DIGESTS: Final[dict[str, Making]] = {
    "SHA-256": lambda n, c: hashlib.sha256(n + c.encode() + b"secret").digest(),
    "MD5": lambda n, c: hashlib.md5(n + c.encode() + b"secret").digest(),
    "nothing": lambda n, c: b"",
    "an octet": lambda n, c: b"\0",
    "its first half": lambda n, c: sha1(n, c.encode(), b"secret")[:10],
    "the right one and more": lambda n, c: sha1(n, c.encode(), b"secret") + b"\0",
}


@PASSWORDS.each_refused("username_token.malformed", NO_DIGESTS)
def for_a_digest_there_is(made: Making) -> Built:
    salt, when = os.urandom(16), stamp()
    value = base64.b64encode(made(salt, when)).decode()
    return with_token(user(nonce=salt, created=when, parts={"Password": password(value)}))


@PASSWORDS.each_refused("username_token.authentication", {"none": "", "another's": "hunter2", "a blank": "secret "})
def the_digest_is_of_the_password(word: str) -> Built:
    return with_token(user(password=word))


@PASSWORDS.each_refused(
    "username_token.authentication",
    {
        "none": "",
        "a blank": " ",
        "the stand-in's": "&#9;" * 16,
        "capitals": "SECRET",
        "a blank behind": "secret ",
        "a line feed in front": "\nsecret",
        "its beginning": "secre",
        "a wildcard": "%",
        "SQL": "' OR '1'='1",
        "another's": "hunter2",
        "a combining mark": "secret\N{COMBINING ACUTE ACCENT}",
        "a megabyte": "secret" * 170_000,
    },
    site="text",
)
def the_password_as_text_is(word: str) -> Built:
    return with_token(user(kind="PasswordText", password=word))


@PASSWORDS.refused("username_token.authentication", site="text")
def a_digest_that_was_seen_is_sent_as_text() -> Built:
    salt, when = os.urandom(16), stamp()
    return with_token(user(kind="PasswordText", password=digest(salt, when, "secret"), nonce=salt, created=when))


# --- Downgrade --------------------------------------------------------------------------------------------------------


@DOWNGRADE.refused("username_token.password_type")
def the_right_password_is_sent_as_text_where_a_digest_is_demanded() -> Built:
    return with_token(user(kind="PasswordText"))


@DOWNGRADE.each_refused(
    "username_token.password_type",
    {
        "no Type, which is text": "",
        "an empty Type": 'Type=""',
        "a short Type": 'Type="#PasswordDigest"',
        "a name for a Type": 'Type="PasswordDigest"',
        "a Type and a blank": f'Type="{PROFILE}#PasswordDigest "',
        "a Type in lower case": f'Type="{PROFILE}#passworddigest"',
        "a Type of a draft": 'Type="wsse:PasswordDigest"',
        "the Type of another profile": f'Type="{PROFILE.replace("1.0", "1.1")}#PasswordDigest"',
        "a Type of an attacker's own": 'Type="urn:x#PasswordNone"',
    },
)
def the_digest_is_right_and_has(attributes: str) -> Built:
    salt, when = os.urandom(16), stamp()
    sent = password(digest(salt, when, "secret"), attributes)
    return with_token(user(nonce=salt, created=when, parts={"Password": sent}))


@DOWNGRADE.refused("username_token.malformed")
def the_type_of_the_digest_is_qualified() -> Built:
    salt, when = os.urandom(16), stamp()
    sent = password(digest(salt, when, "secret"), f'wsse:Type="{PROFILE}#PasswordDigest"')
    return with_token(user(nonce=salt, created=when, parts={"Password": sent}))


@DOWNGRADE.each_refused(
    "username_token.nonce_missing", {"digest": "PasswordDigest", "text": "PasswordText"}, site="text"
)
def there_is_no_nonce_with_a(kind: str) -> Built:
    return with_token(user(kind=kind, nonce=b"", parts={"Nonce": ""}))


@DOWNGRADE.each_refused(
    "username_token.created_missing", {"digest": "PasswordDigest", "text": "PasswordText"}, site="text"
)
def there_is_no_created_with_a(kind: str) -> Built:
    return with_token(user(kind=kind, created="", parts={"Created": ""}))


EVERY: Final = (*PASSWORDS, *DOWNGRADE)
