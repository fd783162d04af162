"""What waits and what runs; shared by the reading thread and the main thread."""

import threading
from collections import deque
from dataclasses import dataclass, field

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.messages import DecodeRequest, JobRequest
from ..reporter import CancelToken


@dataclass(frozen=True)
class Ticket:
    """A job or a decode, and the flag that cancels it."""

    request: JobRequest | DecodeRequest
    token: CancelToken = field(default_factory=CancelToken)


class JobQueue:
    """Jobs: first come, first served; one runs at a time. Decodes: the newest only.

    A decode waits for what runs and goes before the jobs that wait: somebody drags a slider.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[Ticket] = deque()
        self._decode: Ticket | None = None
        self._running: Ticket | None = None
        self._closed = False

    def put(self, request: JobRequest | DecodeRequest) -> str | None:
        """Add a job or a decode. Raises EngineError(PROTOCOL) when its id is in use or too many
        jobs wait. Returns the id of an older decode that it replaces: the caller answers that.

        After `close` nothing happens: the process is about to end, and the client takes that
        for the worker's leave and starts another one.
        """
        with self._changed:
            if self._closed:
                return None
            held = [*self._waiting, self._decode, self._running]
            if request.id in [ticket.request.id for ticket in held if ticket]:
                raise EngineError(
                    ErrorCode.PROTOCOL, f"A job with the id {request.id} is already here."
                )
            if isinstance(request, DecodeRequest):
                older, self._decode = self._decode, Ticket(request)
                self._changed.notify()
                return older.request.id if older else None
            if len(self._waiting) >= self._limit:
                raise EngineError(
                    ErrorCode.PROTOCOL,
                    f"Already {self._limit} jobs are waiting.",
                    "Wait until one is done.",
                )
            self._waiting.append(Ticket(request))
            self._changed.notify()
            return None

    def take(self, timeout: float) -> Ticket | None:
        """The next job or decode, marked as running. None once closed, and `timeout` seconds
        without one close it, so that none can slip in while the process leaves."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._decode or self._closed, timeout)
            if self._closed or not (self._waiting or self._decode):
                self._closed = True
                return None
            if self._decode:
                self._running, self._decode = self._decode, None
            else:
                self._running = self._waiting.popleft()
            return self._running

    def done(self) -> None:
        """The running job has ended."""
        with self._changed:
            self._running = None

    def cancel(self, id: str) -> bool:
        """Cancel a job or a decode. True when it still waited: it is removed, the caller
        answers."""
        with self._changed:
            if self._running and self._running.request.id == id:
                self._running.token.cancel()
            if self._decode and self._decode.request.id == id:
                self._decode = None
                return True
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
        """Remove what waits; the caller answers for the returned ids."""
        with self._changed:
            left = [ticket.request.id for ticket in [*self._waiting, self._decode] if ticket]
            self._waiting.clear()
            self._decode = None
            return left

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._closed
