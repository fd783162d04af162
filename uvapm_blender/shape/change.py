"""Many sliders at once: all values are set without a callback, then the meshes move once."""

import bpy
import numpy as np

from ...engine.protocol.messages import MAX_OFFSET
from ..declarations import PROPERTY
from . import mirror
from .apply import apply_identity
from .expression import partner_of
from .values import keys_of, locked_of, values_of

EXPRESSION_SIGMA = 0.3
"""Standard deviation of an expression's weight: the prior of the fit's last round
(`ShapeSettings.fine_expression_sigma`)."""
SIDES_ALIKE = 0.85
"""Correlation of the two halves of a face (ours, by eye: faces are a little uneven)."""
ONE_OF = (
    (("eyeLookUp",), ("eyeLookDown",)),
    (("eyeLookInLeft", "eyeLookOutRight"), ("eyeLookOutLeft", "eyeLookInRight")),
    (("jawLeft",), ("jawRight",)),
    (("mouthLeft",), ("mouthRight",)),
    (("mouthSmile",), ("mouthFrown",)),
    (("mouthFunnel",), ("mouthPucker",)),
    (("browDown",), ("browOuterUp",)),
)
"""Beginnings of names that undo each other: a face has one of them."""
SELDOM = ("tongueOut", "mouthClose", "eyeBlink", "cheekPuff", "jawForward")
"""Expressions that a random face leaves at rest: alone they look broken, or close the eyes."""


def reset_identity(root: bpy.types.Object, average: bool, name: str = "") -> None:
    """Components as fitted, or at 0; those that are locked stay. name: only that one."""
    target = values_of(root, "fitted")
    if average:
        target = np.zeros_like(target)
    free = ~locked_of(root)
    if name:
        components = getattr(root, PROPERTY).shape.components
        free &= np.array([item.name == name for item in components], bool)
    _set_identity(root, np.where(free, target, values_of(root)))


def randomise_identity(root: bpy.types.Object, seed: int, amount: float) -> None:
    """Mix the head with a draw from the prior, in which components are standard normal.

    value' = sqrt(1 - amount^2) value + amount draw: for a head of the prior the mixture is of
    the prior too, whatever the amount (sum of independent normals). Locked ones stay.
    """
    values = values_of(root)
    drawn = np.random.default_rng(seed).standard_normal(len(values))
    mixed = np.sqrt(1.0 - amount**2) * values + amount * drawn
    mixed = np.clip(mixed, -MAX_OFFSET, MAX_OFFSET).astype(np.float32)
    _set_identity(root, np.where(locked_of(root), values, mixed))


def reset_expression(root: bpy.types.Object, average: bool, name: str = "") -> None:
    """Expressions as fitted, or all at rest; those that are locked stay. name: only that one."""
    for item in getattr(root, PROPERTY).shape.expressions:
        if not item.locked and name in ("", item.name):
            _set_key(root, item.name, 0.0 if average else item.fitted)
    mirror.remember(root)


def randomise_expression(root: bpy.types.Object, seed: int, amount: float) -> None:
    """Mix the expression with a random one: value' = (1 - amount) value + amount draw.

    A draw is a half-normal weight within [0, 1], alike on both sides of the face, with one of
    each two that undo each other (`ONE_OF`). Locked ones stay.
    """
    items = getattr(root, PROPERTY).shape.expressions
    drawn = draw_expression([item.name for item in items], np.random.default_rng(seed))
    keys = keys_of(root)
    for item in items:
        if not item.locked and item.name in keys:
            before = keys[item.name].value
            keys[item.name].value = (1.0 - amount) * before + amount * drawn[item.name]
    mirror.remember(root)


def draw_expression(names: list[str], random: np.random.Generator) -> dict[str, float]:
    """A random face: weight in [0, 1] by name."""
    normals: dict[str, float] = {}
    for name in names:
        own = float(random.standard_normal())
        other = normals.get(partner_of(name))
        if other is not None:
            own = SIDES_ALIKE * other + (1.0 - SIDES_ALIKE**2) ** 0.5 * own
        normals[name] = own
    barred = SELDOM + tuple(name for pair in ONE_OF for name in pair[int(random.integers(2))])
    return {
        name: 0.0 if name.startswith(barred) else min(EXPRESSION_SIGMA * max(value, 0.0), 1.0)
        for name, value in normals.items()
    }


def _set_identity(root: bpy.types.Object, values: np.ndarray) -> None:
    components = getattr(root, PROPERTY).shape.components
    components.foreach_set("value", np.asarray(values, np.float32))
    root.update_tag()  # foreach_set tells nobody: drivers and animations see it so
    apply_identity(root)


def _set_key(root: bpy.types.Object, name: str, value: float) -> None:
    key = keys_of(root).get(name)
    if key is not None:
        key.value = value
