"""The two ends of an engine's pipes, each with a thread that may block in Blender's stead.

Bounded both ways: an engine that floods us waits, and one that does not listen stops nobody here.
"""

import queue
import threading
from collections import deque
from typing import IO

from ...engine.protocol.messages import MAX_LINE_BYTES

MOST_WAITING = 4 * MAX_LINE_BYTES
"""Bytes that wait to be taken in; above, the engine's pipe fills and the engine waits.
Ours: hours of a job's honest messages."""
MOST_LINES, MOST_BYTES = 256, MAX_LINE_BYTES // 4
"""Taken in at once. Ours: a job sends 20 lines a second, and Blender's window must not wait."""
_PER_LINE = 64
"""Bytes that an empty line counts: what Python needs to hold it."""


class Inbox:
    """Lines that came, in order, until they are taken."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lines: deque[bytes | None] = deque()
        self._bytes = 0
        self._closed = False

    def put(self, line: bytes | None) -> None:
        """Add a line (None: the end); waits while too much waits already."""
        with self._changed:
            if line is not None:
                self._changed.wait_for(lambda: self._closed or self._bytes < MOST_WAITING)
                self._bytes += len(line) + _PER_LINE
            if not self._closed:
                self._lines.append(line)

    def take(self) -> list[bytes | None]:
        """The oldest lines, at most `MOST_LINES` and about `MOST_BYTES` of them."""
        taken: list[bytes | None] = []
        room = MOST_BYTES
        with self._changed:
            while self._lines and room > 0 and len(taken) < MOST_LINES:
                line = self._lines.popleft()
                size = 0 if line is None else len(line) + _PER_LINE
                taken.append(line)
                room -= size
                self._bytes -= size
            self._changed.notify()
        return taken

    def close(self) -> None:
        """Nobody takes any more: forget what waits and let go of who puts."""
        with self._changed:
            self._closed = True
            self._lines.clear()
            self._changed.notify_all()


def read_lines(stream: IO[bytes], inbox: Inbox) -> None:
    """Each line (cut at the protocol's limit) to the inbox, then None.

    A short last line without its newline is dropped: the engine died while writing it.
    """
    try:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            if line.endswith(b"\n") or len(line) > MAX_LINE_BYTES:
                inbox.put(line)
    except (OSError, ValueError):
        pass  # the pipe was closed under the thread: same as its end
    inbox.put(None)


class Outbox:
    """Lines on their way to the engine; a thread of its own writes them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._broken = False
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    @property
    def broken(self) -> bool:
        """True once the engine no longer listens."""
        return self._broken

    def send(self, line: bytes) -> None:
        """Write a line soon. Never waits; a dead pipe shows up in `broken`."""
        self._lines.put(line)

    def close(self) -> None:
        """Close the stream after what was sent."""
        self._lines.put(None)

    def join(self, seconds: float) -> None:
        """Wait for the stream's end."""
        self._thread.join(seconds)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError):
                self._broken = True
                break
        try:
            self._stream.close()
        except OSError:
            pass  # unsent bytes to a process that is gone
