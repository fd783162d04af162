"""A result directory is read beside the main thread: its many megabytes are checked."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Reading(Generic[Value]):
    """`read` in a thread of its own. It never touches Blender's data."""

    def __init__(self, read: Callable[[], Value]) -> None:
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="uvapm-read")
        self._future: Future[Value] = pool.submit(read)
        pool.shutdown(wait=False)

    @property
    def done(self) -> bool:
        """True when `result` does not have to wait."""
        return self._future.done()

    def result(self) -> Value:
        """What `read` returned. Raises what it raised."""
        return self._future.result()
