"""Messages as clients send them, built part by part so that a test can bend one part and leave the rest honest."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
XENC = "http://www.w3.org/2001/04/xmlenc#"
DS = "http://www.w3.org/2000/09/xmldsig#"

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
"""The time at which tests judge, unless they say otherwise."""
OPERATION = "{urn:echo}Echo"
PAYLOAD = '<e:Echo xmlns:e="urn:echo"><e:text>hello</e:text></e:Echo>'


_sender_clock = ContextVar("sender_clock", default=NOW)


@contextmanager
def sent_at(now: datetime) -> Iterator[None]:
    """What is made inside is made at this time instead of ``NOW``."""
    token = _sender_clock.set(now)
    try:
        yield
    finally:
        _sender_clock.reset(token)


def sender_time() -> datetime:
    """The sender's time, which is ``NOW`` unless set otherwise."""
    return _sender_clock.get()


def stamp(seconds: float = 0) -> str:
    """The sender's time plus some seconds, as clients spell it."""
    time = sender_time() + timedelta(seconds=seconds)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def digest(nonce: bytes, created: str, password: str) -> str:
    """PasswordDigest, written down again from UsernameToken Profile 1.1 §3.1."""
    return base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()


@dataclass(frozen=True)
class Token:
    """A wsse:UsernameToken; every part can be replaced by text of the test's own."""

    username: str = "alice"
    password: str = "secret"
    nonce: bytes = b"0123456789abcdef"
    created: str = field(default_factory=stamp)
    kind: str = "PasswordDigest"
    parts: dict[str, str] = field(default_factory=dict)
    """Element name -> its whole XML, or empty to leave it out."""
    extra: str = ""

    def xml(self) -> str:
        """The element."""
        secret = digest(self.nonce, self.created, self.password) if self.kind == "PasswordDigest" else self.password
        default = {
            "Username": f"<wsse:Username>{self.username}</wsse:Username>",
            "Password": f'<wsse:Password Type="{PROFILE}#{self.kind}">{secret}</wsse:Password>',
            "Nonce": f'<wsse:Nonce EncodingType="{BASE64}">{base64.b64encode(self.nonce).decode()}</wsse:Nonce>',
            "Created": f"<wsu:Created>{self.created}</wsu:Created>",
        }
        return f"<wsse:UsernameToken>{''.join({**default, **self.parts}.values())}{self.extra}</wsse:UsernameToken>"


def timestamp(created: str | None = "", expires: str | None = "") -> str:
    """A wsu:Timestamp; empty texts are an honest client's, None leaves the element out."""
    created = stamp() if created == "" else created
    expires = stamp(300) if expires == "" else expires
    inner = "" if created is None else f"<wsu:Created>{created}</wsu:Created>"
    inner += "" if expires is None else f"<wsu:Expires>{expires}</wsu:Expires>"
    return f'<wsu:Timestamp wsu:Id="TS-1">{inner}</wsu:Timestamp>'


def security(*children: str, attributes: str = 'S:mustUnderstand="1"') -> str:
    """A wsse:Security header."""
    return f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" {attributes}>{"".join(children)}</wsse:Security>'


def envelope(header: str | None, body: str = PAYLOAD, soap: str = SOAP11) -> bytes:
    """An envelope in UTF-8 without XML declaration."""
    inner = "" if header is None else f"<S:Header>{header}</S:Header>"
    return f'<S:Envelope xmlns:S="{soap}">{inner}<S:Body>{body}</S:Body></S:Envelope>'.encode()


def message(token: Token | None = None, body: str = PAYLOAD, soap: str = SOAP11, **changes: Any) -> bytes:
    """What an honest client sends: Timestamp and UsernameToken, with ``changes`` to the token."""
    token = replace(token or Token(), **changes)
    return envelope(security(timestamp(), token.xml()), body, soap)
