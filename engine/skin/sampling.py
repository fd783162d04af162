"""The sampler of people for the training set."""

import numpy as np

from .ageing import sample_ageing
from .parameters import BOUNDS, FEMALE, MALE, UNIT, SkinParameters

MELANIN_OF_TONE = (
    0.005, 0.0140, 0.0240, 0.0358, 0.0510, 0.0706, 0.0962, 0.1300, 0.1748, 0.2350, 0.3174,
    0.4330, 0.5990, 0.8440,
)  # fmt: skip
"""Melanin that gives, on average, the ITA 62, 52, ... -68 degrees. Ours: measured on 600 sampled
people, so that equal shares of people fall into equal ranges of ITA."""


_BLOOD_OF_TONE = [0.007, 0.009, 0.012, 0.015, 0.016]


def sample_parameters(rng: np.random.Generator) -> SkinParameters:
    """A random adult. Tones are spread evenly over the human range, not as in any population."""
    male = rng.uniform() < 0.5
    age = float(np.clip(rng.normal(38.0, 15.0), 18.0, 82.0))
    old = (age - 18.0) / 64.0
    melanin, darkness = _sample_melanin(rng)
    return SkinParameters(
        melanin=melanin,
        blood=_clip("blood", np.exp(rng.normal(np.log(1.28 * _usual_blood(melanin)), 0.3))),
        pheomelanin=float(rng.uniform(0.02, 0.5)),
        saturation=_clip("saturation", rng.normal(0.7, 0.09)),
        carotene=_clip("carotene", np.exp(rng.normal(np.log(2.4 - 1.6 * darkness), 0.6))),
        scattering=_clip("scattering", np.exp(rng.normal(0.12, 0.2))),
        veil=float(rng.uniform(0.004, 0.024)),
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


def _sample_melanin(rng: np.random.Generator) -> tuple[float, float]:
    """Melanin, and how far it lies along its range in equal steps of its logarithm."""
    steps = np.log(MELANIN_OF_TONE)
    place = rng.uniform(0.0, len(steps) - 1)
    level = float(np.interp(place, range(len(steps)), steps))
    return float(np.exp(level)), (level - steps[0]) / (steps[-1] - steps[0])


def _clip(name: str, value: float) -> float:
    low, high = BOUNDS.get(name, UNIT)
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
    made_up = not male and rng.uniform() < 0.3
    return {
        "lip_blood": _clip(
            "lip_blood", rng.normal(0.55 - 0.3 * darkness - (0.12 if male else 0.0), 0.18)
        ),
        "lip_pigment": _clip("lip_pigment", rng.normal(0.3 + 0.6 * darkness, 0.13)),
        "lip_fullness": _clip("lip_fullness", rng.normal(-0.1 if male else 0.15, 0.35)),
        "lip_edge": _clip("lip_edge", rng.normal(0.45 if male else 0.6, 0.2)),
        "lipstick": float(0.8 * rng.beta(1.3, 2.0)) if made_up else 0.0,
        "lipstick_hue": float(rng.uniform()),
        "eye_shadow": float(rng.beta(1.2, 2.5)) if made_up else 0.0,
        "blush": float(0.5 * rng.beta(1.2, 3.0)) if made_up else 0.0,
    }


def _sample_features(rng: np.random.Generator) -> dict[str, float]:
    return {
        "relief": _clip("relief", rng.normal(0.5, 0.14)),
        "drift": _clip("drift", rng.normal(0.5, 0.12)),
        "lid_depth": float(rng.beta(1.6, 1.6)),
        "lash_line": float(rng.beta(0.9, 1.2)),
        "nostril_depth": float(rng.beta(1.0, 0.7)),
        "mouth_depth": float(rng.beta(0.8, 1.6)),
        "mouth_line": float(rng.beta(1.2, 1.2)),
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
    if rng.uniform() < 0.25:  # shaved, plucked, fair or lost: thin to none
        density *= max(rng.uniform(-0.3, 0.6), 0.0)
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
