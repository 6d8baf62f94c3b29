"""Which changes are no mutants: sentences for people, and the case of a codec's name. Everything else is one."""

import ast

import pytest

from mutation.meaning import anonymous, meaning, telling


def function(body: str, name: str = "f") -> ast.FunctionDef:
    [node] = ast.parse(f"def {name}(a, b):\n    {body}").body
    assert isinstance(node, ast.FunctionDef)
    return node


FAULT = function("pass", "_wrong")
FAULT.args.args[0].arg = "expected"
TELLS = telling([FAULT, function("pass", "other")])


def same(one: str, other: str) -> bool:
    return meaning(function(one), TELLS) == meaning(function(other, "g"), TELLS)


@pytest.mark.parametrize(
    "one, other",
    [
        ('raise F("x", expected="one", seen="two")', 'raise F("x", expected=None, seen="TWO")'),
        ('raise F("x", expected="one")', 'raise F("x")'),
        ('raise F("x", seen=str(a.partition(b)))', 'raise F("x", seen=str(a.rpartition(b)))'),
        ('expected = "one"', "expected = None"),
        ('raise _wrong("one", 2)', "raise _wrong(None, 2)"),
        ('return a.encode("utf-8")', 'return a.encode("UTF-8")'),
    ],
)
def test_words_and_the_case_of_a_codec_mean_nothing(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    "one, other",
    [
        ('raise F("x", expected="one")', 'raise F("y", expected="one")'),
        ('raise F("x", setting="one")', 'raise F("x", setting="two")'),
        ('raise F("x", setting="one")', 'raise F("x")'),
        ('raise _wrong("one", 2)', 'raise _wrong("one", 3)'),
        ('raise other("one", 2)', "raise other(None, 2)"),
        ('return a.encode("utf-8")', 'return a.encode("ascii")'),
        ('return a.lower("A")', 'return a.lower("a")'),
        ("return a < b", "return a <= b"),
        ("unexpected = 1", "unexpected = 2"),
        ('a["seen"] = 1', 'a["seen"] = 2'),
    ],
)
def test_everything_else_means_something(one: str, other: str) -> None:
    assert not same(one, other)


def test_a_default_of_words_means_nothing_and_any_other_does() -> None:
    def made(defaults: str) -> str:
        [node] = ast.parse(f"def f({defaults}):\n    pass").body
        assert isinstance(node, ast.FunctionDef)
        return meaning(node, {})

    assert made('a, seen="one", b=2') == made('a, seen="two", b=2')
    assert made('a, seen="one", b=2') != made('a, seen="one", b=3')
    assert made('a="x", seen="one", b=2') != made('a="y", seen="one", b=2')


def test_who_takes_words_by_place_is_known_by_the_names_of_its_arguments() -> None:
    assert {"_wrong": frozenset({0})} == TELLS


def test_a_copy_without_name_leaves_the_original_its_name() -> None:
    named = function("pass", "name")
    assert (anonymous(named).name, named.name) == ("function", "name")
