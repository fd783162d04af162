"""The origin map: where each texel of the albedo comes from."""

import numpy as np

SEEN, MIRRORED, COMPLETED = np.float32(1.0), np.float32(2.0 / 3.0), np.float32(1.0 / 3.0)
"""Grey levels of `maps/origin.png`; 0 outside the layout."""

ORIGIN_COLOURS = ((0.48, 0.80, 0.48), (0.40, 0.60, 0.84), (0.93, 0.62, 0.35))
"""sRGB of seen, mirrored, completed. Ours: green, blue and orange are told apart with most
colour weaknesses, and Blender has icons of these colours for the legend."""
OUTSIDE_COLOUR = (0.1, 0.1, 0.1)


def origin_picture(levels: np.ndarray) -> np.ndarray:
    """(H, W, 3) f32 sRGB: the map (H, W) of grey levels in [0, 1] in `ORIGIN_COLOURS`."""
    steps = np.array([0.0, COMPLETED, MIRRORED, SEEN], dtype=np.float32)
    colours = np.array([OUTSIDE_COLOUR, *reversed(ORIGIN_COLOURS)], dtype=np.float32)
    return colours[np.abs(levels[..., None] - steps).argmin(axis=-1)]
