"""Lines of raw XML text: Username, Password, Nonce, Created, and what else is in the token.

A Password ``=alice`` stands for the digest of the Nonce and Created in these lines with the password of alice, or with
the text ``alice`` where nobody is called so; ``!`` stands for a password itself. What is accepted is sent once more as
it is, and once with the Nonce spelled otherwise.

Invariant: accepted only where hashlib gives the digest for the one user, Nonce and Created that lxml finds, while
Created is fresh; and never twice.
"""

import base64
import re
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from xml.sax.saxutils import unescape

from lxml import etree

from fuzz.guarded import NOW, PASSWORD, USERS, Fuzzed, Outcome
from fuzz.messages import CREATED, NONCE, TIMESTAMP, message, password_digest, token
from fuzz.target import Target, demand
from tests.messages import PROFILE, WSSE, WSU
from wsguard.stores.replay_memory import MemoryReplayStore

_FRESH: Final = timedelta(seconds=300)
_AHEAD: Final = timedelta(seconds=60)
_STRICT: Final = re.compile(r"[A-Za-z0-9+/]{2,}={0,2}")


class _Anew:
    """A replay store that is new for each input, and counts no failures."""

    def __init__(self) -> None:
        self.store = MemoryReplayStore()

    def remember(self, key: bytes, until: datetime, now: datetime) -> bool:
        return self.store.remember(key, until, now)

    def close(self) -> None:
        self.store.close()


_replay: Final = _Anew()


@cache
def _guard() -> Fuzzed:
    return Fuzzed(_replay)


def judge(octets: bytes) -> bool:
    """Hold one token against the invariant."""
    lines = [line.decode("utf-8", "replace") for line in octets.split(b"\n", 4)]
    username, password, nonce, created, more = (lines + [""] * 5)[:5]
    if password == "!":  # noqa: S105 - a mark
        password = PASSWORD
    elif password.startswith("="):
        password = password_digest(_lenient(nonce), unescape(created), USERS.get(password[1:], password[1:]))
    if any(word in unescape(username) for word in USERS.values()):
        # Whoever calls himself by a password has told it: names are recorded.
        return False
    sent = token(username, nonce, created, password, more)
    _replay.store = MemoryReplayStore()
    first = _guard().post(message(TIMESTAMP, sent).encode())
    if first.message is None:
        return False
    _demand_authentic(first, sent)
    for again in (sent, token(username, " ".join(nonce), created, password, more)):
        second = _guard().post(message(TIMESTAMP, again).encode())
        demand(second.message is None, "a token is taken once, however its Nonce is spelled")
        demand(second.record and second.record.check == "replay.nonce", "the second is refused as a replay")
    return True


def _lenient(nonce: str) -> bytes:
    """What somebody would decode; nothing where nobody would."""
    try:
        return base64.b64decode(unescape(nonce))
    except ValueError:
        return b""


def _demand_authentic(outcome: Outcome, sent: str) -> None:
    parser = etree.XMLParser(remove_comments=True)
    root = etree.fromstring(f'<r xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{sent}</r>'.encode(), parser)
    fields: dict[str, str] = {}
    demand(len(root) == 1, "one token")
    for child in root[0]:
        name = etree.QName(child).localname
        demand(name not in fields and not len(child), "each field once, and texts only")
        fields[name] = child.text or ""
    demand(set(fields) == {"Username", "Password", "Nonce", "Created"}, "nothing but the four fields")
    username, password, nonce, created = (fields[name] for name in ("Username", "Password", "Nonce", "Created"))
    demand(root[0].find("{*}Password").get("Type") == f"{PROFILE}#PasswordDigest", "a digest")  # type: ignore[union-attr]
    compact = re.sub("[ \t\r\n]", "", nonce)
    demand(_STRICT.fullmatch(compact) and len(compact) % 4 == 0, "the Nonce is base64")
    right = password_digest(base64.b64decode(compact), created, USERS.get(username, ""))
    demand(username in USERS, "the user is one of ours")
    demand(re.sub("[ \t\r\n]", "", password)[:27] == right[:27], "the digest is right")
    instant = datetime.fromisoformat(created)
    demand(instant.tzinfo and NOW - _FRESH <= instant <= NOW + _AHEAD, f"Created is fresh: {created}")
    told = outcome.message
    demand(told and told.username == username and told.principal and told.principal.name == username, "it is told")


def seeds() -> list[bytes]:
    """Right tokens, and each with something wrong."""
    wrapped = "MDEy\tMzQ1Njc4 OWFiY2RlZg=="
    tokens = (
        ("alice", "=alice", NONCE, CREATED, ""),
        ("bob", "=bob", "eA==", "2026-11-21T13:00:59.999+01:00", "<!-- -->"),
        ("alice", "=alice", wrapped, "2026-11-21T11:55:00Z", "<!-- x -->\n"),
        ("al<!-- -->ice", "=alice", "<![CDATA[eA==]]>", CREATED, ""),
        ("alice", "=wrong", NONCE, CREATED, ""),
        ("nobody", "=alice", NONCE, CREATED, ""),
        ("alice", "!", NONCE, CREATED, ""),
        ("alice", "=alice", "", CREATED, ""),
        ("alice", "=alice", NONCE, "", ""),
        ("alice", "=alice", NONCE, "2026-11-21T11:54:59Z", ""),
        ("alice", "=alice", NONCE, CREATED, "<wsse:Nonce>eA==</wsse:Nonce>"),
        ("alice", "=alice", NONCE, CREATED, '</wsse:UsernameToken><wsse:UsernameToken wsu:Id="a">'),
    )
    return ["\n".join(one).encode() for one in tokens]


TARGET: Final = Target(name="username_token", judge=judge, seeds=seeds, dictionary="xml", longest=1024)
