"""Threads that write together: each is told of its own, none waits for ever, and nobody is forgotten."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from wsguard.audit.group import GroupCommit
from wsguard.faults import StoreUnavailable

PATIENCE = 30.0
"""Seconds that a test waits for what must happen."""
ENDED = "the thread that wrote it was ended"
AWAY = StoreUnavailable("away", setting="audit.url")


class Journal:
    """What was written, batch by batch; the first batch waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = threading.Event()
        self.go = threading.Event()
        self.refuses: Callable[[list[str]], BaseException | None] = lambda contents: None

    def keep(self, contents: Sequence[str]) -> list[None]:
        self.batches.append(list(contents))
        self.begun.set()
        assert self.go.wait(PATIENCE)
        if (error := self.refuses(self.batches[-1])) is not None:
            raise error
        return [None] * len(contents)


class Watched(GroupCommit[str]):
    """Tells when a thread begins to wait."""

    def __init__(self, journal: Journal, **options: Any) -> None:
        self.arrived = threading.Semaphore(0)
        super().__init__(
            journal.keep,
            **{"patience": PATIENCE, "is_outage": lambda error: isinstance(error, StoreUnavailable), **options},
        )

    def _wait(self, pending: Any) -> None:
        self.arrived.release()
        super()._wait(pending)


class Threads:
    """Threads that each add one content, and what came of it."""

    def __init__(self, group: Watched, journal: Journal) -> None:
        self.group, self.journal = group, journal
        self.told: dict[str, object] = {}
        self._running: list[threading.Thread] = []

    def lead(self, content: str) -> None:
        """One that writes, and does not come back until it is let go."""
        self._start(content)
        assert self.journal.begun.wait(PATIENCE)

    def follow(self, *contents: str) -> None:
        """Some that wait, in this order."""
        for content in contents:
            self._start(content)
            assert self.group.arrived.acquire(timeout=PATIENCE)

    def finish(self) -> None:
        """Let go, and wait for all."""
        self.journal.go.set()
        for thread in self._running:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _start(self, content: str) -> None:
        def run() -> None:
            try:
                self.told[content] = self.group.add(content)
            except BaseException as error:  # noqa: BLE001 - it is looked at
                self.told[content] = error

        self._running.append(threading.Thread(target=run, daemon=True))
        self._running[-1].start()

    def seen(self, content: str) -> str:
        """What a refusal says."""
        refusal = self.told[content]
        assert isinstance(refusal, StoreUnavailable)
        assert refusal.setting == "audit.url"
        return refusal.seen


@contextmanager
def threads(**options: Any) -> Iterator[Threads]:
    journal = Journal()
    made = Threads(Watched(journal, **options), journal)
    try:
        yield made
    finally:
        made.finish()


def test_what_came_while_somebody_wrote_is_written_together_by_the_first_of_them() -> None:
    with threads() as some:
        some.lead("a")
        some.follow("b", "c", "d")
    assert some.journal.batches == [["a"], ["b", "c", "d"]]
    assert some.told == {"a": True, "b": True, "c": False, "d": False}


def test_more_than_go_at_once_go_one_after_the_other() -> None:
    with threads(most_at_once=2) as some:
        some.lead("a")
        some.follow("b", "c", "d")
    assert some.journal.batches == [["a"], ["b", "c"], ["d"]]
    assert some.told == {"a": True, "b": True, "c": False, "d": True}


def test_an_outage_refuses_all_of_a_batch_and_nobody_after_it() -> None:
    with threads(most_at_once=2) as some:
        some.journal.refuses = lambda contents: AWAY if "b" in contents else None
        some.lead("a")
        some.follow("b", "c", "d")
    assert [some.seen("b"), some.seen("c")] == ["away", "away"]
    assert len({id(error) for error in (some.told["b"], some.told["c"], AWAY)}) == 3
    assert (some.told["a"], some.told["d"]) == (True, True)
    assert some.journal.batches == [["a"], ["b", "c"], ["d"]]


@pytest.mark.parametrize(("seconds", "tried"), [(15.0, False), (14.9, True)])
def test_an_outage_that_took_long_refuses_those_that_came_meanwhile(seconds: float, tried: bool) -> None:
    times = iter([0.0, seconds, 100.0, 100.0])
    with threads(clock=lambda: next(times)) as some:
        some.journal.refuses = lambda contents: AWAY if "a" in contents else None
        some.lead("a")
        some.follow("b", "c")
    assert some.seen("a") == "away"
    assert some.journal.batches == ([["a"], ["b", "c"]] if tried else [["a"]])
    assert (some.told["b"] is True) == tried
    if not tried:
        assert [some.seen("b"), some.seen("c")] == ["away", "away"]


def test_one_that_cannot_be_kept_keeps_nobody_else() -> None:
    bad = ValueError("bad")
    with threads() as some:
        some.journal.refuses = lambda contents: bad if "bad" in contents else None
        some.lead("a")
        some.follow("b", "bad", "c")
    assert some.told == {"a": True, "b": True, "bad": bad, "c": False}
    assert some.journal.batches == [["a"], ["b", "bad", "c"], ["b"], ["bad"], ["c"]]


def test_an_outage_while_each_is_tried_by_itself_ends_that() -> None:
    def refuse(contents: list[str]) -> BaseException | None:
        return AWAY if contents == ["c"] else ValueError("bad") if "bad" in contents else None

    with threads() as some:
        some.journal.refuses = refuse
        some.lead("a")
        some.follow("bad", "b", "c", "d")
    assert some.journal.batches == [["a"], ["bad", "b", "c", "d"], ["bad"], ["b"], ["c"]]
    assert some.told["b"] is False
    assert [some.seen("c"), some.seen("d")] == ["away", "away"]
    assert isinstance(some.told["bad"], ValueError)


def test_each_may_fail_for_a_reason_of_its_own() -> None:
    def keep(contents: Sequence[str]) -> list[Exception | None]:
        return [StoreUnavailable(content) if content != "good" else None for content in contents]

    group = GroupCommit(keep, patience=PATIENCE, is_outage=lambda error: True)
    assert group.add("good") is True
    with pytest.raises(StoreUnavailable) as caught:
        group.add("bad")
    assert caught.value.seen == "bad"


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_where_the_writing_thread_is_ended_the_others_are_told_and_the_next_one_writes(
    end: type[BaseException],
) -> None:
    with threads(most_at_once=2) as some:
        some.journal.refuses = lambda contents: end() if "b" in contents else None
        some.lead("a")
        some.follow("b", "c", "d")
    assert isinstance(some.told["b"], end)
    assert some.seen("c") == ENDED
    assert some.told["d"] is True


def test_a_thread_that_is_ended_while_it_waits_is_waited_for_by_nobody() -> None:
    class Ending(Watched):
        def _wait(self, pending: Any) -> None:
            if pending.content == "b":
                self.arrived.release()
                raise SystemExit
            super()._wait(pending)

    journal = Journal()
    some = Threads(Ending(journal), journal)
    some.lead("a")
    some.follow("b", "c")
    some.finish()
    assert isinstance(some.told["b"], SystemExit)
    assert some.told["c"] is True
    assert journal.batches == [["a"], ["c"]]


def test_a_thread_that_is_ended_when_it_is_its_turn_leaves_it_to_the_next() -> None:
    class Ending(Watched):
        def _lead(self) -> None:
            if self._leader is not None and self._leader.content == "b":
                raise SystemExit
            super()._lead()

    journal = Journal()
    some = Threads(Ending(journal), journal)
    some.lead("a")
    some.follow("b", "c")
    some.finish()
    assert isinstance(some.told["b"], SystemExit)
    assert some.told["c"] is True
    assert journal.batches == [["a"], ["c"]]


def test_one_more_than_may_wait_is_refused_at_once() -> None:
    with threads(most_waiting=2) as some:
        some.lead("a")
        some.follow("b", "c")
        with pytest.raises(StoreUnavailable) as caught:
            some.group.add("d")
        assert caught.value.seen == "2 records wait for the audit already"
        assert caught.value.setting == "audit.url"
    assert some.journal.batches == [["a"], ["b", "c"]]


def test_whoever_waited_too_long_is_refused_and_never_written() -> None:
    with threads(patience=0.01) as some:
        some.lead("a")
        with pytest.raises(StoreUnavailable) as caught:
            some.group.add("b")
        assert caught.value.seen == "other threads kept the audit busy for 0.01 s"
    assert some.journal.batches == [["a"]]
    assert some.group.add("c") is True


def test_whoever_waited_too_long_for_a_writer_that_has_its_record_is_refused_too() -> None:
    taken, writing = threading.Event(), threading.Event()

    class Gated(Watched):
        def _wait(self, pending: Any) -> None:
            if pending.content == "c":
                self.arrived.release()
                assert taken.wait(PATIENCE)
                self._patience = 0.0  # type: ignore[misc]
            super()._wait(pending)

    journal = Journal()

    def refuse(contents: list[str]) -> None:
        if "c" in contents:
            taken.set()
            assert writing.wait(PATIENCE)

    journal.refuses = refuse
    some = Threads(Gated(journal), journal)
    some.lead("a")
    some.follow("b", "c")
    journal.go.set()
    some._running[-1].join(PATIENCE)
    assert some.seen("c") == "other threads kept the audit busy for 0 s"
    writing.set()
    some.finish()
    assert some.told["b"] is True


def test_what_a_thread_adds_stays_in_its_order_and_is_there_once() -> None:
    written: list[str] = []

    def keep(contents: Sequence[str]) -> list[None]:
        written.extend(contents)
        return [None] * len(contents)

    group = GroupCommit(keep, patience=PATIENCE, is_outage=lambda error: True, most_at_once=3)
    start = threading.Barrier(8)

    def work(name: int) -> None:
        start.wait()
        for number in range(100):
            group.add(f"{name} {number:03}")

    running = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    for name in range(8):
        assert [one for one in written if one.startswith(f"{name} ")] == [f"{name} {n:03}" for n in range(100)]
    assert len(written) == 800


def test_a_forked_child_has_nothing_to_do_with_what_its_parent_waits_for() -> None:
    with threads() as some:
        some.lead("a")
        some.follow("b")
        child = os.fork()
        if not child:
            status = 99
            try:
                some.journal.go.set()
                status = 0 if some.group.add("child") and some.journal.batches[-1] == ["child"] else 98
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert some.journal.batches == [["a"], ["b"]]
