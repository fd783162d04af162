"""The default head as registration uses it: what is skin, what is inside, where landmarks lie."""

from dataclasses import dataclass

import numpy as np

from ..fit.shape.landmark_basis import landmark_basis
from ..protocol.headpack import HeadPack

SKIN = "skin"
INNER_GROUPS = ("sockets", "mouth")
INNER_SHARE = 0.5
"""Mean of the groups over a triangle from which it lies inside."""
LASHES = "lashes"


@dataclass(frozen=True, eq=False)
class Template:
    """head; skin (T,) bool over head.triangles; outer (T,) bool: skin that can be seen from
    outside with open eyes and lips; shown (T,) bool: what pictures draw (no lashes);
    modes (K + E, V, 3) f64: identity, then expression; landmarks (468, 3) of the mean head."""

    head: HeadPack
    skin: np.ndarray
    outer: np.ndarray
    shown: np.ndarray
    modes: np.ndarray
    landmarks: np.ndarray
    weight: np.ndarray

    @property
    def identities(self) -> int:
        """K."""
        return len(self.head.identity)

    def shape(self, coefficients: np.ndarray) -> np.ndarray:
        """(V, 3) f64 metres: the head of coefficients (K + E,)."""
        return self.head.mean + np.tensordot(coefficients, self.modes, 1)


def read_template(head: HeadPack) -> Template:
    """The template of a head pack in the FFHQ-UV layout."""
    part = np.repeat(head.face_part, 2)
    skin = part == head.part_names.index(SKIN)
    inner = np.maximum.reduce([head.groups[name] for name in INNER_GROUPS])
    outer = skin & (inner[head.triangles].mean(axis=1) < INNER_SHARE)
    lashes = [k for k, name in enumerate(head.part_names) if name.startswith(LASHES)]
    modes = np.concatenate([head.identity, head.expression]).astype(np.float64)
    basis = landmark_basis(head, head.landmarks468)
    shown = ~np.isin(part, lashes)
    return Template(head, skin, outer, shown, modes, basis.mean, basis.weight)


def embedded(values: np.ndarray, head: HeadPack, name: str = "landmarks468") -> np.ndarray:
    """(n, 3) places of embedded landmarks on vertices (V, 3)."""
    embedding = getattr(head, name)
    corners = values[head.triangles[embedding.triangles]]
    return np.einsum("lk,lkc->lc", embedding.barycentric.astype(np.float64), corners)
