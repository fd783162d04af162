"""The sliders' values, saved on a head's root. Every change recomposes the albedo's image."""

import bpy

from ...engine.protocol.detail_layers import BANDS, MAX_STRENGTH
from ...engine.protocol.detail_regions import REGIONS
from ...engine.protocol.messages import MAX_OFFSET, SLIDER_DIRECTIONS
from ..sliders import SOFT_VALUE
from . import live

STRENGTHS = ("strength", "photo")
DIRECTIONS = ("directions",)
GROUPS = {"STRENGTHS": STRENGTHS, "BANDS": BANDS, "REGIONS": REGIONS, "DIRECTIONS": DIRECTIONS}
"""Sliders that are reset together."""


def _changed(self: "UVAPM_PG_detail", context: bpy.types.Context) -> None:
    live.refresh(self.id_data)


def _strength(name: str, description: str, maximum: float = MAX_STRENGTH) -> bpy.types.Property:
    return bpy.props.FloatProperty(
        name=name,
        description=description,
        default=1.0,
        min=0.0,
        max=maximum,
        subtype="FACTOR",
        update=_changed,
    )


class UVAPM_PG_detail(bpy.types.PropertyGroup):
    """albedo: the image that the sliders write; stamp: sha256 of the result's result.json;
    fitted: whether the result has a detail of its own."""

    albedo: bpy.props.PointerProperty(name="Albedo", type=bpy.types.Image)
    stamp: bpy.props.StringProperty(options={"HIDDEN"})
    fitted: bpy.props.BoolProperty(options={"HIDDEN"})
    strength: _strength("Strength", "All detail: 0 leaves the coarse albedo, 1 is as fitted")
    photo: _strength(
        "Photo detail", "What only the photo has: 0 leaves the model's albedo, 1 is as fitted", 1.0
    )
    coarse_wrinkles: _strength("Coarse wrinkles", "Folds and lines wider than two millimetres")
    fine_wrinkles: _strength("Fine wrinkles", "Lines about a millimetre wide")
    pores: _strength("Pores", "Openings and the finest grain of the skin")
    stubble: _strength("Stubble", "Hair and grain where a beard grows")
    forehead: _strength("Forehead", "Detail of the forehead")
    eyes: _strength("Eyes", "Detail of lids, brows and crow's feet")
    cheeks: _strength("Cheeks", "Detail of cheeks and nose")
    mouth_and_beard: _strength("Mouth, beard", "Detail of mouth, chin, jaw and neck")
    directions: bpy.props.FloatVectorProperty(
        name="Directions",
        description="Standard deviations along a principal direction of people's detail. "
        "Needs the engine",
        size=SLIDER_DIRECTIONS,
        min=-MAX_OFFSET,
        max=MAX_OFFSET,
        soft_min=-SOFT_VALUE,
        soft_max=SOFT_VALUE,
        update=_changed,
    )
