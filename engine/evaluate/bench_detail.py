"""`bench detail`: what a detail slider costs, in torch, through a warm worker, and in numpy."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..packs.registry import find_pack
from ..protocol.detail import DETAIL_SIZE
from ..protocol.detail_layers import (
    DetailLayers,
    DetailStrengths,
    compose_albedo,
    compose_detail,
    split_detail,
)
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.messages import SLIDER_DIRECTIONS, Decoded, DecodeRequest, Failed
from ..worker.real import load_detail
from .bench_worker import BenchWorker, bench_worker

MOVED = DetailStrengths(1.2, 0.5, 1.5, 0.8, 1.7, 0.6, 1.4, 0.9, 1.1)
"""No slider at 1: the most work that they can ask for."""


@dataclass(frozen=True)
class Times:
    """Seconds: median and longest of the repeats, and of the processor's work, which other
    programs do not stretch."""

    median: float
    longest: float
    processor: float


@dataclass(frozen=True)
class DetailBench:
    """decode: latent to map in torch; start: worker to hello; first: its first answer, with the
    network's loading; worker: a request to a warm worker, the map read; split: a map in bands;
    strengths: bands and regions together; albedo: by texture size, strengths included."""

    decode: Times
    start: float
    first: float
    worker: Times
    split: Times
    strengths: Times
    albedo: dict[int, Times]


def measure(work: Callable[[], object], repeats: int) -> Times:
    """Time some work, after once without."""
    work()
    clock, processor = [], []
    for _ in range(repeats):
        start, begun = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - begun)
    return Times(statistics.median(clock), max(clock), statistics.median(processor))


def bench_detail(pack: str, sizes: tuple[int, ...], repeats: int, seed: int) -> DetailBench:
    """Measure with the detail model of a pack (id or folder). Raises EngineError."""
    random = np.random.default_rng(seed)
    source = load_detail(find_pack(pack))
    alpha = random.normal(size=source.directions.shape[1:]).astype(np.float32)
    decode = measure(lambda: source.decode(alpha), repeats)
    layers = split_detail(source.decode(alpha))
    count = min(SLIDER_DIRECTIONS, len(source.directions))
    albedo = {size: _time_albedo(layers, size, random, repeats) for size in sizes}
    with bench_worker() as worker:
        began = time.perf_counter()
        _ask(worker, pack, count, random)
        first = time.perf_counter() - began
        before = worker.processor()
        answers = measure(lambda: _ask(worker, pack, count, random), repeats)
        answers = replace(answers, processor=(worker.processor() - before) / (repeats + 1))
        return DetailBench(
            decode,
            worker.start,
            first,
            answers,
            measure(lambda: split_detail(layers.detail), repeats),
            measure(lambda: compose_detail(layers, MOVED), repeats),
            albedo,
        )


def _time_albedo(
    layers: DetailLayers, size: int, random: np.random.Generator, repeats: int
) -> Times:
    shape = (3, size, size)
    coarse = np.moveaxis(random.random(shape, dtype=np.float32), 0, -1)
    photo = np.moveaxis(0.1 * random.random(shape, dtype=np.float32), 0, -1)
    return measure(lambda: compose_albedo(coarse, compose_detail(layers, MOVED), photo), repeats)


def _ask(worker: BenchWorker, pack: str, count: int, random: np.random.Generator) -> np.ndarray:
    """One decode as a slider asks for it: the request, the answer, the file."""
    offsets = tuple(map(float, random.normal(size=count).clip(-3, 3)))
    worker.send(DecodeRequest("bench", offsets, pack=pack))
    message = next(worker.messages())
    if isinstance(message, Failed):
        raise EngineError(message.code, message.message, message.hint)
    if not isinstance(message, Decoded):
        raise EngineError(ErrorCode.PROTOCOL, "The worker did not answer a decode with its map.")
    detail: np.ndarray = np.load(message.path, allow_pickle=False)
    assert detail.shape == (DETAIL_SIZE, DETAIL_SIZE)
    return detail
