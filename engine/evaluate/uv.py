"""`evaluate uv`: how well an albedo model carries skin maps, as table 2 of UVAPM.

A map is projected onto the model, decoded, and compared with itself: at the model's size, and at
the map's own size with the decoded map enlarged. The paper (arXiv 2506.13233) does not say which
of the two it measured; its PSNR grows with the coarse size, so it was most likely the second.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol.albedo_pack import AlbedoPack
from ..protocol.detail import DETAIL_SIZE
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from .image_metrics import Figures, compare
from .skin_tone import skin_angles
from .uv_areas import (
    AREAS,
    MeasuredMap,
    flat_colour,
    lowest_dct,
    read_fine,
    read_measured,
)
from .uv_features import FeatureNet, FeaturePair
from .uv_projection import Projection, Projector
from .uv_variants import Coarse, Variant, with_detail

OWN, FINE, FULL = "own", "512", "full"
SIZES = (OWN, FINE, FULL)
"""own: at the albedo model's size. 512: at the detail map's, measured where a detail model takes
part, on maps that have so many texels. full: at the map's own size, the decoded map enlarged."""


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


@dataclass(frozen=True, eq=False)
class Ways:
    """What maps are carried by and measured with; the first variant must be there."""

    variants: Sequence[Variant] = (Coarse(),)
    nets: Sequence[FeatureNet] = ()

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of the sizes to measure: 512 only with more than the coarse variant."""
        return SIZES if len(self.variants) > 1 else (OWN, FULL)


@dataclass(frozen=True, eq=False)
class MapPictures:
    """For the error sheet: the map at the size of the detail, or the model's where that was not
    measured, and variant -> area projected -> the rebuilt map."""

    measured: MeasuredMap
    rebuilt: Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class MapOutcome:
    """One map.

    side: of the file, texels. figures: variant -> row -> size -> figures, without "512" for a
    smaller map. baselines: name -> area -> figures, at the model's size. original_angles: ITA in
    degrees by region, and angles: variant -> area projected ("map", "face") -> the same of the
    rebuilt map. features: variant -> network -> what it sees in the map and in the rebuilt one.
    pictures: None where nobody asked.
    """

    name: str
    side: int
    figures: Mapping[str, Mapping[str, Mapping[str, Figures]]]
    baselines: Mapping[str, Mapping[str, Figures]]
    original_angles: Mapping[str, float]
    angles: Mapping[str, Mapping[str, Mapping[str, float]]]
    features: Mapping[str, Mapping[str, FeaturePair]]
    pictures: MapPictures | None


@dataclass(frozen=True, eq=False)
class PackOutcome:
    """All maps on one pack. detail: id and version of the detail model's pack, "" without one;
    variants, sizes: names in order; left_out: (map, why)."""

    pack: AlbedoPack
    detail: str
    variants: tuple[str, ...]
    sizes: tuple[str, ...]
    maps: tuple[MapOutcome, ...]
    left_out: tuple[tuple[str, str], ...]
    seconds: float


Rebuilt = Mapping[str, Mapping[int, np.ndarray]]
"""Area projected -> side -> (side, side, 3) sRGB."""


@dataclass(frozen=True, eq=False)
class _Subject:
    """A map at the measured sizes (name -> map), and its coarse projection by area."""

    sizes: Mapping[str, MeasuredMap]
    projections: Mapping[str, Projection]

    def rebuilt(self, variant: Variant) -> Rebuilt:
        sides = {len(measured.image) for measured in self.sizes.values()}
        return {area: variant.rebuild(found, sides) for area, found in self.projections.items()}


def _subject(path: Path, projector: Projector, ways: Ways) -> _Subject:
    valid = projector.model.valid
    own = read_measured(path, valid, len(valid))
    full, fine = read_measured(path, valid, None), read_fine(path, valid)
    sizes = {OWN: own, FULL: full}
    if len(fine.image) == DETAIL_SIZE and FINE in ways.sizes:
        sizes[FINE] = fine
    return _Subject(sizes, {area: projector.project(area, own, fine) for area in AREAS})


def _measure_rows(subject: _Subject, rebuilt: Rebuilt) -> dict[str, dict[str, Figures]]:
    """Figures by row and size."""
    figures = {}
    for row in ROWS:
        by_side: dict[int, Figures] = {}
        for measured in subject.sizes.values():
            side = len(measured.image)
            if side not in by_side:
                by_side[side] = _compare_row(row, measured, rebuilt[row.projected][side])
        figures[row.name] = {
            name: by_side[len(measured.image)] for name, measured in subject.sizes.items()
        }
    return figures


def _compare_row(row: Row, measured: MeasuredMap, rebuilt: np.ndarray) -> Figures:
    # What was not projected is arbitrary in the rebuilt map, so no SSIM window may see it.
    seen, texels = measured.areas[row.projected], measured.areas[row.area]
    return compare(measured.image, rebuilt, seen, texels)


def _measure_baselines(subject: _Subject, detail: bool) -> dict[str, dict[str, Figures]]:
    """At the model's size. detail: also what no detail model can beat, as V alone is exact."""
    own = subject.sizes[OWN]
    valid = own.areas["map"]
    flat = {
        area: compare(own.image, flat_colour(own.image, texels), valid, texels)
        for area, texels in own.areas.items()
    }
    box = own.areas["box"]
    found = {"flat": flat, "dct": {"box": compare(own.image, lowest_dct(own.image, box), box, box)}}
    if detail:
        side = len(own.image)
        for area in ("map", "face"):
            projection, texels = subject.projections[area], own.areas[area]
            best = with_detail(projection, projection.detail(), (side,))[side]
            found.setdefault("exact_value", {})[area] = compare(own.image, best, texels, texels)
    return found


def measure_map(
    path: Path,
    name: str,
    projector: Projector,
    ways: Ways,
    keep_pictures: bool,
) -> MapOutcome:
    """One map on one albedo model, which is the projector's.

    Raises EngineError(BAD_INPUT) for a map that cannot be read or lacks the face.
    """
    subject = _subject(path, projector, ways)
    own, full = subject.sizes[OWN], subject.sizes[FULL]
    shown = subject.sizes.get(FINE, own)
    figures, angles, features, pictures = {}, {}, {}, {}
    for variant in ways.variants:
        rebuilt = subject.rebuilt(variant)
        figures[variant.name] = _measure_rows(subject, rebuilt)
        angles[variant.name] = {
            area: skin_angles(rebuilt[area][len(own.image)], own.areas["face"])
            for area in ("map", "face")
        }
        whole = rebuilt["map"][len(full.image)]
        # What the map does not cover must not count: both pictures show the same there.
        original = np.where(full.areas["map"][..., None], full.image, whole)
        features[variant.name] = {
            net.name: (net.extract(original), net.extract(whole)) for net in ways.nets
        }
        if keep_pictures:
            pictures[variant.name] = {a: rebuilt[a][len(shown.image)] for a in ("map", "face")}
    return MapOutcome(
        name,
        len(full.image),
        figures,
        _measure_baselines(subject, len(ways.variants) > 1),
        skin_angles(own.image, own.areas["face"]),
        angles,
        features,
        MapPictures(shown, pictures) if keep_pictures else None,
    )


def evaluate_pack(
    pack: AlbedoPack,
    paths: Sequence[tuple[Path, str]],
    ways: Ways,
    reporter: Reporter,
    pictures: int = 0,
    detail: str = "",
) -> PackOutcome:
    """Every map in turn, one at a time in memory; unusable ones are left out with the reason.

    paths: files with the names to show. pictures: keep those of so many maps. detail: name of the
    detail model, for the title. Raises EngineError(BAD_INPUT) when no map is usable.
    """
    start = time.perf_counter()
    projector, maps, left_out = Projector(pack.model), [], []
    for done, (path, name) in enumerate(paths):
        reporter.progress(done, len(paths))
        keep = len(maps) < pictures
        try:
            maps.append(measure_map(path, name, projector, ways, keep))
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
    names = tuple(variant.name for variant in ways.variants)
    seconds = time.perf_counter() - start
    return PackOutcome(pack, detail, names, ways.sizes, tuple(maps), tuple(left_out), seconds)
