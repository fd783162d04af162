"""Small marks of the skin: moles, spots, scars, broken veins and pores.

Every mark is a cloud of small Gaussian dots: it keeps its amount of pigment at every size, so a
small map is the reduced large one. Figures are ours, set by eye; lengths in reference pixels (0.33
millimetres each).
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from .curves import REFERENCE_SIZE
from .layout import region_masks
from .noise import Streams, scatter
from .parameters import SkinParameters
from .splat import add_splat

_CRISP, _SOFT, _SPECKLE = 0.65, 1.7, 1.6
"""Sigma of the dots of sharp marks, of inflamed skin and of flushed skin."""
_GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
_GRID = 512
"""Side of the maps of density."""
_PORES = 2.0e5
"""Pores on an area of full density as large as the map."""
_LOOPS = 1.5e5
"""Groups of capillary loops on such an area."""
_FACE_BOX = (224, 128, 800, 768)
"""Columns and rows (left, top, right, bottom) of the reference map that have pores."""
_PORE_RED = 1.0
"""Log blood of a pore per log melanin, before the gain of the tone."""
_PORE_GAIN = 1.6
"""Most that pores are darkened on light skin."""
_VEIN_STEPS = 26


@dataclass(frozen=True)
class _Dots:
    """points (N, 2) in reference pixels; height (N,) times squared reference pixels."""

    points: np.ndarray
    volume: np.ndarray

    def add_to(self, total: np.ndarray, sigma: float, factor: float = 1.0) -> None:
        """Add to (S, S) float32; sigma in reference pixels."""
        scale = len(total) / REFERENCE_SIZE
        add_splat(total, self.points * scale, self.volume * (factor * scale**2), sigma * scale)

    def times(self, factor: np.ndarray) -> "_Dots":
        """The same dots, each `factor` (N,) times as strong."""
        return _Dots(self.points, self.volume * factor)


def mark_pigments(
    p: SkinParameters, streams: Streams, size: int, gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """What marks add to log melanin and log blood, (size, size) float32 each.

    gain: factor on log melanin for this tone, from `surface.melanin_gain`.
    """
    melanin, blood = np.zeros((2, size, size), np.float32)
    if size >= REFERENCE_SIZE // 2:  # elsewhere they are an even shade
        pores = _pores(p, streams)
        pores.add_to(melanin, _CRISP)
        np.multiply(melanin, np.float32(_PORE_RED), out=blood)
        melanin *= np.float32(min(gain, _PORE_GAIN))
    for brown, red in _moles(p, streams, gain):
        brown.add_to(melanin, _CRISP)
        red.add_to(blood, _CRISP)
    _scars(p, streams, gain).add_to(melanin, _CRISP)
    _veins(p, streams).add_to(blood, _CRISP)
    _speckle(p, streams).add_to(blood, _SPECKLE)
    flush, stain = _blemishes(p, streams, gain)
    stain.add_to(melanin, _SOFT)
    flush.add_to(blood, _SOFT)
    return melanin, blood


@lru_cache(maxsize=1)
def _densities() -> dict[str, np.ndarray]:
    """Where marks are, (_GRID, _GRID) in [0, 1] by kind."""
    m = region_masks(_GRID)
    skin = (1.0 - m["scalp"]) * (1.0 - m["lips"])
    bare = skin * (1.0 - m["eye_surround"])
    patches = 0.35 + 0.6 * m["chin"] + 0.5 * m["cheeks"] + 0.3 * m["forehead"]
    pits = m["cheeks"] + 0.3 * m["forehead"] + 0.15 * m["face"]
    threads = m["nasal_creases"] + 0.5 * m["nose_tip"] + 0.45 * m["cheeks"] ** 2
    pores = m["nose"] + 0.75 * m["cheeks"] + 0.3 * m["forehead"] + 0.4 * m["chin"]
    table = {
        "moles": bare * m["main"],
        "blemishes": skin * m["face"] * patches,
        "scars": skin * pits,
        "veins": threads * (1.0 - m["nostrils"]),
        "pores": bare * pores,
        "speckle": bare * (m["cheeks"] + 0.8 * m["nose"] + 0.6 * m["chin"] + 0.05 * m["face"]),
    }
    return {name: np.clip(density, 0.0, 1.0) for name, density in table.items()}


def _join(parts: list[_Dots]) -> _Dots:
    return _Dots(
        np.concatenate([q.points for q in parts]), np.concatenate([q.volume for q in parts])
    )


def _none() -> _Dots:
    return _Dots(np.zeros((0, 2)), np.zeros(0))


def _patches(
    draw: np.random.Generator, centres: np.ndarray, radius: np.ndarray, spacing: float
) -> tuple[_Dots, np.ndarray]:
    """Filled patches of uneven outline and unit height, and the mark of each dot.

    centres: (N, 2). radius: (N,) reference pixels. spacing: of the dots.
    """
    count = len(centres)
    number = np.ceil(np.pi * (radius / spacing) ** 2).astype(int) + 3
    mark = np.repeat(np.arange(count), number)
    index = np.arange(len(mark)) - np.repeat(np.cumsum(number) - number, number)
    # Sunflower spirals fill a disc evenly; waves of two and three turns bend its outline.
    share = np.sqrt((index + 0.5) / number[mark])
    turn = index * _GOLDEN_ANGLE + draw.uniform(0.0, 2.0 * np.pi, count)[mark]
    phase = draw.uniform(0.0, 2.0 * np.pi, (3, count))[:, mark]
    wave = np.abs(draw.normal(0.0, [[0.16], [0.10], [0.06]], (3, count)))[:, mark]
    bend = 1.0 + sum(
        w * np.cos(k * turn + f) for k, w, f in zip((2, 3, 5), wave, phase, strict=True)
    )
    reach = radius[mark] * share * bend
    points = centres[mark] + reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1)
    points += draw.normal(0.0, 0.25 * spacing, points.shape)
    # Darker in the middle, and never even.
    height = (1.15 - 0.45 * share**2) * draw.gamma(6.0, 1.0 / 6.0, len(mark))
    area = np.pi * (radius**2 / number)[mark]
    return _Dots(points, height * area), mark


def _moles(p: SkinParameters, streams: Streams, gain: float) -> list[tuple[_Dots, _Dots]]:
    """Flat brown moles, pale raised ones, and in later years red points: brown and red of each."""
    draw = streams.get("moles")
    centres = scatter(draw, _densities()["moles"], 2.2 * p.moles)
    count = len(centres)
    if count == 0:
        return []
    kind, size = draw.uniform(size=(2, count))
    depth = draw.uniform(0.35, 1.0, count)
    raised = kind > 0.85
    cherry = (kind < 0.25) & (draw.uniform(size=count) < np.clip((p.age - 30.0) / 60.0, 0.0, 0.5))
    # Many small, few large.
    radius = np.where(raised, 2.6 + 3.0 * size, 1.0 + 3.6 * size**2.5)
    radius = np.where(cherry, 0.8 + 1.0 * size, radius)
    dots, mark = _patches(draw, centres, radius, 0.8)
    brown = np.where(cherry, 0.0, np.where(raised, 0.25 * depth, 0.9 * depth * gain**0.5))
    red = np.where(cherry, 1.6, np.where(raised, 0.25 * depth, 0.15))
    browns, reds = dots.times(brown[mark]), dots.times(red[mark])
    # One by one: they are small and far apart.
    first = np.searchsorted(mark, np.arange(count + 1))
    return [
        tuple(_Dots(q.points[i:j], q.volume[i:j]) for q in (browns, reds))
        for i, j in pairwise(first)
    ]


def _blemishes(p: SkinParameters, streams: Streams, gain: float) -> tuple[_Dots, _Dots]:
    """Inflamed spots in log blood, and the brown stains that they leave in log melanin."""
    draw = streams.get("blemishes")
    if p.blemishes < 0.02:
        return _none(), _none()
    centres = scatter(draw, _densities()["blemishes"], 900.0 * p.blemishes)
    # Spots come in groups.
    centres = np.concatenate(
        [centres, centres[: len(centres) // 2] + draw.normal(0.0, 14.0, (len(centres) // 2, 2))]
    )
    count = len(centres)
    fresh = draw.uniform(size=count) ** 2.0
    radius = 0.9 + draw.gamma(2.5, 0.55, count)
    dots, mark = _patches(draw, centres, radius, 1.5)
    stain = (0.05 + 0.20 * (1.0 - fresh)) * min(gain, 1.7)
    return dots.times((0.18 + 1.2 * fresh)[mark]), dots.times(stain[mark])


def _scars(p: SkinParameters, streams: Streams, gain: float) -> _Dots:
    """Pale or dark pits on the cheeks and, rarely, one pale line, in log melanin."""
    if p.scars < 0.02:
        return _none()
    draw = streams.get("scars")
    where = _densities()["scars"]
    centres = scatter(draw, where, 700.0 * p.scars**1.5)
    radius = draw.uniform(0.7, 2.4, len(centres))
    dots, mark = _patches(draw, centres, radius, 0.8)
    sign = np.where(draw.uniform(size=len(centres)) < 0.6, -0.35, 0.3) * gain
    pits = dots.times(sign[mark])
    root = scatter(draw, where, 60.0)[:1]
    if draw.uniform() > 0.5 * p.scars or len(root) == 0:
        return pits
    length, heading = draw.uniform(12.0, 45.0), draw.uniform(0.0, np.pi)
    along = np.linspace(0.0, 1.0, int(length / 0.6))
    turn = heading + draw.normal(0.0, 0.8) * along + 0.15 * np.sin(9.0 * along)
    path = root + np.cumsum(np.stack([np.cos(turn), np.sin(turn)], -1) * 0.6, axis=0)
    width = 1.6 * np.sin(np.pi * np.clip(along, 0.03, 0.97)) ** 0.5
    return _join([pits, _Dots(path, -0.45 * gain * 0.6 * width)])


def _veins(p: SkinParameters, streams: Streams) -> _Dots:
    """Widened capillaries as branching threads on nose wings and cheeks, in log blood."""
    if p.broken_veins < 0.02:
        return _none()
    draw = streams.get("veins")
    roots = scatter(draw, _densities()["veins"], 9000.0 * p.broken_veins**1.6)
    count = len(roots)
    if count == 0:
        return _none()
    # The first third are stems; the others begin on a stem.
    stems = (count + 2) // 3
    heading = draw.uniform(0.0, 2.0 * np.pi, count)
    turns = draw.normal(0.0, 0.20, (count, _VEIN_STEPS)).cumsum(axis=1)
    step = 0.55 * draw.uniform(0.4, 1.3, (count, 1, 1))
    move = np.stack([np.cos(heading[:, None] + turns), np.sin(heading[:, None] + turns)], -1)
    path = np.cumsum(move * step, axis=1)
    parent = draw.integers(0, stems, count)
    joint = draw.integers(2, _VEIN_STEPS, count)
    begin = np.where(
        (np.arange(count) < stems)[:, None], roots, roots[parent] + path[parent, joint]
    )
    path += begin[:, None]
    fade = np.linspace(1.0, 0.3, _VEIN_STEPS)
    strength = draw.gamma(3.0, 0.26, count) * np.where(np.arange(count) < stems, 1.0, 0.7)
    # Threads of 0.7 pixels.
    volume = strength[:, None] * fade * step[:, :, 0] * 0.7 * 1.4
    return _Dots(path.reshape(-1, 2), volume.ravel())


def _scatter_in_face(draw: np.random.Generator, kind: str, expected: float) -> np.ndarray:
    """As `scatter`, for the many marks that are nowhere else; (N, 2) reference pixels."""
    left, top, right, bottom = _FACE_BOX
    area = (right - left) * (bottom - top) / REFERENCE_SIZE**2
    points = draw.random((draw.poisson(expected * area), 2))
    points = points * [right - left, bottom - top] + [left, top]
    column, row = (points * (_GRID / REFERENCE_SIZE)).astype(np.int64).T
    return points[draw.random(len(points)) < _densities()[kind][row, column]]


def _speckle(p: SkinParameters, streams: Streams) -> _Dots:
    """Flushed skin is not evenly red: capillary loops fill in small groups, in log blood."""
    draw = streams.get("speckle")
    points = _scatter_in_face(draw, "speckle", _LOOPS)
    # A third of the loops is filled; the others make up for it, so that the mean stays.
    filled = np.where(draw.random(len(points)) < 1.0 / 3.0, 2.0, -1.0)
    height = 0.07 * p.flush * filled
    return _Dots(points, height * (2.0 * np.pi * _SPECKLE**2))


def _pores(p: SkinParameters, streams: Streams) -> _Dots:
    """Openings of hair follicles: round on the nose, drawn out along the cheeks' tension lines."""
    draw, m = streams.get("pores"), region_masks(_GRID)
    points = _scatter_in_face(draw, "pores", _PORES)
    column, row = (points * (_GRID / REFERENCE_SIZE)).astype(np.int64).T
    count = len(points)
    nose, cheek = m["nose"][row, column], m["cheeks"][row, column]
    volume = draw.gamma(2.0, 0.035 * p.pores, count) * (0.7 + 1.1 * nose + 0.5 * cheek)
    side = np.sign(points[:, 0] - REFERENCE_SIZE / 2)
    angle = 0.5 * np.pi - 0.45 * side + draw.normal(0.0, 0.35, count)
    stretch = draw.uniform(0.2, 0.9, count) * (1.0 - 0.8 * nose)
    shift = stretch[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    return _Dots(np.concatenate([points - shift, points + shift]), np.tile(volume, 2))
