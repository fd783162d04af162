"""The installer and the doctor as processes: advanced by `pump()`, as the engine's session is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from ...engine.protocol.doctor import DoctorRow, decode_row
from ...engine.protocol.errors import EXIT_CANCELLED, EngineError, ErrorCode
from ...engine.protocol.install import (
    Installed,
    InstallFailed,
    InstallStep,
    Removed,
    decode_line,
)
from ..engine_client.launch import Launch
from ..engine_client.process import EngineProcess

KILL = 20.0
"""Seconds that a cancelled child has to take away what it made."""
CLOSE = 3.0
"""The same when Blender ends."""
END = 5.0
"""Seconds from the end of a child's output to its own end."""


NO_STEP = InstallStep("", 0, 0)


class Phase(Enum):
    """Where a run is."""

    IDLE = "idle"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class RunStatus:
    """What the interface shows. step: of the installer. installed: set when it ended so; rows: of
    the doctor. error: set when FAILED; log: the end of what the child wrote to its log."""

    phase: Phase = Phase.IDLE
    step: InstallStep = NO_STEP
    installed: Installed | None = None
    removed: bool = False
    rows: tuple[DoctorRow, ...] = ()
    error: EngineError | None = None
    log: str = ""

    @property
    def busy(self) -> bool:
        """While the child runs."""
        return self.phase in (Phase.RUNNING, Phase.CANCELLING)

    @property
    def fraction(self) -> float:
        """Part of the step that is done, [0, 1]."""
        return min(self.step.done / self.step.total, 1.0) if self.step.total else 0.0


Heard = Callable[[RunStatus, bytes], RunStatus]
"""What a line of the child makes of the status. Raises EngineError."""


class Run:
    """One child at a time, and what it said."""

    def __init__(self, heard: Heard, clock: Callable[[], float] = time.monotonic) -> None:
        self.status = RunStatus()
        self._heard = heard
        self._clock = clock
        self._process: EngineProcess | None = None
        self._cancelled_at = 0.0

    def start(self, launch: Launch) -> None:
        """Begin. Raises EngineError when it runs already or cannot be started."""
        if self.status.busy:
            raise EngineError(ErrorCode.BAD_SETTINGS, "It is running already.")
        self._process = EngineProcess(launch)
        self.status = RunStatus(Phase.RUNNING)

    def cancel(self) -> None:
        """Ask for the end; `pump` sees to it. Harmless when nothing runs."""
        if self.status.phase is Phase.RUNNING:
            self._cancelled_at = self._clock()
            self.status = replace(self.status, phase=Phase.CANCELLING)
            self._process.hang_up()

    def pump(self) -> bool:
        """Take in what the child said. True when the status changed."""
        before = self.status
        if self._process is not None:
            try:
                for line in self._process.receive():
                    self.status = self._heard(self.status, line)
                if self._process.left(self._clock(), END):
                    self._on_end()
            except EngineError as error:
                self._end(Phase.FAILED, error)
        if self.status.phase is Phase.CANCELLING and self._clock() - self._cancelled_at > KILL:
            self._end(Phase.CANCELLED)
        return self.status is not before

    def close(self) -> None:
        """End the child: it may clean up for a moment, then not."""
        if self._process is not None:
            self._process.close(b"", CLOSE)
            self._process = None
        if self.status.busy:
            self.status = replace(self.status, phase=Phase.CANCELLED)

    def _on_end(self) -> None:
        code, status = self._process.exit_code(), self.status
        if status.error is not None:
            self._end(Phase.FAILED, status.error)
        elif code == 0:
            self._end(Phase.DONE)
        elif status.phase is Phase.CANCELLING or code == EXIT_CANCELLED:
            self._end(Phase.CANCELLED)
        else:
            how = "closed its output" if code is None else f"ended with code {code}"
            words = f"The process {how} and gave no answer."
            self._end(Phase.FAILED, EngineError(ErrorCode.INTERNAL, words, "The log says more."))

    def _end(self, phase: Phase, error: EngineError | None = None) -> None:
        process, self._process = self._process, None
        process.kill()
        log = process.log_tail() if phase is Phase.FAILED else ""
        self.status = replace(self.status, phase=phase, error=error, log=log)


def hear_installer(status: RunStatus, line: bytes) -> RunStatus:
    """A line of the installer. Raises EngineError(PROTOCOL)."""
    match decode_line(line):
        case InstallStep() as step:
            return replace(status, step=step)
        case Installed() as installed:
            return replace(status, installed=installed)
        case Removed():
            return replace(status, removed=True)
        case InstallFailed(code=code, message=message, hint=hint):
            return replace(status, error=EngineError(code, message, hint))


def hear_doctor(status: RunStatus, line: bytes) -> RunStatus:
    """A row of the doctor. Raises EngineError(PROTOCOL)."""
    return replace(status, rows=(*status.rows, decode_row(line)))
