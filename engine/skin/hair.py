"""Hair on the scalp: where it grows, and the texture of combed, curly or shaved hair."""

from functools import lru_cache

import cv2
import numpy as np

from ..head.numerics import smoothstep
from .curves import HAIR_BOX, REFERENCE_SIZE, SCALP_HALF_WIDTH
from .layout import region_distances, region_masks
from .noise import Streams, box_slices, field
from .parameters import SkinParameters

_LOCKS = [(200, 0.42), (64, 0.30)]
"""Strands across the map and their deviation."""
_FINE_STRANDS = 460
_HEADS = 3
_ROWS = (24, 120)
"""Turns of combed and of curly hair from front to neck: curls turn every few millimetres."""
_OWN_LOCKS = 0.15
"""Share of the variance of locks that is a person's own."""
_OWN_SHARE = 0.7
"""Share of the variance of strands that the two sides do not have in common."""


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
    return distance + field(streams, "hairline", size, {12: 3.0, 32: 1.6, 96: 0.8}, share=0.4)


@lru_cache(maxsize=4)
def _strand_coordinates(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each texel of HAIR_BOX lies across the strands and along them, both in [0, 1]."""
    inside = box_slices(HAIR_BOX, size)
    axis = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(REFERENCE_SIZE / size)
    row, column = axis[inside[0], None], axis[None, inside[1]]
    rows, widths = np.array(SCALP_HALF_WIDTH).T
    half = np.interp(row, rows, widths).astype(np.float32)
    across = 0.5 + 0.5 * (column - REFERENCE_SIZE / 2) / half
    return across, np.broadcast_to(row / REFERENCE_SIZE, across.shape)


def strand_texture(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """Float32 over HAIR_BOX, about unit deviation: streaks that run along the hair.

    Locks are a blend of a few heads of hair that all people share, as published maps paint one
    for all; only single hairs and a little of the locks are a person's own.
    """
    draw = streams.get("locks")
    blend = draw.normal(size=_HEADS)
    blend *= np.sqrt(1.0 - _OWN_LOCKS) / np.linalg.norm(blend)
    curly = np.clip(1.6 * p.hair_curl, 0.0, 1.0)
    styles = np.sqrt([1.0 - curly, curly])
    total = np.zeros(_strand_coordinates(size)[0].shape, np.float32)
    for style, rows in enumerate(_ROWS):
        if styles[style] == 0.0:
            continue
        for head in range(_HEADS):
            total += np.float32(styles[style] * blend[head]) * _locks(size, rows, head)
    rows = int(14 + 20 * (1.0 - p.hair_length) + 150 * p.hair_curl)
    octaves = [(64, 0.30 * np.sqrt(_OWN_LOCKS))]
    if size > _FINE_STRANDS:
        octaves.append((_FINE_STRANDS, 0.55))
    return total + _strands(streams, size, rows, octaves)


@lru_cache(maxsize=16)
def _locks(size: int, rows: int, head: int) -> np.ndarray:
    """Locks of one of the shared heads of hair over HAIR_BOX."""
    texture = _strands(Streams(head), size, rows, _LOCKS)
    texture.flags.writeable = False
    return texture


def _strands(
    streams: Streams, size: int, rows: int, octaves: list[tuple[int, float]]
) -> np.ndarray:
    """Streaks over HAIR_BOX. rows: turns of a hair from front to neck, its texture's rows.

    octaves: strands across the map and their deviation.
    """
    across, along = _strand_coordinates(size)
    curl = rows / _ROWS[-1]
    sway = field(streams, "sway", size, {8: 0.011, 32: 0.008 * curl}, share=0.6, box=HAIR_BOX)
    sway += across
    y = along * np.float32(2 * rows) - np.float32(0.5)
    total = np.zeros(across.shape, np.float32)
    for index, (strands, weight) in enumerate(octaves):
        if strands > size:
            continue
        lattice = streams.get("strands", index).standard_normal((rows, strands), dtype=np.float32)
        a, b = _mirror_columns(strands)
        lattice = np.float32(weight) * (a * lattice + b * lattice[:, ::-1])
        # Twice as fine by cubic, then linear: as smooth as cubic from the lattice, and faster.
        lattice = cv2.resize(lattice, (2 * strands, 2 * rows), interpolation=cv2.INTER_CUBIC)
        x = sway * np.float32(2 * strands) - np.float32(0.5)
        total += cv2.remap(lattice, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return total


@lru_cache(maxsize=8)
def _mirror_columns(strands: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (strands,) of a strand and its mirror image, as `noise.mirror_weights`: equal at the
    back of the head, where both sides meet, rather independent elsewhere."""
    place = np.abs(np.linspace(-1.0, 1.0, strands))
    correlation = 1.0 - _OWN_SHARE * smoothstep(place, 0.97, 0.84)
    angle = 0.5 * np.arcsin(correlation)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def scalp_coverage(
    p: SkinParameters, distance: np.ndarray, strands: np.ndarray, grain: np.ndarray
) -> np.ndarray:
    """How much hair hides the skin over HAIR_BOX, without the loose hairs of the fringe.

    distance: (S, S) from `hairline_distance`. strands, grain: unit noise over HAIR_BOX.
    """
    near = distance[box_slices(HAIR_BOX, len(distance))]
    if near.shape != strands.shape:
        kind = cv2.INTER_AREA if near.shape[0] > strands.shape[0] else cv2.INTER_LINEAR
        near = cv2.resize(near, strands.shape[::-1], interpolation=kind)
    combed = p.hair_length
    # Shaved hair fades over centimetres, combed hair ends within a few millimetres.
    softness = 20.0 + 10.0 * (1.0 - combed)
    ragged = near + (3.0 + 2.5 * combed) * strands
    edge = smoothstep(ragged, -0.3 * softness, softness)
    thin = 1.0 - 0.35 * smoothstep(near, 30.0, 0.0) * (1.0 - combed)
    texture = 1.0 + (1.0 - p.hair_cover) * (0.25 * strands * combed + 0.35 * grain * (1 - combed))
    return np.clip(p.hair_cover * edge * thin * texture, 0.0, 0.995)
