"""The 52 ARKit shapes on the control head."""

import numpy as np

from .topology import edge_table
from .wheel import ARKIT_TARGETS, SOURCE_VERTICES, AnnyWheel

ARKIT_NAMES = (
    "browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff "
    "cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft "
    "eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft "
    "eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft "
    "jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft "
    "mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight "
    "mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower mouthRollUpper "
    "mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft "
    "mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight tongueOut"
).split()
"""Apple's 52 blend shape names (ARFaceAnchor.BlendShapeLocation), alphabetical."""


def read_expressions(wheel: AnnyWheel, skin_quads: np.ndarray) -> np.ndarray:
    """(52, 19158, 3) f64 deltas over the hm08 vertices in metres, in the order of ARKIT_NAMES.

    skin_quads (F, 4): hm08 indices of the head's skin. The eye shapes are cleaned (see
    `keep_main_piece`): the blinks also lift the palate by 8 mm in the source data.
    """
    deltas = np.zeros((len(ARKIT_NAMES), SOURCE_VERTICES, 3))
    for k, name in enumerate(ARKIT_NAMES):
        index, delta = wheel.read_target(f"{ARKIT_TARGETS}{name}.target")
        deltas[k, index] = delta
        if name.startswith("eye"):
            deltas[k] = keep_main_piece(deltas[k], skin_quads)
    return deltas


def keep_main_piece(delta: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Delta (V, 3) without the pieces of the moved surface that hang apart from the main one.

    quads (F, 4): the surface; vertices outside it are left alone. The main piece holds the
    vertex that moves most; pieces are joined over edges with two moved ends.
    """
    size = np.linalg.norm(delta, axis=1)
    on_surface = np.zeros(len(delta), dtype=bool)
    on_surface[np.unique(quads)] = True
    edges, _ = edge_table(quads)
    edges = edges[(size[edges] > 0.0).all(axis=1)]
    kept = np.zeros(len(delta), dtype=bool)
    kept[np.where(on_surface, size, 0.0).argmax()] = True
    while True:
        grown = kept.copy()
        grown[edges[kept[edges].any(axis=1)].ravel()] = True
        if np.array_equal(grown, kept):
            break
        kept = grown
    return np.where((kept | ~on_surface)[:, None], delta, 0.0)
