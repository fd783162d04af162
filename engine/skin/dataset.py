"""Many generated skin maps, made by several processes."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np

from ..protocol.errors import EngineError, ErrorCode
from .generate import generate_skin
from .layout import check_size
from .parameters import SkinParameters, sample_parameters

MAX_WORKERS = 8
_CHUNK = 4


def skin_of(seed: int, index: int, size: int) -> tuple[SkinParameters, np.ndarray]:
    """Person number `index` of the set `seed`: parameters and (size, size, 3) float32 sRGB map."""
    rng = np.random.default_rng((seed, index))
    parameters = sample_parameters(rng)
    return parameters, generate_skin(parameters, size, rng)


def _map_of(task: tuple[int, int, int]) -> np.ndarray:
    return skin_of(*task)[1].astype(np.float16)


def _start_worker() -> None:
    cv2.setNumThreads(1)  # one process per core already


def generate_maps(
    count: int, size: int, seed: int, workers: int | None = None
) -> Iterator[np.ndarray]:
    """Maps of the persons 0 to count - 1 in order, each (size, size, 3) float16 sRGB in [0, 1].

    workers: processes; None takes one per core (8 at most), 1 stays in this process. The maps do
    not depend on it. Raises EngineError(BAD_SETTINGS) for a size or count that is not allowed.
    """
    check_size(size)
    if count < 1:
        raise EngineError(ErrorCode.BAD_SETTINGS, f"Expected at least 1 skin map, got {count}.")
    tasks = [(seed, index, size) for index in range(count)]
    wanted = workers if workers is not None else min(os.cpu_count() or 1, MAX_WORKERS)
    if min(wanted, count) <= 1:
        yield from map(_map_of, tasks)
        return
    # "spawn" everywhere: a forked copy of a process with running threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(wanted, mp_context=context, initializer=_start_worker) as pool:
        yield from pool.map(_map_of, tasks, chunksize=_CHUNK)
