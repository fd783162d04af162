"""A pass over all maps on this machine: decoded ahead by threads, resumable, cancelled quickly."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..reporter import Reporter
from .reduction import Frame, PassSums, Tick, accumulate
from .texels import TexelSource
from .waiting import wait_for
from .work import WorkFolder


def local_pass(
    source: TexelSource,
    frame: Frame,
    name: str,
    with_images: bool,
    batch: int,
    threads: int,
    work: WorkFolder,
    checkpoint_seconds: float,
    report: Reporter,
) -> PassSums:
    """Sums over all maps of `source`; goes on where a killed run saved the pass `name`."""
    sums = work.load_partial(name, frame, with_images)
    saved = time.monotonic()

    def tick() -> None:
        report.progress(sums.count, len(source))

    room = np.empty((batch, len(frame.weight)), np.float32)
    for maps in batches(source, frame.channels, sums.count, batch, threads, tick):
        accumulate(sums, maps, frame, tick, room)
        tick()
        if time.monotonic() - saved >= checkpoint_seconds and sums.count < len(source):
            work.save_partial(name, sums, tick)
            saved = time.monotonic()
    return sums


def batches(
    source: TexelSource,
    channels: tuple[int, ...],
    start: int,
    batch: int,
    threads: int,
    tick: Tick,
) -> Iterator[np.ndarray]:
    """(b, C, N) uint8 maps from row `start` on, the next batch read while one is used.

    Batches begin at multiples of `batch`, so that a resumed pass adds up as an unbroken one. An
    array is overwritten after the next one was asked for.
    """
    if start >= len(source):
        return
    rows = [range(i, min(i + batch, len(source))) for i in range(start, len(source), batch)]
    shape = (min(batch, len(source) - start), len(channels), source.read(start).shape[1])
    buffers = (np.empty(shape, np.uint8), np.empty(shape, np.uint8))
    pool = ThreadPoolExecutor(threads)
    try:
        load = _loader(pool, source, list(channels))
        waiting = load(rows[0], buffers[0])
        for number, wanted in enumerate(rows):
            for future in waiting:
                wait_for(future, tick)
            if number + 1 < len(rows):
                waiting = load(rows[number + 1], buffers[(number + 1) % 2])
            yield buffers[number % 2][: len(wanted)]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _loader(pool: ThreadPoolExecutor, source: TexelSource, channels: list[int]) -> Callable:
    def one(row: int, out: np.ndarray) -> None:
        out[:] = source.read(row)[channels]

    def load(rows: range, buffer: np.ndarray) -> list:
        return [pool.submit(one, row, buffer[i]) for i, row in enumerate(rows)]

    return load
