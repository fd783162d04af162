"""One person's skin map in the FFHQ-UV layout, from `SkinParameters` and a random stream.

Order: pigment fields (melanin, blood) -> colour by `pigment` -> openings of the face, make-up ->
hair over it -> drift of the features. There is no light in it: dark places are pigment, hair or
openings.

A picture is made as planes (3, H, W): numpy works on them several times as fast as on (H, W, 3).
The functions `_paint_...` change the planes of the one map that `generate_skin` makes.
"""

import cv2
import numpy as np

from .curves import BEARD_BOX, BROW_BOX, HAIR_BOX, ISLAND_ROWS, REFERENCE_SIZE
from .drift import drifted
from .features import (
    EAR_BOXES,
    EYE_BOX,
    MOUTH_BOX,
    NOSTRIL_BOX,
    ear_folds,
    lash_lines,
    mouth_line,
    nostrils,
)
from .hair import hairline_distance, scalp_coverage, strand_texture
from .layout import check_size, region_masks
from .marks import mark_pigments
from .noise import BOX_STEP, WHOLE, Box, Streams, box_slices, field
from .parameters import SkinParameters
from .pigment import hair_colour, make_table
from .strokes import beard_coverage, brow_coverage, fringe_coverage
from .surface import LIP_BOX, lip_cover, lip_lines, log_blood, log_melanin, melanin_gain
from .wrinkles import draw_creases
from .zones import zone_pigments

_MUCOSA = {"mouth_bag": ((0.47, 0.275, 0.295), (0.82, 0.34, 0.31)),
           "sockets": ((0.45, 0.26, 0.27), (0.74, 0.36, 0.33))}  # fmt: skip
"""sRGB of the inside of mouth and eye sockets, in shade and lit. Ours: tissue seen through the
opening of a dark cavity, so darker than the lips; lit as drawn in many maps."""

_ROSE = np.array([0.66, 0.27, 0.33], dtype=np.float32)
_BRICK = np.array([0.55, 0.20, 0.17], dtype=np.float32)
"""sRGB ends of the lipstick colours."""

_ISLAND_BOTTOM = -(-ISLAND_ROWS // BOX_STEP) * BOX_STEP


def generate_skin(parameters: SkinParameters, size: int, rng: np.random.Generator) -> np.ndarray:
    """Skin map of one person, (size, size, 3) float32, sRGB-encoded in [0, 1], row 0 on top.

    size: a multiple of 64 up to 2048; made for 256 (training) and 1024 (pictures). The same
    parameters and the same state of `rng` give the same person at every size. `rng` is advanced.
    Raises EngineError(BAD_SETTINGS) for a size that is not allowed.
    """
    check_size(size)
    streams = Streams(int(rng.integers(2**62)))
    p = parameters
    planes, lips, lines = _bare_skin(p, streams, size)
    _paint_openings(planes, p, streams)
    _paint_make_up(planes, p, lips, lines)
    hair = hair_colour(p.hair_eumelanin, p.hair_pheomelanin, p.grey).astype(np.float32)
    _paint_beard(planes, p, streams, hair)
    _paint_brows(planes, p, streams)
    _paint_scalp(planes, p, streams, hair)
    planes = drifted(planes, p, streams)
    _paint_islands(planes, streams)
    np.clip(planes, 0.0, 1.0, out=planes)
    return cv2.merge(list(planes))


def _over(planes: np.ndarray, colour: np.ndarray, alpha: np.ndarray, box: Box = WHOLE) -> None:
    """Put a colour (3,) over `box` of the planes; alpha (h, w)."""
    rows, columns = box_slices(box, planes.shape[1])
    for plane, value in zip(planes[:, rows, columns], colour, strict=True):
        plane += alpha * (value - plane)


def _darken(
    planes: np.ndarray, passed: tuple[float, ...], alpha: np.ndarray, box: Box = WHOLE
) -> None:
    """Leave the share `passed` (3,) of what is there, where alpha (h, w) is 1."""
    rows, columns = box_slices(box, planes.shape[1])
    for plane, share in zip(planes[:, rows, columns], passed, strict=True):
        plane *= 1.0 - np.float32(1.0 - share) * alpha


def _bare_skin(
    p: SkinParameters, streams: Streams, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Planes of the skin without paint and hair; lips and their lines over LIP_BOX."""
    lips = lip_cover(p, streams, size)
    lines = lip_lines(streams, size)
    melanin = log_melanin(p, streams, size, lips, lines)
    blood = log_blood(p, streams, size, lips, lines)
    table = make_table(p.pheomelanin, p.saturation, p.carotene, p.scattering, p.veil)
    zone_melanin, zone_blood, shade = zone_pigments(p, streams, size, table)
    brown, red = mark_pigments(p, streams, size, melanin_gain(p))
    melanin += zone_melanin + brown
    blood += zone_blood + red
    planes = np.stack(cv2.split(table.look_up(melanin, blood)))
    draw_creases(planes, p, streams)
    planes *= cv2.exp(shade)
    return planes, lips, lines


def _paint_openings(planes: np.ndarray, p: SkinParameters, streams: Streams) -> None:
    size = planes.shape[1]
    m = region_masks(size)
    _darken(planes, (0.34, 0.20, 0.19), nostrils(p, streams, size), NOSTRIL_BOX)
    for side, box in enumerate(EAR_BOXES):
        _darken(planes, (0.66, 0.55, 0.54), ear_folds(p, streams, size, side), box)
        _darken(planes, (0.34, 0.20, 0.19), 0.7 * m["ear_canals"][box_slices(box, size)], box)
    inside = box_slices(LIP_BOX, size)
    gap = np.float32(p.mouth_depth) * m["lips"][inside] * m["lip_inner"][inside]
    _darken(planes, (0.42, 0.24, 0.28), gap, LIP_BOX)
    _darken(planes, (0.22, 0.14, 0.14), mouth_line(p, streams, size), MOUTH_BOX)
    _darken(planes, (0.17, 0.13, 0.13), lash_lines(p, streams, size), EYE_BOX)


def _paint_make_up(
    planes: np.ndarray, p: SkinParameters, lips: np.ndarray, lines: np.ndarray
) -> None:
    size = planes.shape[1]
    m = region_masks(size)
    if p.lipstick > 0.0:
        inside = box_slices(LIP_BOX, size)
        colour = _ROSE + p.lipstick_hue * (_BRICK - _ROSE)
        outer = lips * (1.0 - 0.8 * m["lip_inner"][inside])
        alpha = np.float32(0.7 * p.lipstick) * outer
        for plane, value in zip(planes[:, inside[0], inside[1]], colour, strict=True):
            plane += alpha * (value * (1.0 + 0.03 * lines) - plane)
    if p.eye_shadow > 0.0:
        inside = box_slices(EYE_BOX, size)
        _darken(planes, (0.38, 0.33, 0.32), 0.4 * p.eye_shadow * m["lash_lines"][inside], EYE_BOX)
        cover = np.clip(m["lid_upper"][inside] + 0.4 * m["eye_surround"][inside], 0.0, 1.0)
        cover *= np.float32(0.6 * p.eye_shadow) * (1.0 - m["under_eye"][inside])
        _darken(planes, (0.72, 0.62, 0.62), cover, EYE_BOX)


def _paint_beard(planes: np.ndarray, p: SkinParameters, streams: Streams, hair: np.ndarray) -> None:
    if p.beard_shadow == 0.0 and p.beard_cover == 0.0:
        return
    size = planes.shape[1]
    rows, columns = box_slices(BEARD_BOX, size)
    grow = _beard_density(p, streams, size)
    # Cut roots lie inside the skin: light that has passed the skin returns bluish grey.
    grain = field(streams, "stubble", size, {256: 0.16, 512: 0.34}, share=0.6, box=BEARD_BOX)
    strength = 0.62 * p.beard_shadow * (1.0 - 0.85 * p.grey)
    alpha = np.clip(np.float32(strength) * grow * (1.0 + grain), 0.0, 0.9)
    for plane, own, share in zip(planes[:, rows, columns], hair, (0.57, 0.645, 0.71), strict=True):
        plane += alpha * ((0.75 * share - 1.0) * plane + 0.25 * own)
    if p.beard_cover > 0.02:
        fine = max(size, REFERENCE_SIZE // 2)
        density = grow if fine == size else _beard_density(p, streams, fine)
        _over(planes, hair, 0.9 * beard_coverage(p, streams, density, size), BEARD_BOX)


def _beard_density(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """Where beard grows, over BEARD_BOX."""
    inside = box_slices(BEARD_BOX, size)
    m = region_masks(size)
    grow = np.float32(p.moustache_share) * m["moustache"][inside]
    for share, name in ((p.chin_share, "chin_beard"), (p.jaw_share, "jaw_beard")):
        np.maximum(grow, np.float32(share) * m[name][inside], out=grow)
    octaves = {16: 0.10, 64: 0.10, 128: 0.08}
    patchy = field(streams, "beard patches", size, octaves, share=0.3, box=BEARD_BOX)
    grow *= 1.0 + patchy - 0.25 * (1.0 - grow)
    return np.clip(grow, 0.0, 1.0) * (1.0 - m["lips"][inside])


def _paint_brows(planes: np.ndarray, p: SkinParameters, streams: Streams) -> None:
    size = planes.shape[1]
    # Brows turn grey later than the hair and are rarely as fair.
    own = hair_colour(
        max(p.hair_eumelanin, 0.15) * 1.5**p.brow_depth, p.hair_pheomelanin, 0.5 * p.grey**1.5
    ).astype(np.float32)
    left, top, right, bottom = BROW_BOX
    other = (REFERENCE_SIZE - right, top, REFERENCE_SIZE - left, bottom)
    for side, box in enumerate((BROW_BOX, other)):
        alpha = brow_coverage(p, streams, side, size)
        rows, columns = box_slices(box, size)
        for plane, value in zip(planes[:, rows, columns], own, strict=True):
            # Single hairs let the skin's colour through, so that brows are never neutral grey.
            plane += alpha * (0.78 * value + 0.22 * plane * plane - plane)


def _paint_scalp(planes: np.ndarray, p: SkinParameters, streams: Streams, hair: np.ndarray) -> None:
    if p.hair_cover < 0.02:
        return
    size = planes.shape[1]
    rows, columns = box_slices(HAIR_BOX, size)
    # Loose hairs need the hairline finer than a small map shows it.
    distance = hairline_distance(p, streams, REFERENCE_SIZE // 2)
    strands = strand_texture(p, streams, size)
    grain = field(Streams(0), "scalp grain", size, {128: 0.3}, share=0.6, box=HAIR_BOX)
    octaves = {256: 0.7, 512: 1.0}
    grain += field(streams, "scalp grain", size, octaves, share=0.6, box=HAIR_BOX)
    cover = scalp_coverage(p, distance, strands, grain)
    fringe = fringe_coverage(p, streams, distance, size)
    cover = 1.0 - (1.0 - cover) * (1.0 - 0.8 * fringe)
    # Relative contrast of locks: painted hair of published maps varies by about a fifth.
    strands *= np.float32(0.115 * (0.4 + 0.6 * p.hair_length))
    shade = cv2.exp(strands + np.float32(0.03) * grain)
    shade *= cover
    cover = 1.0 - cover
    for plane, value in zip(planes[:, rows, columns], hair, strict=True):
        plane *= cover
        plane += value * shade


def _paint_islands(planes: np.ndarray, streams: Streams) -> None:
    size = planes.shape[1]
    box = (0, 0, REFERENCE_SIZE, _ISLAND_BOTTOM)
    inside = box_slices(box, size)
    m = region_masks(size)
    octaves = {32: 0.02, 64: 0.02, 256: 0.02}
    tint = 1.0 + field(streams, "mucosa", size, octaves, share=0.3, box=box)
    draw = streams.get("mucosa colour")
    lit, pale = draw.beta(0.7, 1.4), np.exp(draw.normal(0.0, 0.12))
    for name, (dark, bright) in _MUCOSA.items():
        colour = pale * (np.array(dark) + lit * (np.array(bright) - dark))
        mask = m[name + "_margin"][inside]
        for plane, value in zip(planes[:, inside[0], inside[1]], colour, strict=True):
            plane += mask * (np.float32(value) * tint - plane)
