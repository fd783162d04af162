"""Skin and hair colour from pigments.

Two layers, as in Claridge et al. 2003 and Donner & Jensen 2006: an absorbing epidermis with
melanin over a scattering dermis with blood.

    R = veil + (1 - veil) * boundary(T^2 * R_dermis)

R_dermis is the Kubelka-Munk reflectance of a half-space, `boundary` the Saunderson correction for
the light that the skin surface throws back inside. The specular reflection of the surface is left
out: an albedo has none.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from ..protocol.conventions import linear_to_srgb
from .colorimetry import WAVELENGTHS, reflectance_to_srgb, srgb_to_lab

# Molar extinction of oxygenated and deoxygenated haemoglobin, 1 / (cm * mol/l), at WAVELENGTHS
# (tabulated by S. Prahl, Oregon Medical Laser Center, from W. B. Gratzer and N. Kollias).
_OXYGENATED = (
    266232, 466840, 480360, 246072, 102580, 62816, 44480, 33209.2, 26629.2, 23684.4, 20932.8,
    20035.2, 24202.4, 39956.8, 53236, 43016, 32613.2, 44496, 50104, 14400.8, 3200, 1506, 942, 610,
    442, 368, 319.6, 294, 277.6, 276, 290,
)  # fmt: skip
_DEOXYGENATED = (
    223296, 303956, 407560, 528600, 413280, 103292, 23388.8, 16156.4, 14550, 16684, 20862,
    25773.6, 31589.6, 39036.4, 46592, 53412, 53788, 45072, 37020, 28324.4, 14677.2, 9443.6,
    6509.6, 5148.8, 4345.2, 3750.12, 3226.56, 2795.12, 2407.92, 2051.96, 1794.28,
)  # fmt: skip

BLOOD_GRAMS_PER_LITRE = 150.0
HAEMOGLOBIN_GRAMS_PER_MOLE = 64500.0
EPIDERMIS_CM = 0.006
"""Thickness of the facial epidermis, 60 micrometres (Whitton & Everall 1973: 40-80 on the face)."""

SATURATION = 0.7
"""Oxygen saturation of blood in the skin (Jacques 1998 gives 0.6-0.9)."""

# Ours: fitted together so that one melanin axis at nearly constant blood runs through seven CIELAB
# colours of skin from very light (73, 8.5, 12.5) over tan (55, 13, 20) to very dark (29, 8.5, 11),
# with less than 0.2 units of error.
INNER_REFLECTION = 0.35
SCATTERING_SCALE = 0.73
BASELINE_SCALE = 0.56
VEIL = 0.0245
"""Backscatter from above the melanin."""
MELANIN_SPREAD = 1.34
"""Shape of the gamma distribution of optical depths: melanin lies in clumps, light also passes
between them. Plain exponential attenuation makes brown skin far too yellow (b* 34, not 20)."""
VESSEL_CM = 0.0025
"""Diameter of the vessels for pigment packaging (van Veen et al. 2002, equation 4)."""

MELANIN_RANGE = (0.002, 2.0)
BLOOD_RANGE = (0.001, 0.40)
"""Bounds of the table: melanosome fraction of the epidermis, blood fraction of the dermis. Values
above 1 happen in moles, where the pigmented layer is thicker than EPIDERMIS_CM."""

TABLE_SIZE = (96, 64)

_LEAST_STEP = -0.6
"""Least change of log melanin by `pigments_of`: light skin that lost all of it would look lilac."""
_BLOOD_STEPS = (-1.2, 1.6)
"""Bounds of changes of log blood by `pigments_of`."""


def melanin_absorption(pheomelanin: float) -> np.ndarray:
    """(31,) absorption in 1/cm of pure melanosomes, `pheomelanin` being that pigment's share.

    Eumelanin 6.6e11 * nm^-3.33 (Jacques 1998), pheomelanin 2.9e15 * nm^-4.75 (Donner & Jensen
    2006, section 3.1).
    """
    eumelanin = 6.6e11 * WAVELENGTHS**-3.33
    return (1.0 - pheomelanin) * eumelanin + pheomelanin * 2.9e15 * WAVELENGTHS**-4.75


# Beta-carotene: absorption maxima near 425, 450 and 478 nm, 1.4e5 / (cm * mol/l) at 450 nm (Britton
# 1995, table 4), as three Gaussians of 13, 13 and 11 nm.
_CAROTENE_PEAKS = ((0.72e5, 425.0, 15.0), (1.15e5, 450.0, 12.0), (1.0e5, 478.0, 11.0))
CAROTENE_MOLES_PER_LITRE = 1e-6
"""One unit of carotene: 1 nmol per gram of skin (Alaluf et al. 2002 find 0.1-0.8)."""


def carotene_absorption() -> np.ndarray:
    """(31,) absorption in 1/cm of one nmol carotene per gram of skin."""
    total = np.zeros_like(WAVELENGTHS)
    for height, centre, width in _CAROTENE_PEAKS:
        total += height * np.exp(-0.5 * ((WAVELENGTHS - centre) / width) ** 2)
    return 2.303 * CAROTENE_MOLES_PER_LITRE * total


def blood_absorption(saturation: float) -> np.ndarray:
    """(31,) absorption in 1/cm of whole blood; 2.303 turns decadic into natural extinction."""
    mix = saturation * np.asarray(_OXYGENATED) + (1.0 - saturation) * np.asarray(_DEOXYGENATED)
    return 2.303 * mix * BLOOD_GRAMS_PER_LITRE / HAEMOGLOBIN_GRAMS_PER_MOLE


def baseline_absorption() -> np.ndarray:
    """(31,) absorption in 1/cm of skin without pigments (Jacques 1998, after Saidi 1992)."""
    return 0.244 + 85.3 * np.exp(-(WAVELENGTHS - 154.0) / 66.2)


def reduced_scattering() -> np.ndarray:
    """(31,) reduced scattering of skin in 1/cm (Jacques 2013, table 1: a = 46, b = 1.421)."""
    return 46.0 * (WAVELENGTHS / 500.0) ** -1.421


def skin_reflectance(
    melanin: np.ndarray,
    blood: np.ndarray,
    pheomelanin: float = 0.2,
    saturation: float = SATURATION,
    carotene: float = 0.0,
    scattering_share: float = 1.0,
    veil: float = VEIL,
) -> np.ndarray:
    """Diffuse reflectance of skin, (..., 31) in [0, 1].

    melanin: (...) melanosome volume fraction of the epidermis, 0.005 (very light) to 0.4 (dark).
    blood: (...) blood volume fraction of the dermis, about 0.002 to 0.02, lips up to 0.15.
    carotene: nmol per gram, about 0.1 to 0.8. scattering_share: of the usual dermis, 0.6 to 1.6.
    veil: backscatter from above the melanin; dry, ashy skin has more, oiled skin less.
    """
    melanin = np.asarray(melanin, dtype=np.float64)[..., None]
    blood = np.asarray(blood, dtype=np.float64)[..., None]
    base = BASELINE_SCALE * baseline_absorption() + carotene * carotene_absorption()
    # Diffuse light takes twice the straight path, and passes the layer down and up: factor 4.
    depth = 4.0 * EPIDERMIS_CM * melanin * melanin_absorption(pheomelanin)
    passed = (1.0 + depth / MELANIN_SPREAD) ** -MELANIN_SPREAD
    passed = passed * np.exp(-4.0 * EPIDERMIS_CM * base)
    pure = blood_absorption(saturation)
    packaged = (1.0 - np.exp(-pure * VESSEL_CM)) / VESSEL_CM
    dermis = blood * packaged + base
    # Kubelka-Munk with K = 2 mu_a and S = 3/4 mu_s' - 1/4 mu_a (van Gemert & Star 1987).
    scattering = 0.75 * SCATTERING_SCALE * scattering_share * reduced_scattering()
    ratio = 2.0 * dermis / np.maximum(scattering - 0.25 * dermis, 1e-3)
    half_space = 1.0 + ratio - np.sqrt(ratio * ratio + 2.0 * ratio)
    inside = passed * half_space
    outside = (1.0 - INNER_REFLECTION) * inside / (1.0 - INNER_REFLECTION * inside)
    return veil + (1.0 - veil) * outside


@dataclass(frozen=True)
class PigmentTable:
    """sRGB colour of one person's skin over log melanin (columns) and log blood (rows)."""

    colours: np.ndarray

    def look_up(self, log_melanin: np.ndarray, log_blood: np.ndarray) -> np.ndarray:
        """(H, W) natural logs of both fractions to (H, W, 3) float32 sRGB, bilinear, clamped."""
        rows, columns = self.colours.shape[:2]
        x = _table_coordinate(log_melanin, MELANIN_RANGE, columns)
        y = _table_coordinate(log_blood, BLOOD_RANGE, rows)
        return cv2.remap(self.colours, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def pigments_of(
        self, melanin: float, blood: float, lightness: np.ndarray, redness: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Changes of log melanin and log blood, (H, W) float32 each, that change the colour.

        melanin, blood: fractions to start from. lightness: (H, W) change of ln L*. redness: (H, W)
        change of a*. Melanin follows the table's own curve; blood, its slopes. Colours out of reach
        of the pigments (redder and lighter at once) are met in lightness.
        """
        at = np.log([melanin, blood])
        grid = np.linspace(*np.log(MELANIN_RANGE), 4 * self.colours.shape[1])
        curve = self._lab(grid, np.full_like(grid, at[1]))
        start = self._lab(at[:1], at[1:])[0]
        step = 0.3
        redder = (self._lab(at[:1], at[1:] + step)[0] - start) / step
        darkness, red = -np.log(np.maximum(curve[:, 0], 1.0)), curve[:, 1] - start[1]
        base, fall = -np.log(start[0]), -redder[0] / start[0]
        more_blood = np.clip(redness / redder[1], *_BLOOD_STEPS)
        for _ in range(2):
            target = base - lightness - fall * more_blood
            more_melanin = np.maximum(np.interp(target, darkness, grid) - at[0], _LEAST_STEP)
            own = np.interp(more_melanin + at[0], grid, red)
            more_blood = np.clip((redness - 0.5 * own) / redder[1], *_BLOOD_STEPS)
        return more_melanin.astype(np.float32), more_blood.astype(np.float32)

    def _lab(self, log_melanin: np.ndarray, log_blood: np.ndarray) -> np.ndarray:
        colours = self.look_up(log_melanin[None], log_blood[None])[0]
        return srgb_to_lab(colours.astype(np.float64))


def _table_coordinate(log_value: np.ndarray, bounds: tuple[float, float], count: int) -> np.ndarray:
    low, high = np.log(bounds)
    return ((log_value - low) * ((count - 1) / (high - low))).astype(np.float32)


def make_table(
    pheomelanin: float,
    saturation: float = SATURATION,
    carotene: float = 0.0,
    scattering_share: float = 1.0,
    veil: float = VEIL,
) -> PigmentTable:
    """Table of `skin_reflectance` colours for one person's skin."""
    columns, rows = TABLE_SIZE
    melanin = np.geomspace(*MELANIN_RANGE, columns)
    blood = np.geomspace(*BLOOD_RANGE, rows)
    reflectance = skin_reflectance(
        melanin[None, :], blood[:, None], pheomelanin, saturation, carotene, scattering_share, veil
    )
    return PigmentTable(reflectance_to_srgb(reflectance).astype(np.float32))


# Absorption of hair per unit of pigment for linear R, G, B (d'Eon et al. 2011, section 6.1).
_HAIR_EUMELANIN = np.array([0.419, 0.697, 1.37])
_HAIR_PHEOMELANIN = np.array([0.187, 0.4, 1.05])

HAIR_ROUGHNESS_FACTOR = 5.888
"""Denominator of the absorption-to-colour relation at azimuthal roughness 0.3 (Chiang et al. 2016,
equation 9)."""

HAIR_VEIL = np.array([0.034, 0.027, 0.0235])
"""Linear RGB scattered back by the cuticle and by fine pale hairs before any pigment. Ours: keeps
black hair at about (52, 46, 43) of 255, slightly warm, as published maps have it."""

WHITE_HAIR = np.array([0.41, 0.375, 0.315])
"""Linear RGB of unpigmented hair on a head: darker than one hair, as locks shade each other."""


def hair_colour(eumelanin: float, pheomelanin: float, grey: float) -> np.ndarray:
    """(3,) sRGB albedo of hair.

    eumelanin: 0.1 (light blond) to 8 (black). pheomelanin: 0 to 1.5 (red).
    grey: share of unpigmented hairs in [0, 1].
    """
    absorption = eumelanin * _HAIR_EUMELANIN + pheomelanin * _HAIR_PHEOMELANIN
    pigmented = HAIR_VEIL + (1.0 - HAIR_VEIL) * np.exp(-np.sqrt(absorption) * HAIR_ROUGHNESS_FACTOR)
    return linear_to_srgb((1.0 - grey) * pigmented + grey * WHITE_HAIR)
