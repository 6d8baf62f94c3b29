"""Whichever control is broken on purpose, a proof notices: that one, and no other."""

from pathlib import Path
from typing import Final

import pytest

from tests.proving.breaking import BROKEN, WHOLE
from tests.proving.breaking_in_part import BROKEN_IN_PART
from tests.proving.configurations import HOLD, policy_of
from tests.proving.conftest import Prove
from wsguard.proving import Row
from wsguard.proving.rows import ACCEPTED


def not_holding(rows: tuple[Row, ...]) -> set[str]:
    return {row.control for row in rows if row.verdict == "DOES NOT HOLD"}


EVERY: Final = {**BROKEN, **BROKEN_IN_PART}


@pytest.mark.parametrize("name", list(EVERY))
def test_a_control_that_is_broken_is_noticed(name: str, proven: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EVERY[name]
    broken.by(monkeypatch)
    found = not_holding(proven(HOLD[broken.configuration]))
    if WHOLE in broken.controls:
        assert found > broken.controls - {WHOLE}
        assert len(found) > 20
    else:
        assert found == broken.controls


@pytest.mark.parametrize("name", ["a record that is lost", "faults that name no record"])
def test_every_refusal_is_looked_at_for_its_record(name: str, proven: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    BROKEN[name].by(monkeypatch)
    rows = proven(HOLD["user"])
    refused = {row.control for row in rows if row.demanded != (ACCEPTED,) and "." in row.demanded[0]}
    assert not_holding(rows) == refused


@pytest.mark.parametrize("kind", ["toml", "sqlite"])
def test_a_table_that_lets_disabled_users_in_is_noticed_whatever_its_kind(
    kind: str, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.proving.tables import enabled_by, users_at
    from wsguard.proving import prove

    policy = policy_of({"users": users_at(kind, tmp_path, monkeypatch)}, keys)
    assert not_holding(prove(policy, None)) == set()
    enabled_by(kind, monkeypatch)
    assert not_holding(prove(policy, None)) == {"user.disabled"}
