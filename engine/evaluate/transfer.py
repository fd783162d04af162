"""`evaluate transfer`: does the detail of one face on another's coarse albedo keep its skin colour?

Each map lends its detail (through the detail model) to the coarse albedo of others. What changes is
given in CIEDE2000 over the face without beard and brows: texel by texel, where the wrinkles
themselves count too, and as colour in the sense of the word, where they are averaged out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ..nets.detail import DetailNet
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.conventions import linear_to_srgb, srgb_to_linear
from ..protocol.detail import DETAIL_SIZE, add_detail
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from ..skin.colorimetry import srgb_to_lab
from ..skin.layout import region_masks
from .colour_difference import ciede2000
from .uv_areas import INSIDE, read_fine, read_measured
from .uv_projection import Projector
from .uv_variants import Detailed

PARTNERS = 5
"""Foreign details that each coarse albedo gets."""
HAIR = ("beard", "brows", "scalp")
HAIR_EDGE = 0.05
"""Masks of hair count from here on: their soft edges are hair too."""
REGIONS = ("forehead", "cheeks", "nose", "under_eye")
SMOOTH = DETAIL_SIZE / 32
"""Texels: standard deviation of the blur that makes skin colour of skin. Ours: some 8 mm of a face,
wider than any wrinkle, much narrower than a cheek."""
_STEP = 4

MEASURES: Mapping[str, str] = {
    "texel": "each texel by itself, mean over texels",
    "smooth": f"colour blurred by {SMOOTH:.0f} texels of {DETAIL_SIZE}, mean over texels",
    "region": "mean colour of forehead, cheeks, nose, below eyes; mean of the four",
    "face": "mean colour of the face",
}
"""Ways to compare two maps, the plainest first."""


@dataclass(frozen=True, eq=False)
class Face:
    """A map's parts at 512: coarse (512, 512, 3) sRGB, detail (512, 512) as the detail model keeps
    it, original (512, 512, 3) sRGB, texels (512, 512) bool of its face without beard and brows."""

    name: str
    coarse: np.ndarray
    detail: np.ndarray
    original: np.ndarray
    texels: np.ndarray

    def with_detail(self, detail: np.ndarray) -> np.ndarray:
        """(512, 512, 3) sRGB of this coarse albedo with any detail (512, 512)."""
        return add_detail(self.coarse, detail)


@dataclass(frozen=True)
class Pair:
    """CIEDE2000 by measure, for `coarse` with the detail of `donor`.

    changed: against the coarse albedo alone. swapped: against the coarse albedo with its own
    detail. people: the two coarse albedos against each other.
    """

    coarse: str
    donor: str
    changed: Mapping[str, float]
    swapped: Mapping[str, float]
    people: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class TransferOutcome:
    """own: map name -> CIEDE2000 by measure of its own detail against the coarse albedo alone.
    left_out: (map, why)."""

    faces: tuple[Face, ...]
    pairs: tuple[Pair, ...]
    own: Mapping[str, Mapping[str, float]]
    left_out: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def bare_skin() -> np.ndarray:
    """(512, 512) bool: texels of the face where neither beard nor brows nor scalp hair grow."""
    masks = region_masks(DETAIL_SIZE)
    hair = np.maximum.reduce([masks[name] for name in HAIR])
    return (masks["face"] > INSIDE) & (hair < HAIR_EDGE)


def colour_differences(a: np.ndarray, b: np.ndarray, texels: np.ndarray) -> dict[str, float]:
    """CIEDE2000 of two maps by each of MEASURES.

    a, b: (512, 512, 3) sRGB. texels: (512, 512) bool. Colours are averaged as light (linear). A
    region without texels is left out; with none at all its measure is that of the face.
    """
    part = ciede2000(srgb_to_lab(a[texels]), srgb_to_lab(b[texels]))
    linear = [srgb_to_linear(image.astype(np.float32)) for image in (a, b)]
    smooth = [_blurred(image, texels) for image in linear]
    masks = region_masks(DETAIL_SIZE)
    chosen = [texels & (masks[name] > INSIDE) for name in REGIONS]
    means = [_of_means(linear, one) for one in chosen if one.any()]
    whole = _of_means(linear, texels)
    return {
        "texel": float(part.mean()),
        "smooth": float(_difference(*smooth).mean()),
        "region": float(np.mean(means)) if means else whole,
        "face": whole,
    }


def _blurred(linear: np.ndarray, texels: np.ndarray) -> np.ndarray:
    """(n, 3) Gaussian means of the chosen texels round each that is chosen.

    Blurred at a quarter of the size, where the same Gaussian is still 4 texels wide, for speed.
    """
    size = (DETAIL_SIZE // _STEP,) * 2
    weight = texels.astype(np.float32)
    layers = np.concatenate([linear * weight[..., None], weight[..., None]], axis=-1)
    small = cv2.resize(layers, size, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), SMOOTH / _STEP)[small[..., 3] > INSIDE]
    return wide[:, :3] / wide[:, 3:]


def _difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) CIEDE2000 of linear colours (n, 3)."""
    return ciede2000(srgb_to_lab(linear_to_srgb(a)), srgb_to_lab(linear_to_srgb(b)))


def _of_means(linear: Sequence[np.ndarray], texels: np.ndarray) -> float:
    a, b = (image[texels].mean(axis=0, dtype=np.float64) for image in linear)
    return float(_difference(a, b))


def read_face(path: Path, name: str, projector: Projector, net: DetailNet) -> Face:
    """Coarse albedo and detail of a map. Raises EngineError(BAD_INPUT), see `measured_map`."""
    valid = projector.model.valid
    own, fine = read_measured(path, valid, len(valid)), read_fine(path, valid)
    projection = projector.project("map", own, fine)
    return Face(
        name,
        projection.coarse_at(DETAIL_SIZE),
        Detailed(net).carried(projection),
        projection.image,
        projection.chosen & bare_skin(),
    )


def _pairs(faces: Sequence[Face]) -> Iterator[tuple[Face, Face]]:
    """Each face with those that follow it, in a ring."""
    for number, face in enumerate(faces):
        for step in range(1, min(PARTNERS, len(faces) - 1) + 1):
            yield face, faces[(number + step) % len(faces)]


def compare_pair(face: Face, donor: Face) -> Pair:
    """The coarse albedo of `face` with the detail of `donor`, where both maps have texels."""
    texels = face.texels & donor.texels
    foreign = face.with_detail(donor.detail)
    return Pair(
        face.name,
        donor.name,
        colour_differences(face.coarse, foreign, texels),
        colour_differences(face.with_detail(face.detail), foreign, texels),
        colour_differences(face.coarse, donor.coarse, texels),
    )


def evaluate_transfer(
    model: AlbedoModel, net: DetailNet, paths: Sequence[tuple[Path, str]], reporter: Reporter
) -> TransferOutcome:
    """Every map in turn, then every pair. paths: files with the names to show.

    Raises EngineError(BAD_INPUT) when fewer than two maps are usable, and Cancelled.
    """
    projector, faces, left_out = Projector(model), [], []
    for done, (path, name) in enumerate(paths):
        reporter.progress(done, 2 * len(paths))
        try:
            faces.append(read_face(path, name, projector, net))
        except EngineError as error:
            if error.code != ErrorCode.BAD_INPUT:
                raise
            left_out.append((name, str(error)))
            reporter.warning(f"{name} is left out: {error}")
    if len(faces) < 2:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{len(faces)} of the {len(paths)} maps can be used; detail needs two to move between.",
            left_out[0][1] if left_out else "Give a folder with more skin maps.",
        )
    pairs, wanted = [], list(_pairs(faces))
    for done, (face, donor) in enumerate(wanted):
        reporter.progress(len(wanted) + done, 2 * len(wanted))
        pairs.append(compare_pair(face, donor))
    own = {
        face.name: colour_differences(face.coarse, face.with_detail(face.detail), face.texels)
        for face in faces
    }
    return TransferOutcome(tuple(faces), tuple(pairs), own, tuple(left_out))
