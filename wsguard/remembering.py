"""How long what was seen must be remembered: until no service could take the message again."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from wsguard.clients import reports
from wsguard.interfaces import TrustedCertificate
from wsguard.policy import Client, Demands, Policy
from wsguard.signature import VerifiedSignature

SKEW_MARGIN: Final = timedelta(seconds=60)
"""Kept beyond the last moment at which a message is taken: what the clocks of two of our machines may differ by."""

_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)

UNDATED: Final = timedelta(days=3650)
"""How long a signature is remembered that nothing dates, if its certificate does not last longer: ten years. A
certificate that is renewed for the same key would let it live on."""


def retention(policy: Policy) -> timedelta:
    """How long a message that is dated is remembered: while some service may take it, and ``replay.keep`` at least.

    A Timestamp without Created binds by Expires alone, which lies at most ``max_lifetime`` ahead.
    """
    sections = [section for demands in policy.every_demand for section in (demands.timestamp, demands.username_token)]
    lifetime = max(section.time_to_live for section in sections)
    ahead = max(section.future_time_to_live for section in sections)
    by_expires = [d.timestamp.max_lifetime for d in policy.every_demand if not d.timestamp.require_created]
    taken = timedelta(seconds=max(lifetime + ahead, *by_expires, 0)) + SKEW_MARGIN
    return max(taken, timedelta(seconds=policy.replay.keep))


def token_until(client: Client | None, demands: Demands, now: datetime) -> datetime:
    """Until when nothing but the replay store stands against a token: ``now``, where something else does.

    It does not against one without Created, where its client is spared the Timestamp.
    """
    token = demands.username_token
    unbound = "PasswordText" in token.password_types and not token.require_created
    return _report_end(client, now) if unbound else now


def signature_until(signature: VerifiedSignature, dated: bool, client: Client | None, now: datetime) -> datetime:
    """Until when nothing but the replay store stands against a signature.

    A Timestamp that it covers ends it, unless its client is spared that. Without one anybody can put a fresh Timestamp
    beside it, for as long as its key is believed.

    Args:
        signature: one that grants something.
        dated: whether it covers a Timestamp that was held against the window.
        client: whose it is.
        now: aware.
    """
    if dated:
        return _report_end(client, now)
    if isinstance(signature.signer, TrustedCertificate):
        return max(_later(signature.signer.certificate.not_valid_after_utc), now + UNDATED)
    return now + UNDATED


def _report_end(client: Client | None, now: datetime) -> datetime:
    if client is None or client.report_until is None or not reports(client, now):
        return now
    return _later(datetime.combine(client.report_until, time.max, UTC))


def _later(end: datetime) -> datetime:
    """``end`` and the margin; the end of time where there is none (RFC 5280 §4.1.2.5: 9999-12-31 is no end)."""
    return end + SKEW_MARGIN if end < _END_OF_TIME - SKEW_MARGIN else _END_OF_TIME
