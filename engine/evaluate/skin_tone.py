"""How well a reconstruction keeps the tone of a skin: its individual typology angle (ITA)."""

from dataclasses import dataclass

import numpy as np

from ..protocol.conventions import linear_to_srgb, srgb_to_linear
from ..skin.colorimetry import individual_typology_angle
from ..skin.layout import region_masks

REGIONS = ("forehead", "cheeks")
"""Where dermatologists measure facial skin, and where neither hair nor lips disturb."""
INSIDE = 0.5
DARK_BELOW = 10.0
"""Degrees. Brown and dark skin in the classes of Chardon et al. 1991 (10 parts tan from brown
in the usual table); the rest, tan to very light, counts as light."""


@dataclass(frozen=True)
class ToneErrors:
    """Mean absolute ITA errors in degrees, None without a map of that kind; dark, light: maps."""

    overall: float | None
    dark_error: float | None
    light_error: float | None
    dark: int
    light: int


def skin_angles(image: np.ndarray, texels: np.ndarray) -> dict[str, float]:
    """ITA in degrees of the mean colour of each region; regions without texels are left out.

    image (S, S, 3) sRGB in [0, 1]; texels (S, S) bool. Colours are averaged as light (linear), as
    a colorimeter does.
    """
    masks = region_masks(len(image))
    angles = {}
    for region in REGIONS:
        chosen = texels & (masks[region] > INSIDE)
        if chosen.any():
            mean = srgb_to_linear(np.clip(image[chosen], 0.0, 1.0)).mean(axis=0)
            angles[region] = float(individual_typology_angle(linear_to_srgb(mean)))
    return angles


def angle_error(original: dict[str, float], other: dict[str, float]) -> float | None:
    """Mean over the regions of the absolute difference in degrees, None without a region."""
    if not original:
        return None
    return float(np.mean([abs(other[region] - angle) for region, angle in original.items()]))


def is_dark(original: dict[str, float]) -> bool:
    """Whether the mean angle of the regions is below DARK_BELOW."""
    return float(np.mean(list(original.values()))) < DARK_BELOW


def tone_errors(pairs: list[tuple[dict[str, float], dict[str, float]]]) -> ToneErrors:
    """Errors over maps. pairs: the angles of each original and of its reconstruction."""
    errors = {True: [], False: []}
    for original, other in pairs:
        error = angle_error(original, other)
        if error is not None:
            errors[is_dark(original)].append(error)
    dark, light = errors[True], errors[False]
    return ToneErrors(_mean(dark + light), _mean(dark), _mean(light), len(dark), len(light))


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
