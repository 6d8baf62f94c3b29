"""What every user store promises, and what a file of users may say."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsguard.faults import StoreUnavailable
from wsguard.interfaces import User, UserStore
from wsguard.stores import open_users
from wsguard.stores.secrets_at_rest import new_master_key
from wsguard.stores.users_memory import MemoryUserStore
from wsguard.stores.users_sql import SqlUserStore
from wsguard.stores.users_toml import TomlUserStore

KEY = new_master_key()
USERS = {"alice": "secret", 'al<ice>&"é': "se'cret & ü", "żółw": "päss wörd", "a.b": "dot", " ": "blank"}


def quoted(text: str) -> str:
    """``text`` as a TOML basic string."""
    return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


def memory(directory: Path, users: Mapping[str, str]) -> UserStore:
    return MemoryUserStore(users)


def toml(directory: Path, users: Mapping[str, str]) -> UserStore:
    file = directory / "users.toml"
    file.write_text("".join(f"{quoted(name)} = {quoted(word)}\n" for name, word in users.items()), "utf-8")
    return open_users(f"toml:{file}")


def sql(url: str, opened: ExitStack, directory: Path, users: Mapping[str, str]) -> UserStore:
    """The table at ``url`` with these users and no others."""
    store = SqlUserStore(url, [KEY])
    opened.callback(store.close)
    for entry in store.entries():
        store.remove(entry.name)
    store.import_users(User(name, word.encode()) for name, word in users.items())
    return store


Maker = Callable[[Path, Mapping[str, str]], UserStore]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@pytest.fixture(params=["memory", "toml", "sqlite", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Maker]:
    with ExitStack() as opened:
        if request.param == "sqlite":
            yield partial(sql, f"sqlite:///{tmp_path}/users.db", opened)
        elif request.param == "postgres":
            yield partial(sql, request.getfixturevalue("postgres_url"), opened)
        else:
            yield memory if request.param == "memory" else toml


class TestUsersContract:
    def test_it_is_a_user_store(self, make: Maker, tmp_path: Path) -> None:
        assert isinstance(make(tmp_path, USERS), UserStore)

    def test_every_user_is_found_with_the_password_in_utf_8(self, make: Maker, tmp_path: Path) -> None:
        store = make(tmp_path, USERS)
        assert [store.find(name) for name in USERS] == [User(name, word.encode()) for name, word in USERS.items()]

    @pytest.mark.parametrize(
        "name", ["Alice", "alice ", " alice", "alice\0", "", "ali", "z\u0307o\u0301lw", "a", "\ud800", "ａlice"]
    )
    def test_only_exactly_the_name_is_found(self, make: Maker, tmp_path: Path, name: str) -> None:
        assert make(tmp_path, USERS).find(name) is None

    def test_composed_and_decomposed_names_are_two(self, make: Maker, tmp_path: Path) -> None:
        store = make(tmp_path, {"jos\u00e9": "one", "jose\u0301": "two"})
        assert store.find("jos\u00e9") == User("jos\u00e9", b"one")
        assert store.find("jose\u0301") == User("jose\u0301", b"two")

    def test_no_users_are_legal(self, make: Maker, tmp_path: Path) -> None:
        assert make(tmp_path, {}).find("alice") is None

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data(), other=TEXT)
    def test_any_text_can_be_name_and_password(
        self, make: Maker, tmp_path: Path, data: st.DataObject, other: str
    ) -> None:
        """Names in a database have no control characters: there are none in XML either."""
        names = TEXT if make in (memory, toml) else PRINTABLE
        users = data.draw(st.dictionaries(names, TEXT, max_size=5))
        store = make(tmp_path, users)
        expected = {name: User(name, word.encode()) for name, word in users.items()}
        assert {name: store.find(name) for name in users} == expected
        assert store.find(other) == expected.get(other)
        store.close()


class TestMemoryUsers:
    def test_whole_users_are_kept_as_they_are(self) -> None:
        user = User("alice", b"\xff\0", enabled=False, services=frozenset({"Members"}))
        assert MemoryUserStore([user]).find("alice") is user

    def test_passwords_may_be_bytes(self) -> None:
        assert MemoryUserStore({"alice": b"\xff\0"}).find("alice") == User("alice", b"\xff\0")

    def test_a_name_given_twice_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^users given twice: \['alice'\]$"):
            MemoryUserStore([User("alice", b"one"), User("bob", b"x"), User("alice", b"two")])

    def test_half_a_surrogate_pair_is_refused_without_the_password(self) -> None:
        with pytest.raises(ValueError, match=r"^the password of 'alice' holds half a surrogate pair$") as caught:
            MemoryUserStore({"alice": "hunter2\ud800"})
        assert caught.value.__suppress_context__


class TestTomlUsers:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "users.toml"

    def test_a_table_says_more(self, file: Path) -> None:
        file.write_text(
            '"a" = "x"\n["b"]\npassword = "y"\nenabled = false\nservices = ["S", "T"]\n["c"]\npassword="z"\n'
        )
        store = TomlUserStore(file)
        assert [store.find(name) for name in "abc"] == [
            User("a", b"x"),
            User("b", b"y", enabled=False, services=frozenset({"S", "T"})),
            User("c", b"z"),
        ]

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self, file: Path) -> None:
        file.write_bytes(b'\xef\xbb\xbfalice = "x"\n')
        assert TomlUserStore(file).find("alice") == User("alice", b"x")

    def test_every_mistake_is_told_at_once_and_no_password(self, file: Path) -> None:
        file.write_text(
            '"n" = 5\n"e" = ""\n"" = "hunter2"\n"l" = ["hunter2"]\n'
            '[t]\nenabled = "hunter2"\nservices = "hunter2"\n[john]\ndoe = "hunter2"\npassword = "hunter2"\n'
        )
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            TomlUserStore(file)
        assert str(caught.value).removeprefix(f"{file}: ").split("; ") == [
            "'n': a password in quotes or a table is expected",
            "'e': password is missing, empty or not text",
            "a user without a name",
            "'l': a password in quotes or a table is expected",
            "'t': password is missing, empty or not text",
            "'t': enabled is true or false",
            "'t': services is a list of names",
            "'john': unknown key 'doe' (a name with a dot is written in quotes)",
        ]

    @pytest.mark.parametrize(
        ("octets", "message"),
        [
            (b'a = "x"\nb = hunter2\n', "not TOML (at line 2, column 5)"),
            (b'a = "hunter2"\na = "hunter2"\n', "not TOML (at line 2, column 14)"),
            (b'a = "hunter2', "not TOML (at end of document)"),
            (b'a = "hunter2\xff"', "not UTF-8 (at byte 12)"),
            (b"a = " + b"[" * 100_000, "not TOML"),
        ],
        ids=["bare", "twice", "torn", "latin", "deep"],
    )
    def test_a_file_that_is_no_toml_is_told_without_what_is_in_it(
        self, file: Path, octets: bytes, message: str
    ) -> None:
        file.write_bytes(octets)
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            TomlUserStore(file)
        assert str(caught.value) == f"{file}: {message}"
        assert caught.value.__context__ is None

    def test_a_missing_file_is_named(self, file: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            TomlUserStore(file)
        assert caught.value.seen == f"{file}: No such file or directory"
        assert caught.value.setting == "users.url"

    def test_a_directory_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            TomlUserStore(tmp_path)
        assert caught.value.seen == f"{tmp_path}: Is a directory"
