"""A small pool of worker processes: results in order, cancelled at once, none left behind.

Beside the standard library's pools: a task may be abandoned in the middle (they wait for it), a
worker that dies is noticed (one of them waits for ever), and nothing is printed on Ctrl-C. This
module imports the standard library only, so that a worker is ready for Ctrl-C at once.
"""

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, TypeVar

from .failure import explain
from .protocol.errors import EngineError, ErrorCode

POLL_SECONDS = 0.1
"""How often `on_wait` is called while no result comes: sets how soon Ctrl-C is noticed."""

LEAVE_SECONDS = 0.7
"""For a worker to remove what an unfinished task has made, before it is killed."""

_QUEUED = 2
"""Tasks at each worker: the next one is there when it finishes one."""
_AHEAD = 4
"""Tasks handed out before the oldest result is taken, per worker: no worker waits for a slow
neighbour, and memory stays bounded."""

_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Read by numpy's libraries when they load. There is one process for each core already."""

Task = TypeVar("Task")
Result = TypeVar("Result")


def core_count() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    on_wait: Callable[[], None],
    prepare: Callable[[], None] | None = None,
    lost: Callable[[Task, EngineError], Result] | None = None,
    in_order: bool = True,
) -> Generator[Result, None, None]:
    """`function(task)` of every task, in order, by `workers` processes (1: in this process).

    function, prepare: of a module, so that a worker can import them; prepare is called once in
    each new process. on_wait: called before every result and
    every 0.1 s; what it raises stops the workers at once, in the middle of their tasks. They are
    also stopped when the iterator is closed early. Raises the EngineError of a failed task as soon
    as it comes, or OUT_OF_MEMORY when a worker was ended from outside.
    lost: with it the work goes on in a new process, and `lost(task, error)` stands for the result
    of the task that the process died of; one worker is then a process of its own, too.
    in_order: else the results come as they are ready, and no task waits behind a long one.
    """
    workers = min(workers, len(tasks))
    if not tasks or (workers <= 1 and lost is None):
        for task in tasks:
            on_wait()
            yield function(task)
        return
    pool = _Pool(workers, function, prepare)
    try:
        yield from pool.run(tasks, on_wait, lost, in_order)
    finally:
        pool.stop()


class _Pool:
    def __init__(
        self, workers: int, function: Callable[[Any], Any], prepare: Callable[[], None] | None
    ) -> None:
        self._lesson = (function, prepare)
        self._pipes: dict[Connection, multiprocessing.process.BaseProcess] = {}
        self._held: dict[Connection, deque[int]] = {}
        """Tasks at each worker, the one that it works on first."""
        for _ in range(workers):
            self._start()

    def _start(self) -> None:
        # "spawn" everywhere: a forked copy of a process with running threads can hang.
        context = multiprocessing.get_context("spawn")
        with _interrupts_held():
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
        self._pipes[ours], self._held[ours] = process, deque()
        with suppress(OSError):  # dead already: noticed by `run`
            ours.send(self._lesson)

    def run(
        self,
        tasks: Sequence[Any],
        on_wait: Callable[[], None],
        lost: Callable[[Any, EngineError], Any] | None,
        in_order: bool,
    ) -> Iterator[Any]:
        """See `map_tasks`."""
        done: dict[int, Any] = {}
        queued = _QUEUED if in_order else 1
        waiting = deque(range(len(tasks)))
        for number in range(len(tasks)):
            while number not in done if in_order else not done:
                on_wait()
                self._hand_out(tasks, waiting, number + _AHEAD * len(self._pipes), queued)
                for pipe in wait(list(self._pipes), POLL_SECONDS):
                    try:
                        index, result = self._receive(pipe)
                    except _Death as death:
                        if lost is None:
                            raise death.error from death
                        held = self._bury(pipe)
                        if held:
                            done[held[0]] = lost(tasks[held[0]], death.error)
                        waiting.extendleft(reversed(list(held)[1:]))
                        self._start()
                    else:
                        done[index] = result
            yield done.pop(number) if in_order else done.popitem()[1]

    def _hand_out(self, tasks: Sequence[Any], waiting: deque[int], limit: int, queued: int) -> None:
        """Tasks below `limit` to the workers that hold least, and fewer than `queued`."""
        while waiting and waiting[0] < limit:
            pipe = min(self._pipes, key=lambda each: len(self._held[each]))
            if len(self._held[pipe]) >= queued:
                return
            index = waiting.popleft()
            self._held[pipe].append(index)
            with suppress(OSError):  # dead: noticed by `run`
                pipe.send((index, tasks[index]))

    def _receive(self, pipe: Connection) -> tuple[int, Any]:
        """The next result of a worker. Raises _Death, and the EngineError of a failed task."""
        try:
            index, failed, value = pipe.recv()
        except (EOFError, OSError) as error:
            raise _Death(self._pipes[pipe]) from error
        if failed:
            raise EngineError(*value)
        self._held[pipe].remove(index)
        return index, value

    def _bury(self, pipe: Connection) -> deque[int]:
        """Forget a dead worker; returns the tasks that it held."""
        self._pipes.pop(pipe).join()
        pipe.close()
        return self._held.pop(pipe)

    def stop(self) -> None:
        """End all workers now and wait for their end."""
        for process in self._pipes.values():
            process.terminate()
        deadline = time.monotonic() + LEAVE_SECONDS
        for pipe, process in self._pipes.items():
            process.join(max(0.0, deadline - time.monotonic()))
            process.kill()
            process.join()
            pipe.close()


class _Death(Exception):
    """A worker process has ended by itself."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        process.join(1.0)
        super().__init__(process.exitcode)
        self.error = EngineError(
            ErrorCode.OUT_OF_MEMORY,
            f"A worker process was ended from outside (exit code {process.exitcode}), most "
            "likely because the memory ran out.",
            "Use fewer --workers.",
        )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started inside never see Ctrl-C (they inherit the mask); ours comes afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows: a worker ignores it by itself
        yield
        return
    from multiprocessing import resource_tracker  # not on Windows

    resource_tracker.ensure_running()  # its own start would let them through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Leave(BaseException):
    """Ends a worker: a task in the middle of its work removes what it made."""


def _leave(number: int, frame: FrameType | None) -> None:
    raise _Leave


def _work(pipe: Connection) -> None:
    """A worker's life: one function, then tasks, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides
    signal.signal(signal.SIGTERM, _leave)
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        function, prepare = pipe.recv()
        if prepare is not None:
            prepare()
        while True:
            index, task = pipe.recv()
            try:
                answer = (index, False, function(task))
            except Exception as error:  # noqa: BLE001 the edge of this process
                plain = explain(error)
                answer = (index, True, (plain.code, plain.message, plain.hint))
            pipe.send(answer)
    except (EOFError, OSError):
        return
    except _Leave:
        os._exit(1)  # a full farewell takes PyTorch a second
