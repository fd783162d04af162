"""The colour of the light as the white of the eyes shows it.

The colour of a skin is not known before; that of the white of the eye nearly is. How bright it is
tells nothing of use: lids, lashes and brows shade it by an unknown amount.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...head.camera import camera_centre
from ...protocol.conventions import LUMINANCE_WEIGHTS, ambient_light
from ..loaded import EYE_PARTS, LoadedPack
from ..seen.observe import FittedView
from .gaze import lens_gaze
from .settings import EyeSettings
from .stage import IRIS_ANGLE, RIM_ANGLE, EyeModel, EyeView, eye_model, eye_view, fit_eyes, turned

EYE_TEXTURE = "eye"
DARKEST = 1e-4
"""Linear; below, a logarithm is noise."""


@lru_cache(maxsize=4)
def pack_eye(loaded: LoadedPack) -> EyeModel | None:
    """The pack's eye, None where it has no texture for one."""
    texture = loaded.textures.get(EYE_TEXTURE)
    return None if texture is None else eye_model(texture)


def log_tint(colour: np.ndarray) -> np.ndarray:
    """(3,) natural log of a linear RGB colour (3,), of mean 0: its tint without its brightness."""
    log = np.log(np.maximum(colour, DARKEST))
    return log - log.mean()


@dataclass(frozen=True, eq=False)
class EyeWhite:
    """Log tints (3,): seen, of the photo where the white of the eyes should be; own, of the white
    itself in white light."""

    seen: np.ndarray
    own: np.ndarray


def white_of_eyes(loaded: LoadedPack, view: FittedView, settings: EyeSettings) -> EyeWhite | None:
    """None where the pack has no eyes or too little of their white is seen."""
    model = pack_eye(loaded)
    if model is None:
        return None
    seen = eye_view(loaded, view.vertices, view.camera, view.crop, ambient_light(), settings)
    if seen is None:
        return None
    head = loaded.head
    eyes = np.isin(head.face_part, [head.part_names.index(name) for name in EYE_PARTS])
    centre = view.vertices.numpy()[head.quads[eyes]].mean(axis=(0, 1))
    lens = lens_gaze(centre, camera_centre(view.camera).numpy())
    gaze = fit_eyes(seen, model, lens * (1.0, 0.5), True, settings).gaze
    colour = white_colour(seen, gaze, settings)
    return None if colour is None else EyeWhite(log_tint(colour), log_tint(model.white))


def white_colour(view: EyeView, gaze: np.ndarray, settings: EyeSettings) -> np.ndarray | None:
    """(3,) linear RGB of the photo in the white of eyes that look along gaze (2,) radians.

    Its brighter part counts: there are fewer lashes, lids and veins in it. None for too few pixels.
    """
    polar = np.arccos(np.clip(turned(view.direction, gaze)[:, 2], -1.0, 1.0))
    inside = (polar > IRIS_ANGLE + RIM_ANGLE) & (view.weight > settings.white_trust)
    if inside.sum() < settings.least_white:
        return None
    colour, weight = view.colour[inside], view.weight[inside]
    brightness = colour @ np.array(LUMINANCE_WEIGHTS)
    chosen = brightness >= np.quantile(brightness, 1.0 - settings.white_share)
    return np.average(colour, axis=0, weights=weight * chosen)
