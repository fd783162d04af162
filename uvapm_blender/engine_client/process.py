"""One engine process: lines in, lines out, a bounded log, and ways to end it.

Two daemon threads read its pipes. They touch nothing but their queue and the log, never bpy.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import IO

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.messages import MAX_LINE_BYTES
from .launch import Launch, spawn_flags

LOG_LINES = 100
LOG_LINE_LENGTH = 400
EXIT_WAIT = 2.0
"""Seconds to wait for a process that closed its output or was killed."""


class EngineProcess:
    """A started engine. Raises EngineError(ENGINE_MISSING) when it cannot be started."""

    def __init__(self, launch: Launch) -> None:
        try:
            self._popen = subprocess.Popen(
                launch.command,
                cwd=launch.folder,
                env=dict(launch.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                **spawn_flags(),
            )
        except OSError as error:
            raise EngineError(
                ErrorCode.ENGINE_MISSING,
                f"The engine Python could not be started: {launch.command[0]} ({error.strerror}).",
                "Choose another Python interpreter.",
            ) from error
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._threads = (
            threading.Thread(target=_read_lines, args=(self._popen.stdout, self._lines)),
            threading.Thread(target=_read_log, args=(self._popen.stderr, self._log)),
        )
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    def send(self, line: bytes) -> bool:
        """Write one encoded message; False when the process no longer listens.

        Lines are a few kilobytes and the pipe is empty between them, so this does not block.
        """
        stream = self._popen.stdin
        try:
            stream.write(line)
            stream.flush()
        except (OSError, ValueError):
            return False
        return True

    def receive(self) -> list[bytes | None]:
        """Lines that came since the last call, oldest first; None marks the end of output."""
        lines: list[bytes | None] = []
        while True:
            try:
                lines.append(self._lines.get_nowait())
            except queue.Empty:
                return lines

    def log_tail(self) -> str:
        """The last lines of the process's log (its stderr)."""
        return "\n".join(self._log)

    def running(self) -> bool:
        """True until the process has ended."""
        return self._popen.poll() is None

    def exit_code(self) -> int | None:
        """Exit code after a short wait; None when the process still runs."""
        try:
            return self._popen.wait(EXIT_WAIT)
        except subprocess.TimeoutExpired:
            return None

    def interrupt(self) -> None:
        """Ask the whole group to stop (Ctrl-C); Windows has no such signal without a console."""
        if sys.platform != "win32":
            self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End the whole group now and collect it."""
        if sys.platform == "win32":
            self._popen.kill()
        else:
            self._signal(signal.SIGKILL)
        self._collect()

    def close(self, farewell: bytes, patience: float) -> None:
        """Say `farewell`, close its input, wait up to `patience` seconds, then kill."""
        self.send(farewell)
        try:
            self._popen.stdin.close()
        except OSError:
            pass  # the pipe was already broken; the process is ended below all the same
        try:
            self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return
        self._collect()

    def _signal(self, number: int) -> None:
        if self._popen.poll() is not None:
            return  # already collected: the number may belong to somebody else by now
        try:
            os.killpg(self._popen.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # it ended on its own in the meantime

    def _collect(self) -> None:
        try:
            self._popen.wait(EXIT_WAIT)
        except subprocess.TimeoutExpired:
            return  # stuck in the kernel; nothing more can be done from here
        streams = (self._popen.stdout, self._popen.stderr)
        for thread, stream in zip(self._threads, streams, strict=True):
            thread.join(EXIT_WAIT)
            if not thread.is_alive():  # closing under a reading thread would wait for ever
                stream.close()
        try:
            self._popen.stdin.close()
        except OSError:
            pass  # unsent bytes to a process that is gone


def _read_lines(stream: IO[bytes], lines: "queue.SimpleQueue[bytes | None]") -> None:
    """Reader thread: each line (cut at the protocol's limit) to the queue, then None."""
    try:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            lines.put(line)
    except (OSError, ValueError):
        pass  # the pipe was closed under the thread: same as its end
    lines.put(None)


def _read_log(stream: IO[bytes], log: "deque[str]") -> None:
    """Reader thread: keeps the pipe empty, so that a chatty engine never blocks."""
    try:
        while line := stream.readline(LOG_LINE_LENGTH):
            log.append(line.decode("utf-8", "replace").rstrip())
    except (OSError, ValueError):
        return
