"""One installer at a time for one environment, also when two Blenders run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode

if os.name == "nt":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_path(target: Path) -> Path:
    """The file that is locked while somebody works on the environment `target`."""
    return target.with_name(target.name + ".lock")


@contextmanager
def alone_on(target: Path) -> Iterator[None]:
    """Hold the lock of an environment. The system gives it back when the process dies.

    Raises EngineError(BAD_OUTPUT) when another process has it, OSError without permission.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_path(target), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _take(descriptor)
        except OSError as error:
            raise EngineError(
                ErrorCode.BAD_OUTPUT,
                "Another Blender is installing or removing the engine.",
                "Wait until it is done.",
            ) from error
        yield
    finally:
        os.close(descriptor)
