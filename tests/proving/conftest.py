"""A proof at a given time, with RSA keys that are made once."""

import itertools
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.messages import NOW
from tests.pki import rsa_key
from tests.proving.configurations import HOLD, policy_of, write_keys
from wsguard.proving import Row, cast, prove

Prove = Callable[[Mapping[str, Any]], tuple[Row, ...]]
ProveOnce = Callable[[str], tuple[Row, ...]]


@pytest.fixture(autouse=True)
def keys_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one proof each is another one."""
    numbers = itertools.count(100)
    monkeypatch.setattr(cast, "new_key", lambda bits: rsa_key(next(numbers), bits))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with what configurations name."""
    directory = tmp_path_factory.mktemp("keys")
    write_keys(directory)
    return directory


_PROVEN: Final[dict[str, tuple[Row, ...]]] = {}


@pytest.fixture
def proven_once(proven: Prove) -> ProveOnce:
    """Proves a sound configuration by its name, once for all tests that look at it."""

    def rows(name: str) -> tuple[Row, ...]:
        if name not in _PROVEN:
            _PROVEN[name] = proven(HOLD[name])
        return _PROVEN[name]

    return rows


@pytest.fixture
def proven(keys: Path, caplog: pytest.LogCaptureFixture) -> Prove:
    """Proves a configuration at ``NOW``, without a line in the log for each attack."""
    caplog.set_level(logging.CRITICAL, logger="wsguard")
    return lambda settings: prove(policy_of(settings, keys), None, clock=lambda: NOW)
