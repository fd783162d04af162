"""Jobs and decodes in a warm engine: a state machine that is advanced by calling `pump()`.

The UI calls `pump()` from a timer, the headless operator from a loop; nothing else differs.
States of a job: IDLE -> STARTING -> RUNNING -> DONE | FAILED, and CANCELLING -> CANCELLED on
request. Detail maps for sliders are asked for beside it, see `decoding.py`.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from ...engine.protocol.errors import EngineError, ErrorCode
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
from ...engine.protocol.work import Job
from .decoding import Decoding, Wish
from .launch import Launch
from .process import EngineProcess
from .status import (
    BUSY,
    MOST_WARNINGS,
    State,
    Status,
    Timing,
    death,
    plain_words,
    silence,
)

__all__ = ["EngineSession", "State", "Status", "Timing"]


class EngineSession:
    """Runs one job at a time and keeps the process warm in between."""

    def __init__(
        self, timing: Timing | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.status = Status()
        self.decoding = Decoding()
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

    @property
    def ready(self) -> bool:
        """True once the engine has said hello."""
        return self._hello is not None

    def start(self, launch: Launch, job: Job) -> None:
        """Begin a job. Raises EngineError when one is running or the engine cannot be started."""
        if self.busy:
            raise EngineError(ErrorCode.BAD_SETTINGS, "A job is already running.")
        self._jobs += 1
        self._reused = self._started(launch)
        self._request = JobRequest(str(self._jobs), job)
        self._sent = self._answered = False
        self.status = Status(State.STARTING)
        self._send_job()

    def decode(self, launch: Launch, wish: Wish) -> None:
        """Ask for a detail map; `decoding.status` says what became of it. The newest wish wins.

        Waits for a running job. Raises EngineError when the engine cannot be started.
        """
        if not self.busy:
            self._started(launch)
        self.decoding.want(wish)
        self._send_decode()

    def cancel(self) -> None:
        """Ask for an end; `pump` sees to it within seconds. Harmless when nothing runs."""
        if self.status.state is State.STARTING:
            self._end(replace(self.status, state=State.CANCELLED))
        elif self.status.state is State.RUNNING:
            self._cancel_at, self._interrupted = self._clock(), False
            self._process.send(encode(CancelRequest(self._request.id)))
            self.status = replace(self.status, state=State.CANCELLING)

    def pump(self) -> bool:
        """Take in what the engine said. True when a status changed, so that the UI redraws."""
        before = self.status, self.decoding.status
        if self._process is not None:
            for line in self._process.receive():
                self._on_line(line)
                if self._process is None:
                    break
        self._watch_clock()
        return self.status is not before[0] or self.decoding.status is not before[1]

    def close(self) -> None:
        """End the process (politely, then not). A running job counts as cancelled."""
        if self._process is not None:
            self._process.close(encode(Shutdown()), self._timing.close)
            self._process = self._hello = None
        self.decoding.drop()
        if self.busy:
            self._end(replace(self.status, state=State.CANCELLED))

    def close_if_idle(self, seconds: float) -> bool:
        """Close a warm engine that had no work for `seconds`. True when it was closed."""
        idle = self._clock() - self._idle_since
        if self._process is None or self.busy or self.decoding.active or idle < seconds:
            return False
        self.close()
        return True

    def _started(self, launch: Launch) -> bool:
        """See that an engine runs as `launch` says. True when it was running already."""
        if self.warm and launch == self._launch:
            return True
        self.close()
        self._spawn(launch)
        return False

    def _spawn(self, launch: Launch) -> None:
        self._process, self._hello = EngineProcess(launch), None
        self._launch, self._started_at = launch, self._clock()

    def _send_job(self) -> None:
        if self._sent or self._hello is None or self.status.state is not State.STARTING:
            return
        self._sent = True
        self._process.send(encode(self._request))  # a dead pipe shows up as the end of output
        self.status = replace(self.status, state=State.RUNNING)

    def _send_decode(self) -> None:
        request = None if self._hello is None else self.decoding.take()
        if request is not None:
            self._process.send(encode(request))

    def _end(self, status: Status) -> None:
        self.status = status
        self._request = None
        self._idle_since = self._clock()

    def _fail(self, error: EngineError, log: str = "") -> None:
        """The engine is gone for good: the job and the wish end with it."""
        self.decoding.fail(error, log)
        self._fail_job(error, log)

    def _fail_job(self, error: EngineError, log: str = "") -> None:
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
        if self._process.left(now, self._timing.leave):
            self._on_end()
        elif self.status.state is State.CANCELLING:
            waited = now - self._cancel_at
            if waited >= self._timing.kill:
                log = self._kill()
                self._end(replace(self.status, state=State.CANCELLED))
                self._decode_elsewhere(None, log)
            elif waited >= self._timing.interrupt and not self._interrupted:
                self._interrupted = True
                self._process.interrupt()
        elif self._hello is None and now - self._started_at >= self._timing.hello:
            self._fail(silence(self._timing.hello), self._kill())

    def _on_line(self, line: bytes) -> None:
        try:
            message = decode(line)
        except EngineError as error:
            log = self._kill()
            self._fail(EngineError(ErrorCode.PROTOCOL, error.message, error.hint), log)
            return
        if isinstance(message, Hello):
            self._on_hello(message)
        elif self.decoding.owns(message):
            self.decoding.on_answer(message)
            self._idle_since = self._clock()
            self._send_decode()
        elif self._request is not None and getattr(message, "id", None) in ("", self._request.id):
            self._answered = True
            self._on_answer(message)
        # anything else belongs to a job that has ended
        if isinstance(message, Failed) and not message.id:  # the engine cannot work at all
            words = plain_words(message.message), plain_words(message.hint)
            self.decoding.fail(EngineError(message.code, *words))

    def _on_hello(self, hello: Hello) -> None:
        if protocol_compatible(hello.protocol):
            self._hello = hello
            self._send_job()
            self._send_decode()
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
                    status, stage=plain_words(stage), index=index, stages=total, step=0, steps=0
                )
            case Progress(step=step, total=total):
                self.status = replace(status, step=step, steps=total)
            case Preview(path=path):
                self.status = replace(status, preview=path)
            case Warned(text=text) if len(status.warnings) < MOST_WARNINGS:
                self.status = replace(status, warnings=(*status.warnings, plain_words(text)))
            case Finished(path=path) if not cancelling:
                self._end(replace(status, state=State.DONE, index=status.stages, result=path))
            case Failed(code=code, message=text, hint=hint) if not cancelling:
                self._fail_job(EngineError(code, plain_words(text), plain_words(hint)))
            case Finished() | Failed() | WasCancelled():
                self._end(replace(status, state=State.CANCELLED))

    def _on_end(self) -> None:
        code = self._process.exit_code()
        log = self._kill()
        if self.status.state is State.CANCELLING:
            self._end(replace(self.status, state=State.CANCELLED))
        again = self.busy and self._reused and not self._answered
        if self.busy and not again:
            self._fail_job(death(code), log)
        if again:  # a warm engine may leave (idle) just as the job is sent
            self._reused = self._sent = False
            self.status = Status(State.STARTING)
            self.decoding.requeue()
            self._respawn()
        else:
            self._decode_elsewhere(code, log)

    def _decode_elsewhere(self, code: int | None, log: str) -> None:
        """Another engine for the wish that the last one missed, once."""
        if self.decoding.requeue():
            self._respawn()
        else:
            self.decoding.fail(death(code), log)

    def _respawn(self) -> None:
        try:
            self._spawn(self._launch)
        except EngineError as error:
            self._fail(error)
