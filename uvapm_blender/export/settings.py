"""What can be chosen about an export, and what suits game engines and the web."""

from dataclasses import dataclass, replace
from enum import StrEnum

from ...engine.protocol.errors import EngineError, ErrorCode


class Format(StrEnum):
    """File formats, by their extension."""

    FBX = ".fbx"
    GLB = ".glb"
    GLTF = ".gltf"
    OBJ = ".obj"
    USD = ".usdc"
    USDZ = ".usdz"


PACKED = (Format.GLB, Format.USDZ)
"""Formats whose pictures always lie in the file."""
BESIDE = (Format.GLTF, Format.OBJ, Format.USD)
"""Formats whose pictures always lie beside it."""
WITH_KEYS = (Format.FBX, Format.GLB, Format.GLTF, Format.USD, Format.USDZ)
"""Formats that carry expressions."""

TEXTURE_SIZES = (0, 256, 512, 1024, 2048, 4096)
"""Longest side in pixels; 0: as they are."""

MAX_LODS = 3

ESSENTIAL_KEYS = frozenset((
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeWideLeft", "eyeWideRight",
    "eyeLookUpLeft", "eyeLookUpRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthSmileLeft", "mouthSmileRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "mouthLowerDownLeft", "mouthLowerDownRight", "cheekPuff", "tongueOut",
))  # fmt: skip
"""Ours: what speech, blinking, looking and the plain moods need, 31 of the 52."""


@dataclass(frozen=True)
class ExportSettings:
    """Choices of one export.

    texture_size: longest side of the skin's maps in pixels, 0 as they are; other maps are never
    enlarged. textures_inside: FBX only, the others have no choice. jpeg: pictures without
    transparency as JPEG. lods: 1 to 3 levels. keys: ALL, ESSENTIAL or NONE. neutral: the
    expression at rest, else as in the scene. joined: one mesh with several materials a level.
    skeleton: bones for head and eyes. directx: normal map with +y downwards. mask_map: one more
    picture with metal, occlusion and smoothness, as Unity reads it. lod_group: levels under an
    LodGroup node. centimetres: FBX geometry in centimetres, else in metres. still: metres, moves
    of an expression below this are dropped.
    """

    texture_size: int = 0
    textures_inside: bool = True
    jpeg: bool = False
    lods: int = 1
    keys: str = "ALL"
    neutral: bool = False
    joined: bool = False
    skeleton: bool = False
    directx: bool = False
    mask_map: bool = False
    lod_group: bool = False
    centimetres: bool = False
    still: float = 0.0

    def __post_init__(self) -> None:
        if self.texture_size not in TEXTURE_SIZES:
            _refuse("texture size", f"one of {', '.join(map(str, TEXTURE_SIZES))}")
        if self.lods not in range(1, MAX_LODS + 1):
            _refuse("number of levels of detail", f"1 to {MAX_LODS}")
        if self.keys not in ("ALL", "ESSENTIAL", "NONE"):
            _refuse("choice of expressions", "ALL, ESSENTIAL or NONE")


def _refuse(what: str, expected: str) -> None:
    raise EngineError(ErrorCode.BAD_SETTINGS, f"The {what} must be {expected}.")


@dataclass(frozen=True)
class Preset:
    """A purpose: its format and choices."""

    label: str
    tooltip: str
    format: Format
    settings: ExportSettings


_GAME = ExportSettings(lods=3, neutral=True, joined=True, skeleton=True, textures_inside=False)

PRESETS = {
    "UNREAL": Preset(
        "Unreal",
        "FBX in centimetres with a skeleton, three levels of detail, DirectX normal map",
        Format.FBX,
        replace(_GAME, directx=True, lod_group=True, centimetres=True),
    ),
    "UNITY": Preset(
        "Unity",
        "FBX in metres with a skeleton, three levels of detail, mask map",
        Format.FBX,
        replace(_GAME, mask_map=True),
    ),
    "WEB": Preset(
        "Web",
        "One small GLB file: textures of 1024 as JPEG, the expressions that matter",
        Format.GLB,
        ExportSettings(texture_size=1024, jpeg=True, keys="ESSENTIAL", neutral=True, still=2e-5),
    ),
}
