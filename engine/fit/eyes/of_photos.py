"""The eyes of a person's photos: each photo's gaze, and one texture in the main photo's colours."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ...head.camera import camera_centre
from ..loaded import EYE_PARTS, LoadedPack, uv_mask
from ..seen.fitted_photo import FittedPhoto
from ..seen.geometry import head_shape
from .gaze import gaze_of, lens_gaze, with_gaze
from .settings import EyeSettings
from .stage import EyeFit, EyeModel, eye_view, fit_eyes, tinted_eye
from .white import EYE_TEXTURE, pack_eye

MOST_GAZE = np.array([0.26, 0.17])
"""Radians that the eyeLook expressions reach at weight 1."""


def with_gazes(
    loaded: LoadedPack,
    photos: Sequence[FittedPhoto],
    held: frozenset[str],
    settings: EyeSettings,
) -> tuple[tuple[FittedPhoto, ...], EyeFit | None]:
    """The photos with their gaze in expression and vertices, and the eyes of the first that shows
    any, None where the pack has no eye texture to compare with.

    held: see `FitRequest`; a held expression keeps its gaze.
    """
    model = pack_eye(loaded)
    if model is None:
        return tuple(photos), None
    free = "expression" not in held
    fits = [_eyes_of(loaded, photo, model, free, settings) for photo in photos]
    known = next((fit for fit in fits if fit is not None), None)
    turned = [
        photo if fit is None or not free else _turn(loaded, photo, fit.gaze)
        for photo, fit in zip(photos, fits, strict=True)
    ]
    return tuple(turned), known


def eye_texture(loaded: LoadedPack, eyes: EyeFit | None) -> np.ndarray | None:
    """(S, S, 3) sRGB texture of the eyes: the pack's in the fitted colours, or as it is without
    any; None where the pack has none."""
    texture = loaded.textures.get(EYE_TEXTURE)
    if texture is None or eyes is None:
        return None if texture is None else texture[..., :3]
    return tinted_eye(texture, eyes)


def _eyes_of(
    loaded: LoadedPack,
    photo: FittedPhoto,
    model: EyeModel,
    free: bool,
    settings: EyeSettings,
) -> EyeFit | None:
    look, light = photo.view, photo.albedo.light
    view = eye_view(loaded, look.vertices, look.camera, look.crop, light, settings)
    if view is None:
        return None
    head = loaded.head
    number = head.part_names.index(EYE_PARTS[0]), head.part_names.index(EYE_PARTS[1])
    eyes = photo.vertices[head.quads[np.isin(head.face_part, number)]].mean(axis=(0, 1))
    lens = lens_gaze(eyes, camera_centre(look.camera).numpy())
    # The lids tell the pitch better than the pose of the head, which is a few degrees off.
    lens = lens * (1.0, 0.5) - gaze_of(photo.shape.expression, head.expression_names)
    fit = fit_eyes(view, model, lens, free, settings)
    lids = uv_mask(head, ("lids",), len(photo.covered))
    if free and (lids * photo.covered).sum() > settings.most_covered * lids.sum():
        return replace(fit, gaze=np.clip(lens, -MOST_GAZE, MOST_GAZE))
    return fit


def _turn(loaded: LoadedPack, photo: FittedPhoto, gaze: np.ndarray) -> FittedPhoto:
    names, shape = loaded.head.expression_names, photo.shape
    expression = with_gaze(shape.expression, names, loaded.landmarks, gaze)
    vertices, _ = head_shape(loaded.head, shape.identity, expression)
    return replace(
        photo,
        shape=replace(shape, expression=expression),
        vertices=vertices,
        view=replace(photo.view, vertices=torch.from_numpy(vertices)),
    )
