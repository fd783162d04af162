"""The photos brought into the layout of the skin, without their light."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..albedo.occluders import uncovered
from ..albedo.unlit import closed_skin, inner_person, seen_texels, unlit_colour
from ..loaded import LoadedPack, closable_mask, skin_atlas
from ..seen.confidence import photo_density
from ..seen.fitted_photo import FittedPhoto
from ..seen.observe import observe
from ..settings import FitSettings
from ..several import SeenSkin, best_texels


@dataclass(frozen=True, eq=False)
class Unwrapped:
    """unlit (S, S, 3) sRGB: the photos without light; seen (S, S) in [0, 1]: the trust in it;
    density (S, S): see `photo_density`, of the photo that shows a texel best."""

    unlit: np.ndarray
    seen: np.ndarray
    density: np.ndarray


def unwrap(
    loaded: LoadedPack,
    photos: Sequence[FittedPhoto],
    mask: np.ndarray,
    below: np.ndarray,
    settings: FitSettings,
) -> Unwrapped:
    """All photos of a person as one map.

    mask (S, S) in [0, 1]: which texels may count; below (S, S, 3) sRGB: the albedo so far.
    """
    return joined(unwrap_each(loaded, photos, mask, settings), below, settings)


def unwrap_each(
    loaded: LoadedPack, photos: Sequence[FittedPhoto], mask: np.ndarray, settings: FitSettings
) -> list[SeenSkin]:
    """Each photo of a person as a map; what `unwrap` does before the albedo so far is wanted."""
    return [_unwrap_one(loaded, photo, mask, settings) for photo in photos]


def joined(skins: Sequence[SeenSkin], below: np.ndarray, settings: FitSettings) -> Unwrapped:
    """The best of all photos, see `best_texels`."""
    unlit, seen = best_texels(skins, below, settings.several)
    return Unwrapped(unlit, seen, np.maximum.reduce([one.sharpness for one in skins]))


def _unwrap_one(
    loaded: LoadedPack, photo: FittedPhoto, mask: np.ndarray, settings: FitSettings
) -> SeenSkin:
    view, crop = photo.view, photo.view.crop
    inner = inner_person(crop.person, photo.face, settings.seen)
    inside = replace(view, crop=replace(crop, person=inner))
    observation = uncovered(observe(loaded, inside, len(mask)), photo.covered)
    skin = photo.albedo.skin
    skin = closed_skin(skin, closable_mask(loaded, len(skin)), settings.seen)
    seen = seen_texels(observation, mask, skin, settings.albedo, settings.seen)
    unlit = unlit_colour(observation, photo.albedo.light, settings.albedo)
    valid = skin_atlas(loaded, len(mask)).valid.numpy()
    density = photo_density(observation.position, valid, view.camera, settings.confidence.size)
    return SeenSkin(unlit, seen, density)
