"""Jobs in a warm engine: a state machine that is advanced by calling `pump()`.

The UI calls `pump()` from a timer, the headless operator from a loop; nothing else differs.
States: IDLE -> STARTING -> RUNNING -> DONE | FAILED, and CANCELLING -> CANCELLED on request.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.job import FitJob
from ...engine.protocol.messages import (
    CancelRequest,
    Failed,
    Finished,
    Hello,
    JobRequest,
    Preview,
    Progress,
    Shutdown,
    StageStarted,
    Warned,
    WasCancelled,
    WorkerMessage,
    decode,
    encode,
)
from ...engine.protocol.version import PROTOCOL_VERSION, protocol_compatible
from .launch import Launch
from .process import EngineProcess


class State(Enum):
    """Where a job is."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


BUSY = frozenset({State.STARTING, State.RUNNING, State.CANCELLING})


@dataclass(frozen=True)
class Timing:
    """Seconds. hello: from start to the first message (a cold disk and PyTorch need time).
    interrupt, kill: after a cancel request. close: for a polite end.
    """

    hello: float = 120.0
    interrupt: float = 3.0
    kill: float = 6.0
    close: float = 0.5


@dataclass(frozen=True)
class Status:
    """What the interface shows. index and step count from 0 and may equal their totals (0:
    unknown). error: set when FAILED. log: end of the engine's log when it died. result: folder
    of the finished job.
    """

    state: State = State.IDLE
    stage: str = ""
    index: int = 0
    stages: int = 0
    step: int = 0
    steps: int = 0
    preview: str = ""
    warnings: tuple[str, ...] = ()
    error: EngineError | None = None
    log: str = ""
    result: str = ""

    @property
    def fraction(self) -> float:
        """Part of the job that is done, [0, 1]; every stage counts the same."""
        if not self.stages:
            return 0.0
        inner = self.step / self.steps if self.steps else 0.0
        return min((self.index + inner) / self.stages, 1.0)


class EngineSession:
    """Runs one job at a time and keeps the process warm in between."""

    def __init__(
        self, timing: Timing | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.status = Status()
        self._timing = timing or Timing()
        self._clock = clock
        self._process: EngineProcess | None = None
        self._launch: Launch | None = None
        self._hello: Hello | None = None
        self._request: JobRequest | None = None
        self._sent = False
        self._answered = False
        self._reused = self._interrupted = False
        self._jobs = 0
        self._started_at = self._cancel_at = self._idle_since = clock()

    @property
    def busy(self) -> bool:
        """True from `start` until the job's end."""
        return self.status.state in BUSY

    @property
    def warm(self) -> bool:
        """True while an engine process is alive."""
        return self._process is not None and self._process.running()

    def start(self, launch: Launch, job: FitJob) -> None:
        """Begin a job. Raises EngineError when one is running or the engine cannot be started."""
        if self.busy:
            raise EngineError(ErrorCode.BAD_SETTINGS, "A reconstruction is already running.")
        self._jobs += 1
        self._reused = self.warm and launch == self._launch
        if not self._reused:
            self._spawn(launch)
        self._request = JobRequest(str(self._jobs), job)
        self._sent = self._answered = False
        self._started_at = self._clock()
        self.status = Status(State.STARTING)
        self._send_job()

    def cancel(self) -> None:
        """Ask for an end; `pump` sees to it within seconds. Harmless when nothing runs."""
        if self.status.state is State.STARTING:
            self._end(replace(self.status, state=State.CANCELLED))
        elif self.status.state is State.RUNNING:
            self._cancel_at, self._interrupted = self._clock(), False
            self._process.send(encode(CancelRequest(self._request.id)))
            self.status = replace(self.status, state=State.CANCELLING)

    def pump(self) -> bool:
        """Take in what the engine said. True when `status` changed, so that the UI redraws."""
        before = self.status
        if self._process is not None:
            for line in self._process.receive():
                if line is None:
                    self._on_end_of_output()
                    break
                self._on_line(line)
                if self._process is None:
                    break
        self._watch_clock()
        return self.status is not before

    def close(self) -> None:
        """End the process (politely, then not). A running job counts as cancelled."""
        if self._process is not None:
            self._process.close(encode(Shutdown()), self._timing.close)
            self._process = self._hello = None
        if self.busy:
            self._end(replace(self.status, state=State.CANCELLED))

    def close_if_idle(self, seconds: float) -> bool:
        """Close a warm engine that had no job for `seconds`. True when it was closed."""
        idle = self._clock() - self._idle_since
        if self._process is None or self.busy or idle < seconds:
            return False
        self.close()
        return True

    def _spawn(self, launch: Launch) -> None:
        self.close()
        self._process = EngineProcess(launch)
        self._launch = launch

    def _send_job(self) -> None:
        if self._sent or self._hello is None or self.status.state is not State.STARTING:
            return
        self._sent = True
        self._process.send(encode(self._request))  # a dead pipe shows up as the end of output
        self.status = replace(self.status, state=State.RUNNING)

    def _end(self, status: Status) -> None:
        self.status = status
        self._request = None
        self._idle_since = self._clock()

    def _fail(self, error: EngineError, log: str = "") -> None:
        if self.busy:
            self._end(replace(self.status, state=State.FAILED, error=error, log=log))

    def _kill(self) -> str:
        """End the process at once; returns the end of its log."""
        process, self._process, self._hello = self._process, None, None
        process.kill()
        return process.log_tail()

    def _watch_clock(self) -> None:
        if self._process is None:
            return
        now = self._clock()
        if self.status.state is State.CANCELLING:
            waited = now - self._cancel_at
            if waited >= self._timing.kill:
                self._kill()
                self._end(replace(self.status, state=State.CANCELLED))
            elif waited >= self._timing.interrupt and not self._interrupted:
                self._interrupted = True
                self._process.interrupt()
        elif self.status.state is State.STARTING and now - self._started_at >= self._timing.hello:
            log = self._kill()
            self._fail(
                EngineError(
                    ErrorCode.ENGINE_MISSING,
                    f"The engine did not answer within {self._timing.hello:.0f} seconds.",
                    "Choose another Python interpreter.",
                ),
                log,
            )

    def _on_line(self, line: bytes) -> None:
        try:
            message = decode(line)
        except EngineError as error:
            log = self._kill()
            self._fail(EngineError(ErrorCode.PROTOCOL, error.message, error.hint), log)
            return
        if isinstance(message, Hello):
            self._on_hello(message)
        elif self._request is not None and getattr(message, "id", None) in ("", self._request.id):
            self._answered = True
            self._on_answer(message)
        # anything else belongs to a job that has ended

    def _on_hello(self, hello: Hello) -> None:
        if protocol_compatible(hello.protocol):
            self._hello = hello
            self._send_job()
            return
        self._kill()
        self._fail(
            EngineError(
                ErrorCode.PROTOCOL,
                f"The engine speaks protocol {hello.protocol}, "
                f"the add-on expects {PROTOCOL_VERSION}.",
                "Install the extension again.",
            )
        )

    def _on_answer(self, message: WorkerMessage) -> None:
        status, cancelling = self.status, self.status.state is State.CANCELLING
        match message:
            case StageStarted(stage=stage, index=index, total=total):
                self.status = replace(
                    status, stage=stage, index=index, stages=total, step=0, steps=0
                )
            case Progress(step=step, total=total):
                self.status = replace(status, step=step, steps=total)
            case Preview(path=path):
                self.status = replace(status, preview=path)
            case Warned(text=text):
                self.status = replace(status, warnings=(*status.warnings, text))
            case Finished(path=path) if not cancelling:
                self._end(replace(status, state=State.DONE, index=status.stages, result=path))
            case Failed(code=code, message=text, hint=hint) if not cancelling:
                self._fail(EngineError(code, text, hint))
            case Finished() | Failed() | WasCancelled():
                self._end(replace(status, state=State.CANCELLED))

    def _on_end_of_output(self) -> None:
        code = self._process.exit_code()
        log = self._kill()
        if self.status.state is State.CANCELLING:
            self._end(replace(self.status, state=State.CANCELLED))
        elif self.busy and self._reused and not self._answered:
            self._retry_cold()  # a warm engine may leave (idle) just as the job is sent
        else:
            self._fail(_death(code), log)

    def _retry_cold(self) -> None:
        self._reused = self._sent = False
        self.status = Status(State.STARTING)
        self._started_at = self._clock()
        try:
            self._process = EngineProcess(self._launch)
        except EngineError as error:
            self._fail(error)


def _death(code: int | None) -> EngineError:
    """The error of an engine that ended without an answer."""
    how = "closed its output" if code is None else f"ended with code {code}"
    return EngineError(
        ErrorCode.INTERNAL,
        f"The engine {how} and gave no answer.",
        "It may have run out of memory; the end of its log says more.",
    )
