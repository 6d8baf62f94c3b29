"""A URL opens the store that it names, or says why not without telling a secret."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guarding import Echo
from tests.redis_server import RunningRedis
from wsguard import guard
from wsguard.interfaces import ReplayStore, UserStore
from wsguard.policy.problems import ConfigError
from wsguard.policy.surroundings import Replay
from wsguard.stores import open_replay, open_users, replay_source
from wsguard.stores.replay_memory import MemoryReplayStore
from wsguard.stores.replay_sqlite import SqliteReplayStore
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.stores.users_sql import SqlUserStore
from wsguard.stores.users_toml import TomlUserStore

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
    (open_replay, "postgresql://u:hunter2@db/x", "no store is written postgresql: this way"),
    (open_replay, "postgresql+asyncpg://u:hunter2@db/x", "no store is written postgresql+asyncpg: this way"),
    (open_replay, "postgresql+psycopg://u:hunter2@db:x/y", "a URL with a port that is no number"),
    (open_replay, "redis:hunter2", "a Redis URL in which"),
    (open_replay, "redis+http://hunter2", "a Redis URL in which"),
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
    (open_users, "postgresql+psycopg://u:x@hunter2@db/y", "a URL in which @ or / of"),
    (open_users, "postgresql+psycopg://u:x?y@hunter2@db/y", "a URL in which @ or / of"),
    (open_users, "postgresql+psycopg://u@hunter2@db/y", "a URL in which @ or / of"),
    (open_users, "postgresql+psycopg://u/x:hunter2@db/y", "a URL in which @ or / of"),
    (open_users, "postgresql+psycopg://u%40x:hunter2%40/:?@db/y?options=@", "a master key is needed"),
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

    @pytest.mark.parametrize(("opener", "url", "message"), NONSENSE)
    def test_nonsense_is_refused_without_quoting_it(self, opener: object, url: str, message: str) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            opener(url)  # type: ignore[operator]
        assert str(caught.value).startswith(message)
        assert "hunter2" not in str(caught.value)

    def test_a_server_is_opened_by_its_url(self, redis_server: RunningRedis, postgres_url: str) -> None:
        for url, kind in ((redis_server.url, "RedisReplayStore"), (postgres_url, "PostgresReplayStore")):
            store = open_replay(url, Replay(deadline=2))
            assert type(store).__name__ == kind
            store.close()

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"url": "redis://127.0.0.1:1"}, "replay.url: redis://127.0.0.1:1: Error 111"),
            (
                {"url": "postgresql+psycopg://127.0.0.1:1/x"},
                "replay.url: postgresql+psycopg://127.0.0.1:1/x: connection",
            ),
            ({"url": "redis://a,b"}, "replay.url: a Redis URL with several hosts"),
            ({"url": "redis://127.0.0.1:1", "ca_file": "ca.pem"}, "replay.ca_file: the URL is one without TLS"),
            ({"url": "redis://joe:hunter2@db"}, "replay.url: a URL with a password in it is a secret"),
            ({"url": "redis+sentinel://a/b?sentinel_password=hunter2"}, "replay.url: a URL with a password in it"),
        ],
        ids=["redis away", "postgresql away", "two hosts", "plain", "password", "password of sentinels"],
    )
    def test_a_guard_names_the_setting_of_a_store_that_it_cannot_use(
        self, settings: dict[str, str], message: str, tmp_path: Path
    ) -> None:
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        config = tmp_path / "wsguard.toml"
        config.write_text("\n".join(['users.url = "memory://"', 'audit.url = "memory://"', "[replay]", *lines]))
        with pytest.raises(ConfigError) as caught:
            guard(Echo(), config)
        (problem,) = caught.value.problems
        assert f"{problem.key}: {problem.reason}".startswith(message)
        assert "hunter2" not in str(caught.value)

    def test_settings_make_another_store_where_they_count(self) -> None:
        settings, others = Replay(), Replay(deadline=9)
        for url, same in (
            ("memory://", True),
            ("sqlite:///x", False),
            ("redis://x", False),
            ("postgresql+psycopg:", False),
        ):
            assert (replay_source(url, settings) == replay_source(url, others)) is same
            assert replay_source(url, settings) == replay_source(url, Replay(keep=7))
            assert replay_source(url, settings) != replay_source(url + "y", settings)

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
            ("redis", "s.open_replay('redis://x')", "Redis needs redis-py: pip install wsguard[redis]"),
            (
                "sqlalchemy",
                "s.open_replay('postgresql+psycopg://x/y')",
                "a database needs SQLAlchemy: pip install wsguard[postgresql]",
            ),
            (
                "psycopg",
                "s.open_replay('postgresql+psycopg://x/y')",
                "postgresql+psycopg needs the package psycopg, which is missing: pip install wsguard[postgresql]",
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
