"""Regional colour and contrast of skin maps: what the generator is calibrated by and judged with.

All figures are means and deviations over regions and people; no picture leaves this module.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from .colorimetry import srgb_to_lab, typology_angle
from .curves import REFERENCE_SIZE
from .layout import check_size, region_masks

REGIONS: dict[str, str] = {
    "forehead": "forehead", "cheeks": "cheeks", "nose": "nose",
    "nose tip": "nose_tip", "nasal creases": "nasal_creases", "upper lids": "lid_upper",
    "eye surround": "eye_surround", "under eyes": "under_eye", "upper lip": "lip_upper",
    "lower lip": "lip_lower", "moustache": "moustache", "chin": "chin",
    "jaw": "jaw_beard", "ears": "ears", "ear lobes": "ear_lobes", "neck": "neck",
    "brows": "brows", "nostrils": "nostrils", "scalp": "scalp",
}  # fmt: skip
"""Name in the table and the mask of `layout.region_masks`."""
TONE_REGION = "cheeks"
BAND_REGIONS = ("forehead", "cheeks", "chin", "neck")
BANDS = (2.0, 4.0, 8.0, 16.0, 32.0)
"""Octave bands of contrast: scales in reference pixels (1024), each from this to its double."""
BAND_SIZE = 512
"""Size at which maps are best measured: smaller ones leave the fine bands out (nan)."""
_INSIDE = 0.7
_SEEN = 0.5


@dataclass(frozen=True)
class RegionStatistics:
    """One region over all maps in which it is seen.

    count: maps. lab: mean of the maps' median CIELAB colours. spread: their deviation between
    maps. angle: mean ITA in degrees. to_cheeks: mean difference of Lab to the same map's cheeks.
    to_cheeks_spread: deviation of that between maps.
    """

    name: str
    count: int
    lab: tuple[float, float, float]
    spread: tuple[float, float, float]
    angle: float
    to_cheeks: tuple[float, float, float]
    to_cheeks_spread: tuple[float, float, float]


@dataclass(frozen=True)
class SkinStatistics:
    """Figures of a set of maps.

    bands: region -> deviation of L* within the region per octave of BANDS, in % of its mean L*,
    averaged over maps. angles: ITA of each map's cheeks in degrees, ascending.
    """

    count: int
    regions: tuple[RegionStatistics, ...]
    bands: dict[str, tuple[float, ...]]
    angles: tuple[float, ...]


def measure_maps(maps: Iterable[tuple[np.ndarray, np.ndarray]], size: int) -> SkinStatistics:
    """Statistics of maps (size, size, 3) float32 sRGB in [0, 1] with coverage (size, size).

    Texels of coverage below a half and black ones do not count. Raises EngineError(BAD_SETTINGS)
    for a size that `layout` does not know.
    """
    check_size(size)
    colours, bands = [], []
    for image, coverage in maps:
        lab = srgb_to_lab(image).astype(np.float32)
        seen = (coverage > _SEEN) & (image.max(axis=2) > 0.0)
        colours.append([_median_colour(lab, seen, mask) for mask in REGIONS.values()])
        bands.append([_band_contrast(lab[..., 0], seen, name) for name in BAND_REGIONS])
    table = np.array(colours)
    cheeks = table[:, list(REGIONS).index(TONE_REGION)]
    angles = np.sort(typology_angle(cheeks)[np.isfinite(cheeks[:, 0])])
    mean_bands = np.array([[_mean(column) for column in np.array(part).T]
                           for part in zip(*bands, strict=True)])  # fmt: skip
    return SkinStatistics(
        count=len(table),
        regions=tuple(_region(name, table[:, index], cheeks) for index, name in enumerate(REGIONS)),
        bands={n: tuple(map(float, b)) for n, b in zip(BAND_REGIONS, mean_bands, strict=True)},
        angles=tuple(map(float, angles)),
    )


def statistics_table(statistics: SkinStatistics) -> str:
    """The figures as lines of text for people."""
    low, high = (f(statistics.angles, default=np.nan) for f in (min, max))
    lines = [
        f"{statistics.count} maps; ITA of the cheeks from {low:.0f} to {high:.0f} degrees",
        "",
        (
            f"{'region':14}{'L*':>6}{'a*':>6}{'b*':>6}{'ITA':>6} |{'spread':>11}{'':7}  |"
            f"{'to the cheeks':>17}    |{'spread':>11}"
        ),
    ]
    for r in statistics.regions:
        figures = (*r.lab, r.angle, *r.spread, *r.to_cheeks, *r.to_cheeks_spread)
        cells = [f"{value:6.1f}" for value in figures]
        lines.append(
            f"{r.name:14}" + "".join(cells[:4]) + " |" + "".join(cells[4:7]) + "  |"
            + "".join(cells[7:10]) + "   |" + "".join(cells[10:])
        )  # fmt: skip
    scales = "".join(f"{f'{low:g}-{2 * low:g}':>8}" for low in BANDS)
    lines += ["", f"contrast in % of L* by scale (px of 1024){scales}"]
    for name, values in statistics.bands.items():
        lines.append(f"{name:40}" + "".join(f"{value:8.2f}" for value in values))
    return "\n".join(lines)


def _median_colour(lab: np.ndarray, seen: np.ndarray, mask: str) -> np.ndarray:
    chosen = seen & (region_masks(lab.shape[0])[mask] > _INSIDE)
    return np.median(lab[chosen], axis=0) if chosen.any() else np.full(3, np.nan)


def _band_contrast(lightness: np.ndarray, seen: np.ndarray, name: str) -> list[float]:
    """Deviation of each octave (difference of Gaussians) within a region, % of the mean L*."""
    size = lightness.shape[0]
    inside = seen & (region_masks(size)[name] > _INSIDE)
    if not inside.any():
        return [np.nan] * len(BANDS)
    mean = float(lightness[inside].mean())
    # Outside of the region its mean: edges of hair or lips must not count as skin's contrast.
    weight = inside.astype(np.float32)
    flat = (lightness - mean) * weight
    result = []
    for low in BANDS:
        sigma = 0.5 * low * size / REFERENCE_SIZE
        if sigma < 0.45:
            result.append(np.nan)
            continue
        fine, coarse = (_inside_blur(flat, weight, s) for s in (sigma, 2.0 * sigma))
        result.append(100.0 * float((fine - coarse)[inside].std()) / max(mean, 1.0))
    return result


def _inside_blur(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of values that counts only texels of weight 1."""
    blurred = (cv2.GaussianBlur(part, (0, 0), sigma) for part in (values, weight))
    total, share = blurred
    return total / np.maximum(share, 1e-3)


def _region(name: str, lab: np.ndarray, cheeks: np.ndarray) -> RegionStatistics:
    lab, cheeks = lab[np.isfinite(lab[:, 0])], cheeks[np.isfinite(lab[:, 0])]
    if len(lab) == 0:
        nothing = (np.nan,) * 3
        return RegionStatistics(name, 0, nothing, nothing, np.nan, nothing, nothing)
    against = lab - cheeks
    return RegionStatistics(
        name=name,
        count=len(lab),
        lab=_three(lab.mean(axis=0)),
        spread=_three(lab.std(axis=0)),
        angle=float(typology_angle(lab).mean()),
        to_cheeks=_three(against.mean(axis=0)),
        to_cheeks_spread=_three(against.std(axis=0)),
    )


def _three(values: np.ndarray) -> tuple[float, float, float]:
    first, second, third = (float(v) for v in values)
    return first, second, third


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")
