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
CAN_LOOK = hasattr(os, "waitid")
"""Whether the end of a process can be seen without collecting it: POSIX, macOS from Python 3.13."""
EXIT_WAIT = 2.0
"""Seconds to wait for a process that was killed."""


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
        self._silent = False
        self._leaving_since: float | None = None
        self._collecting = threading.Lock()
        reading = (self._popen, self._inbox, self._collecting)
        self._threads = (
            threading.Thread(target=_read_messages, args=reading),
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

    def receive(self) -> list[bytes]:
        """Lines that came since the last call, oldest first. Of a flood only the first ones, the
        others with the next calls."""
        lines = self._inbox.take()
        self._silent = self._silent or None in lines
        return [line for line in lines if line is not None]

    def left(self, now: float, patience: float) -> bool:
        """True when it is gone and all that it said was received, or when one of its pipes, or it
        itself, ended and the rest did not follow within `patience` seconds. now: of a clock."""
        gone = not self.running()
        if self._leaving_since is None and (gone or self._silent or self._outbox.broken):
            self._leaving_since = now
        if self._leaving_since is None:
            return False
        return (gone and self._silent) or now - self._leaving_since >= patience

    def log_tail(self) -> str:
        """The last lines of the process's log (its stderr)."""
        return "\n".join(self._log)

    def running(self) -> bool:
        """True until the process has ended."""
        return self._ended() is None

    def exit_code(self) -> int | None:
        """Exit code; None while it runs."""
        return self._ended()

    def _ended(self) -> int | None:
        """Exit code, None while it runs. It is not collected yet where that can be helped: until
        then nobody else gets its number, and its group can still be ended."""
        if not CAN_LOOK or self._popen.returncode is not None:
            return self._popen.poll()
        try:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # collected meanwhile
            return self._popen.poll()
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

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

    def hang_up(self) -> None:
        """Close its input: what is tied to it ends by itself, with its children."""
        self._outbox.close()

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
        with self._collecting:
            _signal_group(self._popen, number)

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


def _signal_group(popen: "subprocess.Popen[bytes]", number: int) -> None:
    if popen.returncode is not None:
        return  # already collected: the number may belong to somebody else by now
    try:
        os.killpg(popen.pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # it ended on its own in the meantime


def _read_messages(
    popen: "subprocess.Popen[bytes]", inbox: Inbox, collecting: threading.Lock
) -> None:
    """Reader thread. Afterwards it collects the process, also when nobody asks for it any more:
    no zombie stays, nor what the engine started and left behind."""
    read_lines(popen.stdout, inbox)
    if not CAN_LOOK:
        popen.wait()
        return
    try:
        os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        pass  # collected already
    with collecting:
        _signal_group(popen, signal.SIGKILL)
        popen.wait()


def _read_log(stream: IO[bytes], log: "deque[str]") -> None:
    """Reader thread: keeps the pipe empty, so that a chatty engine never blocks."""
    try:
        while line := stream.readline(LOG_LINE_LENGTH):
            log.append(line.decode("utf-8", "replace").rstrip())
    except (OSError, ValueError):
        return
