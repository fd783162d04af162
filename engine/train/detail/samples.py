"""Detail maps of a folder of skin maps, made once and kept on disk for random access.

Of each map: V at the detail's size minus V of its coarse albedo (exact projection on the albedo
model at the model's size, enlarged as the fit enlarges it), brought to the grid of the net
(`nets/fovea.py`). Signed, not clipped, as half floats: a value of 0.1 is off by 3e-5 at most, an
eightieth of a grey level.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from ...nets.fovea import grid_matrices, resample
from ...protocol.albedo import AlbedoEncoder, decode_albedo, prepare_encoder
from ...protocol.albedo_pack import AlbedoModel
from ...protocol.conventions import unit_to_bytes
from ...protocol.detail import detail_of, value
from ...protocol.errors import EngineError, ErrorCode
from ...reporter import Reporter
from ...skin.layout import region_masks
from ..archives import file_state
from ..layout_check import LEAST_SCORE, layout_score
from ..maps import SkinMap, read_map
from ..texels import LEAST_COVERAGE
from ..waiting import ordered

_DETAIL, _VALUE, _LINES, _KEY = "detail.f16", "value.u8", "maps.jsonl", "samples.json"
_SCHEMA = 2
"""2: on the net's grid."""


@dataclass(frozen=True, eq=False)
class Coarse:
    """The coarse albedo model as samples need it."""

    encoder: AlbedoEncoder

    @property
    def size(self) -> int:
        """Side of its maps."""
        return len(self.encoder.valid)

    def of(self, image: np.ndarray, size: int) -> np.ndarray:
        """The coarse albedo of an (S, S, 3) sRGB map, as (size, size, 3) in [0, 1].

        Clipped at its own size, as colours are, then enlarged bicubically.
        """
        encoder = self.encoder
        small = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        coefficients = encoder.encode(small)
        decoded = decode_albedo(encoder.mean, encoder.basis, encoder.valid, coefficients)
        method = cv2.INTER_CUBIC if size > self.size else cv2.INTER_AREA
        large = cv2.resize(decoded.clip(0.0, 1.0), (size, size), interpolation=method)
        return large.clip(0.0, 1.0)


def coarse_of(model: AlbedoModel) -> Coarse:
    """Prepare a model for many maps."""
    return Coarse(prepare_encoder(model.mean, model.basis, model.valid))


@dataclass(frozen=True, eq=False)
class Made:
    """A map's detail (S, S) float16 and coarse V (S, S) uint8 on the grid, and the least and the
    largest detail on the map; None with the reason why not."""

    detail: np.ndarray | None
    value: np.ndarray | None
    extremes: tuple[float, float] = (0.0, 0.0)
    reason: str = ""


def make_sample(file: Path, coarse: Coarse, size: int, check: bool) -> Made:
    """Read a map and take its detail. Unusable files come with their reason."""
    try:
        image = _picture(file, size, check)
    except EngineError as error:
        return Made(None, None, reason=error.message)
    valid = region_masks(size)["valid"]
    low = coarse.of(image, size)
    detail = detail_of(image, low) * valid
    grid = grid_matrices(size)
    return Made(
        resample(detail, grid).astype(np.float16),
        unit_to_bytes(resample(value(low) * valid, grid)),
        (float(detail.min()), float(detail.max())),
    )


def _picture(file: Path, size: int, check: bool) -> np.ndarray:
    """(S, S, 3) float32 sRGB of a map that can be used; its few uncovered texels get its mean."""
    skin: SkinMap = read_map(file, size)
    if check and layout_score(skin.bytes()) < LEAST_SCORE:
        raise EngineError(ErrorCode.BAD_INPUT, f"{file.name} is no skin map in the FFHQ-UV layout.")
    image = skin.unit()
    valid = region_masks(size)["valid"] > 0
    covered = skin.coverage >= 0.5
    share = float(covered[valid].mean())
    if share < LEAST_COVERAGE:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{file.name} has holes: it covers {100.0 * share:.1f} % of the layout's islands.",
        )
    if share < 1.0:
        image = np.where(covered[..., None], image, image[covered & valid].mean(axis=0))
    return image


@dataclass(frozen=True, eq=False)
class DetailSamples:
    """Samples on disk. files: the maps, in order. left_out: other files and why. extremes: least
    and largest detail of all texels on the maps."""

    folder: Path
    size: int
    files: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...]
    extremes: tuple[float, float]

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def detail(self) -> np.ndarray:
        """(n, S, S) float16 on the grid, read from disk where it is looked at."""
        shape = (len(self), self.size, self.size)
        return np.memmap(self.folder / _DETAIL, np.float16, "r", shape=shape)

    @cached_property
    def value(self) -> np.ndarray:
        """(n, S, S) uint8 on the grid: V of the coarse albedo, sRGB."""
        shape = (len(self), self.size, self.size)
        return np.memmap(self.folder / _VALUE, np.uint8, "r", shape=shape)


def sample_weights(size: int, rim: float) -> np.ndarray:
    """(size, size) float32 on the map: 1 in the face, `rim` elsewhere on islands, 0 outside."""
    masks = region_masks(size)
    face = masks["face"]
    return (masks["valid"] * (face + np.float32(rim) * (1.0 - face))).astype(np.float32)


def grid_weights(size: int, rim: float) -> np.ndarray:
    """`sample_weights` on the grid, (size, size) float32 in [0, 1]."""
    return resample(sample_weights(size, rim), grid_matrices(size)).clip(0.0, 1.0)


def build_samples(
    folder: Path,
    files: Sequence[Path],
    coarse: Coarse,
    albedo_sha: str,
    size: int,
    threads: int,
    report: Reporter,
    check: bool = True,
) -> DetailSamples:
    """The samples of map files, made by threads; what a killed run had made is kept.

    folder: for them alone; samples of other maps or another albedo model there are made anew,
    with a warning. check: leave out pictures of another layout. Raises EngineError(BAD_INPUT) when
    fewer than two files can be used, BAD_OUTPUT when the disk is full, Cancelled.
    """
    key = samples_key(files, albedo_sha, size, check)
    _open(folder, key, report)
    records = _records(folder, size)
    if check:
        layout_score(np.zeros((size, size, 3), np.uint8))  # draws once, before the threads
    region_masks(size)
    grid_matrices(size)

    def tick() -> None:
        report.progress(len(records), len(files))

    tick()
    tasks = [(file, coarse, size, check) for file in files[len(records) :]]
    with ExitStack() as stack:
        detail, values = (
            stack.enter_context((folder / name).open("ab")) for name in (_DETAIL, _VALUE)
        )
        lines = stack.enter_context((folder / _LINES).open("a", encoding="utf-8"))
        for made in ordered(make_sample, tasks, threads, tick):
            if made.detail is not None and made.value is not None:
                detail.write(made.detail.data)
                values.write(made.value.data)
                detail.flush()  # before its line: a line says that the sample is there
                values.flush()
            records.append((made.reason, *made.extremes))
            lines.write(json.dumps(records[-1]) + "\n")
            lines.flush()
            tick()
    return _samples_of(folder, files, records, size)


def open_samples(folder: Path, files: Sequence[Path], size: int) -> DetailSamples:
    """Samples that another process has built from the same files."""
    return _samples_of(folder, files, _read_lines(folder)[0], size)


def samples_key(files: Sequence[Path], albedo_sha: str, size: int, check: bool) -> str:
    """Hash of all that samples depend on: albedo model, size, files as they are on disk."""
    digest = hashlib.sha256(json.dumps([_SCHEMA, albedo_sha, size, check]).encode())
    for file in files:
        digest.update(file_state(file))
    return digest.hexdigest()


def _samples_of(
    folder: Path, files: Sequence[Path], records: list[tuple[str, float, float]], size: int
) -> DetailSamples:
    kept, left_out = [], []
    for file, (reason, _, _) in zip(files, records, strict=True):
        if reason:
            left_out.append((file, reason))
        else:
            kept.append(file)
    if len(kept) < 2:
        reasons = "; ".join(reason.rstrip(".") for _, reason in left_out[:3])
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"A training needs two skin maps or more, {len(kept)} can be used"
            + (f" ({reasons})." if reasons else "."),
        )
    least, most = (min(r[1] for r in records), max(r[2] for r in records))
    return DetailSamples(folder, size, tuple(kept), tuple(left_out), (least, most))


def _open(folder: Path, key: str, report: Reporter) -> None:
    mark = folder / _KEY
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) == {"key": key}:
            return
        if mark.is_file():
            report.warning(f"The samples in {folder} are of other maps; they are made anew.")
        for name in (_KEY, _LINES, _DETAIL, _VALUE):
            (folder / name).unlink(missing_ok=True)
        mark.write_text(json.dumps({"key": key}), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The samples cannot be kept in {folder} ({error}).",
            "Remove that folder, or name another --out.",
        ) from error


def _records(folder: Path, size: int) -> list[tuple[str, float, float]]:
    """What a killed run had made; files are cut back to it."""
    records, whole = _read_lines(folder)
    rows = sum(1 for reason, _, _ in records if not reason)
    for name, width in ((_DETAIL, 2), (_VALUE, 1)):
        path = folder / name
        path.touch()
        if path.stat().st_size < rows * size * size * width:  # the disk lost what was written
            records, rows, whole = [], 0, 0
    for name, wanted in ((_DETAIL, 2 * rows * size**2), (_VALUE, rows * size**2), (_LINES, whole)):
        (folder / name).touch()
        os.truncate(folder / name, wanted)
    return records


def _read_lines(folder: Path) -> tuple[list[tuple[str, float, float]], int]:
    """The records of maps looked at, and the bytes of their lines."""
    records: list[tuple[str, float, float]] = []
    whole = 0
    path = folder / _LINES
    for line in path.read_bytes().splitlines(keepends=True) if path.is_file() else ():
        try:
            if not line.endswith(b"\n"):
                break
            reason, least, most = json.loads(line)
        except (ValueError, TypeError):  # the kill came in the middle of a line
            break
        records.append((str(reason), float(least), float(most)))
        whole += len(line)
    return records, whole
