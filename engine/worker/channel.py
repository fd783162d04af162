"""The worker's pipes: messages out on a private descriptor, bounded lines in.

Libraries print to standard output when they like. So descriptor 1 is duplicated to a private
one for messages and then pointed at standard error; the same is done with 0, so that nothing
else can eat the client's lines. This must run before any large library is imported.
"""

import os
import select
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from ..protocol.messages import MAX_LINE_BYTES, WorkerMessage, encode

READ_BYTES = 65536


class MessageWriter:
    """Writes whole messages to a descriptor from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._broken = False

    @property
    def broken(self) -> bool:
        """True once the client no longer reads. Later messages are dropped."""
        return self._broken

    def send(self, message: WorkerMessage) -> None:
        """Write one line. Does not raise when the client is gone; see `broken`."""
        left = memoryview(encode(message))
        with self._lock:
            while left and not self._broken:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except OSError:  # EPIPE, or EINVAL on Windows
                    self._broken = True


@dataclass(frozen=True)
class Pipes:
    """The claimed descriptors."""

    input: int
    writer: MessageWriter


def claim_pipes() -> Pipes:
    """Take descriptors 0 and 1 of this process for messages; call once, first of all."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    for descriptor in (source, sink):
        os.set_inheritable(descriptor, False)
        _make_binary(descriptor)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Pipes(source, MessageWriter(sink))


def _make_binary(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(descriptor, os.O_BINARY)


def read_lines(descriptor: int, limit: int = MAX_LINE_BYTES) -> Iterator[bytes | None]:
    """Lines without their newline until the other side closes; None for a line above `limit`.

    Never holds more than `limit` + READ_BYTES bytes. A last line without newline is dropped:
    the client died while writing it.
    """
    buffer = bytearray()
    too_long = False
    while chunk := _read(descriptor):
        buffer += chunk
        if b"\n" in chunk:
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                yield None if too_long or len(line) >= limit else bytes(line)
                too_long = False
        if len(buffer) >= limit:
            buffer.clear()
            too_long = True


def client_left(descriptor: int) -> bool:
    """True when nobody holds the other end of the input any more, even though lines of theirs may
    wait unread. POSIX; False elsewhere."""
    if sys.platform == "win32":
        return False
    watch = select.poll()
    watch.register(descriptor, 0)  # the end is reported without being asked for
    return any(events & select.POLLHUP for _, events in watch.poll(0))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, READ_BYTES)
    except OSError:  # a broken pipe reads as its end
        return b""
