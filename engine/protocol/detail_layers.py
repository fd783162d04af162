"""The detail sliders: a detail map in bands and regions, and put together again.

A band is a difference of Gaussians (Burt & Adelson 1983), so that the bands sum to the map.
Scales are millimetres of skin: a texel of the FFHQ-UV layout covers much the same skin on every
head. All maps are signed V of sRGB-encoded values (`detail.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from .detail import DETAIL_SIZE, add_detail
from .detail_regions import REGIONS, beard_mask, region_weights
from .errors import EngineError, ErrorCode
from .resample import resample

BANDS = ("coarse_wrinkles", "fine_wrinkles", "pores", "stubble")
"""Bands with a strength of their own, in the order of `DetailLayers.bands`."""

TEXEL_MILLIMETRES = 0.7
"""Side of a texel of a 512 map on the face: root of area over UV area, 0.71 mm on the mean of
the default head."""
PORE_SIGMA = 0.6
"""Millimetres. Ours: an opening of one texel keeps 3/4 of its depth above this blur, a line a
millimetre wide two fifths; a narrower blur would leave the texels nothing to part."""
LINE_SIGMA = 2.0
"""Millimetres. Ours: of a line a millimetre wide (at half its depth) a fifth stays below this
blur, of a fold 5 mm wide three quarters."""
BLUR_REACH = 3.0
"""Standard deviations after which a Gaussian ends. Ours: 0.3 % of it lies beyond."""

MAX_STRENGTH = 2.0
"""Ours: twice what the photo showed; beyond, pores turn to holes."""
STRIP_BYTES = 1 << 19
"""Rows that `compose_albedo` takes at once: their values stay in a core's cache."""


@dataclass(frozen=True)
class DetailStrengths:
    """Factors of the detail: 0 none, 1 as fitted, up to 2. Raises BAD_SETTINGS.

    strength acts on everything; then one for each of `BANDS`, and one for each of `REGIONS`.
    """

    strength: float = 1.0
    coarse_wrinkles: float = 1.0
    fine_wrinkles: float = 1.0
    pores: float = 1.0
    stubble: float = 1.0
    forehead: float = 1.0
    eyes: float = 1.0
    cheeks: float = 1.0
    mouth_and_beard: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value <= MAX_STRENGTH:
                raise EngineError(
                    ErrorCode.BAD_SETTINGS,
                    f"The detail strength {field.name} must be 0 to {MAX_STRENGTH:g}, "
                    f"got {value:g}.",
                )

    @property
    def of_bands(self) -> tuple[float, ...]:
        """In the order of `BANDS`."""
        return tuple(getattr(self, name) for name in BANDS)

    @property
    def of_regions(self) -> tuple[float, ...]:
        """In the order of `REGIONS`."""
        return tuple(getattr(self, name) for name in REGIONS)


@dataclass(frozen=True, eq=False)
class DetailLayers:
    """detail (512, 512) f32 signed, the whole; bands (4, 512, 512) f32 in the order of `BANDS`,
    their sum is `detail`."""

    detail: np.ndarray
    bands: np.ndarray


def split_detail(detail: np.ndarray) -> DetailLayers:
    """A detail map (512, 512) in bands. Raises EngineError(BAD_INPUT) at another size."""
    if detail.shape != (DETAIL_SIZE, DETAIL_SIZE) or not np.isfinite(detail).all():
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"Expected a detail map of {DETAIL_SIZE} x {DETAIL_SIZE} finite values, "
            f"got the shape {detail.shape}.",
        )
    detail = np.asarray(detail, dtype=np.float32)
    beard = beard_mask()
    coarse, fine, pores = split_scales(detail)
    bands = [coarse, (1.0 - beard) * fine, (1.0 - beard) * pores, beard * (fine + pores)]
    return DetailLayers(detail, np.stack(bands))


def split_scales(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (512, 512) f32 map as coarse, fine and finest parts; their sum is the map."""
    smooth = blur(image, PORE_SIGMA / TEXEL_MILLIMETRES)
    coarse = blur(image, LINE_SIGMA / TEXEL_MILLIMETRES)
    return coarse, smooth - coarse, image - smooth


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur of an (S, S) map; sigma in texels, edges repeated."""
    reach = int(np.ceil(BLUR_REACH * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    for _ in range(2):
        padded = np.pad(image, ((reach, reach), (0, 0)), mode="edge")
        rows = len(image)
        blurred = kernel[0] * padded[:rows]
        for shift in range(1, len(kernel)):
            blurred += kernel[shift] * padded[shift : shift + rows]
        image = np.ascontiguousarray(blurred.T)
    return image


def compose_detail(layers: DetailLayers, strengths: DetailStrengths) -> np.ndarray:
    """(512, 512) f32 signed: the bands times their strengths, times those of the regions.

    With all strengths at 1 it is the fitted detail to the last bit.
    """
    out = layers.detail.copy()
    for band, strength in zip(layers.bands, strengths.of_bands, strict=True):
        if strength != 1.0:
            out += np.float32(strength - 1.0) * band
    gain = region_gain(strengths.of_regions)
    if gain is not None:
        out *= gain
    if strengths.strength != 1.0:
        out *= np.float32(strengths.strength)
    return out


def region_gain(strengths: tuple[float, ...]) -> np.ndarray | None:
    """(512, 512) factor, None where it is 1 everywhere."""
    changed = [(w, s) for w, s in zip(region_weights(), strengths, strict=True) if s != 1.0]
    if not changed:
        return None
    gain = np.ones((DETAIL_SIZE, DETAIL_SIZE), dtype=np.float32)
    for weight, strength in changed:
        gain += np.float32(strength - 1.0) * weight
    return gain


def compose_albedo(
    coarse: np.ndarray,
    detail: np.ndarray,
    photo_layer: np.ndarray,
    photo_share: float = 1.0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """clip(HSV(coarse, V + detail) + photo_share * photo_layer): the albedo as the fit makes it.

    coarse (T, T, 3) sRGB in [0, 1]; detail (512, 512) signed, enlarged bicubic to T; photo_layer
    (T, T, 3) signed; returns (T, T, 3) f32 in [0, 1], written into `out` when that is given.
    Inputs whose channels lie one after the other in memory are three times as fast.
    """
    out = np.empty_like(coarse, dtype=np.float32) if out is None else out
    for _ in compose_steps(coarse, resample(detail, len(coarse)), photo_layer, photo_share, out):
        pass
    return out


def compose_steps(
    coarse: np.ndarray,
    detail: np.ndarray,
    photo_layer: np.ndarray,
    photo_share: float,
    out: np.ndarray,
    change: np.ndarray | None = None,
) -> Iterator[None]:
    """`compose_albedo` into `out` (T, T, 3), a strip of rows at each step.

    detail: (T, T), already of that size. change: (T, T, 3) sRGB that is added to coarse first.
    """
    size = coarse.shape[0]
    step = max(1, STRIP_BYTES // (12 * size))
    for row in range(0, size, step):
        rows = slice(row, row + step)
        base = coarse[rows]
        if change is not None:
            base = np.clip(base + change[rows], 0.0, 1.0)
        part = add_detail(base, detail[rows])
        if photo_share:
            part += np.float32(photo_share) * photo_layer[rows]
        np.clip(part, 0.0, 1.0, out=part)
        for channel in range(3):  # `out` may be interleaved: numpy would go texel by texel
            out[rows][..., channel] = part[..., channel]
        yield
