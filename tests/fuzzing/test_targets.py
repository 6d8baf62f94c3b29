"""Each fuzzing target on its seeds, on what once broke something, and on the same few hundred inputs every time."""

from pathlib import Path

import pytest

from fuzz.corpus import LARGEST, kept, lines_of
from fuzz.mutating import mutations, words
from fuzz.target import HERE
from fuzz.targets import NAMES, target

MUTATIONS = 300
"""Of each target: what fits into a few seconds."""


@pytest.mark.parametrize("name", NAMES)
def test_its_first_seed_is_taken(name: str) -> None:
    chosen = target(name)
    assert chosen.judge(chosen.seeds()[0])


@pytest.mark.parametrize("name", NAMES)
def test_no_seed_breaks_anything_and_some_are_refused(name: str) -> None:
    chosen = target(name)
    assert {chosen.judge(seed) for seed in chosen.seeds()} == {True, False}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_broke_something_does_again(name: str) -> None:
    chosen = target(name)
    for file in chosen.regressions:
        chosen.judge(file.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_no_kept_input_breaks_anything(name: str) -> None:
    chosen, inputs = target(name), kept(name)
    assert len(inputs) > 10
    for octets in inputs:
        chosen.judge(octets)


@pytest.mark.parametrize("octets", [b"", b"\n\\\0\xff\r\x85", b"a\xe2\x80\xa8b", b"\\n"])
def test_a_kept_input_is_read_as_it_was_written(octets: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "it.txt").write_text("\n".join([*lines_of([octets, b"x" * 9]), ""]), "ascii")
    monkeypatch.setattr("fuzz.corpus.HERE", tmp_path)
    assert kept("it") == [octets, b"x" * 9]


def test_what_is_kept_is_small() -> None:
    sizes = [file.stat().st_size for file in sorted((HERE / "corpora").iterdir())]
    assert max(sizes) <= LARGEST
    assert sum(sizes) < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_no_changed_seed_breaks_anything(name: str) -> None:
    chosen = target(name)
    for octets in mutations(chosen, MUTATIONS):
        chosen.judge(octets)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_at_all_breaks_nothing(name: str) -> None:
    assert target(name).judge(b"") in (True, False)


@pytest.mark.parametrize("name", NAMES)
def test_its_dictionary_is_one(name: str) -> None:
    known = words(target(name).dictionary)
    assert len(known) > 20
    assert all(known)


def test_the_same_inputs_are_made_every_time() -> None:
    chosen = target("username_token")
    assert list(mutations(chosen, 50)) == list(mutations(chosen, 50))
    assert list(mutations(chosen, 50)) != list(mutations(chosen, 50, seed=1))


def test_words_are_read_as_libfuzzer_reads_them() -> None:
    assert {b"\xff\xfe", b"<![CDATA[", b' xml:lang=""', b"utf-16\n"} <= set(words("xml"))


def test_a_target_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(KeyError, match="no target 'htpp': there are http, envelope"):
        target("htpp")
