"""Several photos of one person: which of them show that person, and the best of each texel."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..nets.bundle import Nets
from ..nets.identity import identity_distance
from ..photo.load import Photo
from ..photo.prepare import PreparedPhoto, prepare_photo
from ..photo.settings import PrepareSettings
from ..protocol.errors import EngineError
from ..render.low_pass import LowPass
from ..reporter import Reporter
from .settings import SeveralSettings


@dataclass(frozen=True, eq=False)
class PreparedPerson:
    """photos: those that show the person of the first one, in their order, and `indices` theirs
    among the photos given; warnings: why the others were left out."""

    photos: tuple[PreparedPhoto, ...]
    indices: tuple[int, ...]
    warnings: tuple[str, ...]


def prepare_person(
    photos: Sequence[Photo],
    nets: Nets,
    face: int | None,
    settings: PrepareSettings,
    several: SeveralSettings,
    reporter: Reporter,
) -> PreparedPerson:
    """Prepare the first photo, and of each other one the face that is most like it.

    face: of the first photo, see `prepare_photo`. A photo without a usable face, or with another
    person's, is left out with a warning; the first must be usable: raises EngineError (NO_FACE,
    BAD_SETTINGS, BAD_INPUT). Raises Cancelled.
    """
    first = prepare_photo(photos[0], nets, face, settings, reporter)
    kept, indices, warnings = [first], [0], []
    reference = nets.embed(first.photo.pixels, first.landmarks) if len(photos) > 1 else None
    for index, photo in enumerate(photos[1:], 1):
        reporter.progress(index, len(photos))
        try:
            number, distance = _most_alike(photo, nets, reference)
            if distance > several.same_person:
                warnings.append(_other_person(photo, photos[0], distance, several))
                continue
            kept.append(prepare_photo(photo, nets, number, settings, reporter))
            indices.append(index)
        except EngineError as error:
            warnings.append(f"{photo.name} was left out: {error.message}")
    return PreparedPerson(tuple(kept), tuple(indices), tuple(warnings))


def _other_person(photo: Photo, first: Photo, distance: float, settings: SeveralSettings) -> str:
    return (
        f"{photo.name} was left out: it shows somebody else than {first.name} (their faces differ "
        f"by {distance:.2f}, photos of one person by less than {settings.same_person:.2f})."
    )


def _most_alike(photo: Photo, nets: Nets, reference: np.ndarray) -> tuple[int | None, float]:
    """The face nearest to the embedding (128,), None where there is none, and its distance."""
    found = [
        identity_distance(
            nets.embed(photo.pixels, nets.face_mesh(photo.pixels, face).points), reference
        )
        for face in nets.detect_faces(photo.pixels)
    ]
    if not found:
        return None, 0.0
    best = int(np.argmin(found))
    return best, found[best]


@dataclass(frozen=True, eq=False)
class SeenSkin:
    """One photo at the texels of the skin: unlit (T, T, 3) sRGB without the photo's light; seen
    (T, T) in [0, 1] trust; sharpness (T, T): photo pixels a metre of skin, any unit."""

    unlit: np.ndarray
    seen: np.ndarray
    sharpness: np.ndarray


def best_texels(
    skins: Sequence[SeenSkin], below: np.ndarray, settings: SeveralSettings
) -> tuple[np.ndarray, np.ndarray]:
    """One unlit map (T, T, 3) sRGB and its trust (T, T) from all photos.

    below (T, T, 3) sRGB: the albedo without the photos. What changes slowly beside it is the mean
    of all photos, because most of it is light that was missed; what is fine is taken where it was
    seen best and sharpest, because averages of photos are blurred. Ours, after the two bands of
    image stitching (Burt & Adelson 1983).
    """
    if len(skins) == 1:
        return skins[0].unlit, skins[0].seen
    sigma = settings.tone_sigma * len(below)
    changes = [(one.unlit - below).astype(np.float32) for one in skins]
    slow = [_slow(change, one.seen, sigma) for change, one in zip(changes, skins, strict=True)]
    covers = [cv2.GaussianBlur(one.seen, (0, 0), sigma) + 1e-6 for one in skins]
    top = max(float(one.sharpness.max()) for one in skins) or 1.0
    picks = [(one.seen * one.sharpness / top) ** settings.choice + 1e-12 for one in skins]
    fine = [change - tone for change, tone in zip(changes, slow, strict=True)]
    mixed = below + _mean(slow, covers) + _mean(fine, picks)
    seen = np.maximum.reduce([one.seen for one in skins])
    return np.clip(mixed, 0.0, 1.0).astype(np.float32), seen


def _slow(change: np.ndarray, seen: np.ndarray, sigma: float) -> np.ndarray:
    return LowPass(torch.from_numpy(seen), sigma)(torch.from_numpy(change)).numpy()


def _mean(maps: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> np.ndarray:
    total = sum(weights)
    return sum(w[..., None] * x for x, w in zip(maps, weights, strict=True)) / total[..., None]
