"""What the sliders of a head say, as plain values."""

from dataclasses import dataclass

import bpy

from ...engine.protocol.detail_layers import BANDS, DetailStrengths
from ...engine.protocol.detail_regions import REGIONS
from ..declarations import PROPERTY
from ..scene.heads import role_of
from ..skin.values import SkinState, state_of
from .cache import Key, Offsets

STRENGTHS = ("strength", *BANDS, *REGIONS)
"""Names of the strength sliders, as `DetailStrengths` has them."""


def key_of(root: bpy.types.Object) -> Key:
    """What a head's maps are found by."""
    head = getattr(root, PROPERTY)
    return bpy.path.abspath(head.result_folder), head.detail.stamp


def offsets_of(root: bpy.types.Object) -> Offsets:
    """The directions of a head up to the last that was moved: () for none. Rounded, so that
    equal sliders give equal keys."""
    offsets = [round(value, 4) for value in getattr(root, PROPERTY).detail.directions]
    while offsets and not offsets[-1]:
        offsets.pop()
    return tuple(offsets)


def strengths_of(root: bpy.types.Object) -> DetailStrengths:
    """The strength sliders of a head."""
    detail = getattr(root, PROPERTY).detail
    return DetailStrengths(**{name: getattr(detail, name) for name in STRENGTHS})


@dataclass(frozen=True)
class Signature:
    """All sliders that a head's pictures depend on: equal for equal pictures."""

    strengths: DetailStrengths
    photo: float
    offsets: Offsets
    skin: SkinState


def signature_of(root: bpy.types.Object) -> Signature:
    """The sliders of a head."""
    photo = getattr(root, PROPERTY).detail.photo
    return Signature(strengths_of(root), photo, offsets_of(root), state_of(root))


def is_changed(root: bpy.types.Object) -> bool:
    """True when a slider is not where the fit left it."""
    now = signature_of(root)
    moved = now.photo != 1.0 or now.offsets or now.skin.changed
    return bool(moved) or now.strengths != DetailStrengths()


def heads() -> list[bpy.types.Object]:
    """Roots of all heads with an image that the sliders write."""
    roots = (item for item in bpy.data.objects if role_of(item) == "ROOT")
    return [root for root in roots if getattr(root, PROPERTY).detail.albedo is not None]


def find_head(uid: int) -> bpy.types.Object | None:
    """The head with this session_uid, when it is still there."""
    return next((root for root in heads() if root.session_uid == uid), None)
