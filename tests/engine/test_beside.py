"""The second thread: values, errors, and an end when the block fails."""

import threading

import pytest

from engine.beside import beside
from engine.protocol.errors import Cancelled


def test_values_come_back_in_order_from_one_other_thread() -> None:
    def work(number: int) -> tuple[int, str]:
        return number, threading.current_thread().name

    with beside() as start:
        waiting = [start(work, number) for number in range(5)]
    results = [each.result() for each in waiting]
    assert [number for number, _ in results] == list(range(5))
    names = {name for _, name in results}
    assert len(names) == 1 and threading.current_thread().name not in names


def test_an_error_shows_where_the_value_is_wanted() -> None:
    def fail() -> None:
        raise ValueError("no")

    with beside() as start:
        waiting = start(fail)
        with pytest.raises(ValueError, match="no"):
            waiting.result()


def test_cancelling_drops_what_has_not_begun_and_waits_for_what_has() -> None:
    began, go, done = threading.Event(), threading.Event(), []

    def first() -> None:
        began.set()
        go.wait(5.0)
        done.append("first")

    with pytest.raises(Cancelled), beside() as start:
        start(first)
        start(done.append, "second")
        began.wait(5.0)
        threading.Timer(0.05, go.set).start()
        raise Cancelled
    assert done == ["first"]
