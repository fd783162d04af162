"""Which lines of chosen files follow which, while a function runs.

`sys.monitoring` from Python 3.12 on, `sys.settrace` before; other files cost nearly nothing.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

Edge = tuple[int, int, int]
"""(file, line before, line); file: place in the list of files."""


class Edges:
    """Collects the edges of each run. folders: files in them are watched."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = tuple(str(folder) for folder in folders)
        self._files: dict[str, int] = {}
        self._seen: set[Edge] = set()
        self._before = 0

    def of(self, action: Callable[[], object]) -> tuple[set[Edge], BaseException | None]:
        """The edges of a call and what it raised."""
        self._seen, self._before = set(), 0
        with self._watching():
            try:
                action()
                raised = None
            except Exception as error:  # noqa: BLE001 judged by the caller
                raised = error
        return self._seen, raised

    def _watched(self, code: CodeType) -> int | None:
        """Number of the code's file, None for others."""
        name = code.co_filename
        number = self._files.get(name)
        if number is None:
            number = len(self._files) if name.startswith(self._folders) else -1
            self._files[name] = number
        return None if number < 0 else number

    def _line(self, file: int, line: int) -> None:
        self._seen.add((file, self._before, line))
        self._before = line

    def _watching(self) -> Any:
        return _monitored(self) if sys.version_info >= (3, 12) else _traced(self)


@contextmanager
def _monitored(edges: Edges) -> Iterator[None]:
    watch = sys.monitoring
    tool = watch.PROFILER_ID
    watch.use_tool_id(tool, "uvapm fuzz")

    def line(code: CodeType, number: int) -> object:
        file = edges._watched(code)
        if file is None:
            return watch.DISABLE
        edges._line(file, number)
        return None

    watch.register_callback(tool, watch.events.LINE, line)
    watch.set_events(tool, watch.events.LINE)
    try:
        yield
    finally:
        watch.set_events(tool, 0)
        watch.register_callback(tool, watch.events.LINE, None)
        watch.free_tool_id(tool)


@contextmanager
def _traced(edges: Edges) -> Iterator[None]:
    def enter(frame: FrameType, event: str, argument: object) -> object:
        file = edges._watched(frame.f_code)
        if file is None:
            return None

        def inside(frame: FrameType, event: str, argument: object) -> object:
            if event == "line":
                edges._line(file, frame.f_lineno)
            return inside

        return inside

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)
