"""Users in a TOML file: each mistake is told by the name of its user, all at once, and never a password."""

from pathlib import Path

import pytest

from wsguard.interfaces import User
from wsguard.stores.users_toml import read_users

SECRET = "correct horse"


def read(directory: Path, text: str) -> dict[str, User]:
    path = directory / "users.toml"
    path.write_text(text, encoding="utf-8")
    return read_users(path)


def test_a_line_and_a_table_are_users_with_their_defaults(tmp_path: Path) -> None:
    text = f'"alice" = "{SECRET}"\n["bob"]\npassword = "b"\nenabled = false\nservices = ["orders", "claims"]\n'
    assert read(tmp_path, text) == {
        "alice": User("alice", SECRET.encode(), True, frozenset()),
        "bob": User("bob", b"b", False, frozenset({"orders", "claims"})),
    }


def with_services(services: str) -> str:
    return f'["bob"]\npassword = "{SECRET}"\nservices = {services}\n'


@pytest.mark.parametrize("services", ["[1]", '[""]', '["orders", 1]', '["orders", ""]', '"orders"', "1", "[[]]"])
def test_services_are_a_list_of_names_and_nothing_else(tmp_path: Path, services: str) -> None:
    with pytest.raises(ValueError, match=r"users\.toml: 'bob': services is a list of names$"):
        read(tmp_path, with_services(services))


@pytest.mark.parametrize("services", ["[]", '["orders"]', '["orders", "claims"]'])
def test_a_list_of_names_is_taken_also_an_empty_one(tmp_path: Path, services: str) -> None:
    assert "bob" in read(tmp_path, with_services(services))


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ("enabled = true", "'bob': password is missing, empty or not text"),
        ('password = ""', "'bob': password is missing, empty or not text"),
        ("password = 1", "'bob': password is missing, empty or not text"),
        (f'password = "{SECRET}"\nenabled = 1', "'bob': enabled is true or false"),
        (f'password = "{SECRET}"\nenabled = "yes"', "'bob': enabled is true or false"),
        (f'password = "{SECRET}"\nadmin = true', "'bob': unknown key 'admin'"),
    ],
)
def test_a_table_holds_what_a_user_has_and_nothing_else(tmp_path: Path, table: str, mistake: str) -> None:
    with pytest.raises(ValueError, match=f"users.toml: {mistake}") as caught:
        read(tmp_path, f'["bob"]\n{table}\n')
    assert SECRET not in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"users\.toml: ") as caught:
        read(tmp_path, f'"" = "{SECRET}"\n"carl" = 1\n["bob"]\nz = 1\na = 1\n')
    dot = "(a name with a dot is written in quotes)"
    assert str(caught.value).partition("users.toml: ")[2].split("; ") == [
        "a user without a name",
        "'carl': a password in quotes or a table is expected",
        f"'bob': unknown key 'a' {dot}",
        f"'bob': unknown key 'z' {dot}",
        "'bob': password is missing, empty or not text",
    ]
