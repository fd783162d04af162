"""Progress of long rows of equal things: how many, how fast, how long still."""

import time
from collections import deque
from typing import TextIO

from ..reporter import CancelToken, StatusLine

LIVE_INTERVAL = 0.2
PLAIN_INTERVAL = 30.0
"""Seconds between updates: on a terminal; as lines of a log."""
WINDOW = 60.0
"""Seconds over which the rate is taken."""


class CountingReporter:
    """A Reporter (see `reporter.py`) that says "120 of 2000 maps, 2.1 a second, 15 min left"."""

    def __init__(self, stream: TextIO, token: CancelToken, things: str) -> None:
        self.token = token
        self._line = StatusLine(stream)
        self._things = things
        self._note = ""
        self._samples: deque[tuple[float, int]] = deque()
        self._shown = 0.0
        self._began: tuple[float, int] | None = None
        self._last = 0

    def stage(self, name: str, index: int, total: int) -> None:
        """See Reporter. Counting begins anew."""
        self._samples.clear()
        self._began = None
        self._note = ""
        self._line.write(name, temporary=True)
        self.token.check()

    def progress(self, step: int, total: int) -> None:
        """See Reporter."""
        self.token.check()
        now, self._last = time.monotonic(), step
        if self._began is None:
            self._began, self._shown = (now, step), now
        interval = LIVE_INTERVAL if self._line.live else PLAIN_INTERVAL
        if now - self._shown < interval:
            return
        self._shown = now
        self._samples.append((now, step))
        while self._samples and now - self._samples[0][0] > WINDOW:
            self._samples.popleft()
        start = self._samples[0] if len(self._samples) > 10 else self._began
        text = f"{step} of {total} {self._things}{self._note}"
        if step > start[1] and now > start[0]:
            rate = (step - start[1]) / (now - start[0])
            text += f", {per_second(rate)}, {duration((total - step) / rate)} left"
        self._line.write(text, temporary=True)

    def note(self, text: str) -> None:
        """A few words that go with the count from now on."""
        self._note = f", {text}"

    def preview(self, path: str) -> None:
        """See Reporter."""
        self.token.check()

    def warning(self, text: str) -> None:
        """See Reporter."""
        self._line.write(f"Warning: {text}", temporary=False)
        self.token.check()

    def finish(self) -> None:
        """The last line: how many, how many of them new, how fast."""
        if self._began is None:
            return
        first, seconds = self._began[1], time.monotonic() - self._began[0]
        text = f"{self._last} {self._things}"
        if first:
            text += f", {self._last - first} of them new"
        if self._last > first and seconds > 0.0:
            text += f", in {duration(seconds)} ({per_second((self._last - first) / seconds)})"
        self._line.write(text, temporary=False)

    def close(self) -> None:
        """Remove the updating line, if any."""
        self._line.clear()


def per_second(rate: float) -> str:
    """A rate in words."""
    return f"{rate:.1f} a second" if rate >= 0.95 else f"{60 * rate:.1f} a minute"


def duration(seconds: float) -> str:
    """A time in the two units that matter."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
