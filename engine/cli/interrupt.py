"""Ctrl-C as a request to stop, for commands that run long."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..reporter import CancelToken


@contextmanager
def interrupt_cancels(token: CancelToken) -> Iterator[None]:
    """First Ctrl-C: stop at the next step, cleanly. Second: stop at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if token.cancelled:
            raise KeyboardInterrupt
        token.cancel()

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
