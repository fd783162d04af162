"""What an artist changed on a head by sliders, for a refit."""

import bpy
import numpy as np

from ..engine.protocol.edits import EDITABLE, Edits
from .shape.values import expression_of, identity_of
from .skin.values import albedo_of

SAME = 1e-6
"""Coefficients that differ less are those of the fit: sliders hold 32 bits. Ours."""


def edits_of(root: bpy.types.Object, fitted: dict[str, np.ndarray]) -> Edits | None:
    """Values of a head's sliders where they differ from `fitted`, the coefficients of its result;
    None where nothing does. A head without such sliders has no edits."""
    now = {
        "identity": identity_of(root),
        "expression": np.clip(expression_of(root), 0.0, 1.0),
        "albedo": albedo_of(root),
    }
    changed = {
        name: now[name]
        for name in EDITABLE
        if now[name] is not None
        and now[name].shape == fitted[name].shape
        and np.abs(now[name] - fitted[name]).max(initial=0.0) > SAME
    }
    return Edits(**changed) if changed else None
