"""Legal: Timestamps and UsernameTokens as other stacks spell them, and as the standards allow."""

import os
import re
import textwrap
from datetime import timedelta, timezone
from itertools import permutations
from typing import Any, Final

from tests.attacks.cases import Built, Chapter
from tests.attacks.tokens import nonce, user, with_token
from tests.encrypting import b64
from tests.messages import BASE64, PROFILE, WSSE, WSU, envelope, security, sender_time, stamp, timestamp

TOKENS: Final = Chapter("legal", "token")
TEXTS: Final = Chapter("legal", "text")

_COMMENT: Final = "<!-- a comment -->"


def spelled(form: str) -> str:
    """The sender's time in one of the forms of xsd:dateTime."""
    now = sender_time()
    if form.startswith(("+", "-")):
        offset = timedelta(hours=int(form[1:3]), minutes=int(form[4:6]))
        local = now.astimezone(timezone(offset if form[0] == "+" else -offset))
        return local.isoformat(timespec="milliseconds")[:23] + form
    whole = now.strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{now.microsecond:06}000000000000"
    return whole + (f".{digits[: int(form)]}" if int(form) else "") + "Z"


_FORMS: Final = {
    "no fraction": "0", "tenths": "1", "hundredths": "2", "milliseconds": "3", "microseconds": "6",
    "100 nanoseconds": "7", "nanoseconds": "9", "UTC as an offset": "+00:00", "UTC as an offset below": "-00:00",
    "an offset east": "+14:00", "an offset of half an hour": "-03:30",
}  # fmt: skip


@TOKENS.each_accepted(_FORMS, source="XML Schema part 2 §3.2.7; seen from WSS4J, .NET, PHP and node-soap")
def a_timestamp_in(form: str) -> Built:
    return envelope(security(timestamp(created=spelled(form)), user().xml()))


@TOKENS.each_accepted(_FORMS, source="XML Schema part 2 §3.2.7: the digest is over the text as it was sent")
def a_token_created_in(form: str) -> Built:
    return with_token(user(created=spelled(form)))


@TOKENS.each_accepted(
    {
        "no Expires": {"expires": None},
        "Expires in an hour": {"expires": 3600},
        "Expires a second from now": {"expires": 1},
        "Created four minutes ago": {"created": -240},
        "Created by a clock that is ahead": {"created": 50},
    },
    source="WSS 1.1 §10",
)
def a_timestamp_with(times: Any) -> Built:
    spelled = {name: None if seconds is None else stamp(seconds) for name, seconds in times.items()}
    return envelope(security(timestamp(**spelled), user().xml()))


@TOKENS.each_accepted(
    {
        "white space around its times": lambda t: t.replace(">2", ">\n\t 2").replace("Z<", "Z \r\n<"),
        "comments": lambda t: t.replace("<wsu:Created>", f"{_COMMENT}<wsu:Created>{_COMMENT}"),
        "an Id on everything": lambda t: t.replace("<wsu:Created", '<wsu:Created wsu:Id="C-1"').replace(
            "<wsu:Expires", '<wsu:Expires wsu:Id="E-1"'
        ),
        "no Id": lambda t: t.replace(' wsu:Id="TS-1"', ""),
        "CDATA": lambda t: t.replace("<wsu:Created>", "<wsu:Created><![CDATA[").replace("Z</wsu:C", "Z]]></wsu:C"),
        "character references": lambda t: t.replace("T", "&#84;").replace("&#84;imestamp", "Timestamp").replace(
            "&#84;S-1", "TS-1"
        ),
        "the default namespace": lambda t: t.replace("<wsu:Timestamp ", f'<Timestamp xmlns="{WSU}" ').replace(
            "<wsu:", "<"
        ).replace("</wsu:", "</"),
    },
)  # fmt: skip
def a_timestamp_that_is_written_with(change: Any) -> Built:
    return envelope(security(change(timestamp()), user().xml()))


# --- UsernameToken ----------------------------------------------------------------------------------------------------

_PARTS: Final = ("Username", "Password", "Nonce", "Created")


@TOKENS.each_accepted(
    {", ".join(order): order for order in list(permutations(_PARTS))[1::4]},
    source="WSS UsernameToken Profile 1.1 §3.1 gives no order",
)
def a_token_in_the_order_of(order: tuple[str, ...]) -> Built:
    inner = user().xml().removeprefix("<wsse:UsernameToken>").removesuffix("</wsse:UsernameToken>")
    texts = dict(zip(_PARTS, (one[0] for one in re.finditer(r"<(\S+?)[ >].*?</\1>", inner)), strict=True))
    return with_token(f"<wsse:UsernameToken>{''.join(texts[name] for name in order)}</wsse:UsernameToken>")


@TOKENS.each_accepted(
    {"8 octets": 8, "20 octets": 20, "32 octets": 32, "64 octets": 64},
)
def a_nonce_of(length: int) -> Built:
    return with_token(user(nonce=os.urandom(length)))


@TOKENS.each_accepted(
    {
        "without EncodingType": lambda octets: nonce(b64(octets), ""),
        "with an Id": lambda octets: nonce(b64(octets), f'wsu:Id="N-1" EncodingType="{BASE64}"'),
        "with white space around": lambda octets: nonce(f"\n {b64(octets)}\t\r\n"),
        "in lines": lambda octets: nonce("\n".join(textwrap.wrap(b64(octets), 8))),
        "in CDATA": lambda octets: nonce(f"<![CDATA[{b64(octets)}]]>"),
        "with a comment": lambda octets: nonce(f"{b64(octets)[:5]}{_COMMENT}{b64(octets)[5:]}"),
        "in character references": lambda octets: nonce("".join(f"&#{ord(letter)};" for letter in b64(octets))),
    },
    source="seen from PHP, Perl and suds",
)
def a_nonce_that_is_written(write: Any) -> Built:
    octets = os.urandom(16)
    return with_token(user(nonce=octets, parts={"Nonce": write(octets)}))


@TOKENS.each_accepted(
    {
        "an Id": lambda t: t.replace("<wsse:UsernameToken", '<wsse:UsernameToken wsu:Id="UT-1"'),
        "comments": lambda t: t.replace("<wsse:Username>", f"<wsse:Username>{_COMMENT}al{_COMMENT}").replace(
            f"{_COMMENT}alice", f"{_COMMENT}ice"
        ),
        "CDATA": lambda t: t.replace(">alice<", "><![CDATA[alice]]><"),
        "character references": lambda t: t.replace(">alice<", ">&#97;l&#x69;ce<"),
        "lines": lambda t: t.replace("><", ">\r\n    <"),
        "prefixes of its own": lambda t: t.replace("wsse:", "o:").replace(
            "<o:UsernameToken", f'<o:UsernameToken xmlns:o="{WSSE}"', 1
        ),
    },
)  # fmt: skip
def a_token_that_is_written_with(change: Any) -> Built:
    return with_token(change(user().xml()))


@TOKENS.accepted()
def the_token_of_another_user() -> Built:
    return with_token(user(username="bob", password="hunter2"))


@TEXTS.each_accepted(
    {
        "a Type": f'<wsse:Password Type="{PROFILE}#PasswordText">secret</wsse:Password>',
        "no Type": "<wsse:Password>secret</wsse:Password>",
        "CDATA": "<wsse:Password><![CDATA[secret]]></wsse:Password>",
        "character references": "<wsse:Password>s&#101;cret</wsse:Password>",
    },
    source="WSS UsernameToken Profile 1.1 §3.1: PasswordText is the default",
)
def a_password_in_the_clear_with(password: str) -> Built:
    return with_token(user(parts={"Password": password}))


@TEXTS.accepted()
def a_digest_where_both_are_taken() -> Built:
    return with_token(user())


EVERY: Final = (*TOKENS, *TEXTS)
