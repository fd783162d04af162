"""One engine process: lines in, lines out, a bounded log, and ways to end it.

Daemon threads serve its pipes. They touch nothing but their boxes and the log, never bpy.
"""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from typing import IO

from ...engine.protocol.errors import EngineError, ErrorCode
from .launch import Launch, spawn_flags
from .pipes import Inbox, Outbox, read_lines

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
        self._inbox, self._outbox = Inbox(), Outbox(self._popen.stdin)
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._threads = (
            threading.Thread(target=_read_messages, args=(self._popen, self._inbox)),
            threading.Thread(target=_read_log, args=(self._popen.stderr, self._log)),
        )
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._popen.pid

    def send(self, line: bytes) -> None:
        """Write one encoded message soon; never waits for the process."""
        self._outbox.send(line)

    @property
    def deaf(self) -> bool:
        """True once it has closed its input."""
        return self._outbox.broken

    def receive(self) -> list[bytes | None]:
        """Lines that came since the last call, oldest first; None marks the end of output. Of a
        flood only the first ones, the others with the next calls."""
        return self._inbox.take()

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
        self._outbox.send(farewell)
        self._outbox.close()
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
        self._inbox.close()
        self._outbox.close()
        try:
            self._popen.wait(EXIT_WAIT)
        except subprocess.TimeoutExpired:
            return  # stuck in the kernel; nothing more can be done from here
        streams = (self._popen.stdout, self._popen.stderr)
        for thread, stream in zip(self._threads, streams, strict=True):
            thread.join(EXIT_WAIT)
            if not thread.is_alive():  # closing under a reading thread would wait for ever
                stream.close()
        self._outbox.join(EXIT_WAIT)


def _read_messages(popen: "subprocess.Popen[bytes]", inbox: Inbox) -> None:
    """Reader thread. Afterwards it collects the process, also when nobody asks for it any more:
    no zombie stays, nor what the engine started and left behind."""
    read_lines(popen.stdout, inbox)
    if sys.platform != "win32":
        try:
            os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)  # the number is still its own
            os.killpg(popen.pid, signal.SIGKILL)
        except (ChildProcessError, ProcessLookupError, PermissionError):
            pass  # collected already, or it was alone
    popen.wait()


def _read_log(stream: IO[bytes], log: "deque[str]") -> None:
    """Reader thread: keeps the pipe empty, so that a chatty engine never blocks."""
    try:
        while line := stream.readline(LOG_LINE_LENGTH):
            log.append(line.decode("utf-8", "replace").rstrip())
    except (OSError, ValueError):
        return
