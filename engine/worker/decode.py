"""Detail maps for the direction sliders: a latent moved along principal directions, decoded.

A drag asks ten times a second, so networks and results stay loaded between requests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..packs.registry import find_pack
from ..protocol.detail import DETAIL_SIZE
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.messages import DecodeRequest
from ..protocol.pack_manifest import read_manifest as read_pack_manifest
from ..protocol.result import file_sha256, read_manifest
from ..protocol.result_schema import COEFFICIENTS_NAME, MANIFEST_NAME, PackInfo, invalid
from ..protocol.safetensors import read_safetensors

COEFFICIENT = "detail"
"""Name of the latent in standard deviations in coefficients.safetensors."""
MOST_LOADED = 2
"""Networks kept at once. Ours: two heads of different packs, dragged in turn."""


@dataclass(frozen=True, eq=False)
class DetailSource:
    """A pack's detail model, ready. decode: latent (C, S, S) in standard deviations to a map
    (512, 512) f32; directions (K, C, S, S), one standard deviation each."""

    decode: Callable[[np.ndarray], np.ndarray]
    directions: np.ndarray


LoadDetail = Callable[[Path], DetailSource]
"""Reads a pack folder. Raises EngineError."""


@dataclass(frozen=True, eq=False)
class _Latent:
    """A result's latent, and its pack; stamp: tells whether result.json is still the same."""

    stamp: tuple[int, int]
    alpha: np.ndarray
    pack: PackInfo


class DetailDecoder:
    """Answers decodes with files in `folder`, which belongs to it and exists."""

    def __init__(self, load: LoadDetail, folder: Path) -> None:
        self._load, self._folder = load, folder
        self._sources: dict[tuple[Path, str], DetailSource] = {}
        self._results: dict[Path, _Latent] = {}
        self._last: Path | None = None
        self._count = 0

    def __call__(self, request: DecodeRequest) -> Path:
        """The .npy file of the decoded map; the file of the request before is removed.

        Raises EngineError(BAD_INPUT) for a result that cannot be used, PACK_MISSING or
        PACK_INVALID when its detail model is not here.
        """
        if request.result is not None:
            latent = self._latent(Path(request.result))
            source = self._source_of(latent.pack)
            alpha = latent.alpha
        else:
            source = self._source(find_pack(str(request.pack)))
            alpha = np.zeros(source.directions.shape[1:], dtype=np.float32)
        if alpha.shape != source.directions.shape[1:]:
            raise invalid(
                f"its detail has the shape {alpha.shape}, the pack's {source.directions.shape[1:]}"
            )
        if len(request.offsets) > len(source.directions):
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                f"The detail model has {len(source.directions)} directions, "
                f"{len(request.offsets)} were asked for.",
            )
        return self._write(source.decode(moved(alpha, source.directions, request.offsets)))

    def _latent(self, folder: Path) -> _Latent:
        try:
            stat = (folder / MANIFEST_NAME).stat()
        except OSError as error:
            raise invalid(f"{MANIFEST_NAME} cannot be read ({error.strerror})") from error
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._results.get(folder)
        if known is None or known.stamp != stamp:
            known = _read_latent(folder, stamp)
            self._results = {folder: known}
        return known

    def _source_of(self, pack: PackInfo) -> DetailSource:
        folder = find_pack(pack.id)
        if read_pack_manifest(folder)[1] != pack.sha256:
            raise EngineError(
                ErrorCode.PACK_INVALID,
                f"The head was fitted with another build of the pack {pack.id} "
                f"(version {pack.version}).",
                "Reconstruct the photo again.",
            )
        return self._source(folder)

    def _source(self, folder: Path) -> DetailSource:
        key = (folder, read_pack_manifest(folder)[1])
        if key not in self._sources:
            source = self._load(folder)
            for old in list(self._sources)[: len(self._sources) - MOST_LOADED + 1]:
                del self._sources[old]
            self._sources[key] = source
        return self._sources[key]

    def _write(self, detail: np.ndarray) -> Path:
        if detail.shape != (DETAIL_SIZE, DETAIL_SIZE) or not np.isfinite(detail).all():
            raise EngineError(
                ErrorCode.INTERNAL, "The detail model made a map that cannot be used."
            )
        self._count += 1
        path = Path(self._folder, f"detail-{self._count}.npy")
        np.save(path, detail.astype(np.float32), allow_pickle=False)
        last, self._last = self._last, path
        if last is not None:
            _remove(last)
        return path


def moved(alpha: np.ndarray, directions: np.ndarray, offsets: tuple[float, ...]) -> np.ndarray:
    """alpha + sum_k offsets[k] directions[k]: (C, S, S) f32, in standard deviations."""
    steps = np.asarray(offsets, dtype=np.float32)
    return (alpha + np.tensordot(steps, directions[: len(steps)], 1)).astype(np.float32)


def _read_latent(folder: Path, stamp: tuple[int, int]) -> _Latent:
    manifest = read_manifest(folder)
    path = folder / COEFFICIENTS_NAME
    try:
        same = file_sha256(path) == manifest.files.get(COEFFICIENTS_NAME)
    except OSError as error:
        raise invalid(f"{COEFFICIENTS_NAME} cannot be read ({error.strerror})") from error
    if not same:
        raise invalid(f"{COEFFICIENTS_NAME} was changed after it was written")
    alpha = read_safetensors(path).get(COEFFICIENT)
    if alpha is None:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            "This head was fitted without a detail model, so it has no directions.",
            "Reconstruct the photo again with a pack that has one.",
        )
    if alpha.dtype.kind != "f" or not np.isfinite(alpha).all():
        raise invalid("its detail coefficients are not finite numbers")
    return _Latent(stamp, alpha.astype(np.float32), manifest.detail_pack or manifest.pack)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # somebody still reads it (Windows); the folder goes with the process
