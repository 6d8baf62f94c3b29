"""Who says who they are, and when."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from wsguard.lint.finding import Finding, RuleOfDemands
from wsguard.policy import Demands

LONG_WINDOW: Final = 3600
"""Seconds. WSS 1.1 §10 leaves the window to policy; clocks that are synchronised need minutes."""


def _nobody_is_authenticated(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.unsafe_unauthenticated:
        yield Finding(
            "high",
            "unsafe_unauthenticated",
            "a message needs neither a UsernameToken nor a Signature: anybody may call",
            "require one of them, and exempt by name what must stay open",
        )


def _password_travels(demands: Demands, _today: date) -> Iterator[Finding]:
    token = demands.username_token
    if token.use == "forbidden" or "PasswordText" not in token.password_types:
        return
    yield Finding(
        "medium",
        "username_token.password_types",
        "PasswordText is allowed: the password itself is in the message",
        "allow PasswordDigest only, or make sure that every hop has TLS",
    )
    if not (token.require_nonce and token.require_created):
        yield Finding(
            "medium",
            "username_token.require_nonce" if not token.require_nonce else "username_token.require_created",
            "a PasswordText without Nonce or Created can be sent again and is not recognised",
            "require both, or allow PasswordDigest only",
        )


def _timestamp_may_be_left_out(demands: Demands, _today: date) -> Iterator[Finding]:
    if demands.timestamp.use != "required":
        yield Finding(
            "medium",
            "timestamp.use",
            f"the Timestamp is {demands.timestamp.use}: a message need not say when it was made",
            'set timestamp.use = "required"',
        )


def _windows_are_long(demands: Demands, _today: date) -> Iterator[Finding]:
    for name, window in (("timestamp", demands.timestamp), ("username_token", demands.username_token)):
        for key in ("time_to_live", "future_time_to_live"):
            seconds = getattr(window, key)
            if seconds > LONG_WINDOW:
                yield Finding(
                    "low",
                    f"{name}.{key}",
                    f"a message is taken for {seconds} seconds, and remembered as long",
                    "synchronise clocks and shorten it; 300 seconds are usual",
                )


TOKEN_RULES: Final[tuple[RuleOfDemands, ...]] = (
    _nobody_is_authenticated,
    _password_travels,
    _timestamp_may_be_left_out,
    _windows_are_long,
)
