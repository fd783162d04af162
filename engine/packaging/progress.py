"""Progress lines of the setup commands: what begins now, and when since the start."""

import time


class Progress:
    """Prints lines such as `[ 12.3 s] building the default pack`."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def say(self, text: str) -> None:
        """Print one line with the seconds since this object was made."""
        print(f"[{self.seconds:6.1f} s] {text}", flush=True)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start
