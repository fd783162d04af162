"""What the skin's sliders of a head say, as plain values."""

from dataclasses import dataclass

import bpy
import numpy as np

from ...engine.protocol.albedo import CHANNELS
from ...engine.protocol.albedo_tone import ToneChange, changed_coefficients
from ..declarations import PROPERTY
from .model import MODELS, PackKey, SkinModel

TONES = ("lighter", "redder", "yellower", "even")


@dataclass(frozen=True)
class SkinState:
    """values, fitted: (3 K,) f32 as bytes; directions: (J,) f32 as bytes; equal for equal
    sliders."""

    values: bytes
    fitted: bytes
    directions: bytes
    tone: ToneChange

    @property
    def changed(self) -> bool:
        """Whether a slider is not where the fit left it."""
        moved = self.values != self.fitted or np.frombuffer(self.directions, np.float32).any()
        return bool(moved) or self.tone != ToneChange()

    @property
    def needs_model(self) -> bool:
        """Whether the coefficients depend on the model: a tone or a direction is set."""
        asked = np.frombuffer(self.directions, np.float32).any()
        return bool(asked) or self.tone != ToneChange()

    def coefficients(self, name: str = "values") -> np.ndarray:
        """(3, K) f32 of the components alone; name: values or fitted."""
        return np.frombuffer(getattr(self, name), np.float32).reshape(CHANNELS, -1)


def state_of(root: bpy.types.Object) -> SkinState:
    """The skin's sliders of a head."""
    skin = getattr(root, PROPERTY).skin
    return SkinState(
        column_of(skin.components, "value"),
        column_of(skin.components, "fitted"),
        column_of(skin.directions, "value"),
        ToneChange(*(getattr(skin, name) for name in TONES)),
    )


def column_of(items: bpy.types.bpy_prop_collection, field: str) -> bytes:
    """f32 of one number of all items, as bytes."""
    values = np.empty(len(items), np.float32)
    items.foreach_get(field, values)
    return values.tobytes()


def pack_key_of(root: bpy.types.Object) -> PackKey | None:
    """Where the head's albedo model is, None for a head without albedo sliders."""
    skin = getattr(root, PROPERTY).skin
    if not skin.components:
        return None
    return PackKey(skin.pack, skin.pack_sha256, skin.model_sha256)


def wanted_coefficients(state: SkinState, skin_model: SkinModel) -> np.ndarray:
    """(3, K) float64 coefficients that the sliders ask for, tones and directions included."""
    directions = np.frombuffer(state.directions, np.float32).astype(np.float64)
    count = skin_model.tone.directions.shape[1]
    return changed_coefficients(
        skin_model.tone, state.coefficients(), directions[:count], state.tone
    )


def albedo_of(root: bpy.types.Object) -> np.ndarray | None:
    """(3, K) f32 coefficients of a head as its sliders are now, tones and directions included.

    None for a head without albedo sliders, or when a tone is set and its model is missing. Waits
    for the model where a tone needs it and it was not loaded yet.
    """
    key = pack_key_of(root)
    if key is None:
        return None
    state = state_of(root)
    if not state.needs_model:
        return state.coefficients().copy()
    skin_model = MODELS.load(key)
    if skin_model is None or skin_model.model.basis.shape[1] != state.coefficients().shape[1]:
        return None
    return wanted_coefficients(state, skin_model).astype(np.float32)
