"""Threads take turns; a fork waits for them, and no child inherits a turn of its parent's."""

import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from wsguard.databases.forks import weakly
from wsguard.databases.turns import FOR_EVER, Turns
from wsguard.faults import StoreUnavailable


@pytest.fixture
def turns() -> Turns:
    return Turns("a.db", 0.05, setting="users.url")


@contextmanager
def taken_elsewhere(turns: Turns) -> Iterator[Callable[[], None]]:
    """Another thread has the turn; what is given ends that."""
    had, over = threading.Event(), threading.Event()

    def have() -> None:
        with turns.taken():
            had.set()
            over.wait()

    thread = threading.Thread(target=have)
    thread.start()
    had.wait()
    try:
        yield over.set
    finally:
        over.set()
        thread.join()


def refused(turns: Turns) -> bool:
    """Whether another thread is refused its turn."""
    told: list[bool] = []

    def ask() -> None:
        try:
            with turns.taken():
                told.append(False)
        except StoreUnavailable:
            told.append(True)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return told == [True]


@pytest.mark.parametrize(("patience", "said"), [(None, "0.05"), (0.01, "0.01")])
def test_who_waits_too_long_is_refused(turns: Turns, patience: float | None, said: str) -> None:
    with taken_elsewhere(turns), pytest.raises(StoreUnavailable) as caught, turns.taken(patience):
        pass
    assert (caught.value.seen, caught.value.setting) == (f"a.db: busy for {said} s", "users.url")
    assert not refused(turns)


def test_who_waits_for_ever_is_not(turns: Turns) -> None:
    with taken_elsewhere(turns) as end:
        threading.Timer(0.2, end).start()
        with turns.taken(FOR_EVER):
            assert refused(turns)


def test_a_thread_may_take_its_own_turn_again(turns: Turns) -> None:
    with turns.taken(), turns.taken():
        assert refused(turns)
    assert not refused(turns)


def test_a_fork_keeps_others_out_until_it_is_over(turns: Turns) -> None:
    assert turns.stop_for_fork() is True
    assert refused(turns)
    turns.go_on_in_parent()
    assert not refused(turns)


def test_a_fork_does_not_wait_for_ever(turns: Turns) -> None:
    with taken_elsewhere(turns):
        assert turns.stop_for_fork() is False
        turns.go_on_in_parent()
        assert refused(turns)
    assert not refused(turns)


def test_in_a_child_nobody_has_the_turn(turns: Turns) -> None:
    with taken_elsewhere(turns):
        turns.stop_for_fork()
        turns.begin_in_child()
        assert not refused(turns)


def test_who_forked_in_a_turn_ends_it_in_the_child_too(turns: Turns) -> None:
    with turns.taken():
        turns.stop_for_fork()
        turns.begin_in_child()
    assert not refused(turns)


class Kept:
    def __init__(self, calls: list[str]) -> None:
        self.calls = calls
        os.register_at_fork(before=weakly(self.call))

    def call(self) -> None:
        self.calls.append("called")


def test_what_is_called_at_a_fork_is_not_kept_alive() -> None:
    calls: list[str] = []
    kept = Kept(calls)
    call, reference = weakly(kept.call), weakref.ref(kept)
    call()
    del kept
    gc.collect()
    call()
    assert (reference(), calls) == (None, ["called"])
