"""A smooth map of space from the default head at rest to the head laid on a mesh."""

from dataclasses import dataclass

import numpy as np

from ..protocol.headpack import HeadPack
from .registration import ThinPlate, fit_thin_plate
from .template import INNER_GROUPS, SKIN

CENTRES = 500
FINE_CENTRES = 300
"""Points of the skin that the map goes through, spread evenly; further ones on lids and lips."""
FINE_GROUPS = ("eyelids_left", "eyelids_right", "lips")
SMOOTHING = 0.0005
"""Of the spline, metres. Ours: the map misses its points by a tenth of a millimetre."""
_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Warp:
    """A thin-plate spline in space."""

    spline: ThinPlate

    def apply(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) where points (n, 3) near the default head at rest go."""
        parts = [points[k : k + _CHUNK] for k in range(0, len(points), _CHUNK)]
        return np.concatenate([part + self.spline.displacement(part) for part in parts] or [points])


def warp_between(template: HeadPack, laid: np.ndarray) -> Warp:
    """The map that takes the default head at rest to `laid` (Vt, 3)."""
    rest, chosen = template.mean.astype(np.float64), warp_centres(template)
    return Warp(fit_thin_plate(rest[chosen], laid[chosen], SMOOTHING))


def warp_centres(template: HeadPack) -> np.ndarray:
    """(n,) vertices of the skin that the map goes through."""
    faces = template.quads[template.face_part == template.part_names.index(SKIN)]
    members = np.unique(faces)
    inner = np.maximum.reduce([template.groups[name] for name in INNER_GROUPS])
    outer = members[inner[members] < 0.5]
    fine = np.maximum.reduce([template.groups[name] for name in FINE_GROUPS])
    rest = template.mean.astype(np.float64)
    chosen = spread_points(rest, outer, CENTRES)
    return np.union1d(chosen, spread_points(rest, outer[fine[outer] > 0.3], FINE_CENTRES))


def spread_points(points: np.ndarray, members: np.ndarray, count: int) -> np.ndarray:
    """`count` of the members, each the farthest from those before (Gonzalez 1985)."""
    chosen = [int(members[0])]
    distance = np.linalg.norm(points[members] - points[members[0]], axis=1)
    for _ in range(min(count, len(members)) - 1):
        far = int(distance.argmax())
        chosen.append(int(members[far]))
        distance = np.minimum(
            distance, np.linalg.norm(points[members] - points[members[far]], axis=1)
        )
    return np.array(chosen)
