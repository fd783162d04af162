"""Lids that close: blinks whose edges meet, and keys that take back what would keep them open.

The pack's blink is one shape for every head; on a given one it goes too far or not far enough.
Here its path is scaled along the lid so that the edges just meet, and kept off the eyeball.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...engine.protocol.result import ResultMesh
from .margins import Lids, find_lids

SIDES = ("Left", "Right")
BLINK = "eyeBlink"
EYEBALLS = {"Left": "eye_left", "Right": "eye_right"}
LASHES = ("lashes_left", "lashes_right")
OVERLAP = 0.0004
"""Metres by which closed lids overlap. Ours: below it the white shines through in renders."""
LOWER_SHARE = 0.35
"""How much of the pack's movement of the lower lid stays: a blink is nearly all upper lid."""
CORNER = 0.0015
"""Metres above and below the corners' line over which upper turns into lower lid."""
CLEARANCE = 0.0010
"""Metres that a closed lid keeps from the eyeball at most. Ours, with `ARCH`."""
ARCH = 0.12
"""Share of its way that a lid comes forward: the keys move straight and the ball is round, so half
closed it would cut in by way^2 / (8 radius), about that much."""
LEAST_SCALE, MOST_SCALE = 0.35, 1.6


def with_closing_blinks(
    mesh: ResultMesh, part_names: Sequence[str], names: Sequence[str]
) -> ResultMesh:
    """The mesh with blink shapes (rows of `expression`) that close its own lids.

    A mesh without lids, or blinks, comes back as it is.
    """
    parts = list(part_names)
    skin = mesh.face_part == parts.index("skin") if "skin" in parts else None
    if skin is None or not skin.any():
        return mesh
    on_lids = np.isin(mesh.face_part, [parts.index(n) for n in LASHES if n in parts])
    lashes = np.unique(mesh.quads[on_lids])
    expression = mesh.expression.astype(np.float32)
    changed = False
    for side in SIDES:
        name, ball = BLINK + side, EYEBALLS[side]
        if name not in names or ball not in parts:
            continue
        chosen = mesh.face_part == parts.index(ball)
        lids = find_lids(
            mesh.neutral, mesh.quads[skin], mesh.corner_uv[skin], np.unique(mesh.quads[chosen])
        )
        if lids is not None:
            row = list(names).index(name)
            before = expression[row].copy()
            expression[row] = closing(mesh.neutral, before, lids)
            expression[row, lashes] = riding(mesh.neutral, before, expression[row], lids, lashes)
            changed = True
    return replace(mesh, expression=expression) if changed else mesh


def closing(
    neutral: np.ndarray, blink: np.ndarray, lids: Lids, lower_share: float = LOWER_SHARE
) -> np.ndarray:
    """(V, 3) the blink's shape with its edges just meeting. neutral, blink (V, 3) metres.

    lower_share: how much of the lower lid's movement stays; 1 for a blink that was corrected.

    Ours: at each x the upper lid's movement is scaled by (opening + overlap) / (its way down).
    """
    x, upper_y, upper_way = _along(neutral, blink, lids.upper)
    grid = np.linspace(x.min(), x.max(), 48)
    top, way = np.interp(grid, x, upper_y), np.interp(grid, x, upper_way)
    x, lower_y, lower_way = _along(neutral, blink, lids.lower)
    bottom = np.interp(grid, x, lower_y) + lower_share * np.interp(grid, x, lower_way)
    opening = np.maximum(top - bottom, 0.0)
    scale = np.clip((opening + OVERLAP) / np.maximum(-way, 0.002), LEAST_SCALE, MOST_SCALE)
    scale = np.convolve(np.pad(scale, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    middle = np.interp(neutral[:, 0], grid, 0.5 * (top + np.interp(grid, x, lower_y)))
    above = np.clip((neutral[:, 1] - middle) / CORNER * 0.5 + 0.5, 0.0, 1.0)
    share = lower_share + above * (np.interp(neutral[:, 0], grid, scale) - lower_share)
    moved = blink * share[:, None]
    return (moved + _off_the_ball(neutral, moved, lids)).astype(np.float32)


def riding(
    neutral: np.ndarray, before: np.ndarray, after: np.ndarray, lids: Lids, lashes: np.ndarray
) -> np.ndarray:
    """(n, 3) movement of lashes that stay on the edges of their lids.

    before, after (V, 3): the blink as the pack has it, and corrected. They go with the three
    nearest points of the edge, and turn as they did, by the share of the way that is left.
    """
    edge = np.concatenate([lids.upper, lids.lower[1:-1]])
    away = np.linalg.norm(neutral[lashes][:, None] - neutral[edge], axis=-1)
    near = np.argpartition(away, 3, axis=1)[:, :3]
    weight = 1.0 / np.maximum(np.take_along_axis(away, near, axis=1), 1e-5)
    weight = (weight / weight.sum(axis=1, keepdims=True))[..., None]
    old, new = ((weight * shape[edge][near]).sum(axis=1) for shape in (before, after))
    length = np.linalg.norm(old, axis=1, keepdims=True)
    share = np.linalg.norm(new, axis=1, keepdims=True) / np.maximum(length, 1e-5)
    return new + (before[lashes] - old) * np.minimum(share, 1.0)


def _along(
    neutral: np.ndarray, blink: np.ndarray, edge: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x where an edge of a lid arrives, its height at rest, its way up; sorted by x."""
    place = neutral[edge]
    order = place[:, 0].argsort()
    return place[order, 0], place[order, 1], blink[edge][order, 1]


def _off_the_ball(neutral: np.ndarray, moved: np.ndarray, lids: Lids) -> np.ndarray:
    """(V, 3) what lids that lie outside the ball at rest still need to stay outside."""
    before = np.linalg.norm(neutral - lids.centre, axis=1) - lids.radius
    place = neutral + moved - lids.centre
    away = np.linalg.norm(place, axis=1)
    way = np.linalg.norm(moved, axis=1)
    least = np.minimum(before, CLEARANCE) + ARCH * way
    outside = (before > -0.0003) & (before < 0.5 * lids.radius) & (place[:, 2] > 0.0)
    push = np.where(outside, np.maximum(lids.radius + least - away, 0.0), 0.0)
    push = push * np.clip(way / 0.001, 0.0, 1.0)
    return push[:, None] * place / np.maximum(away, 1e-9)[:, None]
