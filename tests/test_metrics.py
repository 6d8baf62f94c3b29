"""What is counted and timed, under exactly these names; and that no sender can make a series."""

import datetime
import re
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from prometheus_client import CollectorRegistry, generate_latest
from werkzeug.test import Client

import wsguard
from tests.encrypting import Encryption, encrypted
from tests.guarding import Clock, Echo, Guarded
from tests.messages import NOW, PAYLOAD, Token, digest, envelope, message, security, stamp, timestamp
from tests.pki import authority, rsa_key
from wsguard.faults import StoreUnavailable
from wsguard.instruments import innermost, size_of, timed
from wsguard.interfaces import AuditRecord, FailureCounter, Observer, ReplayStore
from wsguard.metrics import FAMILIES, PrometheusObserver, metrics_application, serve_metrics
from wsguard.stores.replay_memory import MemoryReplayStore
from wsguard.stores.replay_sqlite import SqliteReplayStore

ROOT = Path(__file__).parents[1]
DAY = timedelta(days=1)
OPEN = {"operations": ["{urn:leads}Submit"], "reason": "open", "owner": "us"}
LEAD = envelope(None, '<l:Submit xmlns:l="urn:leads"/>')
ALICE = {"name": "shop", "username": "alice"}
ORDERS = {"operations": ["{urn:echo}Echo"]}


class Measured(Guarded):
    """A guard with metrics in a registry of its own."""

    def __init__(self, *others: Observer, **policy: Any) -> None:
        self.registry = CollectorRegistry()
        self.scraped_at = Clock()
        self.observer = PrometheusObserver(self.registry, clock=self.scraped_at)
        super().__init__(observers=[self.observer, *others], **policy)

    def value(self, name: str, **labels: str) -> float | None:
        """One sample."""
        return self.registry.get_sample_value(name, labels)

    def samples(self, name: str) -> dict[tuple[str, ...], float]:
        """Every sample of a name: the label values, in the order of their names -> value."""
        return {
            tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name
        }

    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        """Everything that a scrape has a line for."""
        return {
            (sample.name, frozenset(sample.labels.items()))
            for family in self.registry.collect()
            for sample in family.samples
        }


def fresh(number: int) -> bytes:
    """A nonce."""
    return b"%016d" % number


# --- Verdicts ---------------------------------------------------------------------------------------------------------


def test_verdicts_are_counted_by_outcome_check_service_and_client() -> None:
    guarded = Measured(services={"Orders": ORDERS}, client=[ALICE], exempt=[OPEN])
    for number in range(3):
        guarded.post(message(nonce=fresh(number)))
    guarded.post(message(nonce=fresh(0)))
    guarded.post(message(nonce=fresh(9), password="wrong"))
    guarded.post(envelope(None))
    guarded.post(b"<")
    guarded.post(LEAD)
    assert guarded.samples("wsguard_verdicts_total") == {
        # check, client, outcome, service
        ("", "shop", "accepted", "Orders"): 3,
        ("replay.nonce", "shop", "rejected", "Orders"): 1,
        ("username_token.authentication", "", "rejected", "Orders"): 1,
        ("security.missing", "", "rejected", "Orders"): 1,
        ("envelope.malformed", "", "rejected", ""): 1,
        ("exemption", "", "exempt", ""): 1,
    }


def test_a_use_of_an_exemption_is_counted_and_dated() -> None:
    guarded = Measured(services={"Leads": {"operations": OPEN["operations"]}}, exempt=[{"service": "Leads"}])
    guarded.post(LEAD)
    guarded.clock.now = NOW + timedelta(hours=2)
    guarded.post(LEAD)
    assert guarded.samples("wsguard_exemptions_total") == {("Leads",): 2}
    last = guarded.value("wsguard_exemption_last_used_timestamp_seconds", service="Leads")
    assert last == (NOW + timedelta(hours=2)).timestamp()


def test_what_a_client_in_report_mode_was_spared_is_counted() -> None:
    new = {**ALICE, "mode": "report", "report_until": NOW.date()}
    guarded = Measured(client=[new])
    spared = envelope(security(Token().xml()))
    assert guarded.post(spared).status == "200 OK"
    assert guarded.post(spared).check == "replay.nonce"
    assert guarded.samples("wsguard_reported_checks_total") == {("timestamp.missing", "shop"): 1}
    assert guarded.samples("wsguard_verdicts_total") == {
        ("timestamp.missing", "shop", "reported", ""): 1,
        ("replay.nonce", "shop", "rejected", ""): 1,
    }


def test_the_last_use_of_a_client_is_its_last_message_that_got_through() -> None:
    guarded = Measured(client=[ALICE])
    guarded.post(message())
    guarded.clock.now = NOW + timedelta(seconds=9)
    assert guarded.post(message()).check == "replay.nonce"
    assert guarded.samples("wsguard_client_last_used_timestamp_seconds") == {("shop",): NOW.timestamp()}


# --- Times ------------------------------------------------------------------------------------------------------------


def test_every_request_is_timed_in_total_and_every_stage_that_was_finished() -> None:
    guarded = Measured(audit={"url": "memory://", "record": "all"})
    accepted = guarded.post(message()).record
    refused = guarded.post(message()).record
    assert accepted is not None
    assert refused is not None
    assert guarded.samples("wsguard_request_seconds_count") == {("accepted",): 1, ("rejected",): 1}
    total = guarded.value("wsguard_request_seconds_sum", outcome="accepted")
    assert total == pytest.approx(accepted.duration_ms / 1000)
    stages = guarded.samples("wsguard_stage_seconds_count")
    assert stages.items() >= {("read",): 2, ("parse",): 2, ("authenticate",): 2, ("assemble",): 1}.items()
    in_stages = sum(guarded.samples("wsguard_stage_seconds_sum").values())
    assert 0 < in_stages < (accepted.duration_ms + refused.duration_ms) / 1000


def test_the_seconds_of_a_stage_fall_into_their_bucket() -> None:
    guarded = Measured()
    guarded.observer.judged(AuditRecord("01h", NOW, "accepted", duration_ms=3.0), {"parse": 0.00007})
    assert guarded.value("wsguard_stage_seconds_bucket", stage="parse", le="5e-05") == 0
    assert guarded.value("wsguard_stage_seconds_bucket", stage="parse", le="0.0001") == 1
    assert guarded.value("wsguard_request_seconds_bucket", outcome="accepted", le="0.0025") == 0
    assert guarded.value("wsguard_request_seconds_bucket", outcome="accepted", le="0.005") == 1


def test_clock_skew_has_a_sign_and_refused_messages_count() -> None:
    guarded = Measured()
    for number, seconds in enumerate((-3, 0, 40)):
        token = Token(nonce=fresh(number)).xml()
        assert guarded.post(envelope(security(timestamp(stamp(seconds)), token))).status == "200 OK"
    assert guarded.post(envelope(security(timestamp(stamp(-5000))))).check == "timestamp.expired"
    buckets = {
        bound: guarded.value("wsguard_clock_skew_seconds_bucket", le=bound)
        for bound in ("-3600.0", "-5.0", "-2.0", "-1.0", "0.0", "30.0", "60.0", "+Inf")
    }
    assert list(buckets.values()) == [1, 1, 2, 2, 3, 3, 4, 4]


# --- The replay store -------------------------------------------------------------------------------------------------


def test_the_replay_store_is_sized_and_each_of_its_calls_timed() -> None:
    store = MemoryReplayStore()
    guarded = Measured(replay_store=store)
    assert guarded.value("wsguard_replay_keys") == 0
    guarded.post(message())
    assert guarded.value("wsguard_replay_keys") == len(store) == 2, "a nonce and a digest"
    assert guarded.value("wsguard_replay_call_seconds_count", call="remember") == 2
    assert guarded.value("wsguard_replay_failed_calls_total", call="remember") is None


def test_keys_that_a_store_remembers_at_once_are_one_call(tmp_path: Path) -> None:
    store = SqliteReplayStore(tmp_path / "replay.db")
    guarded = Measured(replay_store=store)
    guarded.post(message())
    assert guarded.post(message()).check == "replay.nonce"
    assert guarded.value("wsguard_replay_keys") == store.size() == 2, "a nonce and a digest"
    assert guarded.value("wsguard_replay_call_seconds_count", call="remember") == 2


class Away:
    """A replay store that does not answer."""

    def remember(self, key: bytes, until: datetime.datetime, now: datetime.datetime) -> bool:
        raise StoreUnavailable("away")

    def size(self) -> int:
        raise StoreUnavailable("away")

    def close(self) -> None:
        """Nothing is held."""


def test_a_store_that_is_away_is_counted_and_the_scrape_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    guarded = Measured(replay_store=Away())
    answer = guarded.post(message())
    assert (answer.status, answer.check) == ("503 Service Unavailable", "store.unavailable")
    assert guarded.samples("wsguard_verdicts_total") == {("store.unavailable", "", "error", ""): 1}
    assert guarded.value("wsguard_replay_failed_calls_total", call="remember") == 1
    assert guarded.value("wsguard_replay_call_seconds_count", call="remember") == 1
    assert guarded.samples("wsguard_replay_keys") == {}
    assert "the size of the replay store is not known" in caplog.text


def test_a_store_that_counts_failures_still_does() -> None:
    guarded = Measured(username_token={"max_failures": 2})
    for number in range(2):
        guarded.post(message(nonce=fresh(number), password="wrong"))
    refused = guarded.post(message(nonce=fresh(2)))
    assert refused.check == "username_token.authentication", "the right password, not looked at"
    assert guarded.value("wsguard_replay_call_seconds_count", call="add_failure") == 2


def heard_by(calls: list[tuple[str, bool]]) -> Any:
    def heard(call: str, seconds: float, answered: bool) -> None:
        assert 0 <= seconds < 60
        calls.append((call, answered))

    return heard


def test_a_timed_store_can_do_what_the_store_inside_can_and_no_more() -> None:
    calls: list[tuple[str, bool]] = []
    memory, away = timed(MemoryReplayStore(), heard_by(calls)), timed(Away(), heard_by(calls))
    assert isinstance(memory, ReplayStore)
    assert isinstance(memory, FailureCounter)
    assert not isinstance(away, FailureCounter)
    assert memory.remember(b"k", NOW + DAY, NOW)
    assert not memory.remember(b"k", NOW + DAY, NOW)
    memory.add_failure(b"k", NOW + DAY, NOW)
    assert memory.failures(b"k", NOW) == 1
    with pytest.raises(StoreUnavailable):
        away.remember(b"k", NOW, NOW)
    assert calls == [
        ("remember", True), ("remember", True), ("add_failure", True), ("failures", True), ("remember", False),
    ]  # fmt: skip


def test_a_store_says_its_size_through_any_number_of_stop_watches() -> None:
    store = MemoryReplayStore()
    watched = timed(timed(store, heard_by([])), heard_by([]))
    assert innermost(watched) is store
    watched.remember(b"k", NOW + DAY, NOW)
    assert size_of(watched) == 1
    watched.close()
    assert size_of(store) == 0

    class Plain:
        def remember(self, key: bytes, until: datetime.datetime, now: datetime.datetime) -> bool:
            return True

        def close(self) -> None:
            """Nothing is held."""

    assert size_of(Plain()) is None


def test_guards_that_share_an_observer_and_a_store_count_its_keys_once() -> None:
    registry, store = CollectorRegistry(), MemoryReplayStore()
    observer = PrometheusObserver(registry)
    one, other = (Guarded(replay_store=store, observers=[observer]) for _ in range(2))
    one.post(message())
    assert other.post(message()).check == "replay.nonce"
    assert registry.get_sample_value("wsguard_replay_keys") == 2
    one.guard.close()
    assert registry.get_sample_value("wsguard_replay_keys") == 2
    other.guard.close()
    assert registry.get_sample_value("wsguard_replay_keys") is None


# --- Certificates and lists -------------------------------------------------------------------------------------------


class Issuer:
    """Makes certificates and lists that end when a test says."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "root")])

    def certificate(self, end: datetime.datetime) -> bytes:
        """A certificate, in PEM."""
        builder = x509.CertificateBuilder(
            issuer_name=self.name,
            subject_name=self.name,
            public_key=self.key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=NOW - 900 * DAY,
            not_valid_after=end,
        ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def key_file(self, end: datetime.datetime) -> bytes:
        """Private key and certificate, in PEM."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate(end)

    def crl(self, end: datetime.datetime) -> bytes:
        """A revocation list, in PEM."""
        builder = x509.CertificateRevocationListBuilder(self.name, NOW - 900 * DAY, end)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


CONFIG = """
[replay]
url = "memory://"
[audit]
url = "memory://"
[users]
url = "memory://"
[keys]
sign = { file = "server.pem" }
[trust]
ca_files = ["ca.pem"]
pinned_certificates = ["pinned.pem"]
crl_files = ["root.crl"]
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    issuer = Issuer()
    (tmp_path / "wsguard.toml").write_text(CONFIG)
    (tmp_path / "server.pem").write_bytes(issuer.key_file(NOW + 30 * DAY))
    (tmp_path / "ca.pem").write_bytes(issuer.certificate(NOW + 400 * DAY) + issuer.certificate(NOW + 20 * DAY))
    (tmp_path / "pinned.pem").write_bytes(issuer.certificate(NOW - 2 * DAY))
    (tmp_path / "root.crl").write_bytes(issuer.crl(NOW + DAY / 2))
    return tmp_path


def days(registry: CollectorRegistry, name: str) -> Mapping[str, float]:
    """File name -> days."""
    return {
        Path(sample.labels["file"]).name: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_days_to_expiry_of_every_configured_file_are_counted_at_the_scrape(directory: Path) -> None:
    registry, clock = CollectorRegistry(), Clock()
    guard = wsguard.guard(Echo(), directory / "wsguard.toml", observers=[PrometheusObserver(registry, clock=clock)])
    assert days(registry, "wsguard_certificate_days") == {"server.pem": 30, "ca.pem": 20, "pinned.pem": -2}
    assert days(registry, "wsguard_crl_days") == {"root.crl": 0.5}
    clock.now = NOW + DAY
    assert days(registry, "wsguard_certificate_days") == {"server.pem": 29, "ca.pem": 19, "pinned.pem": -3}
    assert days(registry, "wsguard_crl_days") == {"root.crl": -0.5}
    guard.close()
    assert days(registry, "wsguard_certificate_days") == {}


def test_a_reload_reads_them_again_and_a_broken_one_does_not(directory: Path) -> None:
    registry = CollectorRegistry()
    guard = wsguard.guard(Echo(), directory / "wsguard.toml", observers=[PrometheusObserver(registry, clock=Clock())])
    (directory / "server.pem").write_bytes(Issuer().key_file(NOW + 365 * DAY))
    text = CONFIG.replace('"pinned.pem"', "")
    (directory / "wsguard.toml").write_text(text + "[services.New]\noperations = ['{urn:new}New']\n")
    guard.reload()
    assert days(registry, "wsguard_certificate_days") == {"server.pem": 365, "ca.pem": 20}

    (directory / "server.pem").write_text("broken")
    with pytest.raises(wsguard.ConfigError):
        guard.reload()
    assert days(registry, "wsguard_certificate_days") == {"server.pem": 365, "ca.pem": 20}
    guard.close()


def test_a_service_that_comes_with_a_reload_is_known(directory: Path) -> None:
    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    guard = wsguard.guard(Echo(), directory / "wsguard.toml", observers=[observer])
    (directory / "wsguard.toml").write_text(CONFIG + "[services.New]\noperations = ['{urn:new}New']\n")
    guard.reload()
    observer.judged(AuditRecord("01h", NOW, "accepted", service="New"), {})
    labels = {"outcome": "accepted", "check": "", "service": "New", "client": ""}
    assert registry.get_sample_value("wsguard_verdicts_total", labels) == 1
    guard.close()


# --- No sender makes a series -----------------------------------------------------------------------------------------


def test_a_thousand_hostile_names_make_no_new_series() -> None:
    guarded = Measured(services={"Orders": ORDERS}, client=[ALICE])

    def attack(number: int) -> Iterator[bytes]:
        body = f'<x:Op{number} xmlns:x="urn:x{number}"/>'
        yield message(body=body, nonce=fresh(number))
        yield message(body=body, nonce=fresh(number), username=f"mallory{number}")
        yield envelope(f'<h:Header{number} xmlns:h="urn:h"/>', body)

    def send(number: int) -> None:
        for octets in attack(number):
            guarded.post(octets, PATH_INFO=f"/soap{number}", HTTP_SOAPACTION=f'"urn:{number}"')

    send(0)
    before = guarded.series()
    for number in range(1, 1001):
        send(number)
    assert guarded.series() == before
    assert sum(guarded.samples("wsguard_verdicts_total").values()) == 3003


def test_a_name_that_nobody_configured_is_no_label_wherever_it_comes_from() -> None:
    guarded = Measured(services={"Orders": ORDERS}, client=[ALICE])
    explanation = [{"check": "<script>", "outcome": "reported", "expected": "", "seen": "", "setting": ""}]
    guarded.observer.judged(
        AuditRecord("01h", NOW, "reported", check="<script>", service="x", client="y", explanation=explanation), {}
    )
    assert guarded.samples("wsguard_verdicts_total") == {("", "", "reported", ""): 1}
    assert guarded.samples("wsguard_reported_checks_total") == {("", ""): 1}


def test_no_secret_and_no_sender_is_in_a_scrape() -> None:
    guarded = Measured(services={"Orders": ORDERS})
    guarded.post(message(nonce=b"a nonce of 16 by", username="mallory"), REMOTE_ADDR="203.0.113.9", PATH_INFO="/pwned")
    text = generate_latest(guarded.registry).decode()
    sent = ("mallory", "secret", digest(b"a nonce of 16 by", stamp(), "secret"), "203.0.113.9", "pwned", PAYLOAD)
    assert [word for word in sent if word in text] == []


# --- Watching changes nothing -----------------------------------------------------------------------------------------


class Raising:
    """An observer, and an instrument, whose every part fails."""

    def attach(
        self, guard: object, policy: wsguard.Policy, services: frozenset[str], replay: ReplayStore
    ) -> ReplayStore:
        return timed(replay, self._raise)

    def detach(self, guard: object) -> None:
        """Nothing is known."""

    def judged(self, record: AuditRecord, stages: Mapping[str, float]) -> None:
        self._raise()

    def _raise(self, *_: object) -> None:
        raise RuntimeError("broken")


def test_an_observer_that_raises_changes_no_verdict_and_silences_no_other() -> None:
    guarded, alone = Measured(Raising()), Guarded()
    first = Guarded(observers=[Raising(), guarded.observer])
    sent = (message(), message(), message(nonce=fresh(1), password="wrong"), envelope(None), b"<", LEAD)
    verdicts = [(answer.status, answer.check) for answer in map(alone.post, sent)]
    assert len(set(verdicts)) > 4
    assert [(answer.status, answer.check) for answer in map(guarded.post, sent)] == verdicts
    assert [(answer.status, answer.check) for answer in map(first.post, sent)] == verdicts
    assert sum(guarded.samples("wsguard_verdicts_total").values()) == 2 * len(sent)


class Unreadable(Raising):
    """An instrument that cannot be attached."""

    def attach(
        self, guard: object, policy: wsguard.Policy, services: frozenset[str], replay: ReplayStore
    ) -> ReplayStore:
        raise ValueError("nothing to be read")


def test_an_instrument_that_cannot_be_attached_is_said_at_start() -> None:
    with pytest.raises(wsguard.ConfigError, match="observers: nothing to be read"):
        Guarded(observers=[Unreadable()])


# --- Being scraped ----------------------------------------------------------------------------------------------------


def test_the_application_to_mount_answers_with_the_metrics() -> None:
    guarded = Measured()
    guarded.post(message())
    line = 'wsguard_verdicts_total{check="",client="",outcome="accepted",service=""} 1.0'
    answer = Client(validator(metrics_application(guarded.registry))).get("/metrics", buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert line in answer.text.splitlines()


def test_a_port_of_its_own_answers_with_the_metrics_on_this_machine_only() -> None:
    guarded = Measured()
    guarded.post(message())
    server = serve_metrics(0, registry=guarded.registry)
    try:
        assert server.server_address[0] == "127.0.0.1"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{server.server_port}/metrics", timeout=15) as response:
            text = response.read().decode()
        assert "wsguard_replay_keys 2.0" in text.splitlines()
    finally:
        server.shutdown()
        server.server_close()


def test_two_observers_need_two_registries() -> None:
    registry = CollectorRegistry()
    PrometheusObserver(registry)
    with pytest.raises(ValueError, match="wsguard_verdicts"):
        PrometheusObserver(registry)


def test_a_directory_of_several_workers_that_cannot_work_is_said_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "none"))
    with pytest.raises(ValueError, match="PROMETHEUS_MULTIPROC_DIR: there is no directory"):
        PrometheusObserver(CollectorRegistry())
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="set it before Python starts"):
        metrics_application(CollectorRegistry())


# --- The document -----------------------------------------------------------------------------------------------------


def test_the_families_are_all_that_there_is_and_named_as_prometheus_asks() -> None:
    guarded = Measured(client=[ALICE], exempt=[OPEN])
    guarded.post(message())
    assert {(family.name, family.type) for family in guarded.registry.collect()} == {
        (family.name.removesuffix("_total"), family.kind) for family in FAMILIES
    }
    assert all(family.name.endswith("_total") == (family.kind == "counter") for family in FAMILIES)


def test_every_metric_stands_in_the_document_with_its_labels_and_meaning() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `wsguard_.*$", page, re.MULTILINE)
    assert rows == [
        f"| `{family.name}` | {family.kind} | {', '.join(f'`{label}`' for label in family.labels)} | {family.meaning} |"
        for family in FAMILIES
    ]


def test_every_metric_that_the_document_names_exists() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bwsguard_[a-z_]+", page))
    assert named == {family.name for family in FAMILIES}


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_the_last_use_of_a_decryption_key_is_its_last_message_that_got_through(tmp_path: Path) -> None:
    server = authority().leaf("server", key=rsa_key(), usage=None)
    (tmp_path / "old.pem").write_bytes(server.key_pem + server.pem)
    newer = authority().leaf("server", key=rsa_key(1), usage=None)
    (tmp_path / "new.pem").write_bytes(newer.key_pem + newer.pem)
    registry = CollectorRegistry()
    guarded = Guarded(
        observers=[PrometheusObserver(registry)],
        keys={"decrypt": [{"file": tmp_path / "new.pem"}, {"file": tmp_path / "old.pem"}]},
    )
    refused = encrypted(Encryption.for_(newer))
    assert guarded.post(refused).check == "username_token.missing"
    assert guarded.post(encrypted(Encryption.for_(server), Token().xml())).status == "200 OK"
    found = {
        tuple(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "wsguard_key_last_used_timestamp_seconds"
    }
    assert found == {("keys.decrypt[1]",): NOW.timestamp()}
