"""A deadline is that of a thread, over all that it waits for."""

import threading

from wsguard.databases.deadline import is_over, remaining, within


def test_without_one_there_is_no_end() -> None:
    with within(None):
        assert remaining() is None
        assert not is_over()


def test_what_is_left_is_never_none_at_all() -> None:
    with within(-1):
        assert remaining() == 0.001
        assert is_over()


def test_one_within_another_ends_with_the_first() -> None:
    with within(5):
        with within(60):
            assert 4 < (remaining() or 0) <= 5
        with within(1):
            assert 0 < (remaining() or 0) <= 1
        assert 4 < (remaining() or 0) <= 5
    assert remaining() is None


def test_it_is_not_that_of_another_thread() -> None:
    found: list[float | None] = []
    with within(5):
        thread = threading.Thread(target=lambda: found.append(remaining()))
        thread.start()
        thread.join()
    assert found == [None]
