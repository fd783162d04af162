"""The worker's loop: hello, then jobs and decodes one by one until the client leaves."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from ..config import WorkerSettings
from ..failure import explain
from ..protocol.errors import Cancelled, EngineError, ErrorCode
from ..protocol.messages import (
    MAX_LINE_BYTES,
    CancelRequest,
    Decoded,
    DecodeRequest,
    Failed,
    Finished,
    Hello,
    JobRequest,
    Shutdown,
    WasCancelled,
    WorkerMessage,
    decode,
    request_id,
)
from ..protocol.work import Job
from ..reporter import MessageReporter, Reporter
from .channel import MessageWriter, Pipes, client_left, read_lines
from .jobs import JobQueue, Ticket

LOG = logging.getLogger(__name__)

RunJob = Callable[[Job, Reporter], Path]
"""Runs one job and returns the path of what it wrote; raises to fail or cancel."""
RunDecode = Callable[[DecodeRequest], Path]
"""Writes one detail map and returns its path; raises to fail."""


@dataclass(frozen=True)
class Work:
    """What a worker can do."""

    job: RunJob
    decode: RunDecode


EXIT_STUCK = 1
LAST_WORDS = 1.0
"""Seconds to say what became of waiting jobs before a stuck process ends."""


class _Running:
    """Whether a signal may interrupt the main thread now; one that comes while a message is being
    written comes late, since half a message would spoil the next one."""

    interruptible = False
    sending = late = False

    def send(self, writer: MessageWriter, message: WorkerMessage) -> None:
        """`writer.send`. Raises KeyboardInterrupt afterwards when a signal came meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            writer.send(message)  # signals do not reach other threads
            return
        self.sending = True
        try:
            writer.send(message)
        finally:
            self.sending = False
        if self.late:
            self.late = False
            self.interrupt()

    def interrupt(self) -> None:
        """A signal came. Raises KeyboardInterrupt in a job, else nothing happens."""
        if self.sending:
            self.late = True
        elif self.interruptible:
            self.interruptible = False
            raise KeyboardInterrupt


def serve(pipes: Pipes, work: Work, hello: Hello, settings: WorkerSettings) -> None:
    """Say hello and work until the client closes, says shutdown, dies, or nothing comes.

    Must run on the main thread. Every job and every decode gets exactly one terminal message.
    """
    queue, state = JobQueue(settings.waiting_jobs), _Running()
    pipes.writer.send(hello)
    threading.Thread(target=_read, args=(pipes, queue, settings), daemon=True).start()
    threading.Thread(target=_watch_parent, args=(pipes, queue, settings), daemon=True).start()
    with _signals(queue, state):
        while ticket := queue.take(settings.idle_seconds):
            message = _run(ticket, work, pipes.writer, state)
            state.late = False  # the job that it was meant for has ended
            queue.done()
            pipes.writer.send(message)
            if pipes.writer.broken:
                break
    queue.close()
    _answer_waiting(queue, pipes.writer)


def _answer_waiting(queue: JobQueue, writer: MessageWriter) -> None:
    for id in queue.drain():
        writer.send(WasCancelled(id))


def _run(ticket: Ticket, work: Work, writer: MessageWriter, state: _Running) -> WorkerMessage:
    """Run one job or decode; whatever happens becomes its terminal message."""
    try:
        state.interruptible = True
        return _attempt(ticket, work, partial(state.send, writer))
    except KeyboardInterrupt:
        return WasCancelled(ticket.request.id)
    finally:
        state.interruptible = False


def _attempt(ticket: Ticket, work: Work, send: Callable[[WorkerMessage], None]) -> WorkerMessage:
    request, id = ticket.request, ticket.request.id
    try:
        ticket.token.check()
        if isinstance(request, DecodeRequest):
            return Decoded(id, str(work.decode(request)))
        path = work.job(request.job, MessageReporter(id, send, ticket.token))
        return Finished(id, str(path))
    except Cancelled:
        return WasCancelled(id)
    except (Exception, SystemExit) as error:  # noqa: BLE001 the edge: no job may end the worker
        return failed(id, explain(error))


def failed(id: str, error: EngineError) -> Failed:
    """The message for an error of job `id` ("" for none)."""
    return Failed(id, error.code, error.message, error.hint)


def _read(pipes: Pipes, queue: JobQueue, settings: WorkerSettings) -> None:
    """Reading thread: lines to jobs, decodes, cancels and complaints, until the client closes."""
    try:
        for line in read_lines(pipes.input):
            try:
                _dispatch(line, queue, pipes.writer)
            except EngineError as error:
                pipes.writer.send(failed(request_id(line) if line else "", error))
            if queue.closed:
                break
    finally:
        _end(queue, pipes.writer, settings)


def _dispatch(line: bytes | None, queue: JobQueue, writer: MessageWriter) -> None:
    if line is None:
        raise EngineError(ErrorCode.PROTOCOL, f"A line is longer than {MAX_LINE_BYTES} bytes.")
    match decode(line):
        case JobRequest() | DecodeRequest() as request:
            older = queue.put(request)
            if older is not None:
                writer.send(WasCancelled(older))
        case CancelRequest(id):
            if queue.cancel(id):
                writer.send(WasCancelled(id))
        case Shutdown():
            queue.close()
        case other:
            raise EngineError(
                ErrorCode.PROTOCOL, f"A {type(other).__name__} message is not for the worker."
            )


def _watch_parent(pipes: Pipes, queue: JobQueue, settings: WorkerSettings) -> None:
    """End when the starter dies though a sibling still holds the pipe open, or when it closed our
    input and does not read what we say: then the reading thread waits to write (POSIX)."""
    if os.name == "nt":
        return
    parent = os.getppid()
    while os.getppid() == parent and not client_left(pipes.input):
        time.sleep(settings.parent_poll_seconds)
    if os.getppid() == parent:
        time.sleep(settings.exit_grace_seconds)  # the reading thread may still reach the end
    _end(queue, pipes.writer, settings)


def _end(queue: JobQueue, writer: MessageWriter, settings: WorkerSettings) -> None:
    """Ask the main thread to end; end the process if it cannot."""
    queue.close()
    time.sleep(settings.exit_grace_seconds)
    last = threading.Thread(target=_answer_waiting, args=(queue, writer), daemon=True)
    last.start()
    last.join(LAST_WORDS)  # nobody may read them
    LOG.error("The job did not stop in time; the process ends")
    os._exit(EXIT_STUCK)  # the main thread is stuck inside a library call


@contextmanager
def _signals(queue: JobQueue, state: _Running) -> Iterator[None]:
    """Interrupt: the running job is cancelled at once. Terminate: and the worker ends."""

    def handle(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            queue.close()
        state.interrupt()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)  # what a parent can send to a process group there
    previous = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
