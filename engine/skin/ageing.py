"""How strong folds, wrinkles and marks are in a person of some age: the sampler's part for them.

Onsets are ours, after what dermatology describes: lines of expression first (forehead, outer
corners of the eyes), folds by sagging tissue from the forties on, fine crinkles last.
"""

import numpy as np

_ONSET = {
    "forehead_lines": (0.02, 0.85),
    "frown_lines": (0.08, 0.85),
    "bunny_lines": (0.15, 1.0),
    "crows_feet": (0.10, 0.80),
    "under_eye_lines": (0.06, 0.80),
    "nasolabial_folds": (0.0, 0.75),
    "marionette_lines": (0.22, 0.90),
    "upper_lip_lines": (0.30, 1.0),
    "neck_lines": (0.0, 0.85),
    "fine_lines": (0.25, 0.95),
    "eye_bags": (0.05, 0.95),
    "tear_troughs": (0.0, 0.85),
}
"""Age at which a structure begins and at which it is full, as shares of 18 to 82 years."""

_SEX = {"forehead_lines": 0.05, "frown_lines": 0.05, "upper_lip_lines": -0.10}
"""Added to a man's biological age for a structure, taken from a woman's."""

_NONE = 0.02
"""Amounts below are none: nothing would show."""


def sample_ageing(rng: np.random.Generator, old: float, male: bool) -> dict[str, float]:
    """Amounts of folds, wrinkles and marks. old: age as a share, 0 at 18 years, 1 at 82."""
    # Skin ages at its own pace (sun, smoking): about eight years of scatter.
    pace = old + rng.normal(0.0, 0.08) * (0.4 + old)
    amounts = {}
    for name, (onset, full) in _ONSET.items():
        shift = _SEX.get(name, 0.0) * (1.0 if male else -1.0)
        share = max((pace + shift * old - onset) / (full - onset), 0.0)
        amounts[name] = share * np.exp(rng.normal(0.0, 0.3)) + 0.03 * rng.exponential()
    amounts["eye_bags"] *= rng.uniform(0.4, 1.3)
    amounts["lid_crease"] = 0.0 if rng.uniform() < 0.15 else rng.normal(0.6, 0.2)
    amounts["nose_crease"] = rng.normal(0.5, 0.2)
    amounts["chin_crease"] = rng.normal(0.1 + 0.5 * old, 0.25)
    amounts["chin_dimple"] = rng.uniform(0.3, 1.0) if rng.uniform() < 0.12 else 0.0
    amounts["philtrum"] = rng.normal(0.6 - 0.3 * old, 0.25)
    amounts["broken_veins"] = rng.normal(1.1 * old - 0.25, 0.25)
    amounts["scars"] = rng.exponential(0.12)
    amounts = {
        name: 0.0 if value < _NONE else float(min(value, 1.0)) for name, value in amounts.items()
    }
    amounts["lid_crease_height"] = float(np.clip(rng.normal(0.0, 0.4), -1.0, 1.0))
    return amounts
