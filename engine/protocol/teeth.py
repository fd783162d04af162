"""Single teeth on the two bands that the head's teeth are: a layout along the arch, a picture.
Teeth that are modelled one by one, as some packs have them, get its enamel only.

The picture is drawn from the usual widths of teeth, so that nothing of anybody's is in it.
"""

import numpy as np

WIDTHS = (8.6, 6.6, 7.6, 7.1, 6.8, 10.4, 9.8)
"""Millimetres of the upper teeth from the middle to the back (Wheeler's Dental Anatomy)."""
CROWNS = (0.0115, 0.0095)
"""Metres of a crown, from its edge to the gum: upper, lower (Wheeler: 10.5 and 9 mm in the middle;
a little more, as a smile that opens no jaw would show the gum alone)."""
SINGLE = 6
"""Pieces of a jaw from which its teeth are modelled one by one (ours: a band is one piece)."""
ENAMEL_U, ENAMEL_V = 0.538, (0.02, 0.21)
"""Where the picture shows enamel from edge to neck: the middle of a front tooth, below its gum."""
HEIGHT, WIDTH = 256, 1024
"""Rows and columns of the picture: the upper jaw in the upper half, v up from the edges."""
ENAMEL = np.array([0.92, 0.875, 0.805])
NECK = np.array([0.85, 0.775, 0.66])
GUM = np.array([0.62, 0.33, 0.31])
GAP = np.array([0.42, 0.29, 0.23])
BEHIND = np.array([0.16, 0.07, 0.06])
"""sRGB, by eye in renders of smiles. The last: of the mouth past the rounded edges of teeth."""
SHORTER = (0.0, 0.10, 0.02, 0.08, 0.09, 0.10, 0.10)
"""Shares of a crown by which upper teeth end above the middle ones (Wheeler: the second 1.5 mm
shorter, the third reaches down again)."""
CHEEK_SHADE = 0.5
"""Share of its light that the last tooth lacks between the cheeks. Ours, by eye."""


def arch_uv(vertices: np.ndarray, quads: np.ndarray, upper: bool) -> np.ndarray:
    """(F, 4, 2) UV of one jaw's band: u along the arch, v from the teeth's edge to the gum.

    vertices (n, 3) metres in model space, quads (F, 4) among them. u = 1/2 lies between the front
    teeth; the widths of `WIDTHS` fill the arch. v takes the upper half of the picture, or the
    lower one, a crown's height being a quarter of the picture.
    """
    x, y, z = vertices.T
    middle = 0.5 * (x.min() + x.max())
    angle = np.arctan2(x - middle, z - z.min())
    along = _arc_length(angle, np.hypot(x - middle, z - z.min()))
    away = y - _edge(along, y) if upper else -y - _edge(along, -y)
    depth = np.clip(away / CROWNS[0 if upper else 1], 0.0, 1.9)
    u, v = 0.5 + 0.5 * along, np.maximum(0.25 * depth, 1.0 / HEIGHT)  # off the other jaw's gum
    if pieces_of(len(vertices), quads) >= SINGLE:
        u, v = np.full_like(u, ENAMEL_U), np.clip(v, ENAMEL_V[0], ENAMEL_V[1])
    v = v + (0.5 if upper else 0.0)
    return np.clip(np.stack([u, v], axis=-1), 0.002, 0.998)[quads].astype(np.float32)


def teeth_uv(vertices: np.ndarray, quads: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """(F, 4, 2) UV of both jaws (see `arch_uv`). upper (F,) bool: faces of the upper one."""
    uv = np.zeros((*quads.shape, 2), np.float32)
    for is_upper in (True, False):
        faces = quads[upper == is_upper]
        if len(faces):
            own, numbers = np.unique(faces, return_inverse=True)
            uv[upper == is_upper] = arch_uv(vertices[own], numbers.reshape(-1, 4), is_upper)
    return uv


def pieces_of(count: int, quads: np.ndarray) -> int:
    """Connected pieces of a mesh of `count` vertices, all of them in faces (F, 4): labels spread
    from neighbour to neighbour and jump to the label of their label (Shiloach & Vishkin 1982)."""
    label = np.arange(count)
    while True:
        lowest = label[quads].min(axis=1)
        new = label.copy()
        for corner in quads.T:
            np.minimum.at(new, corner, lowest)
        new = new[new]
        if (new == label).all():
            return len(np.unique(label))
        label = new


def _arc_length(angle: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(n,) in [-1, 1]: way along the outer rim to each angle, from the front; 1 at the back."""
    if not np.abs(angle).max() > 0.0 or not radius.max() > 0.0:
        return np.zeros_like(angle)  # no arch
    grid = np.linspace(0.0, np.abs(angle).max(), 25)
    near = np.abs(np.abs(angle)[:, None] - grid) < 1.5 * (grid[1] - grid[0])
    rim = np.where(near, radius[:, None], 0.0).max(axis=0)
    rim = np.interp(grid, grid[rim > 0.0], rim[rim > 0.0])
    points = np.stack([rim * np.sin(grid), rim * np.cos(grid)], axis=-1)
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(points, axis=0), axis=-1).cumsum()])
    return np.sign(angle) * np.interp(np.abs(angle), grid, way / way[-1])


def _edge(along: np.ndarray, height: np.ndarray) -> np.ndarray:
    """(n,) lowest height where a vertex is along the arch: the edges of teeth lie on a curve."""
    grid = np.linspace(0.0, 1.0, 15)
    near = np.abs(np.abs(along)[:, None] - grid) < 1.2 * grid[1]
    low = np.where(near, height[:, None], np.inf).min(axis=0)
    known = np.isfinite(low)
    return np.interp(np.abs(along), grid[known], low[known])


def teeth_picture() -> np.ndarray:
    """(HEIGHT, WIDTH, 3) sRGB in [0, 1], row 0 on top: both jaws."""
    lower = np.array(WIDTHS) * np.array([0.63, 0.85, 0.92, 1.0, 1.05, 1.08, 1.05])
    level = np.zeros(len(WIDTHS))
    return np.concatenate([_jaw(np.array(WIDTHS), np.array(SHORTER)), _jaw(lower, level)])


def _jaw(widths: np.ndarray, shorter: np.ndarray) -> np.ndarray:
    """(HEIGHT / 2, WIDTH, 3): gum above, edges of the teeth below. shorter: crowns, by tooth."""
    side = np.abs((np.arange(WIDTH) + 0.5) / WIDTH * 2.0 - 1.0)
    ends = np.concatenate([[0.0], widths.cumsum() / widths.sum()])
    number = np.clip(np.searchsorted(ends, side) - 1, 0, len(widths) - 1)
    size = (ends[1:] - ends[:-1])[number]
    inside = np.abs((side - ends[number]) / size * 2.0 - 1.0)  # 0 in a tooth's middle, 1 between
    depth = (1.0 - (np.arange(HEIGHT // 2) + 0.5) / (HEIGHT // 2)) * 2.0  # 0 edge, 1 at the gum
    side, short = side[None, :], shorter[number][None, :]
    inside, depth = np.broadcast_arrays(inside[None, :], depth[:, None])
    # a crown is narrower at its neck, round at its edge, and the gum rises between two teeth
    gap = np.clip((inside + 0.10 * depth**2 - 0.93) / 0.10, 0.0, 1.0) * (0.25 + 0.6 * depth)
    behind = np.clip((short + 0.17 * inside**6 - depth) / 0.05, 0.0, 1.0)
    gum = np.clip((depth - (1.0 - 0.30 * inside**2)) / 0.06, 0.0, 1.0)
    cheeks = 1.0 - CHEEK_SHADE * np.clip(side - 0.3, 0.0, 1.0)[..., None]
    yellow = np.clip((depth - 0.35) / 0.8 + 0.5 * side, 0.0, 1.0)[..., None]
    colour = (ENAMEL + yellow * (NECK - ENAMEL)) * (1.0 - 0.20 * inside**4)[..., None]
    for share, other in ((gap, GAP), (gum, GUM), (behind, BEHIND)):
        colour = colour + np.clip(share, 0.0, 1.0)[..., None] * (other - colour)
    return colour * cheeks
