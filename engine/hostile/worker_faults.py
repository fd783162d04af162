"""A hostile client before the worker: each attempt is followed by an honest job."""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..protocol.job import FitJob
from ..protocol.messages import (
    MAX_LINE_BYTES,
    CancelRequest,
    DecodeRequest,
    Finished,
    JobRequest,
    Shutdown,
    encode,
)
from .mutate import mutated
from .processes import RawWorker
from .table import Fault, Row, Tally

FLOOD = 3000
"""Lines at once: some hundred kilobytes, far above what a pipe holds."""
UNREAD = 1.0
"""Seconds in which a slow reader reads nothing."""

Attack = Callable[[RawWorker, random.Random], None]


def requests(template: Path) -> tuple[bytes, ...]:
    """Honest lines, the seeds of wrong ones."""
    job = FitJob((str(template),), str(template.with_name("out")), texture_size=256)
    return tuple(
        encode(message)
        for message in (
            JobRequest("seed", job),
            DecodeRequest("seed", (0.5, -1.0), pack="default"),
            CancelRequest("seed"),
        )
    )


def _attacks(template: Path) -> dict[str, Attack]:
    honest = requests(template)

    def garbage(worker: RawWorker, chance: random.Random) -> None:
        worker.write(chance.randbytes(chance.randrange(1, 2000)).replace(b"\n", b" ") + b"\n")

    def huge(worker: RawWorker, chance: random.Random) -> None:
        size = chance.choice((MAX_LINE_BYTES - 2, MAX_LINE_BYTES, 3 * MAX_LINE_BYTES))
        worker.write(bytes([chance.choice(b'x[{"1 ')]) * size + b"\n")

    def truncated(worker: RawWorker, chance: random.Random) -> None:
        line = chance.choice(honest)
        worker.write(line[: chance.randrange(1, len(line) - 1)] + b"\n")

    def other_version(worker: RawWorker, chance: random.Random) -> None:
        plain = json.loads(chance.choice(honest))
        name = chance.choice((*plain, "version"))
        plain[name] = chance.choice((None, -1, 1e300, "x" * 100, [], {}, [[[]]], True))
        worker.write(json.dumps(plain).encode() + b"\n")

    def spoiled(worker: RawWorker, chance: random.Random) -> None:
        line = mutated(chance.choice(honest), honest, chance)
        worker.write(line.replace(b"\n", b" ") + b"\n")

    def flood(worker: RawWorker, chance: random.Random) -> None:
        worker.write(b"".join(chance.choice((b"{}\n", b"\n", honest[2])) for _ in range(FLOOD)))

    def slow_reader(worker: RawWorker, chance: random.Random) -> None:
        worker.reading.clear()
        try:
            worker.write(b"{}\n" * chance.randrange(FLOOD))
            time.sleep(UNREAD * chance.random())
        finally:
            worker.reading.set()

    return {
        "worker: garbage": garbage,
        "worker: huge lines": huge,
        "worker: truncated JSON": truncated,
        "worker: messages of another version": other_version,
        "worker: spoiled messages": spoiled,
        "worker: floods": flood,
        "worker: a slow reader": slow_reader,
    }


def worker_rows(template: Path, scratch: Path, count: int, seed: int) -> Iterator[Row]:
    """The rows of this campaign. template: a result directory; scratch: an empty folder; count: of
    each cheap kind, a tenth of the costly ones."""
    for kind, attack in _attacks(template).items():
        tally, chance = Tally(kind), random.Random(f"{kind} {seed}")
        dear = any(word in kind for word in ("huge", "floods", "slow"))
        worker: RawWorker | None = None
        for number in range(max(count // 10, 3) if dear else count):
            with tally.attempt():
                worker = worker or RawWorker(scratch)
                try:
                    attack(worker, chance)
                    honest_job(worker, template, scratch / "out", f"job-{number}", number)
                except BaseException:
                    worker.kill()
                    worker = None
                    raise
        if worker is not None:
            worker.leave()
            worker.kill()
        yield tally.row()
    yield _half_closed(template, scratch, max(count // 10, 4), seed)


def honest_job(worker: RawWorker, template: Path, output: Path, id: str, number: int) -> None:
    """Raises Fault unless the worker does it."""
    job = FitJob((str(template),), str(output), seed=number, texture_size=256)
    worker.send(JobRequest(id, job))
    answer = worker.answer(id)
    if not isinstance(answer, Finished):
        raise Fault(f"the next job ended with {str(answer)[:200]}")


def _half_closed(template: Path, scratch: Path, count: int, seed: int) -> Row:
    """One of the two pipes is closed in a job, or both, or one is closed and one not read: the
    worker must leave."""
    tally, chance = Tally("worker: half-closed pipes"), random.Random(f"half {seed}")
    for number in range(count):
        with tally.attempt():
            worker = RawWorker(scratch)
            try:
                job = FitJob((str(template),), str(scratch / "half"), texture_size=4096)
                worker.send(JobRequest("one", job))
                how = number % 4
                if how == 1:
                    worker.stop_listening()
                    worker.collect()
                elif how == 2:
                    worker.send(Shutdown())
                elif how == 3:
                    worker.reading.clear()
                    worker.write(b"{}\n" * chance.randrange(1, FLOOD))
                worker.leave()
            finally:
                worker.kill()
    return tally.row()
