"""A sheet of skin in model space, as the wear tests use it."""

import numpy as np

from engine.wear.worn import WornMesh, worn_mesh

SIDE = 12
"""Vertices a side; the sheet is 12 cm wide, so that an end of it fades."""
WIDTH = 0.12


def sheet(side: int = SIDE, bend: float = 0.02) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """vertices (V, 3), faces (F, 4), corner_uv (F, 4, 2) over [0, 1]: a curved sheet."""
    s, t = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side), indexing="xy")
    height = bend * np.sin(2.0 * s) * np.cos(1.5 * t)
    vertices = np.stack([WIDTH * s, WIDTH * t, height], axis=-1).reshape(-1, 3)
    uv = np.stack([s, t], axis=-1).reshape(-1, 2)
    i = np.arange(side - 1)
    first = (i[:, None] * side + i).reshape(-1)
    faces = np.stack([first, first + 1, first + side + 1, first + side], axis=1).astype(np.int32)
    return vertices, faces, uv[faces]


def worn_sheet(matched: np.ndarray | None = None) -> WornMesh:
    """The sheet; its own layout is the FFHQ-UV one."""
    vertices, faces, uv = sheet()
    known = np.ones(len(vertices), dtype=bool) if matched is None else matched
    return worn_mesh(vertices, faces, np.arange(len(vertices)), known, uv)


def turned(uv: np.ndarray) -> np.ndarray:
    """UVs turned by a quarter about the middle of the tile: (u, v) -> (1 - v, u)."""
    return np.stack([1.0 - uv[..., 1], uv[..., 0]], axis=-1)


def bumps(size: int) -> np.ndarray:
    """(S, S, 3) a smooth colourful picture in [0, 1]."""
    x, y = np.meshgrid(np.linspace(0, 3, size), np.linspace(0, 3, size), indexing="xy")
    waves = [np.sin(2 * x + y), np.cos(3 * y), np.sin(x - 2 * y)]
    return (0.5 + 0.4 * np.stack(waves, axis=-1)).astype(np.float32)
