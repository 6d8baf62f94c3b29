"""Which algorithms a message may use: what is listed, and what a dated permission lets this client use until a day."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from prometheus_client import CollectorRegistry

from tests.messages import NOW
from tests.signature.signatures import ALICE, BOB, Guarding, guarding
from tests.signing import DIGESTS, Part, Signing, signed
from wsguard.algorithms import Algorithms, Kind
from wsguard.explanation import Explanation
from wsguard.faults import SecurityFault, UnsupportedAlgorithm
from wsguard.metrics import PrometheusObserver
from wsguard.names import (
    CANONICALIZATION_ALGORITHMS,
    DIGEST_ALGORITHMS,
    ENCRYPTION_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    SIGNATURE_ALGORITHMS,
)
from wsguard.policy.demands import AlgorithmDemands

KNOWN: Final[dict[Kind, Any]] = {
    "signature": SIGNATURE_ALGORITHMS,
    "digest": DIGEST_ALGORITHMS,
    "canonicalization": CANONICALIZATION_ALGORITHMS,
    "encryption": ENCRYPTION_ALGORITHMS,
    "key_transport": KEY_TRANSPORT_ALGORITHMS,
}
EVERY: Final = [(kind, name, identifier) for kind, known in KNOWN.items() for name, identifier in known.items()]
TODAY: Final = NOW.date()
TOMORROW: Final = TODAY + timedelta(days=1)
YESTERDAY: Final = TODAY - timedelta(days=1)
SHA1: Final = DIGEST_ALGORITHMS["sha1"]


def demands(*legacy: tuple[str, date, tuple[str, ...]], **listed: Any) -> AlgorithmDemands:
    """The defaults with permissions: algorithm, last day and clients."""
    permissions = [{"algorithm": name, "until": until, "clients": clients} for name, until, clients in legacy]
    return AlgorithmDemands.model_validate({"legacy": permissions, **listed})


def admitting(of: AlgorithmDemands, now: datetime = NOW, *, spared: bool = False) -> Algorithms:
    return Algorithms(of, now, spared=spared)


class Verdict:
    """What became of the algorithms of one message."""

    def __init__(self, algorithms: Algorithms, of: AlgorithmDemands, client: str = "") -> None:
        self.explanation = Explanation()
        self.put_off: list[SecurityFault] = []
        self.permitted = algorithms.judge(of, client, self.explanation, self.put_off.append)

    @property
    def noted(self) -> list[tuple[str, str, str]]:
        """Check, what was seen and the setting of each note."""
        assert {one.outcome for one in self.explanation.results} <= {"noted"}
        return [(one.check, one.seen, one.setting) for one in self.explanation.results]


# --- Admitted before anybody is known ---------------------------------------------------------------------------------


def test_every_kind_has_its_algorithms() -> None:
    assert set(get_args(Kind)) == set(KNOWN)
    assert len({identifier for _, _, identifier in EVERY}) == len({name for _, name, _ in EVERY}) == len(EVERY)


@pytest.mark.parametrize("kind, name, identifier", EVERY, ids=[name for _, name, _ in EVERY])
def test_each_algorithm_is_admitted_where_it_is_listed_and_for_nothing_else(
    kind: Kind, name: str, identifier: str
) -> None:
    listed = demands(**{kind: [name]})
    assert admitting(listed).admit(kind, identifier) == name
    none: dict[str, Any] = {other: [] for other in KNOWN}
    for other in KNOWN:
        with pytest.raises(UnsupportedAlgorithm):
            admitting(demands(**none)).admit(other, identifier)
        if other != kind:
            with pytest.raises(UnsupportedAlgorithm):
                admitting(listed).admit(other, identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param("", id="none"),
        pytest.param("rsa-sha256", id="a short name"),
        pytest.param("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", id="MD5"),
        pytest.param("http://www.w3.org/2000/09/xmldsig#dsa-sha1", id="DSA"),
        pytest.param(SIGNATURE_ALGORITHMS["rsa-sha256"].upper(), id="upper case"),
        pytest.param(f" {SIGNATURE_ALGORITHMS['rsa-sha256']}", id="white space"),
        pytest.param(f"{SIGNATURE_ALGORITHMS['rsa-sha256']}#", id="a fragment more"),
    ],
)
def test_what_is_no_identifier_of_ours_is_refused(identifier: str) -> None:
    with pytest.raises(UnsupportedAlgorithm) as caught:
        admitting(demands()).admit("signature", identifier)
    assert (caught.value.check, caught.value.seen) == ("signature.algorithm", identifier)


@pytest.mark.parametrize(
    "kind, family", [("digest", "signature"), ("encryption", "encryption"), ("key_transport", "encryption")]
)
def test_a_refusal_says_what_is_listed_and_where(kind: Kind, family: str) -> None:
    with pytest.raises(UnsupportedAlgorithm) as caught:
        admitting(demands()).admit(kind, "urn:any")
    fault = caught.value
    expected = ", ".join(getattr(demands(), kind))
    assert (fault.check, fault.expected, fault.seen) == (f"{family}.algorithm", expected, "urn:any")
    assert fault.setting == f"algorithms.{kind}"


# --- Permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("until, admitted", [(YESTERDAY, False), (TODAY, True), (TOMORROW, True)])
@pytest.mark.parametrize("clients", [(), ("old",)], ids=["all", "some"])
def test_a_permission_admits_until_the_end_of_its_day(until: date, admitted: bool, clients: tuple[str, ...]) -> None:
    algorithms = admitting(demands(("sha1", until, clients)))
    if admitted:
        assert algorithms.admit("digest", SHA1) == "sha1"
        return
    with pytest.raises(UnsupportedAlgorithm) as caught:
        algorithms.admit("digest", SHA1)
    assert caught.value.seen == "sha1"


def test_the_day_is_that_of_utc() -> None:
    of = demands(("sha1", TODAY, ()))
    last = datetime(2026, 11, 21, 23, 59, 59, 999_999, UTC)
    for zone in (UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))):
        admitting(of, last.astimezone(zone)).admit("digest", SHA1)
        with pytest.raises(UnsupportedAlgorithm):
            admitting(of, (last + timedelta(microseconds=1)).astimezone(zone)).admit("digest", SHA1)


def test_what_is_listed_needs_no_permission_and_is_not_noted() -> None:
    of = demands(("sha256", TODAY, ("old",)))
    algorithms = admitting(of)
    algorithms.admit("digest", DIGEST_ALGORITHMS["sha256"])
    verdict = Verdict(algorithms, of)
    assert (verdict.permitted, verdict.noted, verdict.put_off) == ((), [], [])


def test_each_use_of_a_permission_is_noted_once() -> None:
    of = demands(("sha1", TODAY, ()), ("rsa-sha1", TODAY, ()), ("tripledes-cbc", TODAY, ()))
    algorithms = admitting(of)
    for _ in range(3):
        algorithms.admit("digest", SHA1)
        algorithms.admit("encryption", ENCRYPTION_ALGORITHMS["tripledes-cbc"])
    verdict = Verdict(algorithms, of)
    assert verdict.permitted == ("sha1", "tripledes-cbc")
    assert verdict.noted == [
        ("signature.algorithm", "sha1, by a dated permission", "algorithms.legacy[0]"),
        ("encryption.algorithm", "tripledes-cbc, by a dated permission", "algorithms.legacy[2]"),
    ]


@pytest.mark.parametrize("client, fits", [("old", True), ("older", True), ("new", False), ("", False)])
def test_a_permission_is_for_its_clients(client: str, fits: bool) -> None:
    of = demands(("sha1", TODAY, ("old", "older")))
    algorithms = admitting(of)
    algorithms.admit("digest", SHA1)
    if fits:
        assert Verdict(algorithms, of, client).permitted == ("sha1",)
        return
    with pytest.raises(UnsupportedAlgorithm) as caught:
        Verdict(algorithms, of, client)
    assert (caught.value.seen, caught.value.setting) == ("sha1", "algorithms.digest")


def test_of_several_permissions_the_one_that_lasts_longest_for_this_client_counts() -> None:
    of = demands(
        ("sha1", YESTERDAY, ()), ("sha1", TOMORROW, ("other",)), ("sha1", TODAY, ("old",)), ("sha1", TODAY, ())
    )
    algorithms = admitting(of)
    algorithms.admit("digest", SHA1)
    assert Verdict(algorithms, of, "old").noted[0][2] == "algorithms.legacy[2]"
    assert Verdict(algorithms, of, "other").noted[0][2] == "algorithms.legacy[1]"
    assert Verdict(algorithms, of).noted[0][2] == "algorithms.legacy[3]"


def test_what_another_clients_permission_let_in_is_put_off_or_refused_once_the_client_is_known() -> None:
    of = demands(("sha1", YESTERDAY, ("old",)), ("sha1", TOMORROW, ("other",)))
    algorithms = admitting(of)
    algorithms.admit("digest", SHA1)
    verdict = Verdict(algorithms, of, "old")
    (fault,) = verdict.put_off
    assert (fault.check, fault.seen) == ("signature.algorithm", f"sha1, permitted until {YESTERDAY}")
    assert fault.setting == "algorithms.legacy[0]"
    assert (verdict.permitted, verdict.noted) == ((), [])


def test_a_permission_that_ended_admits_where_some_client_is_spared_and_is_put_off() -> None:
    of = demands(("sha1", YESTERDAY, ()))
    algorithms = admitting(of, spared=True)
    assert algorithms.admit("digest", SHA1) == "sha1"
    assert [fault.check for fault in Verdict(algorithms, of).put_off] == ["signature.algorithm"]
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.admit("digest", DIGESTS["md5"])


def test_the_demands_of_the_service_are_those_that_count() -> None:
    lenient, strict = demands(digest=["sha1"]), demands()
    algorithms = admitting(lenient)
    algorithms.admit("digest", SHA1)
    assert Verdict(algorithms, lenient).permitted == ()
    with pytest.raises(UnsupportedAlgorithm):
        Verdict(algorithms, strict)
    assert Verdict(algorithms, demands(("sha1", TODAY, ()))).permitted == ("sha1",)


# --- In the metrics and in the records --------------------------------------------------------------------------------

OLD: Final = {"name": "old", "certificate": ALICE}
NEW: Final = {"name": "new", "certificate": BOB}
BY_SHA1: Final = (Part("#body", digest="sha1"), Part("#TS-1", digest="sha1"))


@pytest.fixture
def guarded(tmp_path: Path) -> Guarding:
    """Makes guards that demand signatures."""
    return guarding(tmp_path)


def test_every_use_of_a_permission_is_counted_and_recorded(guarded: Guarding) -> None:
    registry = CollectorRegistry()
    legacy = [{"algorithm": "sha1", "until": TODAY, "clients": ["old"]}]
    guard = guarded(
        client=[OLD, NEW], algorithms={"legacy": legacy}, observers=[PrometheusObserver(registry, clock=lambda: NOW)]
    )

    def counted(client: str) -> float | None:
        labels = {"check": "signature.algorithm", "client": client}
        return registry.get_sample_value("wsguard_legacy_algorithms_total", labels)

    answer = guard.post(signed(Signing.by(ALICE, parts=BY_SHA1)))
    assert (answer.status, answer.record and answer.record.outcome) == ("200 OK", "accepted")
    assert guard.echo.handed[-1][0]["wsguard.message"].legacy == ("sha1",)
    assert counted("old") == 1
    assert guard.refusal(signed(Signing.by(BOB, parts=BY_SHA1))) == "signature.algorithm"
    guard.accepted(signed(Signing.by(BOB)))
    guard.accepted(signed(Signing.by(ALICE)))
    assert (counted("old"), counted("new")) == (1, None)
