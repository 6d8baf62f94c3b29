"""User tables of every kind, each with one real user, and what breaks them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_sql import SqlUserStore
from wsguard.stores.users_toml import TomlUserStore

REAL = "alice"


def users_at(kind: str, directory: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """A ``[users]`` section, and its table with one user."""
    if kind == "toml":
        file = directory / "users.toml"
        file.touch(mode=0o600)
        file.write_text(f'"{REAL}" = "a real secret"\n')
        return {"url": f"toml:{file}"}
    key, url = new_master_key(), f"sqlite:///{directory / 'users.db'}"
    patch.setenv("WSGUARD_MASTER_KEY", key)
    table = SqlUserStore(url, (key,))
    table.add(REAL, "a real secret")
    table.close()
    return {"url": url}


def enabled_by(kind: str, patch: pytest.MonkeyPatch) -> None:
    """Have every table of this kind let disabled users in."""
    store: Any = {"toml": TomlUserStore, "sqlite": SqlUserStore}[kind]
    find = store.find

    def enabled(table: Any, name: str) -> Any:
        user = find(table, name)
        return user and replace(user, enabled=True)

    patch.setattr(store, "find", enabled)
