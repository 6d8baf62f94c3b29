"""``wsguard audit stats``: what was recorded, as a picture."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from wsguard.cli.arguments import Config, Json
from wsguard.cli.audit_reading import (
    Check,
    Client,
    OneOutcome,
    Service,
    Since,
    Until,
    Username,
    asked,
    open_audit_reader,
)
from wsguard.cli.chart import print_bars
from wsguard.cli.moments import Utc, shown, zone
from wsguard.cli.screen import print_json, print_table, say
from wsguard.interfaces import AuditRecord

REFUSALS: Final = frozenset({"rejected", "error"})
"""The outcomes that the chart shows."""
BARS: Final = 24

_NAMED: Final = 5
"""Checks with a bar of their own; the others share one."""
_OTHERS: Final = "others"
_NONE: Final = "(none)"


@dataclass(slots=True)
class Picture:
    """How often something happened, within a time."""

    since: datetime
    until: datetime
    outcomes: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    over_time: list[Counter[str]] = field(default_factory=lambda: [Counter() for _ in range(BARS)])
    """Refusals by check in ``BARS`` spans of the same length, oldest first."""

    @property
    def span(self) -> timedelta:
        """The length of each bar's time."""
        return max((self.until - self.since) / BARS, timedelta(microseconds=1))

    def add(self, record: AuditRecord) -> None:
        """Count one record."""
        self.outcomes[record.outcome] += 1
        self.clients[record.client or record.username or record.certificate_subject or _NONE] += 1
        if record.outcome in REFUSALS:
            self.checks[record.check or _NONE] += 1
            place = int((record.time - self.since) / self.span)
            self.over_time[min(max(place, 0), BARS - 1)][record.check or _NONE] += 1


def stats(
    config: Config,
    since: Since = "24h",
    until: Until = "",
    check: Check = "",
    outcome: OneOutcome = None,
    client: Client = "",
    service: Service = "",
    username: Username = "",
    utc: Utc = False,
    as_json: Json = False,
) -> None:
    """Show refusals over time by check, and how often each outcome, check and client was there."""
    which = asked(since, until, check, outcome, client, service, username, utc=utc)
    now = datetime.now(UTC)
    picture = Picture(which.get("since") or now, which.get("until") or now)
    with open_audit_reader(config) as reader:
        for record in reader.scan(**which):
            picture.add(record)
    if as_json:
        print_json(_as_plain(picture))
    else:
        _print(picture, utc)


def _as_plain(picture: Picture) -> dict[str, object]:
    moments = [picture.since + picture.span * place for place in range(BARS)]
    return {
        "since": picture.since.isoformat(),
        "until": picture.until.isoformat(),
        "outcomes": dict(picture.outcomes.most_common()),
        "checks": dict(picture.checks.most_common()),
        "clients": dict(picture.clients.most_common()),
        "refusals": [
            {"since": moment.isoformat(), "checks": dict(counts)}
            for moment, counts in zip(moments, picture.over_time, strict=True)
        ],
    }


def _print(picture: Picture, utc: bool) -> None:
    if not picture.outcomes:
        say("No record fits.")
        return
    if picture.checks:
        _print_chart(picture, utc)
    for title, counts in (("Outcome", picture.outcomes), ("Check", picture.checks), ("Who", picture.clients)):
        rows = [(name, str(count)) for name, count in counts.most_common(20)]
        if rows:
            print_table("", (title, "Records"), rows, lines=False)


def _print_chart(picture: Picture, utc: bool) -> None:
    named = [check for check, _ in picture.checks.most_common(_NAMED)]
    # One more needs no name for the rest: it is the rest.
    named = list(picture.checks) if len(picture.checks) == _NAMED + 1 else named
    bars = []
    for place, counts in enumerate(picture.over_time):
        parts = Counter({check: counts[check] for check in named})
        parts[_OTHERS] = counts.total() - parts.total()
        bars.append((shown(picture.since + picture.span * place, utc=utc), parts))
    print_bars(f"Refusals over time ({zone(utc=utc)})", [*named, _OTHERS], bars)
