"""The simulation behind docs/capacity.md says the same each time, and what must be true of it is."""

import re
from pathlib import Path

import pytest

from bench.capacity import SETTINGS, Forgotten, measured, simulated, table

PAGE = Path(__file__).parents[2] / "docs" / "capacity.md"


@pytest.fixture(scope="module")
def rows() -> list[Forgotten]:
    return simulated()


def test_the_page_shows_what_the_simulation_says(rows: list[Forgotten]) -> None:
    assert table(rows) in PAGE.read_text("utf-8")


def test_another_seed_says_other_figures(rows: list[Forgotten]) -> None:
    assert table(simulated(failovers=200, seed=1)) == table(simulated(failovers=200, seed=1))
    assert table(simulated(failovers=200, seed=1)) != table(simulated(failovers=200, seed=2))


def test_waiting_for_every_replica_forgets_nothing(rows: list[Forgotten]) -> None:
    waited_for = [row for row in rows if row.setting.waits == row.setting.replicas]
    assert waited_for
    assert {(row.some, row.mean, row.worst) for row in waited_for} == {(0, 0, 0)}


def test_the_more_are_waited_for_the_less_is_forgotten(rows: list[Forgotten]) -> None:
    for first in range(0, len(rows), len(SETTINGS)):
        two = [row for row in rows[first : first + len(SETTINGS)] if row.setting.replicas == 2]
        assert [row.mean for row in two] == sorted((row.mean for row in two), reverse=True)
        assert two[0].some > two[1].some >= two[2].some


def test_a_primary_that_is_cut_off_forgets_all_that_it_took_unless_replicas_are_waited_for(
    rows: list[Forgotten],
) -> None:
    cut_off = [row for row in rows if row.place.cut_off]
    assert all(row.mean > 29_000 for row in cut_off if not row.setting.waits)
    assert all(row.mean < 1 for row in cut_off if row.setting.waits)


def test_bytes_and_keys_are_measured_on_every_store() -> None:
    stores = list(measured(2000))
    assert [store.name for store in stores] == ["sqlite", "redis", "postgresql"]
    for store in stores:
        assert 48 < store.bytes_per_key < 1000, store
        assert re.fullmatch(r"\| \w+ \| \d+ \| \d+ \|", store.row())
