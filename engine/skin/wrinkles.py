"""Folds and wrinkles: thin lines in which the skin is darker, without any light.

A cleaned albedo still shows wrinkles: less skin is seen per texel, light that enters the groove
passes more pigment before it leaves, and the bottom of a fold is often redder. So a line here is a
relative darkening, turned into melanin and blood by `crease_gains`. Lines are sums of small
Gaussian dots along a curve: a dot keeps its volume at every size, so a small map is the reduced
large one also where lines are thinner than a pixel.
"""

import dataclasses
import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ..head.numerics import smoothstep
from .curves import REFERENCE_SIZE, Curve
from .layout import smooth_curve
from .noise import Streams
from .parameters import SkinParameters
from .wrinkle_curves import ACROSS, FAMILIES, FINE, PAIR, SIGMAS, Family

CREASE_BOX = (128, 128, 896, 960)
"""Columns and rows (left, top, right, bottom) of the reference map that hold every line."""

_SAMPLES = 65
"""Points of a rail; the longest one is 700 pixels."""
_STEP = 0.7
"""Distance of the dots of a line, pixels of the map, at most."""
_FAST, _SLOW = 11.0, 36.0
"""Reference pixels between independent values of the noise along a line."""
_EARLY = 0.7
"""Exponent of depth over amount: lines are clear before they are deep."""
_ALIKE = 0.6
"""Share of the variance of a pair's wander that both sides have in common."""
_BILINEAR_VARIANCE = 0.17
"""Square pixels by which bilinear splatting blurs."""

_GREEN_NODES = np.log([0.0055, 0.0103, 0.0194, 0.0364, 0.0684, 0.128, 0.241, 0.453, 0.85])
_GREEN_PER_MELANIN = (0.034, 0.059, 0.101, 0.160, 0.232, 0.302, 0.342, 0.328, 0.257)
_GREEN_PER_BLOOD = (0.110, 0.118, 0.132, 0.142, 0.143, 0.140, 0.127, 0.105, 0.076)
"""Relative loss of sRGB green per unit of log pigment over log melanin: slopes of `pigment`."""
_BLOOD_SHARE = (0.46, 0.46, 0.44, 0.40, 0.36, 0.34, 0.36, 0.42, 0.50)
"""Share of a crease's darkening by blood. Ours: lines are a little redder than
their skin; on dark skin melanin alone would turn them blue grey."""


@dataclass(frozen=True)
class Lines:
    """N lines on the rails of `_rails`; each array is (N,) unless a shape is given.

    rail: index of the lower rail. part: place between it and the next. start, end: shares of the
    rail. offset: (N, 2) reference pixels beside the rail at both ends. depth: core darkening.
    peak, breaks, wander: as in Family. shares: (N, len(SIGMAS)). mirrored: True on the left side.
    noise: (V, 4) independent normal values; a line's own begin at row `knot`.
    """

    rail: np.ndarray
    part: np.ndarray
    start: np.ndarray
    end: np.ndarray
    offset: np.ndarray
    depth: np.ndarray
    peak: np.ndarray
    breaks: np.ndarray
    wander: np.ndarray
    shares: np.ndarray
    mirrored: np.ndarray
    knot: np.ndarray
    noise: np.ndarray


_FIELDS = tuple(field.name for field in dataclasses.fields(Lines))


def crease_gains(p: SkinParameters) -> tuple[float, float]:
    """Log melanin and log blood per unit of relative darkening, for this person's tone."""
    at = np.log(p.melanin)
    melanin, blood, share = (
        float(np.interp(at, _GREEN_NODES, values))
        for values in (_GREEN_PER_MELANIN, _GREEN_PER_BLOOD, _BLOOD_SHARE)
    )
    return (1.0 - share) / melanin, share / blood


def crease_box(size: int) -> tuple[slice, slice]:
    """Rows and columns of CREASE_BOX in a map of that size."""
    left, top, right, bottom = (v * size // REFERENCE_SIZE for v in CREASE_BOX)
    return slice(top, bottom), slice(left, right)


def crease_depth(p: SkinParameters, streams: Streams, size: int) -> np.ndarray:
    """Relative darkening by folds and wrinkles over `crease_box`, (rows, columns) float32.

    0.1 is 10 % darker (sRGB green); the philtrum's edges are a little lighter than the skin.
    """
    rows, columns = crease_box(size)
    total = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    parts = [
        _family_lines(name, family, getattr(p, family.amount), _lift(p, name), streams)
        for name, family in FAMILIES.items()
        if getattr(p, family.amount) > 0.0
    ]
    if not parts:
        return total
    points, depth, shares, step = _trace(_join(parts), size)
    scale = size / REFERENCE_SIZE
    position = points * np.float32(scale) - np.array([columns.start, rows.start], np.float32)
    for sigma, share in zip(SIGMAS, shares.T, strict=True):
        volume = depth * share * (step * math.sqrt(2.0 * math.pi) * sigma * scale**2)
        used = volume != 0.0
        if used.any():
            total += splat(total.shape, position[used], volume[used], sigma * scale)
    return total


def _lift(p: SkinParameters, name: str) -> float | None:
    """Place between the rails that a parameter sets, if one does."""
    return 0.5 + 0.5 * p.lid_crease_height if name == "lid crease" else None


# --- rails ------------------------------------------------------------------------------------


def _even_rail(points: Curve, across: bool) -> np.ndarray:
    """(_SAMPLES, 2) points at equal distances."""
    path = smooth_curve(points, closed=False)
    if across:
        mirror = path[-2::-1] * [-1.0, 1.0] + [float(REFERENCE_SIZE), 0.0]
        path = np.concatenate([path, mirror])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0.0, length[-1], _SAMPLES)
    return np.stack([np.interp(at, length, path[:, 0]), np.interp(at, length, path[:, 1])], -1)


@lru_cache(maxsize=1)
def _rails() -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """All rails (R, _SAMPLES, 2), their lengths (R,), and the first rail of each family."""
    rails, first = [], {}
    for name, family in FAMILIES.items():
        first[name] = len(rails)
        rails += [_even_rail(points, family.kind == ACROSS) for points in family.rails]
    table = np.stack(rails)
    lengths = np.linalg.norm(np.diff(table, axis=1), axis=2).sum(axis=1)
    return table.astype(np.float32), lengths.astype(np.float32), first


# --- lines of one person ------------------------------------------------------------------------


def _family_lines(
    name: str, family: Family, amount: float, lift: float | None, streams: Streams
) -> Lines:
    """The lines of one family on all sides, side lines included."""
    draw = streams.get("wrinkles " + name)
    sides, count, gaps = (2 if family.kind == PAIR else 1), family.count, len(family.rails) - 1
    _, lengths, first = _rails()
    # Shared by both sides.
    order = draw.permutation(count) / count
    place = (np.arange(count) + 0.5 + draw.uniform(-0.4, 0.4, count)) / count
    if lift is not None:
        place[:] = lift
    ends = draw.uniform(size=(2, count))
    knots = int(lengths[first[name] :][: gaps + 1].max() / _FAST) + 3
    common = draw.standard_normal((count, knots, 4), dtype=np.float32)
    # Each side's own.
    own = draw.standard_normal((sides, count, knots, 4), dtype=np.float32)
    shift = draw.normal(0.0, 0.05, (3, sides, count))
    strength = np.exp(draw.normal(0.0, 0.22, (sides, count)) + draw.normal(0.0, 0.12, (sides, 1)))
    reach = np.clip((amount - 0.7 * order) / (1.0 - 0.7 * order), 0.0, 1.0)
    depth = family.depth * reach**_EARLY * (1.0 - (1.0 - family.even) * order) * strength
    across = np.clip(place + shift[0] / max(count, 3), 0.0, 0.9999) * gaps
    start = np.clip(_between(family.start, ends[0]) + shift[1], 0.0, 0.95)
    length = _between(family.length, ends[1]) * (0.55 + 0.45 * reach) + shift[2]
    end = np.clip(start + np.maximum(length, 0.05), 0.0, 1.0)
    mixed = np.sqrt(_ALIKE) * common + np.sqrt(1.0 - _ALIKE) * own
    wide = np.broadcast_to
    lower = np.minimum(across.astype(int), gaps - 1)
    mirrored = wide((np.arange(sides) == 1)[:, None], (sides, count))
    lines = Lines(
        rail=(first[name] + lower).ravel(),
        part=(across - lower).ravel(),
        start=start.ravel(),
        end=end.ravel(),
        offset=np.zeros((sides * count, 2)),
        depth=depth.ravel(),
        peak=np.full(sides * count, family.peak),
        breaks=np.full(sides * count, family.breaks),
        wander=np.full(sides * count, family.wander),
        shares=wide(np.array(family.widths), (sides * count, len(SIGMAS))),
        mirrored=mirrored.ravel(),
        knot=np.arange(sides * count) * knots,
        noise=mixed.reshape(-1, 4),
    )
    return _with_branches(lines, family, draw)


def _between(bounds: tuple[float, float], share: np.ndarray) -> np.ndarray:
    return bounds[0] + (bounds[1] - bounds[0]) * share


def _join(parts: list[Lines]) -> Lines:
    rows = np.cumsum([0] + [len(q.noise) for q in parts[:-1]])
    joined = {k: np.concatenate([getattr(q, k) for q in parts]) for k in _FIELDS}
    noise = joined.pop("noise")
    joined["knot"] += np.repeat(rows, [len(q.knot) for q in parts])
    drawn = joined["depth"] != 0.0
    return Lines(**{k: v[drawn] for k, v in joined.items()}, noise=noise)


def _with_branches(lines: Lines, family: Family, draw: np.random.Generator) -> Lines:
    """Adds side lines: some leave their line, some run beside it. They follow its wander."""
    count = len(lines.rail) * family.branches
    if count == 0:
        return lines
    parent = np.repeat(np.arange(len(lines.rail)), family.branches)
    chance = draw.uniform(size=(5, count))
    span = lines.end[parent] - lines.start[parent]
    start = lines.start[parent] + span * 0.85 * chance[0]
    side = np.where(chance[1] < 0.5, -1.0, 1.0)
    near = np.where(chance[2] < 0.5, 0.0, 1.5 + 3.0 * chance[2])
    far = near + 1.5 + 4.0 * chance[3]
    both = {
        name: np.concatenate([getattr(lines, name), getattr(lines, name)[parent]])
        for name in _FIELDS
        if name != "noise"
    }
    own = len(lines.rail)
    both["start"][own:] = start
    both["end"][own:] = np.minimum(start + span * (0.12 + 0.25 * chance[4]), 1.0)
    both["offset"][own:] = side[:, None] * np.stack([near, far], -1)
    both["depth"][own:] *= 0.25 + 0.4 * chance[3]
    both["peak"][own:] = 0.4
    both["shares"][own:] = FINE
    return Lines(**both, noise=lines.noise)


# --- drawing ----------------------------------------------------------------------------------


def _knots(noise: np.ndarray, knot: np.ndarray, at: np.ndarray, channel: int) -> np.ndarray:
    """Smooth noise of each point: the values around `at`, counted from row `knot`, blended."""
    low = at.astype(np.int32)
    part = at - low
    part = part * part * (3.0 - 2.0 * part)
    values, row = noise[:, channel], knot + low
    value = values[row]
    return value + part * (values[row + 1] - value)


def _trace(lines: Lines, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Dots of all lines: places (P, 2), depth (P,), shares (P, len(SIGMAS)), spacing (P,).

    Places and spacing in reference pixels.
    """
    rails, lengths, _ = _rails()
    span = lines.end - lines.start
    whole = lengths[lines.rail] * (1.0 - lines.part) + lengths[lines.rail + 1] * lines.part
    count = np.ceil(whole * span / (_STEP * REFERENCE_SIZE / size)).astype(np.int32) + 1
    line = np.repeat(np.arange(len(count)), count)
    inside = (np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[line]
    inside = inside.astype(np.float32)
    along = (lines.start[line] + span[line] * inside).astype(np.float32)
    place, normal = _on_rails(rails, lines, line, along)
    pixels = along * whole[line].astype(np.float32)
    fast, slow = pixels / np.float32(_FAST), pixels / np.float32(_SLOW)
    noise, knot = lines.noise, lines.knot[line]
    drift = 0.25 * _knots(noise, knot, fast, 0) + _knots(noise, knot, slow, 1)
    # Side lines leave their line in a bow.
    offset = lines.offset[line]
    beside = offset[:, 0] + (offset[:, 1] - offset[:, 0]) * inside**1.5
    place += normal * (lines.wander[line] * drift + beside).astype(np.float32)[:, None]
    place[:, 0] = np.where(lines.mirrored[line], REFERENCE_SIZE - place[:, 0], place[:, 0])
    peak = lines.peak[line]
    shape = np.sin(0.5 * np.pi * np.minimum(inside / peak, (1.0 - inside) / (1.0 - peak)))
    ragged = np.clip(1.0 + 0.4 * _knots(noise, knot, fast, 2), 0.15, 1.9)
    gap = smoothstep(
        _knots(noise, knot, 0.5 * fast, 3) - (1.7 - 1.8 * lines.breaks[line]), 0.0, 0.6
    )
    depth = lines.depth[line] * shape**0.7 * ragged * (1.0 - gap)
    # Narrow where it is weak, wide where it is deep.
    wider = 0.4 * np.clip(_knots(noise, knot, slow, 2), -1.5, 1.5)
    shares = lines.shares[line] * (1.0 + wider[:, None] * np.array([-1.0, 0.4, 1.0, 0.6]))
    return place, depth, shares, (whole * span / count)[line]


def _on_rails(
    rails: np.ndarray, lines: Lines, line: np.ndarray, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places on the lines (P, 2) at shares `along` of the rails, and unit normals (P, 2)."""
    at = along * (_SAMPLES - 1)
    low = np.minimum(at.astype(np.int32), _SAMPLES - 2)
    part = (at - low)[:, None]
    blend = lines.part[line].astype(np.float32)[:, None]
    rail = lines.rail[line]
    a = rails[rail, low] + blend * (rails[rail + 1, low] - rails[rail, low])
    b = rails[rail, low + 1] + blend * (rails[rail + 1, low + 1] - rails[rail, low + 1])
    tangent = b - a
    tangent = tangent / np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    return a + part * (b - a), np.stack([-tangent[:, 1], tangent[:, 0]], -1)


def splat(
    shape: tuple[int, int], position: np.ndarray, volume: np.ndarray, sigma: float
) -> np.ndarray:
    """(H, W) float32 sum of Gaussian dots of the given volumes; position (N, 2), sigma in pixels.

    Dots outside are left out. Wide dots are drawn on a coarser grid, where H and W allow it.
    """
    coarse = 4 if sigma > 4.0 else 2 if sigma > 1.8 else 1
    if coarse > 1 and shape[0] % coarse == 0 and shape[1] % coarse == 0:
        small = (shape[0] // coarse, shape[1] // coarse)
        drawn = splat(small, position / coarse, volume / coarse**2, sigma / coarse)
        return cv2.resize(drawn, shape[::-1], interpolation=cv2.INTER_LINEAR)
    height, width = shape[0] + 2, shape[1] + 2
    moved = position + 0.5  # one pixel of border, centres at .5
    inside = (moved > 0.0).all(axis=1) & (moved < [width - 1, height - 1]).all(axis=1)
    moved, volume = moved[inside], volume[inside]
    cell = moved.astype(np.int64)
    right, down = (moved - cell).T
    index = cell[:, 1] * width + cell[:, 0]
    lower = down * volume
    upper = volume - lower
    weights = [upper * (1.0 - right), upper * right, lower * (1.0 - right), lower * right]
    corners = np.concatenate([index, index + 1, index + width, index + width + 1])
    total = np.bincount(corners, np.concatenate(weights), height * width)
    total = total.astype(np.float32).reshape(height, width)[1:-1, 1:-1]
    blur = math.sqrt(max(sigma**2 - _BILINEAR_VARIANCE, 0.0))
    return cv2.GaussianBlur(total, (0, 0), blur) if blur > 0.25 else total
