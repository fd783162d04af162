"""Waiting for threads while a cancel is looked at."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from .reduction import Tick

CANCEL_SECONDS = 0.2
"""A wait for a thread is interrupted this often to look at a cancel."""
_AHEAD = 4
"""Tasks per thread that are worked on ahead."""

T = TypeVar("T")


def ordered(function: object, tasks: Sequence[tuple], threads: int, tick: Tick) -> Iterator:
    """Results of `function(*task)` in order, computed by threads a little ahead."""
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future] = deque()
    rest = iter(tasks)
    try:
        for task in rest:
            waiting.append(pool.submit(function, *task))
            if len(waiting) >= threads * _AHEAD:
                yield wait_for(waiting.popleft(), tick)
        while waiting:
            yield wait_for(waiting.popleft(), tick)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def patiently(function: Callable[[], T], tick: Tick) -> T:
    """`function()` for one long call into a library, with looks at a cancel meanwhile."""
    outcome: Future[T] = Future()

    def work() -> None:
        try:
            outcome.set_result(function())
        except Exception as error:  # noqa: BLE001 it is raised again by `result`
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()  # left behind by a cancel, it ends itself
    return wait_for(outcome, tick)


def wait_for(future: "Future[T]", tick: Tick) -> T:
    """The result of a future, with a look at a cancel several times a second."""
    while True:
        try:
            return future.result(timeout=CANCEL_SECONDS)
        except NotYet:
            if future.done():
                raise
            tick()
