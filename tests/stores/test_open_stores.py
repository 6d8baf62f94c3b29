"""A URL opens the store that it names, or says why not without telling a secret."""

import subprocess
import sys
from pathlib import Path

import pytest

from wsguard.interfaces import ReplayStore, UserStore
from wsguard.stores import open_replay, open_users
from wsguard.stores.replay_memory import MemoryReplayStore
from wsguard.stores.replay_sqlite import SqliteReplayStore
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.stores.users_sql import SqlUserStore
from wsguard.stores.users_toml import TomlUserStore

TO_COME = [
    (open_replay, "redis://:hunter2@cache/0", "no Redis store (redis:) yet; it has memory:// and sqlite:///FILE"),
    (open_replay, "rediss://cache/0", "no Redis store (rediss:) yet; it has memory:// and sqlite:///FILE"),
    (
        open_replay,
        "postgresql+psycopg://u:hunter2@db/x",
        "no PostgreSQL store (postgresql+psycopg:) yet; it has memory:// and sqlite:///FILE",
    ),
]
NONSENSE = [
    (open_replay, "", "not the URL of a store"),
    (open_replay, "hunter2", "not the URL of a store"),
    (open_replay, "/var/lib/replay.db", "not the URL of a store"),
    (open_replay, "sqlite://", "no store is written sqlite: this way"),
    (open_replay, "sqlite:///", "sqlite:/// is followed by a file name"),
    (open_replay, "sqlite:///:memory:", "sqlite:/// is followed by a file name"),
    (open_replay, "sqlite:///x.db?mode=ro", "sqlite:///FILE takes no options"),
    (open_replay, "sqlite:///a\0b", "sqlite:///FILE takes no options"),
    (open_replay, "memory://x", "no store is written memory: this way"),
    (open_replay, "toml:users.toml", "no store is written toml: this way"),
    (open_users, "", "not the URL of a store"),
    (open_users, "toml:", "toml: is followed by a file name"),
    (open_users, "toml:a\0b", "toml: is followed by a file name"),
    (open_users, "users.toml", "not the URL of a store"),
    (open_users, "memory:", "no store is written memory: this way"),
    (open_users, "ldap://hunter2", "SQLAlchemy knows no database ldap"),
    (open_users, "sqlite://", "sqlite:/// is followed by a file name"),
    (open_users, "sqlite:///:memory:", "sqlite:/// is followed by a file name"),
    (open_users, "sqlite:///x.db?mode=ro", "SQLite is written sqlite:///FILE"),
    (open_users, "postgresql+psycopg://u:hunter2@db:x/y", "a URL with a port that is no number"),
    (open_users, "postgresql+asyncpg://u:hunter2@db/y", "postgresql+asyncpg"),
    (open_users, "postgresql+psycopg://u:hunter2@db/y", "a master key is needed"),
]


class TestOpenStores:
    def test_each_url_opens_its_store(self, tmp_path: Path) -> None:
        (tmp_path / "users.toml").write_text('a = "x"\n')
        stores: list[ReplayStore | UserStore] = [
            open_replay("memory://"),
            open_replay(f"sqlite:///{tmp_path}/replay.db"),
            open_users("memory://"),
            open_users(f"toml:{tmp_path}/users.toml"),
            open_users(f"sqlite:///{tmp_path}/users.db", [new_master_key()]),
        ]
        assert [type(store) for store in stores] == [
            MemoryReplayStore,
            SqliteReplayStore,
            MemoryUserStore,
            TomlUserStore,
            SqlUserStore,
        ]
        for store in stores:
            store.close()

    @pytest.mark.parametrize(("opener", "url", "message"), TO_COME)
    def test_a_store_to_come_is_told_from_nonsense(self, opener: object, url: str, message: str) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            opener(url)  # type: ignore[operator]
        assert str(caught.value) == f"this version has {message}"

    @pytest.mark.parametrize(("opener", "url", "message"), NONSENSE)
    def test_nonsense_is_refused_without_quoting_it(self, opener: object, url: str, message: str) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            opener(url)  # type: ignore[operator]
        assert str(caught.value).startswith(message)
        assert "hunter2" not in str(caught.value)

    def test_only_what_is_asked_for_is_imported(self) -> None:
        program = (
            "import sys, wsguard.stores as s; s.open_replay('memory://'); s.open_users('memory://');"
            "print(sorted(name for name in sys.modules if name.startswith('wsguard.stores.') or name == 'sqlite3'))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout == "['wsguard.stores.replay_memory', 'wsguard.stores.users_memory']\n"

    @pytest.mark.parametrize(
        ("missing", "call", "message"),
        [
            (
                "sqlalchemy",
                "s.open_users('sqlite:///x.db', ['k'])",
                "a database needs SQLAlchemy: pip install wsguard[sql]",
            ),
            ("argon2", "s.open_verifier(needed=True)", "it has hashed passwords, which need argon2-cffi: pip install "),
            ("argon2", "print(s.open_verifier(needed=False))", "None"),
        ],
    )
    def test_a_missing_extra_is_named(self, missing: str, call: str, message: str, tmp_path: Path) -> None:
        program = f"""
import sys
sys.modules[{missing!r}] = None
import wsguard.stores as s
try:
    {call}
except ValueError as error:
    print(error)
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.startswith(message)
