"""`evaluate uv`: how well an albedo model carries skin maps, as table 2 of UVAPM.

A map is projected onto the model, decoded, and compared with itself: at the model's size, and at
the map's own size with the decoded map enlarged. The paper (arXiv 2506.13233) does not say which
of the two it measured; its PSNR grows with the coarse size, so it was most likely the second.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol.albedo import AlbedoEncoder, decode_albedo, prepare_encoder
from ..protocol.albedo_pack import AlbedoModel, AlbedoPack
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from ..train.maps import read_map
from .image_metrics import Figures, compare
from .skin_tone import skin_angles
from .uv_areas import (
    AREAS,
    MeasuredMap,
    enlarge_mask,
    enlarge_valid,
    flat_colour,
    lowest_dct,
    measured_map,
    read_full_map,
)
from .uv_features import FeatureNet, FeaturePair

SIZES = ("own", "full")
"""own: at the model's size. full: at the map's own size, the decoded map enlarged."""


@dataclass(frozen=True)
class Row:
    """What a line of the table measures: figures over `area` of the projection of `projected`."""

    name: str
    area: str
    projected: str
    words: str


ROWS = (
    Row("map", "map", "map", "whole map"),
    Row("face", "face", "map", "face, whole map projected"),
    Row("face_alone", "face", "face", "face, only the face projected"),
    Row("box_alone", "box", "box", "box round the face, only it projected"),
)


@dataclass(frozen=True)
class Variant:
    """A way from coefficients to a map.

    decode: (model, coefficients (3, K)) -> (H, W, 3) sRGB at the model's size, not clipped.
    """

    name: str
    decode: Callable[[AlbedoModel, np.ndarray], np.ndarray]


def _decode_coarse(model: AlbedoModel, coefficients: np.ndarray) -> np.ndarray:
    return decode_albedo(model.mean, model.basis, model.valid, coefficients)


VARIANTS = (Variant("coarse", _decode_coarse),)


@dataclass(frozen=True, eq=False)
class MapPictures:
    """For the error sheet, at the model's size: the map, and area projected -> decoded map."""

    measured: MeasuredMap
    decoded: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class MapOutcome:
    """One map.

    side: of the file, texels. figures: variant -> row -> size -> figures. baselines: name -> area
    -> figures, at the model's size. angles: ITA in degrees by region of the original, and variant
    -> area projected ("map", "face") -> the same of the decoded map. features: variant -> network
    -> what it sees in the map and in the decoded one. pictures: of each variant, None where nobody
    asked.
    """

    name: str
    side: int
    figures: Mapping[str, Mapping[str, Mapping[str, Figures]]]
    baselines: Mapping[str, Mapping[str, Figures]]
    original_angles: Mapping[str, float]
    angles: Mapping[str, Mapping[str, Mapping[str, float]]]
    features: Mapping[str, Mapping[str, FeaturePair]]
    pictures: Mapping[str, MapPictures] | None


@dataclass(frozen=True, eq=False)
class PackOutcome:
    """All maps on one pack. left_out: (map, why)."""

    pack: AlbedoPack
    maps: tuple[MapOutcome, ...]
    left_out: tuple[tuple[str, str], ...]
    seconds: float


class MapEncoders:
    """The last encoder of each area: maps mostly share their texels, and preparing is slow."""

    def __init__(self, model: AlbedoModel) -> None:
        self._model = model
        self._last: dict[str, tuple[np.ndarray, AlbedoEncoder]] = {}

    def encode(self, area: str, texels: np.ndarray, image: np.ndarray) -> np.ndarray:
        """(3, K) exact projection of the chosen texels (S, S) bool."""
        last = self._last.get(area)
        if last is None or not np.array_equal(last[0], texels):
            model = self._model
            weights = texels.astype(np.float32)
            encoder = prepare_encoder(model.mean, model.basis, model.valid, weights)
            last = self._last[area] = (texels, encoder)
        return last[1].encode(image)


def _measure_rows(
    own: MeasuredMap, full: MeasuredMap, decoded: Mapping[str, np.ndarray]
) -> tuple[dict[str, dict[str, Figures]], np.ndarray]:
    """Figures by row and size, and the whole map's projection at full size."""
    side = len(full.image)
    enlarged = {
        area: np.clip(enlarge_valid(image, own.areas[area], side), 0.0, 1.0)
        for area, image in decoded.items()
    }
    figures = {}
    for row in ROWS:
        here = _compare_row(row, own, decoded)
        same = side == len(own.image)
        figures[row.name] = {
            "own": here,
            "full": here if same else _compare_row(row, full, enlarged),
        }
    return figures, enlarged["map"]


def _compare_row(row: Row, measured: MeasuredMap, decoded: Mapping[str, np.ndarray]) -> Figures:
    # What was not projected is arbitrary in the decoded map, so no SSIM window may see it.
    seen, texels = measured.areas[row.projected], measured.areas[row.area]
    return compare(measured.image, decoded[row.projected], seen, texels)


def _measure_baselines(own: MeasuredMap) -> dict[str, dict[str, Figures]]:
    valid = own.areas["map"]
    flat = {
        area: compare(own.image, flat_colour(own.image, texels), valid, texels)
        for area, texels in own.areas.items()
    }
    box = own.areas["box"]
    return {"flat": flat, "dct": {"box": compare(own.image, lowest_dct(own.image, box), box, box)}}


def measure_map(
    path: Path,
    name: str,
    model: AlbedoModel,
    encoders: MapEncoders,
    nets: Sequence[FeatureNet],
    keep_pictures: bool,
) -> MapOutcome:
    """One map on one model, whose encoders are `encoders`.

    Raises EngineError(BAD_INPUT) for a map that cannot be read or lacks the face.
    """
    own = measured_map(read_map(path, len(model.valid)), model.valid)
    skin = read_full_map(path)
    side = len(skin.image)
    full = measured_map(skin, enlarge_mask(model.valid, side))
    coefficients = {area: encoders.encode(area, own.areas[area], own.image) for area in AREAS}
    figures, angles, features, pictures = {}, {}, {}, {}
    for variant in VARIANTS:
        decoded = {
            area: np.clip(variant.decode(model, values), 0.0, 1.0)
            for area, values in coefficients.items()
        }
        figures[variant.name], enlarged = _measure_rows(own, full, decoded)
        angles[variant.name] = {
            area: skin_angles(decoded[area], own.areas["face"]) for area in ("map", "face")
        }
        pictures[variant.name] = MapPictures(own, decoded)
        # What the map does not cover must not count: both pictures show the same there.
        original = np.where(full.areas["map"][..., None], full.image, enlarged)
        features[variant.name] = {
            net.name: (net.extract(original), net.extract(enlarged)) for net in nets
        }
    return MapOutcome(
        name,
        side,
        figures,
        _measure_baselines(own),
        skin_angles(own.image, own.areas["face"]),
        angles,
        features,
        pictures if keep_pictures else None,
    )


def evaluate_pack(
    pack: AlbedoPack,
    paths: Sequence[tuple[Path, str]],
    nets: Sequence[FeatureNet],
    reporter: Reporter,
    pictures: int = 0,
) -> PackOutcome:
    """Every map in turn, one at a time in memory; unusable ones are left out with the reason.

    paths: files with the names to show. pictures: keep those of so many maps. Raises
    EngineError(BAD_INPUT) when no map is usable.
    """
    start = time.perf_counter()
    encoders, maps, left_out = MapEncoders(pack.model), [], []
    for done, (path, name) in enumerate(paths):
        reporter.progress(done, len(paths))
        keep = len(maps) < pictures
        try:
            maps.append(measure_map(path, name, pack.model, encoders, nets, keep))
        except EngineError as error:
            if error.code != ErrorCode.BAD_INPUT:
                raise
            left_out.append((name, str(error)))
            reporter.warning(f"{name} is left out: {error}")
    if not maps:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"None of the {len(paths)} maps could be measured.",
            left_out[0][1] if left_out else "",
        )
    seconds = time.perf_counter() - start
    return PackOutcome(pack, tuple(maps), tuple(left_out), seconds)
