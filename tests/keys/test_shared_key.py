"""Symmetric keys."""

import base64
from pathlib import Path

import pytest

from tests.keys.making import write
from wsguard.keys import KeyFileError, load_shared_key
from wsguard.policy.surroundings import SharedKey


def test_a_shared_key_is_base64_from_a_variable_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = base64.b64encode(bytes(range(32)))
    monkeypatch.setenv("SHARED_KEY", text.decode())
    assert load_shared_key(SharedKey(name="k", key_env="SHARED_KEY")) == bytes(range(32))
    file = write(tmp_path / "key", text + b"\n")
    assert load_shared_key(SharedKey(name="k", key_file=file)) == bytes(range(32))


def test_a_shared_key_that_cannot_be_used_is_refused_and_never_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARED_KEY", "c2hvcnQ=")
    with pytest.raises(KeyFileError, match="is weak: 5 bytes, at least 16 needed"):
        load_shared_key(SharedKey(name="k", key_env="SHARED_KEY"))
    with pytest.raises(KeyFileError, match="is not base64") as caught:
        load_shared_key(SharedKey(name="k", key_file=write(tmp_path / "key", b"se cret!")))
    assert "cret" not in str(caught.value)
    assert caught.value.__suppress_context__
