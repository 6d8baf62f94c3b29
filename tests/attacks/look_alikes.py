"""F: names that only look like a user's, and names that are written to be taken for something else by whoever reads."""

import unicodedata
from typing import Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import user, with_token
from tests.guarding import Answer
from tests.messages import PROFILE

NAMES: Final = Chapter("F", "token")
FORGERIES: Final = Chapter("F", "token")

LOOK_ALIKES: Final[dict[str, str]] = {
    "in capitals": "ALICE",
    "with one capital": "Alice",
    "with a blank behind": "alice ",
    "with a blank in front": " alice",
    "with a line feed behind": "alice\n",
    "with a carriage return behind": "alice&#13;",
    "with a tab in front": "&#9;alice",
    "with a no-break space behind": "alice\N{NO-BREAK SPACE}",
    "with a zero-width space": "ali\N{ZERO WIDTH SPACE}ce",
    "with a byte order mark": "\ufeffalice",
    "with a soft hyphen": "ali\N{SOFT HYPHEN}ce",
    "with a variation selector": "alice\N{VARIATION SELECTOR-16}",
    "with a combining accent": "alice\N{COMBINING ACUTE ACCENT}",
    "with a Cyrillic letter": "\N{CYRILLIC SMALL LETTER A}lice",
    "with a Greek letter": "al\N{GREEK SMALL LETTER IOTA}ce",
    "with a dotless i": "al\N{LATIN SMALL LETTER DOTLESS I}ce",
    "with a Roman numeral": "al\N{SMALL ROMAN NUMERAL ONE}ce",
    "in full width": "".join(chr(ord(letter) + 0xFEE0) for letter in "alice"),
    "in mathematical letters": "".join(chr(ord(letter) - ord("a") + 0x1D41A) for letter in "alice"),
    "turned round": "\N{RIGHT-TO-LEFT OVERRIDE}ecila",
    "cut off": "alic",
    "with a control character behind": "alice&#x9c;",
    "cut off where a column of a database ends": "alice" + " " * 250 + "x",
    "in a domain": "EXAMPLE\\alice",
    "as an address": "alice@example.org",
    "as a distinguished name": "CN=alice,O=x",
    "in percent signs": "%61lice",
    "as an entity of its own": "&amp;#97;lice",
    "as a path": "../alice",
    "with a wildcard": "al%",
    "with a wildcard of LDAP": "al*",
    "closing a string of SQL": "alice'--",
    "beside a condition of SQL": "alice' OR '1'='1",
    "beside a filter of LDAP": "alice)(|(uid=*",
    "beside a condition of XPath": "alice' or 'a'='a",
    "with a NUL of another notation": "alice%00",
    "as a template": "${jndi:ldap://127.0.0.1:1/a}",
    "as a format": "%s%n{0.__class__}",
    "and another's": "alice,bob",
}
assert all(unicodedata.normalize("NFC", name) != "alice" for name in LOOK_ALIKES.values())


@NAMES.each_refused("username_token.authentication", LOOK_ALIKES)
def the_password_is_alices_and_the_name_is_hers(name: str) -> Built:
    return with_token(user(username=name))


@NAMES.each_refused("username_token.authentication", {"cut off": "alic", "in capitals": "ALICE"}, site="text")
def the_password_is_alices_in_text_and_the_name_is_hers(name: str) -> Built:
    return with_token(user(kind="PasswordText", username=name))


@NAMES.each_refused("username_token.authentication", {"unknown": "nobody", "another": "bob", "the stand-in": "None"})
def the_password_is_alices_and_the_user_is(name: str) -> Built:
    return with_token(user(username=name))


@NAMES.each_refused(
    "envelope.malformed",
    {
        "as a reference": "alice&#0;",
        "in hexadecimal": "alice&#x00;",
        "raw": "alice\0",
        "in the middle": "ali\0ce",
        "as an entity": "alice&nul;",
    },
    source="NUL byte truncation, CWE-626",
)
def a_nul_ends_the_name(name: str) -> Built:
    return with_token(user(username=name))


@NAMES.refused("username_token.malformed")
def the_name_is_nil() -> Built:
    nil = '<wsse:Username xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    return with_token(user(parts={"Username": nil}))


# --- Forged logs ------------------------------------------------------------------------------------------------------

CONTROLS: Final[dict[str, str]] = {
    "a line feed": "alice\n2026-11-21 incident 1: accepted",
    "a carriage return and a line feed": "alice&#13;&#10;incident 1: accepted",
    "a carriage return": "mallory&#13;alice",
    "a line separator": "alice\N{LINE SEPARATOR}incident 1",
    "a paragraph separator": "alice\N{PARAGRAPH SEPARATOR}incident 1",
    "a next line": "alice&#x85;incident 1",
    "a control sequence of a terminal": "alice&#x9b;2J",
    "deletions": "mallory" + "&#x7f;" * 7 + "alice",
    "a direction": "alice\N{RIGHT-TO-LEFT OVERRIDE}detpecca",
    "an isolate": "alice\N{LEFT-TO-RIGHT ISOLATE}x",
    "tabs": "alice&#9;accepted&#9;",
    "a comma and quotes": 'alice","accepted","',
    "JSON": 'alice", "outcome": "accepted", "x": "',
    "a formula": "=HYPERLINK(alice)",
    "HTML": "&lt;script>alert(1)&lt;/script>",
}


def one_printable_line(answer: Answer) -> None:
    """Nothing in the record ends a line, moves a cursor, or turns text round."""
    assert answer.record is not None
    texts = [answer.record.username, *(text for result in answer.record.explanation for text in result.values())]
    assert answer.record.username
    assert all(text.isprintable() for text in texts)


@FORGERIES.each_refused(
    "username_token.authentication", CONTROLS, source="log forging, CWE-117", also=one_printable_line
)
def the_name_forges_a_record_with(name: str) -> Built:
    return with_token(user(username=name))


@FORGERIES.refused("username_token.password_type", source="log forging, CWE-117", also=one_printable_line)
def the_type_of_a_password_forges_a_record() -> Built:
    forged = f'<wsse:Password Type="{PROFILE}#PasswordDigest&#10;incident 1: accepted">x</wsse:Password>'
    return with_token(user(parts={"Password": forged}))


EVERY: Final = (*NAMES, *FORGERIES)
