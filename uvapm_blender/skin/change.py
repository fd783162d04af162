"""Many of the skin's sliders at once, then one picture."""

import bpy
import numpy as np

from ...engine.protocol.albedo_tone import draw_coefficients
from ..declarations import PROPERTY
from ..detail import live
from .model import SkinModel
from .values import TONES, column_of, state_of


def reset(root: bpy.types.Object, group: str, average: bool, name: str = "") -> None:
    """Sliders of a group (ALL, TONE, DIRECTIONS, COMPONENTS) back to the fit or to the average.

    Locked components and directions stay. name: only the slider of this name.
    """
    skin = getattr(root, PROPERTY).skin
    if group in ("ALL", "TONE") and not name:
        for tone in TONES:
            skin.property_unset(tone)  # unlike an assignment this composes nothing
    if group in ("ALL", "DIRECTIONS"):
        _set(skin.directions, np.zeros(len(skin.directions), np.float32), name)
    if group in ("ALL", "COMPONENTS"):
        fitted = np.frombuffer(column_of(skin.components, "fitted"), np.float32)
        _set(skin.components, 0.0 * fitted if average else fitted, name)
    live.refresh(root)


def randomise(root: bpy.types.Object, skin_model: SkinModel, seed: int, amount: float) -> None:
    """Components of somebody else, see `albedo_tone.draw_coefficients`. Locked ones stay."""
    skin = getattr(root, PROPERTY).skin
    now = state_of(root).coefficients()
    locked = np.array([item.locked for item in skin.components]).reshape(now.shape)
    drawn = draw_coefficients(skin_model.tone, now, locked, seed, amount)
    skin.components.foreach_set("value", drawn.astype(np.float32).ravel())
    live.refresh(root)


def _set(items: bpy.types.bpy_prop_collection, values: np.ndarray, name: str) -> None:
    """New values for what is not locked; no picture yet."""
    new = np.frombuffer(column_of(items, "value"), np.float32).copy()
    for index, item in enumerate(items):
        if not item.locked and name in ("", item.name):
            new[index] = values[index]
    items.foreach_set("value", new)
