"""Work beside other work: a second thread for what need not wait.

NumPy, OpenCV and PyTorch let go of Python's lock while they compute, so on two cores a stage
takes as long as the longer of both halves. Which half ends first changes nothing in the results.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Start(Protocol):
    """`start(function, arguments)`: begin in another thread; one thread takes one after another."""

    def __call__(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> "Future[T]":
        """The `Future` gives the value, or raises what the function raised."""


@contextmanager
def beside(threads: int = 1) -> Iterator[Start]:
    """A second thread, or more, for the time of the block.

    An exception in the block, a cancelled job for one, drops what has not begun, and waits for
    what has.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="beside")
    try:
        yield pool.submit
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()
