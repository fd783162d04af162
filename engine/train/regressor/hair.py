"""Simple hair: a raised scalp, and locks that fall over the head; all of it our own invention."""

from dataclasses import dataclass

import cv2
import numpy as np

HEAD_CENTRE = np.array([0.0, 0.010, -0.062])
HEAD_RADII = np.array([0.078, 0.104, 0.100])
"""Metres: the ellipsoid that locks slide over, about the mean head's skull."""
STEPS = 9
TONES = 5
"""Shades of the locks of one head."""
BROAD = 3
"""One of so many locks is broad and dark and lies under the others, behind the hairline."""

# Linear RGB: black, dark brown, brown, red, blond, grey, white.
_COLOURS = (
    (0.012, 0.010, 0.009),
    (0.035, 0.022, 0.014),
    (0.085, 0.048, 0.026),
    (0.14, 0.050, 0.020),
    (0.32, 0.21, 0.10),
    (0.22, 0.21, 0.20),
    (0.55, 0.54, 0.52),
)
_SHARES = (0.26, 0.27, 0.18, 0.05, 0.12, 0.08, 0.04)


@dataclass(frozen=True, eq=False)
class HairStyle:
    """cover: of the scalp's colour, in [0, 1]. line: shift of the hairline, in levels of the soft
    mask. volume: metres that the scalp is raised. locks: number; length: metres; fringe: share of
    the locks that fall over the forehead. part: side of the parting, metres. colour (3,) linear."""

    cover: float
    line: float
    volume: float
    locks: int
    length: float
    fringe: float
    part: float
    width: float
    colour: np.ndarray


def random_style(rng: np.random.Generator) -> HairStyle:
    """Bald, cropped, short, or long, in any colour."""
    colour = np.array(_COLOURS[rng.choice(len(_COLOURS), p=_SHARES)]) * np.exp(rng.normal(0, 0.25))
    kind = rng.random()
    line, part = rng.normal(0.22, 0.12), rng.normal(0.0, 0.03)
    if kind < 0.10:
        return HairStyle(0.35 * rng.random(), line, 0.0, 0, 0.0, 0.0, part, 1.0, colour)
    if kind < 0.30:
        volume = rng.uniform(0.001, 0.008)
        return HairStyle(1.0, line, volume, 0, 0.0, 0.0, part, 1.0, colour)
    if kind < 0.60:
        volume, fringe = rng.uniform(0.01, 0.035), rng.choice([0.0, 0.15, 0.4])
        length = rng.uniform(0.03, 0.09)
        return HairStyle(1.0, line, volume, 450, length, fringe, part, 1.0, colour)
    volume, fringe = rng.uniform(0.01, 0.03), rng.choice([0.0, 0.0, 0.12, 0.3])
    return HairStyle(1.0, line, volume, 600, rng.uniform(0.15, 0.42), fringe, part, 1.3, colour)


def raise_scalp(
    vertices: np.ndarray, normals: np.ndarray, scalp: np.ndarray, style: HairStyle
) -> np.ndarray:
    """(V, 3) vertices with the hair's volume."""
    return vertices + normals * (style.volume * scalp**1.5)[:, None]


def paint_scalp(
    skin: np.ndarray, where: np.ndarray, style: HairStyle, rng: np.random.Generator
) -> np.ndarray:
    """(S, S, 3) linear skin with hair of the style where it grows, where (S, S)."""
    side = len(where)
    ragged = cv2.resize(rng.standard_normal((24, 24), np.float32), (side, side))
    strands = np.exp(0.35 * rng.standard_normal((40, 160), np.float32))
    strands = cv2.resize(strands, (side, side))
    alpha = np.clip((where + 0.08 * ragged - style.line) * 5.0, 0.0, 1.0) * style.cover
    colour = style.colour.astype(np.float32) * strands[..., None]
    return (skin + alpha[..., None].astype(np.float32) * (colour - skin)).astype(np.float32)


def grow_locks(
    vertices: np.ndarray, scalp: np.ndarray, style: HairStyle, rng: np.random.Generator
) -> np.ndarray:
    """(n, STEPS, 3) paths of locks in model space: combed from the parting, pulled down."""
    roots = np.flatnonzero(scalp > 0.35)
    if not style.locks or not len(roots):
        return np.zeros((0, STEPS, 3))
    chosen = rng.choice(roots, style.locks)
    broad = style.locks // BROAD
    chosen[:broad] = rng.choice(roots[scalp[roots] >= np.median(scalp[roots])], broad)
    place = vertices[chosen] + rng.normal(0, 0.004, (style.locks, 3))
    side = np.sign(place[:, 0] - style.part)
    fringe = (place[:, 2] > -0.05) & (rng.random(len(place)) < style.fringe)
    fringe[:broad] = False
    heading = np.stack([side, np.full(len(place), -0.2), np.full(len(place), -0.6)], -1)
    ahead = np.stack([0.4 * side, np.full(len(place), -0.2), np.ones(len(place))], -1)
    heading = np.where(fringe[:, None], ahead, heading) + rng.normal(0, 0.15, heading.shape)
    length = style.length * rng.uniform(0.7, 1.1, len(place))
    length = np.where(fringe, np.minimum(length, rng.uniform(0.03, 0.085, len(place))), length)
    wave = rng.normal(0.0, 0.10, (1, STEPS, 3)) + rng.normal(0.0, 0.05, (len(place), STEPS, 3))
    path = [place]
    for step in range(1, STEPS):
        heading = 0.75 * heading + [0.0, -0.5, 0.0] + wave[:, step]
        heading = _along(place, heading)
        heading /= np.linalg.norm(heading, axis=1, keepdims=True)
        place = _outside(place + heading * (length / (STEPS - 1))[:, None], style.volume)
        path.append(place)
    return np.stack(path, 1)


def _along(points: np.ndarray, heading: np.ndarray) -> np.ndarray:
    """Headings without what leads away from the skull: hair lies on it."""
    offset = points - HEAD_CENTRE
    offset[:, 1] = np.maximum(offset[:, 1], 0.0)
    outward = offset / HEAD_RADII**2
    outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
    away = np.maximum((heading * outward).sum(1, keepdims=True), 0.0)
    return heading - away * outward


def _outside(points: np.ndarray, volume: float) -> np.ndarray:
    """Points pushed out of the skull; below its middle only sideways, as hair hangs."""
    offset = points - HEAD_CENTRE
    offset[:, 1] = np.maximum(offset[:, 1], 0.0)
    size = np.linalg.norm(offset / (HEAD_RADII + volume), axis=1)
    push = np.maximum(1.0 / np.maximum(size, 1e-3) - 1.0, 0.0)[:, None]
    return points + np.minimum(push, 0.6) * offset


def draw_locks(
    picture: np.ndarray,
    pixels: np.ndarray,
    shown: np.ndarray,
    shading: np.ndarray,
    style: HairStyle,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Draw paths (n, S, 2), whole pixels, into a linear picture; shown (n, S): not behind the head.

    shading (3,) linear: of the hair's surroundings. scale: pixels per metre.
    """
    count = len(pixels)
    tone = rng.integers(0, TONES, count)
    pieces = np.stack([pixels[:, :-1], pixels[:, 1:]], 2)
    visible = shown[:, :-1] & shown[:, 1:]
    for under in (True, False):  # first broad and dark, then fine and light
        layer = (np.arange(count) < count // BROAD) == under
        thick = max(1, round(scale * style.width * (0.005 if under else 0.0012)))
        for number in range(TONES):
            chosen = layer & (tone == number)
            level = np.exp(0.4 * (2.0 * number / (TONES - 1) - 1.0) - 0.5 * under)
            found = pieces[chosen][visible[chosen]]
            colour = (style.colour * shading * level).tolist()
            cv2.polylines(picture, list(found), False, colour, thick, cv2.LINE_AA, 4)
