"""Every metric there is: its name, its labels, and what it means. Data only."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: what ``docs/metrics.md`` says of it, and what a scrape has as its HELP."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


VERDICTS: Final = Family(
    "wsguard_verdicts_total",
    "counter",
    ("outcome", "check", "service", "client"),
    "Verdicts. check is the one that decided, empty where none refused.",
)
REQUESTS: Final = Family(
    "wsguard_request_seconds",
    "histogram",
    ("outcome",),
    "Seconds that the guard took for a request, without the application.",
)
STAGES: Final = Family(
    "wsguard_stage_seconds",
    "histogram",
    ("stage",),
    "Seconds that each finished stage of the guard took.",
)
SKEWS: Final = Family(
    "wsguard_clock_skew_seconds",
    "histogram",
    (),
    "Created of the Timestamp minus our clock, in seconds, refused messages included: negative is the past.",
)
EXEMPTIONS: Final = Family(
    "wsguard_exemptions_total",
    "counter",
    ("service",),
    "Messages let through by an exemption; service is empty for one by operations or paths.",
)
EXEMPTION_USE: Final = Family(
    "wsguard_exemption_last_used_timestamp_seconds",
    "gauge",
    ("service",),
    "When an exemption last let a message through, in seconds since 1970.",
)
REPORTED: Final = Family(
    "wsguard_reported_checks_total",
    "counter",
    ("check", "client"),
    "Refusals that a client in report mode was spared.",
)
LEGACY: Final = Family(
    "wsguard_legacy_algorithms_total",
    "counter",
    ("check", "client"),
    "Messages let through with an algorithm that only a dated permission allows, once for each algorithm.",
)
CLIENT_USE: Final = Family(
    "wsguard_client_last_used_timestamp_seconds",
    "gauge",
    ("client",),
    "When a client last got a message through, in seconds since 1970.",
)
KEY_USE: Final = Family(
    "wsguard_key_last_used_timestamp_seconds",
    "gauge",
    ("key",),
    "When a message that was let through was last opened with a key of keys.decrypt, in seconds since 1970.",
)
CALLS: Final = Family(
    "wsguard_replay_call_seconds",
    "histogram",
    ("call",),
    "Seconds that each call of the replay store took, failed ones included.",
)
FAILED_CALLS: Final = Family(
    "wsguard_replay_failed_calls_total",
    "counter",
    ("call",),
    "Calls that the replay store did not answer; each refused a request.",
)
KEYS: Final = Family(
    "wsguard_replay_keys",
    "gauge",
    (),
    "Keys in the replay store, live or not yet purged; absent where the store cannot say.",
)
CERTIFICATE_DAYS: Final = Family(
    "wsguard_certificate_days",
    "gauge",
    ("file",),
    "Days until the first certificate in a configured file expires; negative once it has.",
)
CRL_DAYS: Final = Family(
    "wsguard_crl_days",
    "gauge",
    ("file",),
    "Days until the first revocation list in a configured file is stale; negative once it is.",
)

FAMILIES: Final = (
    VERDICTS, REQUESTS, STAGES, SKEWS, EXEMPTIONS, EXEMPTION_USE, REPORTED, LEGACY, CLIENT_USE, KEY_USE,
    CALLS, FAILED_CALLS, KEYS, CERTIFICATE_DAYS, CRL_DAYS,
)  # fmt: skip
"""Every metric there is."""
