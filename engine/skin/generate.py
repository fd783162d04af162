"""One person's skin map in the FFHQ-UV layout, from `SkinParameters` and a random stream.

Order: pigment fields (melanin, blood) -> colour by `pigment` -> openings of the face, make-up ->
hair over it. There is no light in it: dark places are pigment, hair or openings.
"""

import numpy as np

from .curves import ISLAND_ROWS, REFERENCE_SIZE
from .drift import drifted
from .hair import hairline_distance, scalp_coverage, strand_texture
from .layout import check_size, region_masks
from .noise import Streams, field
from .parameters import SkinParameters
from .pigment import hair_colour, make_table
from .strokes import add_brows, beard_coverage, fringe_coverage
from .surface import lip_cover, lip_lines, log_blood, log_melanin, zone_pigments
from .wrinkles import crease_box, crease_depth, crease_gains

_MUCOSA = {"mouth_bag": (0.47, 0.275, 0.295), "sockets": (0.45, 0.26, 0.27)}
"""sRGB of the inside of mouth and eye sockets. Ours: tissue seen through the opening of a dark
cavity, so darker than the lips."""

_ROSE = np.array([0.66, 0.27, 0.33], dtype=np.float32)
_BRICK = np.array([0.55, 0.20, 0.17], dtype=np.float32)
"""sRGB ends of the lipstick colours."""


def generate_skin(parameters: SkinParameters, size: int, rng: np.random.Generator) -> np.ndarray:
    """Skin map of one person, (size, size, 3) float32, sRGB-encoded in [0, 1], row 0 on top.

    size: a multiple of 64 up to 2048; made for 256 (training) and 1024 (pictures). The same
    parameters and the same state of `rng` give the same person at every size. `rng` is advanced.
    Raises EngineError(BAD_SETTINGS) for a size that is not allowed.
    """
    check_size(size)
    streams = Streams(int(rng.integers(2**62)))
    p = parameters
    image, lips, lines = _bare_skin(p, streams, size)
    image = _paint_openings(image, p, lips)
    image = _paint_make_up(image, p, lips, lines, size)
    hair = hair_colour(p.hair_eumelanin, p.hair_pheomelanin, p.grey).astype(np.float32)
    image = _paint_beard(image, p, streams, hair, size)
    image = _paint_brows(image, p, streams, hair, size)
    image = _paint_scalp(image, p, streams, hair, size)
    image = _paint_islands(drifted(image, p, streams), streams, size)
    return np.clip(image, 0.0, 1.0).astype(np.float32)


def _rgb(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def _over(image: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`colour` over `image`; alpha (H, W)."""
    return image + alpha[..., None] * (colour.astype(np.float32, copy=False) - image)


def _bare_skin(
    p: SkinParameters, streams: Streams, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lips = lip_cover(p, streams, size)
    lines = lip_lines(streams, size)
    melanin = log_melanin(p, streams, size, lips, lines)
    blood = log_blood(p, streams, size, lips, lines)
    table = make_table(p.pheomelanin, p.saturation, p.carotene, p.scattering)
    for total, zones in zip((melanin, blood), zone_pigments(p, streams, size, table), strict=True):
        total += zones
    creases, box = crease_depth(p, streams, size), crease_box(size)
    more_melanin, more_blood = crease_gains(p)
    melanin[box] += more_melanin * creases
    blood[box] += more_blood * creases
    return table.look_up(melanin, blood), lips, lines


def _paint_openings(image: np.ndarray, p: SkinParameters, lips: np.ndarray) -> np.ndarray:
    m = region_masks(image.shape[0])
    depth = _rgb(0.34, 0.20, 0.19)
    image = _over(image, image * depth, p.nostril_depth * m["nostrils"])
    image = _over(image, image * depth, 0.35 * m["ear_canals"])
    gap = p.mouth_depth * lips * m["lip_inner"]
    image = _over(image, image * _rgb(0.42, 0.24, 0.28), gap)
    return _over(image, image * _rgb(0.5, 0.38, 0.38), p.mouth_line * m["mouth_slit"])


def _paint_make_up(
    image: np.ndarray, p: SkinParameters, lips: np.ndarray, lines: np.ndarray, size: int
) -> np.ndarray:
    m = region_masks(size)
    if p.lipstick > 0.0:
        colour = _ROSE + p.lipstick_hue * (_BRICK - _ROSE)
        outer = lips * (1.0 - 0.8 * m["lip_inner"])
        image = _over(image, colour * (1.0 + 0.03 * lines[..., None]), 0.8 * p.lipstick * outer)
    lash = (0.85 * p.lash_line + (1.0 - 0.85 * p.lash_line) * 0.5 * p.eye_shadow) * m["lash_lines"]
    image = _over(image, image * _rgb(0.38, 0.33, 0.32), lash)
    if p.eye_shadow > 0.0:
        cover = np.clip(m["lid_upper"] + 0.4 * m["eye_surround"], 0.0, 1.0) * (1 - m["under_eye"])
        image = _over(image, image * _rgb(0.72, 0.62, 0.62), 0.6 * p.eye_shadow * cover)
    return image


def _paint_beard(
    image: np.ndarray, p: SkinParameters, streams: Streams, hair: np.ndarray, size: int
) -> np.ndarray:
    if p.beard_shadow == 0.0 and p.beard_cover == 0.0:
        return image
    grow = _beard_density(p, streams, size)
    # Cut roots lie inside the skin: light that has passed the skin returns bluish grey.
    grain = 1.0 + field(streams, "stubble", size, {256: 0.16, 512: 0.34}, share=0.6)
    strength = 0.62 * p.beard_shadow * (1.0 - 0.85 * p.grey)
    shade = image * _rgb(0.60, 0.645, 0.69) * 0.75 + 0.25 * hair
    image = _over(image, shade, np.clip(strength * grow * grain, 0.0, 0.9))
    if p.beard_cover > 0.02:
        density = _beard_density(p, streams, max(size, REFERENCE_SIZE // 2))
        image = _over(image, hair, 0.9 * beard_coverage(p, streams, density, size))
    return image


def _beard_density(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    m = region_masks(size)
    grow = np.maximum.reduce(
        [
            p.moustache_share * m["moustache"],
            p.chin_share * m["chin_beard"],
            p.jaw_share * m["jaw_beard"],
        ]
    )
    patchy = field(streams, "beard patches", size, {20: 0.10, 48: 0.10, 110: 0.08}, share=0.3)
    return np.clip(grow * (1.0 + patchy) - 0.25 * (1.0 - grow) * grow, 0.0, 1.0) * (1.0 - m["lips"])


def _paint_brows(
    image: np.ndarray, p: SkinParameters, streams: Streams, hair: np.ndarray, size: int
) -> np.ndarray:
    alpha = np.zeros((size, size), np.float32)
    add_brows(alpha, p, streams)
    # Brows turn grey later than the hair and are rarely as fair.
    own = hair_colour(
        max(p.hair_eumelanin, 0.25) * 1.5**p.brow_depth, p.hair_pheomelanin, 0.4 * p.grey**1.5
    )
    # Single hairs let the skin's colour through, so that brows are never neutral grey on skin.
    return _over(image, 0.85 * own + 0.15 * image * image, alpha)


def _paint_scalp(
    image: np.ndarray, p: SkinParameters, streams: Streams, hair: np.ndarray, size: int
) -> np.ndarray:
    if p.hair_cover < 0.02:
        return image
    # Loose hairs need the hairline finer than a small map shows it.
    distance = hairline_distance(p, streams, max(size, REFERENCE_SIZE // 2))
    strands = strand_texture(p, streams, size)
    grain = field(streams, "scalp grain", size, {128: 0.5, 256: 0.7, 512: 1.0}, share=0.6)
    cover = scalp_coverage(p, distance, strands, grain)
    fringe = fringe_coverage(p, streams, distance, size)
    cover = 1.0 - (1.0 - cover) * (1.0 - 0.8 * fringe)
    # Relative contrast of locks: painted hair of published maps varies by about a fifth.
    shade = np.exp(0.13 * (0.4 + 0.6 * p.hair_length) * strands + 0.03 * grain)
    return _over(image, hair[None, None] * shade[..., None], cover)


def _paint_islands(image: np.ndarray, streams: Streams, size: int) -> np.ndarray:
    m = region_masks(size)
    top = ISLAND_ROWS * size // REFERENCE_SIZE
    corner = image[:top]
    tint = 1.0 + field(streams, "mucosa", size, {32: 0.02, 96: 0.02, 256: 0.02}, share=0.3)[:top]
    for name, colour in _MUCOSA.items():
        corner = _over(corner, _rgb(*colour) * tint[..., None], m[name + "_margin"][:top])
    return np.concatenate([corner, image[top:]])
