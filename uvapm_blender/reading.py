"""A result directory is read beside the main thread: its many megabytes are checked."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from ..engine.protocol.result import ResultPackage, read_result

Plan = TypeVar("Plan")


class Reading(Generic[Plan]):
    """`read_result`, and what is worked out from it, in a thread of its own. That never touches
    Blender's data: `work` is a function of plain values."""

    def __init__(self, folder: Path, work: Callable[[ResultPackage], Plan]) -> None:
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="uvapm-read")
        self._future: Future[tuple[ResultPackage, Plan]] = pool.submit(_read, folder, work)
        pool.shutdown(wait=False)

    @property
    def done(self) -> bool:
        """True when `result` does not have to wait."""
        return self._future.done()

    def result(self) -> tuple[ResultPackage, Plan]:
        """The result and what `work` made of it. Raises EngineError."""
        return self._future.result()


def _read(folder: Path, work: Callable[[ResultPackage], Plan]) -> tuple[ResultPackage, Plan]:
    result = read_result(folder)
    return result, work(result)
