"""``wsguard users``: an operator keeps the table, and no password is ever shown."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wsguard.cli.application import application
from wsguard.interfaces import User
from wsguard.stores.argon2_verifier import Argon2Verifier
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_sql import SqlUserStore

ROOT = Path(__file__).parents[1]
KEY, OTHER = new_master_key(), new_master_key()
PASSWORD = "hunter2 & żółw"
VARIABLE = "WSGUARD_MASTER_KEY"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs ``wsguard users …`` in a wide terminal: status, standard output, standard error. None shows a secret."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv(VARIABLE, KEY)
    monkeypatch.delenv("WSGUARD_CONFIG", raising=False)
    said: list[str] = []

    def invoke(*arguments: object, given: str | None = None) -> tuple[int, str, str]:
        result = CliRunner().invoke(application, ["users", *map(str, arguments)], input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        said.append(result.output)
        return result.exit_code, result.stdout, result.stderr

    yield invoke
    assert not any(secret in "".join(said) for secret in ("hunter2", KEY, OTHER))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "wsguard.toml"
    file.write_text('[users]\nurl = "sqlite:///users.db"\n')
    return file


def found(config: Path, name: str, *keys: str) -> User | None:
    with closing(SqlUserStore(f"sqlite:///{config.parent}/users.db", keys or [KEY])) as store:
        return store.find(name)


class TestAdding:
    def test_a_user_is_added_with_the_line_of_standard_input(self, run: Run, config: Path) -> None:
        for number, end in enumerate(("", "\n", "\r\n")):
            done = run("add", config, f"user{number}", given=PASSWORD + end)
            assert done == (0, f"Added user{number}.\n", "")
            assert found(config, f"user{number}") == User(f"user{number}", PASSWORD.encode())

    def test_blanks_belong_to_a_password(self, run: Run, config: Path) -> None:
        run("add", config, "alice", given="  x \n")
        assert found(config, "alice") == User("alice", b"  x ")

    def test_services_and_the_kind_are_said(self, run: Run, config: Path) -> None:
        options = ("--text-only", "--service", "Members", "--service", "Books")
        assert run("add", config, "alice", *options, given=PASSWORD)[0] == 0
        user = found(config, "alice")
        assert user is not None
        assert user.services == {"Members", "Books"}
        assert user.password is None
        assert Argon2Verifier().matches(user.password_hash, PASSWORD.encode())

    def test_a_name_that_is_taken_is_refused(self, run: Run, config: Path) -> None:
        run("add", config, "alice", given=PASSWORD)
        done = run("add", config, "alice", given="other")
        assert done == (1, "", "Nothing was done: there already: 'alice'; nothing was changed\n")

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("", "'alice': the password is empty, or holds half a surrogate pair"),
            ("\n", "'alice': the password is empty, or holds half a surrogate pair"),
            ("hunter2\nhunter2\n", "standard input has more than one line; a password is one"),
        ],
    )
    def test_a_password_is_one_line(self, run: Run, config: Path, given: str, message: str) -> None:
        assert run("add", config, "alice", given=given) == (1, "", f"Nothing was done: {message}\n")
        assert found(config, "alice") is None

    def test_a_password_is_never_an_argument(self, run: Run, config: Path) -> None:
        status, _, error = run("add", config, "alice", "swordfish")
        assert status == 2
        assert "one NAME" in error
        assert run("add", config, "alice", "--password", "swordfish")[0] == 2

    def test_a_terminal_asks_twice_and_shows_nothing(self, config: Path) -> None:
        status, shown = typed("add", config, "alice", lines=[PASSWORD, PASSWORD])
        assert (status, found(config, "alice")) == (0, User("alice", PASSWORD.encode()))
        assert shown.count("Password of alice") == 1
        assert "Repeat" in shown
        assert "hunter2" not in shown

    def test_a_terminal_asks_again_where_the_two_differ(self, config: Path) -> None:
        status, shown = typed("add", config, "alice", lines=["one", "two", PASSWORD, PASSWORD])
        assert (status, found(config, "alice")) == (0, User("alice", PASSWORD.encode()))
        assert "do not match" in shown


def typed(*arguments: object, lines: list[str]) -> tuple[int, str]:
    """Run the command at a terminal where ``lines`` are typed: status and everything shown."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from wsguard.cli import main; main()", "users", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: KEY},
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    shown = b""
    for line in lines:
        # Typed only once it is asked for: getpass throws away what was typed before.
        while not shown.endswith(b": "):
            assert select.select([parent], [], [], 30)[0], shown
            shown += os.read(parent, 1024)
        os.write(parent, f"{line}\n".encode())
        shown += b"\n"
    while chunk := _read(parent):
        shown += chunk
    os.close(parent)
    return process.wait(), shown.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1024)
    except OSError:
        return b""


class TestListing:
    def test_users_are_listed_for_people(self, run: Run, config: Path) -> None:
        run("add", config, "bob", "--service", "Members", given=PASSWORD)
        run("add", config, "alice", "--text-only", given=PASSWORD)
        run("disable", config, "alice")
        status, output, _ = run("list", config)
        assert status == 0
        rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines() if "│" in line]
        assert [row[:4] for row in rows] == [
            ["alice", "text-only", "disabled", "all"],
            ["bob", "digest", "enabled", "Members"],
        ]
        assert [row[5] for row in rows] == ["never"] * 2

    def test_users_are_listed_for_programs(self, run: Run, config: Path) -> None:
        run("add", config, "bob", "--service", "Members", given=PASSWORD)
        with closing(SqlUserStore(f"sqlite:///{config.parent}/users.db", [KEY])) as store:
            store.seen("bob", datetime(2026, 3, 1, 12, tzinfo=UTC))
        status, output, _ = run("list", config, "--json")
        (user,) = json.loads(output)
        created = datetime.fromisoformat(user.pop("created"))
        assert status == 0
        assert created.utcoffset() is not None
        assert user == {
            "name": "bob",
            "kind": "digest",
            "enabled": True,
            "services": ["Members"],
            "last_seen": "2026-03-01 12:00:00+00:00",
        }

    def test_no_users_are_said(self, run: Run, config: Path) -> None:
        assert run("list", config) == (0, "There is no user yet: wsguard users add\n", "")
        assert run("list", config, "--json") == (0, "[]\n", "")

    def test_markup_in_a_name_is_not_obeyed(self, run: Run, config: Path) -> None:
        run("add", config, "[red]eve[/red]", given=PASSWORD)
        assert "[red]eve[/red]" in run("list", config)[1]


class TestChanging:
    def test_a_user_is_disabled_and_enabled(self, run: Run, config: Path) -> None:
        run("add", config, "alice", given=PASSWORD)
        assert run("disable", config, "alice") == (0, "Disabled alice: out within 5 seconds.\n", "")
        assert found(config, "alice") == User("alice", PASSWORD.encode(), enabled=False)
        assert run("enable", config, "alice") == (0, "Enabled alice.\n", "")
        assert found(config, "alice") == User("alice", PASSWORD.encode())

    def test_a_user_is_removed(self, run: Run, config: Path) -> None:
        run("add", config, "alice", given=PASSWORD)
        assert run("remove", config, "alice") == (0, "Removed alice: out within 5 seconds.\n", "")
        assert found(config, "alice") is None

    def test_a_user_gets_another_password(self, run: Run, config: Path) -> None:
        run("add", config, "alice", given="old")
        status, output, _ = run("password", config, "alice", given=PASSWORD)
        assert (status, found(config, "alice")) == (0, User("alice", PASSWORD.encode()))
        assert "refused within 5 seconds" in output

    @pytest.mark.parametrize("verb", ["disable", "enable", "remove", "password"])
    def test_nobody_is_said(self, run: Run, config: Path, verb: str) -> None:
        done = run(verb, config, "alice", given="x\n")
        assert done == (1, "", "Nothing was done: there is no user 'alice'\n")

    def test_the_configuration_may_stand_in_the_environment(
        self, run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WSGUARD_CONFIG", str(config))
        assert run("add", "alice", given=PASSWORD)[0] == 0
        assert run("disable", "alice")[0] == 0
        assert '"enabled": false' in run("list", "--json")[1]


class TestKeys:
    def test_a_new_key_is_printed_and_works(self, run: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        status, output, _ = run("new-key")
        key = output.strip()
        assert status == 0
        assert output == f"{key}\n"
        monkeypatch.setenv(VARIABLE, key)
        assert run("add", config, "alice", given=PASSWORD)[0] == 0
        assert found(config, "alice", key) is not None

    def test_keys_are_rotated_as_the_page_says(self, run: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        run("add", config, "alice", given=PASSWORD)
        monkeypatch.setenv(VARIABLE, f"{OTHER}, {KEY}")
        done = run("rekey", config)
        assert done == (0, "1 passwords are under the first master key now; the others can be taken away.\n", "")
        monkeypatch.setenv(VARIABLE, OTHER)
        assert run("list", config)[0] == 0
        assert found(config, "alice", OTHER) == User("alice", PASSWORD.encode())
        monkeypatch.setenv(VARIABLE, KEY)
        status, _, error = run("list", config)
        assert status == 2
        assert error.endswith("the master key is not the one that the table of users was made with\n")

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (None, "users.master_key_env: the environment has no variable WSGUARD_MASTER_KEY"),
            ("", "users.master_key_env: the variable WSGUARD_MASTER_KEY is empty"),
            (" , ", "users.master_key_env: a database of users needs a master key in WSGUARD_MASTER_KEY"),
            ("hunter2", "users.url: master key 1 is no key: make one with: wsguard users new-key"),
            (f"{KEY},hunter2", "users.url: master key 2 is no key: make one with: wsguard users new-key"),
        ],
        ids=["no variable", "empty", "no key in it", "a wrong one", "a wrong one behind a right one"],
    )
    def test_a_key_that_is_missing_or_none_is_misuse(
        self, run: Run, config: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, message: str
    ) -> None:
        if value is None:
            monkeypatch.delenv(VARIABLE)
        else:
            monkeypatch.setenv(VARIABLE, value)
        status, output, error = run("list", config)
        assert (status, output) == (2, "")
        assert error == f"{config} is refused, 1 mistake:\n{config}: {message}\n"
        assert not (config.parent / "users.db").exists()


class TestImporting:
    def test_the_users_of_a_file_come_along(self, run: Run, config: Path, tmp_path: Path) -> None:
        file = tmp_path / "users.toml"
        file.write_text(f'alice = "{PASSWORD}"\n["b.ob"]\npassword = "x"\nenabled = false\nservices = ["S"]\n')
        status, output, _ = run("import", config, file)
        assert (status, output.partition(".")[0]) == (0, "Added 2 users")
        assert found(config, "alice") == User("alice", PASSWORD.encode())
        assert found(config, "b.ob") == User("b.ob", b"x", enabled=False, services=frozenset({"S"}))
        assert run("import", config, file)[::2] == (
            1,
            "Nothing was done: there already: 'alice', 'b.ob'; nothing was changed\n",
        )

    def test_a_file_that_cannot_be_read_is_told(self, run: Run, config: Path, tmp_path: Path) -> None:
        (tmp_path / "users.toml").write_text("alice = hunter2\n")
        for name, reason in (("users.toml", "not TOML (at line 1, column 9)"), ("none", "No such file or directory")):
            done = run("import", config, tmp_path / name)
            assert done == (1, "", f"Nothing was done: {tmp_path / name}: {reason}\n")


class TestTables:
    @pytest.mark.parametrize("url", ["toml:users.toml", "memory://"])
    def test_a_table_that_is_no_database_is_edited_by_hand(self, run: Run, tmp_path: Path, url: str) -> None:
        config = tmp_path / "wsguard.toml"
        config.write_text(f'[users]\nurl = "{url}"\n')
        (tmp_path / "users.toml").write_text('alice = "hunter2"\n')
        for arguments in (["list", config], ["add", config, "bob"], ["disable", config, "alice"], ["rekey", config]):
            status, output, error = run(*arguments, given="x\n")
            assert (status, output) == (2, "")
            assert f"users.url: a {url.partition(':')[0]}: table is edited by hand" in error

    def test_the_url_may_be_a_secret(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        config = tmp_path / "wsguard.toml"
        config.write_text('[users]\nurl_env = "USERS_URL"\n')
        monkeypatch.setenv("USERS_URL", f"sqlite:///{tmp_path}/users.db")
        assert run("add", config, "alice", given=PASSWORD)[0] == 0
        assert found(config, "alice") is not None

    def test_a_database_on_a_server_is_kept_the_same_way(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
    ) -> None:
        config = tmp_path / "wsguard.toml"
        config.write_text('[users]\nurl_env = "USERS_URL"\n')
        monkeypatch.setenv("USERS_URL", postgres_url)
        assert run("add", config, "alice", given=PASSWORD)[0] == 0
        assert [user["name"] for user in json.loads(run("list", config, "--json")[1])] == ["alice"]

    def test_a_configuration_that_is_wrong_is_misuse(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "wsguard.toml").write_text("nonsense = 1\n")
        status, _, error = run("list", tmp_path / "wsguard.toml")
        assert status == 2
        assert "nonsense: unknown key" in error

    def test_a_database_that_cannot_be_opened_is_misuse(self, run: Run, tmp_path: Path) -> None:
        config = tmp_path / "wsguard.toml"
        config.write_text('[users]\nurl = "sqlite:///missing/users.db"\n')
        status, _, error = run("list", config)
        assert status == 2
        assert "users.url: " in error
        assert "No such file or directory" in error


class TestOtherCommands:
    def test_check_makes_no_table_and_wants_the_key(
        self, run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def check() -> tuple[int, str]:
            done = CliRunner().invoke(application, ["check", str(config)])
            return done.exit_code, done.output

        assert check()[0] == 0
        assert not (config.parent / "users.db").exists()
        monkeypatch.delenv(VARIABLE)
        status, output = check()
        assert status == 2
        assert "users.master_key_env: the environment has no variable WSGUARD_MASTER_KEY" in output
        monkeypatch.setenv(VARIABLE, KEY)
        run("list", config)
        monkeypatch.setenv(VARIABLE, OTHER)
        status, output = check()
        assert status == 2
        assert "users.url: " in output
        assert "the master key is not the one" in output

    def test_the_doctor_opens_the_table(self, run: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        run("list", config)
        for key, state in ((KEY, "fine"), (OTHER, "failed")):
            monkeypatch.setenv(VARIABLE, key)
            done = CliRunner().invoke(application, ["doctor", str(config), "--json"])
            items = {item["name"]: item["state"] for item in json.loads(done.stdout)["items"]}
            assert items["users.url"] == state
