"""A result directory is read beside the main thread: its many megabytes are checked."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ..engine.protocol.result import ResultPackage, read_result


class Reading:
    """`read_result` in a thread of its own. That never touches Blender's data."""

    def __init__(self, folder: Path) -> None:
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="uvapm-read")
        self._future: Future[ResultPackage] = pool.submit(read_result, folder)
        pool.shutdown(wait=False)

    @property
    def done(self) -> bool:
        """True when `result` does not have to wait."""
        return self._future.done()

    def result(self) -> ResultPackage:
        """The result. Raises EngineError(BAD_INPUT)."""
        return self._future.result()
