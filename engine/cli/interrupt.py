"""Ctrl-C as a request to stop, for commands that run long."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..protocol.errors import EXIT_CANCELLED, Cancelled
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


@contextmanager
def interrupt_ends() -> Iterator[None]:
    """Ctrl-C ends the process at once. For imports: nothing has begun yet that must be tidied up,
    and an import that is broken off by an exception may hide it, or fail in another way."""

    def handle(number: int, frame: FrameType | None) -> None:
        print(Cancelled().message, file=sys.stderr, flush=True)
        os._exit(EXIT_CANCELLED)

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
