"""Our own eyeball: a sphere of quads about the gaze axis.

MakeHuman's helper eye (72 vertices, an exact sphere) only says where the eye is, how large it
is and how it turns; this mesh follows it rigidly (translation, uniform scale, rotation).
"""

from itertools import pairwise

import numpy as np

from .subdivide import Subdivision, subdivide

SEGMENTS = 12
"""Around the gaze axis; a 3 x 3 grid of quads closes each pole, so that all faces are quads."""
RING_ANGLES = np.radians([20.0, 31.0, 44.0, 66.0, 95.0, 128.0, 160.0])
"""Polar angles of the rings, from the gaze axis (ours: dense at the iris, sparse behind)."""
UV_ANGLE = np.radians(110.0)
"""Polar angle at the rim of the eye texture; what lies behind is never seen."""
UV_RADIUS = 0.49


def _cap() -> tuple[np.ndarray, np.ndarray]:
    """Unit disc as a 3 x 3 grid: positions (16, 2), rim first (counter-clockwise), quads (9, 4)."""
    grid = [(i, j) for j in range(4) for i in range(4)]
    rim = [(3, 1), (3, 2), (3, 3), (2, 3), (1, 3), (0, 3), (0, 2), (0, 1), (0, 0), (1, 0), (2, 0)]
    rim.append((3, 0))
    order = rim + [cell for cell in grid if cell not in rim]
    index = {cell: k for k, cell in enumerate(order)}
    angle = (np.arange(SEGMENTS) - 0.5) * 2.0 * np.pi / SEGMENTS
    disc = np.zeros((16, 2))
    disc[:SEGMENTS] = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inner = np.array(order[SEGMENTS:], dtype=np.float64) - 1.5
    disc[SEGMENTS:] = inner * 0.75
    quads = [
        [index[i, j], index[i + 1, j], index[i + 1, j + 1], index[i, j + 1]]
        for j in range(3)
        for i in range(3)
    ]
    return disc, np.array(quads)


def eyeball_quads_and_angles() -> tuple[np.ndarray, np.ndarray]:
    """Topology quads (90, 4) i64 and polar coordinates (92, 2): angle from the axis, azimuth."""
    disc, cap = _cap()
    radius, azimuth = np.hypot(*disc.T), np.arctan2(disc[:, 1], disc[:, 0])
    front = np.stack([radius * RING_ANGLES[0], azimuth], axis=1)
    rings = [front]
    starts = [0]
    for angle in RING_ANGLES[1:-1]:
        starts.append(sum(len(r) for r in rings))
        rings.append(np.stack([np.full(SEGMENTS, angle), azimuth[:SEGMENTS]], axis=1))
    starts.append(sum(len(r) for r in rings))
    back = np.stack([np.pi - radius * (np.pi - RING_ANGLES[-1]), azimuth], axis=1)
    rings.append(back)
    quads = [cap, cap[:, ::-1] + starts[-1]]
    step = np.arange(SEGMENTS)
    following = (step + 1) % SEGMENTS
    for a, b in pairwise(starts):
        quads.append(np.stack([a + step, b + step, b + following, a + following], axis=1))
    return np.concatenate(quads), np.concatenate(rings)


def _on_sphere(polar: np.ndarray) -> np.ndarray:
    """(n, 2) polar angle and azimuth to (n, 3) unit vectors; the gaze axis is +z."""
    sine = np.sin(polar[:, 0])
    return np.stack(
        [sine * np.cos(polar[:, 1]), sine * np.sin(polar[:, 1]), np.cos(polar[:, 0])], axis=1
    )


def eyeball_template() -> tuple[np.ndarray, np.ndarray, Subdivision]:
    """Control vertices (92, 3), quads (90, 4) and the subdivision of a unit eyeball.

    The control vertices are chosen (least squares, a few rounds) so that the vertices after one
    Catmull-Clark step lie on the unit sphere.
    """
    quads, polar = eyeball_quads_and_angles()
    step = subdivide(quads, len(polar))
    operator = step.apply(np.eye(len(polar)))
    control = _on_sphere(polar)
    for _ in range(5):
        fine = operator @ control
        wanted = fine / np.linalg.norm(fine, axis=1, keepdims=True)
        control = np.linalg.lstsq(operator, wanted, rcond=None)[0]
    return control, quads, step


def eyeball_uv(directions: np.ndarray) -> np.ndarray:
    """(n, 3) offsets from the eye's centre to (n, 2) UV of the eye texture.

    Azimuthal equidistant about the gaze axis (+z), so that the iris is a disc at the centre;
    the radius grows with the polar angle up to UV_ANGLE and then stays.
    """
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    polar = np.arccos(np.clip(unit[:, 2], -1.0, 1.0))
    radius = UV_RADIUS * np.minimum(polar / UV_ANGLE, 1.0)
    flat = np.maximum(np.hypot(unit[:, 0], unit[:, 1]), 1e-9)
    return 0.5 + radius[:, None] * unit[:, :2] / flat[:, None]


def follow_helper(
    helper: np.ndarray, helper_delta: np.ndarray, template: np.ndarray, scale: float
) -> np.ndarray:
    """Deltas (..., n, 3) of an eyeball that follows its helper's deltas (..., m, 3) linearly.

    Translation by the helper's mean, uniform scale by its mean radial growth (first order):
    no shear, no rotation. helper (m, 3) and template (n, 3) are metres and unit; `scale` is the
    eyeball's radius over the helper's.
    """
    offsets = helper - helper.mean(axis=0)
    shift = helper_delta.mean(axis=-2, keepdims=True)
    growth = ((helper_delta - shift) * offsets).sum(axis=(-2, -1)) / (offsets**2).sum()
    radius = np.linalg.norm(offsets, axis=1).mean() * scale
    return shift + growth[..., None, None] * radius * template


def rotation_between(helper: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that best carries helper (m, 3) to moved (m, 3) (Kabsch 1976)."""
    u, _, vt = np.linalg.svd((moved - moved.mean(axis=0)).T @ (helper - helper.mean(axis=0)))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return u @ flip @ vt
