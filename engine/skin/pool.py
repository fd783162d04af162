"""A small pool of worker processes: results in order, cancelled at once, none left behind.

Beside the standard library's pools: a task may be abandoned in the middle (they wait for it), a
worker that dies is noticed (one of them waits for ever), and nothing is printed on Ctrl-C. This
module imports the standard library only, so that a worker is ready for Ctrl-C at once.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from ..failure import explain
from ..protocol.errors import EngineError, ErrorCode

POLL_SECONDS = 0.1
"""How often `on_wait` is called while no result comes: sets how soon Ctrl-C is noticed."""

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
) -> Iterator[Result]:
    """`function(task)` of every task, in order, by `workers` processes (1: in this process).

    function, prepare: of a module, so that a worker can import them; prepare is called once in
    each new process. on_wait: called before every result and
    every 0.1 s; what it raises stops the workers at once, in the middle of their tasks. They are
    also stopped when the iterator is closed early. Raises the EngineError of a failed task as soon
    as it comes, or OUT_OF_MEMORY when a worker was ended from outside.
    """
    if min(workers, len(tasks)) <= 1:
        for task in tasks:
            on_wait()
            yield function(task)
        return
    pool = _Pool(min(workers, len(tasks)))
    try:
        pool.teach(function, prepare)
        yield from pool.run(tasks, on_wait)
    finally:
        pool.stop()


class _Pool:
    def __init__(self, workers: int) -> None:
        # "spawn" everywhere: a forked copy of a process with running threads can hang.
        context = multiprocessing.get_context("spawn")
        self._pipes: dict[Connection, multiprocessing.process.BaseProcess] = {}
        with _interrupts_held():
            for _ in range(workers):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs,), daemon=True)
                process.start()
                theirs.close()
                self._pipes[ours] = process

    def teach(self, function: Callable[[Any], Any], prepare: Callable[[], None] | None) -> None:
        """What the workers will do."""
        for pipe in self._pipes:
            pipe.send((function, prepare))

    def run(self, tasks: Sequence[Any], on_wait: Callable[[], None]) -> Iterator[Any]:
        """Results in the order of the tasks."""
        done: dict[int, Any] = {}
        idle, given = list(self._pipes) * _QUEUED, 0
        for number in range(len(tasks)):
            while number not in done:
                on_wait()
                while idle and given < min(len(tasks), number + _AHEAD * len(self._pipes)):
                    idle.pop(0).send((given, tasks[given]))
                    given += 1
                for pipe in wait(list(self._pipes), POLL_SECONDS):
                    index, result = self._receive(pipe)
                    done[index] = result
                    idle.append(pipe)
            yield done.pop(number)

    def _receive(self, pipe: Connection) -> tuple[int, Any]:
        try:
            index, failed, value = pipe.recv()
        except (EOFError, OSError) as error:
            process = self._pipes[pipe]
            process.join(1.0)
            raise EngineError(
                ErrorCode.OUT_OF_MEMORY,
                f"A worker process was ended from outside (exit code {process.exitcode}), most "
                "likely because the memory ran out.",
                "Use fewer --workers.",
            ) from error
        if failed:
            raise EngineError(*value)
        return index, value

    def stop(self) -> None:
        """End all workers now and wait for their end."""
        for process in self._pipes.values():
            process.terminate()
        for pipe, process in self._pipes.items():
            process.join()
            pipe.close()


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


def _work(pipe: Connection) -> None:
    """A worker's life: one function, then tasks, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides
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
