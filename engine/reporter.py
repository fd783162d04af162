"""Progress out of a running job, and cancelling into it, through one object.

Every call may raise `Cancelled`; a stage needs no other check. Implementations: silent, for a
terminal, for the worker's messages.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from .protocol.errors import Cancelled
from .protocol.messages import Preview, Progress, StageStarted, Warned, WorkerMessage


class CancelToken:
    """A flag that any thread may set and the job looks at."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the job to stop at its next report. May be called more than once."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raises Cancelled once `cancel` was called."""
        if self.cancelled:
            raise Cancelled


class Reporter(Protocol):
    """What a stage may say. Each call raises Cancelled when the user cancelled."""

    def stage(self, name: str, index: int, total: int) -> None:
        """Stage `name`, number `index` (from 0) of `total`, begins."""

    def progress(self, step: int, total: int) -> None:
        """`step` of `total` steps of the current stage are done."""

    def preview(self, path: str) -> None:
        """A picture of the fit so far lies at `path`."""

    def warning(self, text: str) -> None:
        """One sentence the user should know; the job goes on."""


@dataclass
class NullReporter:
    """Says nothing; keeps the warnings. For tests, benchmarks and library use."""

    token: CancelToken = field(default_factory=CancelToken)
    warnings: list[str] = field(default_factory=list)

    def stage(self, name: str, index: int, total: int) -> None:
        """See Reporter."""
        self.token.check()

    def progress(self, step: int, total: int) -> None:
        """See Reporter."""
        self.token.check()

    def preview(self, path: str) -> None:
        """See Reporter."""
        self.token.check()

    def warning(self, text: str) -> None:
        """See Reporter."""
        self.warnings.append(text)
        self.token.check()


TERMINAL_INTERVAL = 0.1
"""Seconds between updates of the terminal line: smooth to the eye, free of cost."""

CLEAR_LINE = "\r\x1b[K"


class StatusLine:
    """One line of a terminal that is written over; on anything else, lines one after another."""

    def __init__(self, stream: TextIO) -> None:
        self.live = stream.isatty()
        self._stream = stream

    def write(self, text: str, temporary: bool) -> None:
        """Show `text`; on a terminal the next text takes the place of a temporary one."""
        start = CLEAR_LINE if self.live else ""
        end = "" if self.live and temporary else "\n"
        self._stream.write(f"{start}{text}{end}")
        self._stream.flush()

    def clear(self) -> None:
        """Remove the temporary text, if any."""
        if self.live:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()


class ConsoleReporter:
    """For people: one updating line on a terminal, else one plain line per stage and warning."""

    def __init__(self, stream: TextIO, token: CancelToken) -> None:
        self.token = token
        self._line = StatusLine(stream)
        self._title = ""
        self._last = 0.0

    def stage(self, name: str, index: int, total: int) -> None:
        """See Reporter."""
        self._title = f"[{index + 1}/{total}] {name}"
        self._line.write(self._title, temporary=True)
        self._last = 0.0
        self.token.check()

    def progress(self, step: int, total: int) -> None:
        """See Reporter."""
        now = time.monotonic()
        if self._line.live and now - self._last >= TERMINAL_INTERVAL:
            self._last = now
            self._line.write(f"{self._title} {100 * step // max(total, 1)} %", temporary=True)
        self.token.check()

    def preview(self, path: str) -> None:
        """See Reporter."""
        self.token.check()

    def warning(self, text: str) -> None:
        """See Reporter."""
        self._line.write(f"Warning: {text}", temporary=False)
        self.token.check()

    def close(self) -> None:
        """Remove the updating line, if any."""
        self._line.clear()


MESSAGE_INTERVAL = 0.05
"""Seconds between progress messages. Ours: the client looks every 0.1 s."""


class MessageReporter:
    """For the worker: every report becomes a message of job `id`, progress thinned out."""

    def __init__(self, id: str, send: Callable[[WorkerMessage], None], token: CancelToken) -> None:
        self.token = token
        self._id = id
        self._send = send
        self._stage = ""
        self._last = 0.0

    def stage(self, name: str, index: int, total: int) -> None:
        """See Reporter."""
        self.token.check()
        self._stage = name
        self._last = 0.0
        self._send(StageStarted(self._id, name, index, total))

    def progress(self, step: int, total: int) -> None:
        """See Reporter. The last step of a stage is always sent."""
        self.token.check()
        now = time.monotonic()
        if step >= total or now - self._last >= MESSAGE_INTERVAL:
            self._last = now
            self._send(Progress(self._id, self._stage, step, total))

    def preview(self, path: str) -> None:
        """See Reporter."""
        self.token.check()
        self._send(Preview(self._id, path))

    def warning(self, text: str) -> None:
        """See Reporter."""
        self.token.check()
        self._send(Warned(self._id, text))
