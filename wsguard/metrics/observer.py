"""The observer that counts and times what a guard does."""

import logging
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wsguard.algorithms import LEGACY_SETTING
from wsguard.checks import CHECKS
from wsguard.instruments import innermost, size_of, timed
from wsguard.interfaces import AuditRecord, Clock, ReplayStore
from wsguard.metrics.expiry import certificate_expiries, crl_expiries
from wsguard.metrics.families import (
    CALLS,
    CERTIFICATE_DAYS,
    CLIENT_USE,
    CRL_DAYS,
    EXEMPTION_USE,
    EXEMPTIONS,
    FAILED_CALLS,
    KEY_USE,
    KEYS,
    LEGACY,
    REPORTED,
    REQUESTS,
    SKEWS,
    STAGES,
    VERDICTS,
    Family,
)
from wsguard.metrics.workers import values_are_shared
from wsguard.policy import Policy

_log: Final = logging.getLogger("wsguard.metrics")

_SECONDS_OF_A_DAY: Final = 86_400
_LATENCY: Final = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
)  # fmt: skip
"""Seconds: the steps of prometheus-client's own buckets, begun two decades lower: a parse takes 30 microseconds."""
_SKEW: Final = (-3600, -300, -60, -30, -10, -5, -2, -1, 0, 1, 2, 5, 10, 30, 60, 300, 3600)
"""Seconds. 300 and 60 are the defaults of ``time_to_live`` and ``future_time_to_live``."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Attached:
    """What is known of one guard."""

    services: frozenset[str]
    clients: frozenset[str]
    keys: frozenset[str]
    """Key paths of our decryption keys."""
    replay: ReplayStore
    certificates: Mapping[str, datetime]
    """File -> when the first certificate in it expires."""
    crls: Mapping[str, datetime]
    """File -> when the first revocation list in it is stale."""


class PrometheusObserver:
    """Counts and times what a guard does. Give it to ``wsguard.guard(..., observers=[...])``.

    Guards that share one are counted together. The same object serves all threads.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, clock: Clock = _now) -> None:
        """
        Args:
            registry: where the metrics are registered; None: prometheus-client's own ``REGISTRY``.
            clock: gives the time, aware, from which days to expiry are counted; for tests.

        Raises:
            ValueError: ``registry`` has these metrics already, or ``PROMETHEUS_MULTIPROC_DIR`` names no directory or
                was set too late.
        """
        values_are_shared()
        registry = REGISTRY if registry is None else registry
        self._clock: Final = clock
        self._attached: Final[dict[object, _Attached]] = {}
        self._services: frozenset[str] = frozenset()
        self._clients: frozenset[str] = frozenset()
        self._keys: frozenset[str] = frozenset()
        self._verdicts: Final = _counter(VERDICTS, registry)
        self._requests: Final = _histogram(REQUESTS, registry, _LATENCY)
        self._stages: Final = _histogram(STAGES, registry, _LATENCY)
        self._skews: Final = _histogram(SKEWS, registry, _SKEW)
        self._exemptions: Final = _counter(EXEMPTIONS, registry)
        self._exemption_use: Final = _latest(EXEMPTION_USE, registry)
        self._reported: Final = _counter(REPORTED, registry)
        self._legacy: Final = _counter(LEGACY, registry)
        self._client_use: Final = _latest(CLIENT_USE, registry)
        self._key_use: Final = _latest(KEY_USE, registry)
        self._calls: Final = _histogram(CALLS, registry, _LATENCY)
        self._failed_calls: Final = _counter(FAILED_CALLS, registry)
        registry.register(_AtScrape(self))

    def attach(self, guard: object, policy: Policy, services: frozenset[str], replay: ReplayStore) -> ReplayStore:
        """Learn the names of ``guard``, read when its certificates and lists expire, and time its replay store.

        Returns:
            ``replay`` with a stop-watch.

        Raises:
            KeyFileError: a key, certificate or list that ``policy`` names cannot be read.
        """
        watched = timed(replay, self._heard)
        self._attached[guard] = _Attached(
            services=services,
            clients=frozenset(client.name for client in policy.client),
            keys=frozenset(f"keys.decrypt[{index}]" for index in range(len(policy.keys.decrypt))),
            replay=watched,
            certificates=certificate_expiries(policy),
            crls=crl_expiries(policy),
        )
        self._learn_names()
        return watched

    def detach(self, guard: object) -> None:
        """Forget ``guard``: nothing of it is scraped any more but what was counted."""
        self._attached.pop(guard, None)
        self._learn_names()

    def judged(self, record: AuditRecord, stages: Mapping[str, float]) -> None:
        """Count one verdict."""
        service = _known(record.service, self._services)
        client = _known(record.client, self._clients)
        self._verdicts.labels(record.outcome, _known(record.check, CHECKS), service, client).inc()
        self._requests.labels(record.outcome).observe(record.duration_ms / 1000)
        for stage, seconds in stages.items():
            self._stages.labels(stage).observe(seconds)
        if record.clock_skew_s is not None:
            self._skews.observe(record.clock_skew_s)
        if record.outcome == "exempt":
            self._exemptions.labels(service).inc()
            self._exemption_use.labels(service).set(record.time.timestamp())
        if record.outcome in ("accepted", "reported"):
            self._count_use(record, client)

    def _count_use(self, record: AuditRecord, client: str) -> None:
        if client:
            self._client_use.labels(client).set(record.time.timestamp())
        for result in record.explanation:
            if result["outcome"] == "reported":
                self._reported.labels(_known(result["check"], CHECKS), client).inc()
            elif result["check"] == "encryption" and result["setting"] in self._keys:
                self._key_use.labels(result["setting"]).set(record.time.timestamp())
            elif result["outcome"] == "noted" and result["setting"].startswith(LEGACY_SETTING):
                self._legacy.labels(_known(result["check"], CHECKS), client).inc()

    @property
    def _guards(self) -> tuple[_Attached, ...]:
        return tuple(self._attached.values())

    def measured(self) -> Iterator[GaugeMetricFamily]:
        """What is measured at the time of a scrape, each family once."""
        stores = {id(store): store for store in (innermost(guard.replay) for guard in self._guards)}
        sizes = [size for store in stores.values() if (size := _size(store)) is not None]
        keys = _gauge(KEYS)
        if sizes:
            keys.add_metric([], sum(sizes))
        yield keys
        yield self._days(CERTIFICATE_DAYS, (guard.certificates for guard in self._guards))
        yield self._days(CRL_DAYS, (guard.crls for guard in self._guards))

    def _days(self, family: Family, expiries: Iterable[Mapping[str, datetime]]) -> GaugeMetricFamily:
        now, gauge = self._clock(), _gauge(family)
        for file, expiry in {file: at for found in expiries for file, at in found.items()}.items():
            gauge.add_metric([file], (expiry - now).total_seconds() / _SECONDS_OF_A_DAY)
        return gauge

    def _learn_names(self) -> None:
        self._services = frozenset().union(*(guard.services for guard in self._guards))
        self._clients = frozenset().union(*(guard.clients for guard in self._guards))
        self._keys = frozenset().union(*(guard.keys for guard in self._guards))

    def _heard(self, call: str, seconds: float, answered: bool) -> None:
        self._calls.labels(call).observe(seconds)
        if not answered:
            self._failed_calls.labels(call).inc()


class _AtScrape(Collector):
    """Asks an observer for what is measured only when somebody wants to know."""

    def __init__(self, observer: PrometheusObserver) -> None:
        self._observer: Final = observer

    def describe(self) -> Iterable[Metric]:
        return [_gauge(family) for family in (KEYS, CERTIFICATE_DAYS, CRL_DAYS)]

    def collect(self) -> Iterable[Metric]:
        return self._observer.measured()


def _known(name: str, names: Container[str]) -> str:
    return name if name in names else ""


def _size(store: ReplayStore) -> int | None:
    try:
        return size_of(store)
    except Exception:  # noqa: BLE001 - a store that is away costs its own sample, not the scrape
        _log.warning("the size of the replay store is not known", exc_info=True)
        return None


def _counter(family: Family, registry: CollectorRegistry) -> Counter:
    return Counter(family.name, family.meaning, family.labels, registry=registry)


def _histogram(family: Family, registry: CollectorRegistry, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(family.name, family.meaning, family.labels, registry=registry, buckets=buckets)


def _latest(family: Family, registry: CollectorRegistry) -> Gauge:
    """A gauge of times: the latest of all processes counts, also of those that are gone."""
    return Gauge(family.name, family.meaning, family.labels, registry=registry, multiprocess_mode="max")


def _gauge(family: Family) -> GaugeMetricFamily:
    return GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
