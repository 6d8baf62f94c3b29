"""Who says who they are, and when."""

from collections.abc import Iterator
from typing import Final

from wsguard.lint.finding import Finding, Look, Looker, Rule

LONG_WINDOW: Final = 3600
"""Seconds. WSS 1.1 §10 leaves the window to policy; clocks that are synchronised need minutes."""

SHORT_WINDOW: Final = 30
"""Seconds. A message that waits in one queue, or is sent a second time by a proxy, is older."""

MANY_GUESSES: Final = 100
"""Wrong passwords a minute. NIST SP 800-63B §5.2.2 allows 100 in a row for one account altogether."""

_UNAUTHENTICATED: Final = Rule(
    name="lint.unauthenticated",
    risk="high",
    finds="neither a user nor a signature is demanded",
    cure="require one of them, and exempt by name what must stay open",
)
_PASSWORD_TRAVELS: Final = Rule(
    name="lint.password_travels",
    risk="medium",
    finds="PasswordText is taken, and the UsernameToken need not be encrypted",
    cure="allow PasswordDigest only, demand the UsernameToken encrypted, or make sure that every hop has TLS",
)
_PASSWORD_REPLAYED: Final = Rule(
    name="lint.password_replayed",
    risk="medium",
    finds="PasswordText is taken without Nonce or without Created",
    cure="require both, or allow PasswordDigest only",
)
_TIMESTAMP_OPTIONAL: Final = Rule(
    name="lint.timestamp_optional",
    risk="medium",
    finds="the Timestamp may be left out",
    cure='set timestamp.use = "required"',
)
_TIMESTAMP_UNDATED: Final = Rule(
    name="lint.timestamp_undated",
    risk="medium",
    finds="the Timestamp need not say when the message was made",
    cure="set timestamp.require_created = true",
)
_WINDOW_LONG: Final = Rule(
    name="lint.window_long",
    risk="low",
    finds=f"a message is taken for more than {LONG_WINDOW} seconds",
    cure="synchronise clocks and shorten it; 300 seconds are usual",
)
_WINDOW_SHORT: Final = Rule(
    name="lint.window_short",
    risk="low",
    finds=f"a message is taken for less than {SHORT_WINDOW} seconds, or no clock may be ahead of ours",
    cure="lengthen it; 300 seconds, and 60 ahead, are usual",
)
_GUESSING_CHEAP: Final = Rule(
    name="lint.guessing_cheap",
    risk="medium",
    finds=f"more than {MANY_GUESSES} wrong passwords a minute are looked at for one user from one address",
    cure="lower username_token.max_failures; 10 in 60 seconds are the default",
)

TOKEN_CATALOGUE: Final = (
    _UNAUTHENTICATED, _PASSWORD_TRAVELS, _PASSWORD_REPLAYED, _TIMESTAMP_OPTIONAL, _TIMESTAMP_UNDATED, _WINDOW_LONG,
    _WINDOW_SHORT, _GUESSING_CHEAP,
)  # fmt: skip


def _nobody_is_authenticated(look: Look) -> Iterator[Finding]:
    if look.demands.unsafe_unauthenticated:
        yield _UNAUTHENTICATED.at(
            "unsafe_unauthenticated", "a message needs neither a UsernameToken nor a Signature: anybody may call"
        )


def _password_travels(look: Look) -> Iterator[Finding]:
    token, encryption = look.demands.username_token, look.demands.encryption
    if token.use == "forbidden" or "PasswordText" not in token.password_types:
        return
    if encryption.use != "required" or "UsernameToken" not in encryption.required_parts:
        yield _PASSWORD_TRAVELS.at(
            "username_token.password_types",
            "PasswordText is allowed: the password itself is in the message, for whoever reads it on the way",
        )
    if not (token.require_nonce and token.require_created):
        yield _PASSWORD_REPLAYED.at(
            "username_token.require_nonce" if not token.require_nonce else "username_token.require_created",
            "a PasswordText without Nonce or Created can be sent again and is not recognised",
        )


def _timestamp_says_little(look: Look) -> Iterator[Finding]:
    timestamp = look.demands.timestamp
    if timestamp.use != "required":
        yield _TIMESTAMP_OPTIONAL.at(
            "timestamp.use", f"the Timestamp is {timestamp.use}: a message need not say when it was made"
        )
    if timestamp.use != "forbidden" and not timestamp.require_created:
        bound = "Expires alone bounds its age" if timestamp.require_expires else "an old one passes for a new one"
        yield _TIMESTAMP_UNDATED.at("timestamp.require_created", f"a Timestamp without Created is taken: {bound}")


def _windows_are_unusual(look: Look) -> Iterator[Finding]:
    for name, window in (("timestamp", look.demands.timestamp), ("username_token", look.demands.username_token)):
        if window.use == "forbidden":
            continue
        for key in ("time_to_live", "future_time_to_live"):
            seconds = getattr(window, key)
            if seconds > LONG_WINDOW:
                text = f"a message is taken for {seconds} seconds, and remembered as long"
                yield _WINDOW_LONG.at(f"{name}.{key}", text)
        if window.time_to_live < SHORT_WINDOW:
            text = f"a message that took {window.time_to_live} seconds is refused: a queue or a clock is enough"
            yield _WINDOW_SHORT.at(f"{name}.time_to_live", text)
        if window.future_time_to_live == 0:
            text = "a client whose clock is a second ahead of ours is refused"
            yield _WINDOW_SHORT.at(f"{name}.future_time_to_live", text)
    timestamp = look.demands.timestamp
    if timestamp.use != "forbidden" and timestamp.max_lifetime > LONG_WINDOW:
        text = f"a sender may give a message a life of {timestamp.max_lifetime} seconds"
        yield _WINDOW_LONG.at("timestamp.max_lifetime", text)


def _guessing_is_cheap(look: Look) -> Iterator[Finding]:
    token = look.demands.username_token
    rate = token.max_failures * 60 // token.failure_window
    if token.use != "forbidden" and rate > MANY_GUESSES:
        text = f"{rate} passwords of one user can be tried in a minute, from each address"
        yield _GUESSING_CHEAP.at("username_token.max_failures", text)


TOKEN_RULES: Final[tuple[Looker, ...]] = (
    _nobody_is_authenticated,
    _password_travels,
    _timestamp_says_little,
    _windows_are_unusual,
    _guessing_is_cheap,
)
