"""What makes one person's skin: a frozen description."""

import dataclasses
import math
from dataclasses import dataclass

from ..protocol.errors import EngineError, ErrorCode

UNIT = (0.0, 1.0)
_SIGNED = (-1.0, 1.0)

FEMALE, MALE = "female", "male"


@dataclass(frozen=True)
class SkinParameters:
    """One person. Shares and strengths lie in [0, 1] unless a unit is given, signed in [-1, 1].

    melanin: melanosome fraction of the epidermis, 0.004 (very light) to 0.8 (very dark).
    blood: blood fraction of the dermis, about 0.008 to 0.025.
    pheomelanin: its share of the skin's melanin. saturation: of the blood with oxygen. carotene:
    nmol per gram of skin. scattering: of the dermis, 1 as usual. veil: share of light that dry skin
    throws back above the melanin. age: years. sex: "female" or "male".
    """

    melanin: float = 0.03
    blood: float = 0.014
    pheomelanin: float = 0.2
    saturation: float = 0.7
    carotene: float = 0.0
    scattering: float = 1.0
    veil: float = 0.0245
    age: float = 35.0
    sex: str = FEMALE
    # skin
    flush: float = 0.5  # redness of cheeks, nose, ears
    mottling: float = 0.5  # strength of uneven pigment
    pores: float = 0.5
    freckles: float = 0.0
    moles: int = 3
    age_spots: float = 0.0
    blemishes: float = 0.1
    eye_pigment: float = 0.3  # darker skin around the eyes
    under_eye: float = 0.3  # blood that shows through below the eyes
    zones: float = 0.0  # signed: forehead and temples darker (+) or lighter (-) than the cheeks
    relief: float = 0.5  # strength of the soft zones of the face
    # features
    drift: float = 0.5  # how far features sit from their usual place
    lid_depth: float = 0.5  # dark skin of the closed lids
    lash_line: float = 0.5
    nostril_depth: float = 0.8
    mouth_depth: float = 0.3  # dark gap between the lips
    mouth_line: float = 0.7
    # lips
    lip_blood: float = 0.5
    lip_pigment: float = 0.3  # melanin of the lips relative to the skin
    lip_fullness: float = 0.0  # signed
    lip_edge: float = 0.5  # sharpness of the border
    # make-up
    lipstick: float = 0.0
    lipstick_hue: float = 0.5  # rose to brick
    eye_shadow: float = 0.0
    blush: float = 0.0
    # hair
    hair_eumelanin: float = 3.0  # 0.05 light blond to 8 black
    hair_pheomelanin: float = 0.1
    grey: float = 0.0
    hair_cover: float = 0.9  # 0 bald, about 0.5 shaved, 1 covered
    hair_length: float = 0.7  # 0 stubble, 1 combed strands
    hair_curl: float = 0.1
    hairline: float = 0.0  # signed: high (+) or low (-)
    recession: float = 0.1  # of the temples and the crown
    # brows
    brow_density: float = 0.6
    brow_thickness: float = 0.0  # signed
    brow_height: float = 0.0  # signed
    brow_arch: float = 0.0  # signed
    brow_length: float = 0.0  # signed
    brow_gap: float = 0.0  # signed
    brow_depth: float = 0.0  # signed: darker (+) or lighter (-) than the hair
    # beard
    beard_shadow: float = 0.0
    beard_cover: float = 0.0
    beard_length: float = 0.3
    moustache_share: float = 1.0
    chin_share: float = 1.0
    jaw_share: float = 1.0
    # folds and wrinkles
    forehead_lines: float = 0.0
    frown_lines: float = 0.0  # between the brows and across the root of the nose
    bunny_lines: float = 0.0  # on the sides of the nose
    crows_feet: float = 0.0
    under_eye_lines: float = 0.0
    nasolabial_folds: float = 0.0
    marionette_lines: float = 0.0
    upper_lip_lines: float = 0.0  # around the mouth
    neck_lines: float = 0.0
    fine_lines: float = 0.0  # crinkles of the cheeks
    eye_bags: float = 0.0
    tear_troughs: float = 0.0
    lid_crease: float = 0.5  # 0: a lid without a crease
    lid_crease_height: float = 0.0  # signed
    nose_crease: float = 0.5  # around the nose wings
    philtrum: float = 0.3
    chin_crease: float = 0.1  # below the lower lip
    chin_dimple: float = 0.0
    broken_veins: float = 0.0
    scars: float = 0.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "sex":
                if value not in (FEMALE, MALE):
                    raise _out_of_range("sex", f"{FEMALE!r} or {MALE!r}", value)
                continue
            low, high = BOUNDS.get(field.name, UNIT)
            if not (math.isfinite(value) and low <= value <= high):
                raise _out_of_range(field.name, f"a number from {low:g} to {high:g}", value)


BOUNDS: dict[str, tuple[float, float]] = {
    "melanin": (0.003, 1.2),
    "blood": (0.003, 0.06),
    "saturation": (0.3, 1.0),
    "carotene": (0.0, 4.0),
    "scattering": (0.5, 2.0),
    "veil": (0.0, 0.06),
    "age": (18.0, 95.0),
    "moles": (0, 60),
    "hair_eumelanin": (0.02, 12.0),
    "hair_pheomelanin": (0.0, 3.0),
    **dict.fromkeys(
        ("zones", "lip_fullness", "hairline", "brow_thickness", "brow_height", "brow_arch",
         "brow_length", "brow_gap", "brow_depth", "lid_crease_height"),
        _SIGNED,
    ),
}  # fmt: skip
"""Allowed range of every number that is not in [0, 1]."""


def _out_of_range(name: str, expected: str, value: object) -> EngineError:
    return EngineError(
        ErrorCode.BAD_SETTINGS, f"Skin parameter {name!r} must be {expected}, got {value!r}."
    )
