"""Jobs that wait and the one that runs; shared by the reading thread and the main thread."""

import threading
from collections import deque
from dataclasses import dataclass, field

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.messages import JobRequest
from ..reporter import CancelToken


@dataclass(frozen=True)
class Ticket:
    """A job and the flag that cancels it."""

    request: JobRequest
    token: CancelToken = field(default_factory=CancelToken)


class JobQueue:
    """First come, first served; one runs at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[Ticket] = deque()
        self._running: Ticket | None = None
        self._closed = False

    def put(self, request: JobRequest) -> None:
        """Add a job. Raises EngineError(PROTOCOL) when its id is in use or too many wait.

        After `close` nothing happens: the process is about to end, and the client takes that
        for the worker's leave and starts another one.
        """
        with self._changed:
            if self._closed:
                return
            held = [*self._waiting, *([self._running] if self._running else [])]
            if request.id in [ticket.request.id for ticket in held]:
                raise EngineError(
                    ErrorCode.PROTOCOL, f"A job with the id {request.id} is already here."
                )
            if len(self._waiting) >= self._limit:
                raise EngineError(
                    ErrorCode.PROTOCOL,
                    f"Already {self._limit} jobs are waiting.",
                    "Wait until one is done.",
                )
            self._waiting.append(Ticket(request))
            self._changed.notify()

    def take(self, timeout: float) -> Ticket | None:
        """The next job, marked as running. None once closed, and `timeout` seconds without a
        job close it, so that none can slip in while the process leaves."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout)
            if self._closed or not self._waiting:
                self._closed = True
                return None
            self._running = self._waiting.popleft()
            return self._running

    def done(self) -> None:
        """The running job has ended."""
        with self._changed:
            self._running = None

    def cancel(self, id: str) -> bool:
        """Cancel a job. True when it was still waiting: it is removed, the caller answers."""
        with self._changed:
            if self._running and self._running.request.id == id:
                self._running.token.cancel()
            for ticket in self._waiting:
                if ticket.request.id == id:
                    self._waiting.remove(ticket)
                    return True
            return False

    def close(self) -> None:
        """Cancel the running job and let `take` return None from now on."""
        with self._changed:
            self._closed = True
            if self._running:
                self._running.token.cancel()
            self._changed.notify_all()

    def drain(self) -> list[str]:
        """Remove the waiting jobs; the caller answers for the returned ids."""
        with self._changed:
            left = [ticket.request.id for ticket in self._waiting]
            self._waiting.clear()
            return left

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._closed
