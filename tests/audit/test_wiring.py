"""A guard records under the key and the retention that its configuration names."""

from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client

import wsguard
from tests.audit.chains import flaws, url_of, verified
from wsguard.audit.sql import SqlAudit
from wsguard.opening import audit_retention
from wsguard.policy import Audit, Policy
from wsguard.policy.problems import ConfigError


def policy(path: Path, **audit: object) -> Policy:
    memory = {"url": "memory://"}
    section = {"url": url_of(path), "key_env": "AUDIT_KEY", "retention_days": 7, **audit}
    return Policy.model_validate({"users": memory, "replay": memory, "audit": section})


def refuse_one(path: Path, **audit: object) -> object:
    guard = wsguard.guard(lambda environ, start_response: [], policy(path, **audit))
    assert Client(guard).put("/").status_code == 405
    sink = guard.audit
    guard.close()
    return sink


@pytest.mark.parametrize("name", ["audit.db", "audit.jsonl"])
def test_records_are_chained_under_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("AUDIT_KEY", "kéy")
    refuse_one(tmp_path / name)
    assert verified(url_of(tmp_path / name), "kéy".encode()).holds
    assert flaws(verified(url_of(tmp_path / name), None)) == {"changed"}


def test_the_retention_is_that_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", "key")
    sink = refuse_one(tmp_path / "audit.db")
    assert isinstance(sink, SqlAudit)
    assert sink._retention == timedelta(days=7)
    assert audit_retention(Audit(retention_days=2**40)) == timedelta(days=100_000)


def test_without_a_key_env_records_are_chained_without_a_key(tmp_path: Path) -> None:
    refuse_one(tmp_path / "audit.db", key_env="")
    assert verified(url_of(tmp_path / "audit.db"), None).holds


@pytest.mark.parametrize("value", [None, ""])
def test_a_key_that_is_not_there_is_a_mistake_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("AUDIT_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("AUDIT_KEY", value)
    with pytest.raises(ConfigError) as caught:
        refuse_one(tmp_path / "audit.db")
    assert [problem.key for problem in caught.value.problems] == ["audit.key_env"]
    assert list(tmp_path.iterdir()) == []
