"""Hair on the scalp: where it grows, and the texture of combed, curly or shaved hair."""

from functools import lru_cache

import cv2
import numpy as np

from ..head.numerics import smoothstep
from .curves import REFERENCE_SIZE, SCALP_HALF_WIDTH
from .layout import reference_grid, region_distances, region_masks, resample
from .noise import Streams, field, mirror_weights
from .parameters import SkinParameters

_STRAND_OCTAVES = ((460, 0.5), (200, 0.5), (64, 0.45))
"""Strands across the map and their weight, from single hairs to locks."""


def hairline_distance(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """(size, size) signed distance to this person's hairline, reference pixels, inside positive."""
    masks = region_masks(size)
    distance = region_distances(size)["scalp"].copy()
    retreat = 85.0 * p.recession
    distance -= (
        retreat * masks["temple_corners"] + 1.1 * retreat * p.recession * (masks["crown_front"])
    )
    distance -= 16.0 * p.hairline * masks["crown_front"]
    shorter = -12.0 if p.sex == "male" else 10.0
    distance -= shorter * masks["sideburns"]
    return distance + field(streams, "hairline", size, {12: 3.0, 32: 2.0, 96: 1.5}, share=0.4)


@lru_cache(maxsize=4)
def _strand_coordinates(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each texel lies across the strands and along them, both in [0, 1], (size, size)."""
    column, row = reference_grid()
    rows, widths = np.array(SCALP_HALF_WIDTH).T
    half = np.interp(row[:, 0], rows, widths).astype(np.float32)[:, None]
    across = 0.5 + 0.5 * (column - REFERENCE_SIZE / 2) / half
    return resample(np.ascontiguousarray(across), size), resample(
        np.ascontiguousarray(row / REFERENCE_SIZE), size
    )


def strand_texture(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """(size, size) float32, about unit deviation: streaks that run along the hair."""
    across, along = _strand_coordinates(size)
    sway = field(streams, "sway", size, {6: 0.010, 14: 0.006, 40: 0.012 * p.hair_curl}, share=0.6)
    across = across + sway
    direct, mirrored = mirror_weights(size, 0.7)
    # Curly hair turns every few millimetres, combed hair runs on for centimetres.
    rows = int(14 + 20 * (1.0 - p.hair_length) + 150 * p.hair_curl)
    total = np.zeros((size, size), np.float32)
    for index, (strands, weight) in enumerate(_STRAND_OCTAVES):
        if strands > size:
            continue
        draw = streams.get("strands", index)
        lattice = draw.standard_normal((rows, strands), dtype=np.float32)
        x = (across * strands - 0.5).astype(np.float32)
        y = (along * rows - 0.5).astype(np.float32)
        for source, part in ((lattice, direct), (lattice[:, ::-1].copy(), mirrored)):
            sampled = cv2.remap(source, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            total += np.float32(weight) * part * sampled
    return total


def scalp_coverage(
    p: SkinParameters, distance: np.ndarray, strands: np.ndarray, grain: np.ndarray
) -> np.ndarray:
    """(size, size) how much hair hides the skin, without the loose hairs of the fringe.

    distance: (S, S) from `hairline_distance`. strands, grain: (size, size) unit noise.
    """
    size = strands.shape[0]
    near = resample(distance, size)
    combed = p.hair_length
    # Shaved hair fades over centimetres, combed hair ends within a few millimetres.
    softness = 20.0 + 10.0 * (1.0 - combed)
    ragged = near + (3.0 + 2.5 * combed) * strands
    edge = smoothstep(ragged, -0.3 * softness, softness)
    thin = 1.0 - 0.35 * smoothstep(near, 30.0, 0.0) * (1.0 - combed)
    texture = 1.0 + (1.0 - p.hair_cover) * (0.25 * strands * combed + 0.35 * grain * (1 - combed))
    return np.clip(p.hair_cover * edge * thin * texture, 0.0, 0.995)
