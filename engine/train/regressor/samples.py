"""Samples on disk: what the nets saw of random photos, and what was true. Made in any order,
gone on with after a stop; sample `i` of a seed is the same wherever it is made.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ...nets.bundle import Nets, load_nets
from ...nets.dlib_file import EMBEDDING_SIZE
from ...nets.face_mesh import POINTS
from ...pool import map_tasks
from ...protocol.errors import EngineError, ErrorCode
from ...protocol.headpack import read_pack
from .observe import Observed, observe_photos, threads_off
from .picture import SyntheticPhoto, synthetic_photo
from .stage import Stage, build_stage

CHUNK = 32
"""Samples of one task."""
_TOGETHER = 8
"""Photos that the landmark net looks at together: half the time for each."""
GENERATOR = 1
"""Version of the pictures: raised when they change."""
_STATE = "samples.json"


@dataclass(frozen=True)
class SampleSource:
    """Where samples come from. pack: folder of the head pack; skins: folder of maps."""

    pack: Path
    skins: tuple[Path, ...]
    seed: int


@dataclass(frozen=True, eq=False)
class SampleSet:
    """arrays by name, (n, ...), see `layout`; they lie on disk. ready: how many are made."""

    arrays: Mapping[str, np.ndarray]
    ready: int


def layout(identity: int, expression: int) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and kind of each array of one sample.

    embedding: of the identity net. observed, truth: points in pixels of the crop. rotation: model
    to
    camera. scene: log of the distance in metres, focal length in pixels, crop pixels
    per photo pixel. light: shading in model space.
    """
    return {
        "embedding": ((EMBEDDING_SIZE,), "<f4"),
        "observed": ((POINTS, 3), "<f4"),
        "truth": ((POINTS, 3), "<f4"),
        "identity": ((identity,), "<f4"),
        "expression": ((expression,), "<f4"),
        "rotation": ((3, 3), "<f4"),
        "scene": ((3,), "<f4"),
        "light": ((9, 3), "<f4"),
        "presence": ((), "<f4"),
    }


def make_samples(
    folder: Path,
    source: SampleSource,
    count: int,
    workers: int,
    progress: Callable[[int, int], None],
) -> SampleSet:
    """Samples 0 to count - 1 in `folder`; those that are there already are kept.

    progress: called with done and total, often; may raise Cancelled. Raises
    EngineError(BAD_INPUT) when the folder holds samples of something else.
    """
    head = read_pack(source.pack).head
    shapes = layout(len(head.identity), len(head.expression))
    done = _prepare(folder, source, head.sha)
    files = {name: _grown(folder / name, count, *shape) for name, shape in shapes.items()}
    starts = range(done, count, CHUNK)
    stage = None if workers > 1 else build_stage(head, source.skins)
    task = partial(_chunk, source, count, stage)
    state = [done]
    results = map_tasks(task, starts, workers, lambda: progress(state[0], count), threads_off)
    for start, made in zip(starts, results, strict=True):
        for name, rows in made.items():
            files[name][start : start + len(rows)] = rows
            files[name].flush()
        state[0] = min(start + CHUNK, count)
        _note(folder, source, head.sha, state[0])
        progress(state[0], count)
    return SampleSet(files, count)


def open_samples(
    folder: Path, identity: int, expression: int, count: int | None = None
) -> SampleSet:
    """Samples that were made so far, also while more are being made; the first `count` of them."""
    ready = int(_state(folder).get("done", 0))
    ready = ready if count is None else min(ready, count)
    arrays = {
        name: np.memmap(folder / name, kind, "r", shape=(ready, *shape))
        for name, (shape, kind) in layout(identity, expression).items()
    }
    return SampleSet(arrays, ready)


_STAGES: dict[tuple[Path, int], Stage] = {}
_NETS: dict[Path, Nets] = {}
"""Of a worker process: made at its first task."""


def _chunk(
    source: SampleSource, count: int, stage: Stage | None, start: int
) -> dict[str, np.ndarray]:
    cv2.setNumThreads(1)
    key = (source.pack, len(source.skins))
    if stage is None and key not in _STAGES:
        _STAGES[key] = build_stage(read_pack(source.pack).head, source.skins)
    stage = stage or _STAGES[key]
    if source.pack not in _NETS:
        _NETS[source.pack] = load_nets(source.pack)
    nets, weight = _NETS[source.pack], stage.landmarks.weight
    numbers = range(start, min(start + CHUNK, count))
    rows = []
    for some in (numbers[n : n + _TOGETHER] for n in range(0, len(numbers), _TOGETHER)):
        photos = [synthetic_photo(stage, source.seed, n) for n in some]
        found = observe_photos(nets, photos, weight, some)
        rows += [_row(photo, one) for photo, one in zip(photos, found, strict=True)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _row(photo: SyntheticPhoto, found: Observed) -> dict[str, np.ndarray]:
    view = photo.view
    return {
        "embedding": found.embedding,
        "observed": found.seen.points,
        "truth": found.truth,
        "identity": photo.identity,
        "expression": photo.expression,
        "rotation": found.level @ view.rotation,
        "scene": np.array([np.log(view.translation[2]), view.focal, found.zoom]),
        "light": photo.light,
        "presence": np.array(found.seen.presence),
    }


def _grown(path: Path, count: int, shape: tuple[int, ...], kind: str) -> np.memmap:
    """The file as an array of at least `count` rows; what it held stays."""
    size = count * int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize
    with path.open("ab") as file:
        if file.tell() < size:
            file.truncate(size)
    return np.memmap(path, kind, "r+", shape=(count, *shape))


def key_of(source: SampleSource, head_sha: str) -> str:
    """What samples depend on, as a short text."""
    names = hashlib.sha256("\n".join(path.name for path in source.skins).encode()).hexdigest()[:12]
    return f"{GENERATOR} {head_sha[:16]} {names} {source.seed}"


def _prepare(folder: Path, source: SampleSource, head_sha: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    state = _state(folder)
    if state and state["key"] != key_of(source, head_sha):
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{folder} holds samples of another head, other skins or another seed.",
            "Give the same options, or move that folder away to start anew.",
        )
    return int(state.get("done", 0))


def _state(folder: Path) -> dict:
    path = folder / _STATE
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _note(folder: Path, source: SampleSource, head_sha: str, done: int) -> None:
    draft = folder / (_STATE + ".part")
    draft.write_text(json.dumps({"key": key_of(source, head_sha), "done": done}), "utf-8")
    draft.replace(folder / _STATE)


def list_skins(folder: Path) -> Sequence[Path]:
    """Skin maps of a folder, in order. Raises EngineError(BAD_INPUT) when there are none."""
    found = sorted(folder.glob("*.png"))
    if not found:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"There are no skin maps (*.png) in {folder}.",
            "Make some: python -m engine skin generate --help.",
        )
    return found
