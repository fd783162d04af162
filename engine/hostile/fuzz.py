"""A small coverage-guided fuzzer: inputs that reach something new become parents of further ones.

Ours rather than a library: it must run on Python 3.11 and 3.13, in seconds, and in a test.
"""

import random
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .coverage import Edge, Edges
from .mutate import mutated

MOST_SECONDS = 2.0
"""Of processor time for one small input. Ours: hundreds of times the usual."""
MOST_MEMORY = 160 << 20
"""Bytes that Python and numpy may take for one input of at most `MOST_INPUT` bytes.
Ours: an .xz archive may ask for 128 MB; it is never filled."""
MOST_INPUT = 1 << 16
MEASURED_EVERY = 20
"""One input in so many is run again under `tracemalloc`, which is slow; new ones always."""


@dataclass(frozen=True, eq=False)
class Reader:
    """What is fuzzed. run: reads bytes; refusals: the exceptions by which it refuses; seeds: whole
    inputs; folders: source files whose coverage guides."""

    name: str
    run: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    folders: tuple[Path, ...]


@dataclass
class Found:
    """What a run of the fuzzer gave. edges: reached; inputs: that reached something new; defects:
    by what went wrong, the shortest input; slowest: seconds; largest: bytes taken."""

    name: str
    runs: int = 0
    refused: int = 0
    edges: int = 0
    inputs: int = 0
    slowest: float = 0.0
    largest: int = 0
    defects: dict[str, bytes] = field(default_factory=dict)


def fuzz(reader: Reader, seconds: float, seed: int, most_runs: int | None = None) -> Found:
    """Search until the time, or the number of runs, is over."""
    chance = random.Random(f"{reader.name} {seed}")
    found, edges = Found(reader.name), Edges(reader.folders)
    seen: set[Edge] = set()
    corpus: list[bytes] = []
    end = time.monotonic() + seconds
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        while (most_runs is None or found.runs < most_runs) and time.monotonic() < end:
            fresh = found.runs >= len(reader.seeds)
            data = _next(corpus, reader, chance) if fresh else reader.seeds[found.runs]
            reached = _run(reader, data, edges, found)
            news = not reached <= seen or not fresh
            if news:
                seen |= reached
                corpus.append(data)
                found.inputs += 1
            if news or found.runs % MEASURED_EVERY == 0:
                _measure(reader, data, found)
    found.edges = len(seen)
    return found


def _next(corpus: Sequence[bytes], reader: Reader, chance: random.Random) -> bytes:
    """A spoiled parent; young parents more often, they lead to new places."""
    parents = corpus[-20:] if chance.random() < 0.5 else corpus
    return mutated(chance.choice(parents), corpus, chance)[:MOST_INPUT]


def _run(reader: Reader, data: bytes, edges: Edges, found: Found) -> set[Edge]:
    began = time.process_time()
    reached, raised = edges.of(lambda: reader.run(data))
    spent = time.process_time() - began
    found.runs += 1
    found.slowest = max(found.slowest, spent)
    if isinstance(raised, reader.refusals):
        found.refused += 1
        if len(str(raised)) > 2000:
            _keep(found, f"a complaint of {len(str(raised))} letters", data)
    elif raised is not None:
        _keep(found, _where(raised), data)
    if spent > MOST_SECONDS:
        _keep(found, "more than the time", data)
    return reached


def _measure(reader: Reader, data: bytes, found: Found) -> None:
    tracemalloc.start()
    try:
        reader.run(data)
    except Exception:  # noqa: BLE001 judged by _run
        pass
    finally:
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    found.largest = max(found.largest, largest)
    if largest > MOST_MEMORY:
        _keep(found, "more than the memory", data)


def _where(error: BaseException) -> str:
    """Kind of an exception and the line of ours that it came through last."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if (
            "engine" in Path(code.co_filename).parts
            and "hostile" not in Path(code.co_filename).parts
        ):
            place = f"{Path(code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}: {str(error)[:80]}"


def _keep(found: Found, what: str, data: bytes) -> None:
    if what not in found.defects or len(data) < len(found.defects[what]):
        found.defects[what] = data
