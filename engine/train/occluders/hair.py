"""Made up hair over a face in the skin's layout: strands as cubic curves, gathered in locks."""

import cv2
import numpy as np

from ...protocol.conventions import BYTE_MAX, bytes_to_unit, unit_to_bytes

Layer = tuple[np.ndarray, np.ndarray]
"""Colour (S, S, 3) sRGB and cover (S, S), both float32 in [0, 1]."""

COLOURS = np.array(
    [
        [0.07, 0.06, 0.06],
        [0.16, 0.11, 0.09],
        [0.28, 0.19, 0.13],
        [0.42, 0.29, 0.18],
        [0.60, 0.46, 0.30],
        [0.80, 0.68, 0.48],
        [0.88, 0.82, 0.70],
        [0.50, 0.22, 0.11],
        [0.55, 0.54, 0.53],
        [0.85, 0.85, 0.84],
    ]
)
"""sRGB of black, brown, fair, red, grey and white hair. Ours, by eye."""
POINTS = 14
"""Of a strand's polyline."""
_SHIFT = 4  # bits of a fraction of a pixel in OpenCV's drawing


def draw_hair(rng: np.random.Generator, size: int) -> Layer:
    """One head of hair: a cap round the face, and often a fringe, curtains or loose strands.

    Positions are shares of the square round the face in the layout: x to the right, y down.
    """
    colour = COLOURS[rng.integers(len(COLOURS))] * rng.uniform(0.75, 1.2)
    if rng.random() < 0.04:
        colour = rng.uniform(0.05, 0.9, 3)
    picture = np.full((size, size, 3), 0.5, np.uint8)
    cover = np.zeros((size, size), np.uint8)
    kinds = [(_cap, 0.85), (_fringe, 0.4), (_curtains, 0.45), (_loose, 0.35)]
    chosen = [kind for kind, share in kinds if rng.random() < share] or [_loose]
    for kind in chosen:
        curves, width = kind(rng)
        _draw(rng, curves, width, colour, picture, cover)
    shade = _shine(rng, size)[..., None]
    painted = bytes_to_unit(picture).astype(np.float32) * shade
    soft = cv2.GaussianBlur(bytes_to_unit(cover).astype(np.float32), (0, 0), rng.uniform(0.4, 1.0))
    return np.clip(painted, 0.0, 1.0), soft


def draw_strands(
    rng: np.random.Generator, curves: np.ndarray, width: float, colour: np.ndarray, size: int
) -> Layer:
    """Strands (n, 4, 2), control points of Bezier curves, of one colour (3,) sRGB."""
    picture = np.full((size, size, 3), 0.5, np.uint8)
    cover = np.zeros((size, size), np.uint8)
    _draw(rng, curves, width, colour, picture, cover)
    return bytes_to_unit(picture).astype(np.float32), bytes_to_unit(cover).astype(np.float32)


def blurred_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """(S, S) float32 smooth noise of unit deviation at its nodes."""
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def _draw(
    rng: np.random.Generator,
    curves: np.ndarray,
    width: float,
    colour: np.ndarray,
    picture: np.ndarray,
    cover: np.ndarray,
) -> None:
    """Strands (n, 4, 2), control points of Bezier curves, onto picture and cover, in place."""
    t = np.linspace(0.0, 1.0, POINTS)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    points = np.einsum("pc,ncd->npd", weights, curves) * len(cover)
    fixed = np.rint(points * 2**_SHIFT).astype(np.int32)
    spread = rng.uniform(0.03, 0.35)
    shades = np.clip(colour * (1.0 + spread * rng.standard_normal((len(curves), 1))), 0, 1)
    thickness = max(1, round(width))
    for line, shade in zip(fixed, unit_to_bytes(shades).tolist(), strict=True):
        cv2.polylines(picture, [line], False, shade, thickness, cv2.LINE_AA, _SHIFT)
        cv2.polylines(cover, [line], False, BYTE_MAX, thickness, cv2.LINE_AA, _SHIFT)


def _shine(rng: np.random.Generator, size: int) -> np.ndarray:
    """(S, S) smooth factor: bands of light and shade over the hair."""
    return np.exp(rng.uniform(0.05, 0.4) * blurred_noise(rng, size, 6))


def _locks(rng: np.random.Generator, base: np.ndarray, strands: int, spread: float) -> np.ndarray:
    """(n, 4, 2) strands around each base curve (m, 4, 2), nearer together at the tip."""
    own = rng.normal(0.0, spread, (len(base), strands, 1, 2))
    taper = np.linspace(1.0, rng.uniform(0.1, 1.0), 4)[:, None]
    jitter = rng.normal(0.0, 0.25 * spread, (len(base), strands, 4, 2))
    curves = base[:, None] + own * taper + jitter
    return rng.permutation(curves.reshape(-1, 4, 2))


def _cap(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Hair outside an oval hairline, drawn outwards or along it."""
    count = int(rng.integers(500, 1100))
    angle = rng.uniform(-np.pi, np.pi, count)
    angle = angle[np.abs(angle) < rng.uniform(1.2, 2.4)]  # 0 is up
    way = np.stack([np.sin(angle), -np.cos(angle)], -1)
    radius = np.array([rng.uniform(0.30, 0.46), rng.uniform(0.28, 0.46)])
    wave = 1.0 + 0.05 * np.sin(angle * rng.integers(2, 7) + rng.uniform(0, 6))
    centre = np.array([0.5, rng.uniform(0.42, 0.52)])
    squareness = (np.abs(way) ** 4).sum(-1, keepdims=True) ** -0.25
    root = centre + way * radius * squareness * wave[:, None]
    root += way * np.abs(rng.normal(0.0, 0.06, (len(way), 1)))
    along = np.stack([way[:, 1], -way[:, 0]], -1) * rng.uniform(-1.0, 1.0)
    tip = root + (way + along) * rng.uniform(0.1, 0.45, (len(way), 1))
    middle = 0.5 * (root + tip) + rng.normal(0.0, 0.01, root.shape)
    return np.stack([root, middle, middle, tip], 1), rng.uniform(1.0, 5.0)


def _fringe(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Hair that falls from the hairline onto the forehead, straight, swept or parted."""
    locks = int(rng.integers(3, 40))
    low, high = np.sort(rng.uniform(0.08, 0.92, 2))
    x = rng.uniform(low, max(high, low + 0.15), locks)
    y = rng.uniform(-0.05, 0.14) + rng.normal(0.0, 0.015, locks)
    parting, sweep = rng.uniform(0.2, 0.8), rng.normal(0.0, 0.5)
    angle = sweep + rng.uniform(0.0, 1.2) * np.sign(x - parting) + rng.normal(0.0, 0.15, locks)
    length = rng.uniform(0.06, 0.42) * rng.uniform(0.6, 1.2, locks)
    way = np.stack([np.sin(angle), np.cos(angle)], -1)
    bend = np.stack([way[:, 1], -way[:, 0]], -1) * rng.normal(0.0, 0.08, (locks, 1))
    root = np.stack([x, y], -1)
    tip = root + way * length[:, None]
    base = np.stack([root, root + 0.33 * (tip - root) + bend, root + 0.7 * (tip - root), tip], 1)
    strands = int(rng.integers(8, 60))
    return _locks(rng, base, strands, rng.uniform(0.004, 0.02)), rng.uniform(0.8, 3.0)


def _curtains(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Long hair down one side of the face, or both."""
    sides = [[-1], [1], [-1, 1]][rng.integers(3)]
    locks = int(rng.integers(8, 30))
    parting, reach = 0.5 + rng.normal(0.0, 0.12), rng.uniform(0.18, 0.5)
    families = []
    for side in sides:
        edge = 0.5 + side * (reach + np.abs(rng.normal(0.0, 0.12, locks)))
        lower = 0.5 + side * (rng.uniform(0.2, 0.5) + np.abs(rng.normal(0.0, 0.1, locks)))
        start = np.stack([parting + side * rng.uniform(0, 0.1, locks), 0 * edge + 0.0], -1)
        start[:, 1] += rng.uniform(-0.1, 0.1)
        families.append(
            np.stack(
                [
                    start,
                    np.stack([edge, rng.uniform(0.0, 0.25) + 0 * edge], -1),
                    np.stack([edge, rng.uniform(0.35, 0.7) + 0 * edge], -1),
                    np.stack([lower, rng.uniform(0.7, 1.1) + 0 * edge], -1),
                ],
                1,
            )
        )
    base = np.concatenate(families)
    return _locks(rng, base, int(rng.integers(15, 50)), rng.uniform(0.01, 0.03)), rng.uniform(1, 4)


def _loose(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """A few strands that cross the face."""
    locks = int(rng.integers(1, 7))
    side = np.sign(rng.normal(size=locks))
    top = rng.random(locks) < 0.7
    root = np.where(
        top[:, None],
        np.stack([rng.uniform(0.1, 0.9, locks), rng.uniform(-0.05, 0.1, locks)], -1),
        np.stack([0.5 + 0.45 * side, rng.uniform(0.1, 0.9, locks)], -1),
    )
    tip = root + rng.normal(0.0, 0.25, (locks, 2)) + np.array([0.0, 0.2])
    bends = rng.normal(0.0, 0.06, (2, locks, 2))
    base = np.stack(
        [root, root + (tip - root) / 3 + bends[0], root + (tip - root) * 2 / 3 + bends[1], tip], 1
    )
    strands = int(rng.integers(1, 14))
    return _locks(rng, base, strands, rng.uniform(0.001, 0.012)), rng.uniform(0.7, 2.0)
