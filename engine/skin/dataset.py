"""Many generated skin maps, made by several processes: in memory, or as a folder of PNG files."""

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import cv2
import numpy as np

from ..pool import core_count, map_tasks
from ..protocol.conventions import unit_to_bytes
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from .dataset_info import (
    DATASET_SCHEMA,
    DatasetInfo,
    claim_folder,
    generator_hash,
    plain_errors,
    write_whole,
)
from .generate import generate_skin
from .layout import check_size
from .parameters import SkinParameters
from .sampling import sample_parameters

PARAMETERS_NAME = "parameters.jsonl"
MAX_COUNT = 1_000_000
"""Six digits in a file's name."""
DRAFT_AGE = 600.0
"""Seconds after which an unfinished file belongs to a run that was killed."""

BYTES_PER_PIXEL = 1.0
"""Of a map in its PNG file, about (measured at 1024)."""

_PNG_OPTIONS = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)
"""Skin hardly repeats itself: Huffman codes alone are the fastest way and leave files as small as
zlib's slow levels (measured on maps of 1024: 0.07 s and 1.06 MB; level 1: 0.09 s and 1.19 MB;
level 6: 0.4 s and 1.05 MB)."""
_PNG_END = b"IEND\xaeB`\x82"


def skin_of(seed: int, index: int, size: int) -> tuple[SkinParameters, np.ndarray]:
    """Person number `index` of the set `seed`: parameters and (size, size, 3) float32 sRGB map."""
    rng = np.random.default_rng((seed, index))
    parameters = sample_parameters(rng)
    return parameters, generate_skin(parameters, size, rng)


def file_name(index: int) -> str:
    """Name of the map of person `index`."""
    return f"{index:06d}.png"


def _one_thread() -> None:
    cv2.setNumThreads(1)  # one process per core already


def _map_of(task: tuple[int, int, int]) -> np.ndarray:
    return skin_of(*task)[1].astype(np.float16)


def _go_on() -> None:
    """Nothing asks to stop."""


def generate_maps(
    count: int,
    size: int,
    seed: int,
    workers: int | None = None,
    on_wait: Callable[[], None] = _go_on,
) -> Iterator[np.ndarray]:
    """Maps of the persons 0 to count - 1 in order, each (size, size, 3) float16 sRGB in [0, 1].

    workers: processes; None takes one per core, 1 stays in this process. The maps do not depend
    on it. on_wait: called often while a map is made; what it raises ends the work.
    Raises EngineError(BAD_SETTINGS) for a size or count that is not allowed.
    """
    _check(count, size, seed, workers)
    tasks = [(seed, index, size) for index in range(count)]
    yield from map_tasks(_map_of, tasks, workers or core_count(), on_wait, _one_thread)


def write_dataset(
    folder: Path,
    count: int,
    size: int,
    seed: int,
    workers: int | None,
    reporter: Reporter,
    parameters: bool = False,
) -> DatasetInfo:
    """Write the maps of the persons 0 to count - 1 as NNNNNN.png, 8-bit sRGB, and dataset.json.

    A folder that holds maps of the same seed, size and generator is completed: finished maps stay
    as they are. `count` may be raised later; a smaller one changes nothing. workers: processes,
    None for one per core; the files do not depend on it. parameters: also write parameters.jsonl,
    one JSON object a person (SkinParameters, with the file's name). reporter: progress(maps
    finished, count); cancelling leaves finished maps only.

    Raises EngineError: BAD_SETTINGS for a size, count or seed that is not allowed, BAD_OUTPUT for
    a folder of something else and when the disk refuses, Cancelled.
    """
    _check(count, size, seed, workers)
    folder = Path(folder)
    info = claim_folder(folder, DatasetInfo(DATASET_SCHEMA, seed, size, count, generator_hash()))
    with plain_errors(folder):
        remove_drafts(folder, DRAFT_AGE)
        missing = [n for n in range(info.count) if not is_finished(folder / file_name(n))]
        if parameters or (folder / PARAMETERS_NAME).exists():
            reporter.progress(info.count - len(missing), info.count)
            write_whole(folder / PARAMETERS_NAME, _parameter_lines(info))
        _warn_of_full_disk(folder, len(missing), size, reporter)
    try:
        _write_missing(folder, info, missing, workers or core_count(), reporter)
    except BaseException:
        remove_drafts(folder, 0.0)
        raise
    return info


def _write_missing(
    folder: Path, info: DatasetInfo, missing: list[int], workers: int, reporter: Reporter
) -> None:
    done = info.count - len(missing)

    def tell() -> None:
        reporter.progress(done, info.count)

    tell()
    tasks = [(str(folder), info.seed, index, info.size) for index in missing]
    with closing(map_tasks(_write_map, tasks, workers, tell, _one_thread)) as written:
        for _ in written:
            done += 1
            tell()


def _warn_of_full_disk(folder: Path, count: int, size: int, reporter: Reporter) -> None:
    needed, free = count * size * size * BYTES_PER_PIXEL, shutil.disk_usage(folder).free
    if needed > free:
        reporter.warning(f"The maps need about {_amount(needed)}, and {_amount(free)} are free.")


def _amount(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _check(count: int, size: int, seed: int, workers: int | None) -> None:
    check_size(size)
    for name, value, low, high in (
        ("number of skin maps", count, 1, MAX_COUNT),
        ("seed", seed, 0, 2**63 - 1),
        ("number of workers", 1 if workers is None else workers, 1, 1024),
    ):
        if not low <= value <= high:
            raise EngineError(
                ErrorCode.BAD_SETTINGS, f"The {name} must be from {low} to {high}, got {value}."
            )


def _write_map(task: tuple[str, int, int, int]) -> None:
    """Make and write one map; run by a worker."""
    folder, seed, index, size = task
    pixels = unit_to_bytes(skin_of(seed, index, size)[1])
    encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), _PNG_OPTIONS)[1]
    with plain_errors(Path(folder), "The same command goes on where this one stopped."):
        write_whole(Path(folder) / file_name(index), encoded.tobytes())


def is_finished(path: Path) -> bool:
    """True for a PNG file that reaches its end: a lost power supply can leave an empty one."""
    try:
        with open(path, "rb") as file:
            file.seek(-len(_PNG_END), os.SEEK_END)
            return file.read() == _PNG_END
    except OSError:
        return False


def remove_drafts(folder: Path, age: float) -> None:
    """Remove unfinished files that were not touched for `age` seconds."""
    for draft in folder.glob(".*.part"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime >= age:
                draft.unlink()


def _parameter_lines(info: DatasetInfo) -> bytes:
    """JSON lines of the persons' parameters. Drawn again: that takes microseconds each."""
    lines = []
    for index in range(info.count):
        drawn = sample_parameters(np.random.default_rng((info.seed, index)))
        plain = {"person": index, "file": file_name(index), **dataclasses.asdict(drawn)}
        lines.append(json.dumps(plain, default=float) + "\n")
    return "".join(lines).encode()
