"""What makes one person's skin: a frozen description, and the sampler for the training set."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from ..protocol.errors import EngineError, ErrorCode
from .ageing import sample_ageing

_UNIT = (0.0, 1.0)
_SIGNED = (-1.0, 1.0)

FEMALE, MALE = "female", "male"


@dataclass(frozen=True)
class SkinParameters:
    """One person. Shares and strengths lie in [0, 1] unless a unit is given, signed in [-1, 1].

    melanin: melanosome fraction of the epidermis, 0.004 (very light) to 0.8 (very dark).
    blood: blood fraction of the dermis, about 0.008 to 0.025.
    pheomelanin: its share of the skin's melanin. saturation: of the blood with oxygen. carotene: nmol
    per gram of skin. scattering: of the dermis, 1 as usual. age: years. sex: "female" or "male".
    """

    melanin: float = 0.03
    blood: float = 0.014
    pheomelanin: float = 0.2
    saturation: float = 0.7
    carotene: float = 0.0
    scattering: float = 1.0
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
            low, high = BOUNDS.get(field.name, _UNIT)
            if not (math.isfinite(value) and low <= value <= high):
                raise _out_of_range(field.name, f"a number from {low:g} to {high:g}", value)


BOUNDS: dict[str, tuple[float, float]] = {
    "melanin": (0.003, 1.2),
    "blood": (0.003, 0.06),
    "saturation": (0.3, 1.0),
    "carotene": (0.0, 4.0),
    "scattering": (0.5, 2.0),
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


MELANIN_SAMPLING = (0.0055, 0.85)
"""Log-uniform sampling between these gives a nearly uniform ITA from -65 to +65 degrees."""


_BLOOD_OF_TONE = [0.007, 0.009, 0.012, 0.015, 0.016]


def sample_parameters(rng: np.random.Generator) -> SkinParameters:
    """A random adult. Tones are spread evenly over the human range, not as in any population."""
    male = rng.uniform() < 0.5
    age = float(np.clip(rng.normal(38.0, 15.0), 18.0, 82.0))
    old = (age - 18.0) / 64.0
    low, high = np.log(MELANIN_SAMPLING)
    darkness = rng.uniform()
    melanin = float(np.exp(low + (high - low) * darkness))
    return SkinParameters(
        melanin=melanin,
        blood=_clip("blood", np.exp(rng.normal(np.log(_usual_blood(melanin)), 0.22))),
        pheomelanin=float(rng.uniform(0.02, 0.5)),
        saturation=_clip("saturation", rng.normal(0.7, 0.09)),
        carotene=_clip("carotene", np.exp(rng.normal(np.log(0.35), 0.7))),
        scattering=_clip("scattering", np.exp(rng.normal(0.06, 0.16))),
        age=age,
        sex=MALE if male else FEMALE,
        **_sample_surface(rng, darkness, old),
        **_sample_lips_and_make_up(rng, darkness, male),
        **_sample_hair(rng, darkness, male, old),
        **_sample_brows(rng, male, old),
        **_sample_beard(rng, male),
        **_sample_features(rng),
        **sample_ageing(rng, old, male),
    )


def _clip(name: str, value: float) -> float:
    low, high = BOUNDS.get(name, _UNIT)
    return float(np.clip(value, low, high))


def _usual_blood(melanin: float) -> float:
    """Blood fraction that puts the tone on the locus to which `pigment` was fitted."""
    return float(np.interp(melanin, [0.004, 0.012, 0.023, 0.041, 0.08], _BLOOD_OF_TONE))


def _sample_surface(
    rng: np.random.Generator, darkness: float, old: float
) -> dict[str, float | int]:
    light = 1.0 - darkness
    freckled = rng.uniform() < 0.08 + 0.25 * max(light - 0.4, 0.0)
    return {
        "flush": _clip("flush", rng.normal(0.45, 0.22)),
        "mottling": _clip("mottling", rng.normal(0.4 + 0.2 * old, 0.15)),
        "pores": _clip("pores", rng.normal(0.45, 0.2)),
        "freckles": float(rng.beta(1.3, 2.0)) if freckled else 0.0,
        "moles": int(min(rng.poisson(4.0), 30)),
        "age_spots": _clip("age_spots", rng.normal(1.3 * old - 0.5, 0.2)),
        "blemishes": _clip("blemishes", rng.exponential(0.15)),
        "eye_pigment": _clip("eye_pigment", rng.normal(0.25 + 0.3 * darkness, 0.18)),
        "under_eye": _clip("under_eye", rng.normal(0.25 + 0.2 * old, 0.18)),
        "zones": _clip("zones", rng.normal(0.05 + 0.25 * darkness, 0.3)),
    }


def _sample_lips_and_make_up(
    rng: np.random.Generator, darkness: float, male: bool
) -> dict[str, float]:
    made_up = not male and rng.uniform() < 0.4
    return {
        "lip_blood": _clip("lip_blood", rng.normal(0.5, 0.2)),
        "lip_pigment": _clip("lip_pigment", rng.normal(0.3 + 0.35 * darkness, 0.15)),
        "lip_fullness": _clip("lip_fullness", rng.normal(-0.1 if male else 0.15, 0.35)),
        "lip_edge": _clip("lip_edge", rng.normal(0.45 if male else 0.6, 0.2)),
        "lipstick": float(rng.uniform(0.15, 0.8)) if made_up else 0.0,
        "lipstick_hue": float(rng.uniform()),
        "eye_shadow": float(rng.beta(1.2, 2.5)) if made_up else 0.0,
        "blush": float(rng.beta(1.2, 3.0)) if made_up else 0.0,
    }


def _sample_features(rng: np.random.Generator) -> dict[str, float]:
    return {
        "relief": _clip("relief", rng.normal(0.5, 0.14)),
        "drift": _clip("drift", rng.normal(0.5, 0.12)),
        "lid_depth": float(rng.beta(1.6, 1.6)),
        "lash_line": float(rng.beta(1.4, 1.6)),
        "nostril_depth": float(rng.beta(2.0, 1.0)),
        "mouth_depth": float(rng.beta(0.8, 1.6)),
        "mouth_line": float(rng.beta(1.8, 1.2)),
    }


def _sample_hair(
    rng: np.random.Generator, darkness: float, male: bool, old: float
) -> dict[str, float]:
    fair = max(0.0, 1.0 - 2.2 * darkness)  # only light skins have light hair in this set
    eumelanin = np.exp(rng.normal(np.log(3.0), 0.5))
    red = 0.03
    if rng.uniform() < 0.9 * fair:
        eumelanin = np.exp(rng.uniform(np.log(0.06), np.log(1.5)))
        if rng.uniform() < 0.12:  # red: little eumelanin, much pheomelanin
            eumelanin, red = rng.uniform(0.04, 0.2), rng.uniform(0.25, 0.8)
    greyness = rng.normal(1.6 * old - 0.85, 0.22)
    style = rng.uniform()
    shaved = style < (0.35 if male else 0.08)
    bald = male and rng.uniform() < 0.15 * old
    cover = rng.uniform(0.35, 0.65) if shaved else rng.uniform(0.86, 0.99)
    recession = rng.beta(1.3, 4.0) * (0.5 + old) if male else rng.beta(1.0, 8.0)
    return {
        "hair_eumelanin": _clip("hair_eumelanin", eumelanin),
        "hair_pheomelanin": _clip("hair_pheomelanin", red),
        "grey": _clip("grey", greyness),
        "hair_cover": _clip("hair_cover", cover * (0.45 if bald else 1.0)),
        "hair_length": float(rng.uniform(0.0, 0.2) if shaved else rng.uniform(0.45, 1.0)),
        "hair_curl": _clip("hair_curl", rng.normal(0.05 + 0.75 * max(darkness - 0.4, 0.0), 0.15)),
        "hairline": _clip("hairline", rng.normal(0.1 if male else -0.05, 0.3)),
        "recession": _clip("recession", 0.95 if bald else recession),
    }


def _sample_brows(rng: np.random.Generator, male: bool, old: float) -> dict[str, float]:
    density = rng.normal(0.62 - 0.12 * old, 0.17)
    if rng.uniform() < 0.2:  # shaved, plucked, fair or lost: thin to none
        density *= rng.uniform(0.0, 0.6)
    return {
        "brow_density": _clip("brow_density", density),
        "brow_thickness": _clip("brow_thickness", rng.normal(0.3 if male else -0.2, 0.4)),
        "brow_height": _clip("brow_height", rng.normal(-0.1 if male else 0.1, 0.35)),
        "brow_arch": _clip("brow_arch", rng.normal(-0.15 if male else 0.2, 0.35)),
        "brow_length": _clip("brow_length", rng.normal(0.0, 0.35)),
        "brow_gap": _clip("brow_gap", rng.normal(-0.05 if male else 0.1, 0.35)),
        "brow_depth": _clip("brow_depth", rng.normal(0.1, 0.3)),
    }


def _sample_beard(rng: np.random.Generator, male: bool) -> dict[str, float]:
    if not male:
        return {}
    kind = rng.uniform()
    shares = {"moustache_share": 1.0, "chin_share": 1.0, "jaw_share": 1.0}
    if kind < 0.55:  # shaved
        return {"beard_shadow": _clip("beard_shadow", rng.normal(0.3, 0.2)), **shares}
    if kind > 0.85:  # goatee or moustache
        shares["jaw_share"] = float(rng.uniform(0.0, 0.3))
        shares["chin_share"] = float(rng.uniform() < 0.75)
    return {
        "beard_shadow": float(rng.uniform(0.2, 0.6)),
        "beard_cover": float(rng.beta(1.4, 1.6)),
        "beard_length": float(rng.uniform()),
        **shares,
    }
