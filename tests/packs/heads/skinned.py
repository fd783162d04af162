"""A head model as others might release it: another person's skin alone, renumbered, partly of
triangles, its origin elsewhere. Made of the default head, so that the right answers are known."""

from dataclasses import dataclass

import numpy as np

from engine.packs.heads.source import HeadSource, check_source
from engine.protocol.headpack import HeadPack
from engine.protocol.pack_manifest import PackPart

OFFSET = np.array([0.02, 1.6, -0.3], np.float32)
"""Where its makers put the origin: on the floor."""
JAW = 1.3
"""Its own jawOpen against the default head's."""


@dataclass(frozen=True)
class Known:
    """source: what an adapter would deliver. person (V, 3): the default head of that person.
    number (V,): vertex of the default head -> vertex of the source, -1 where it has none.
    rows: of the default head's identity."""

    source: HeadSource
    person: np.ndarray
    number: np.ndarray
    rows: np.ndarray


def skinned_source(head: HeadPack) -> Known:
    """See the module. Everything but the skin is left out; every third quad is cut."""
    rng = np.random.default_rng(0)
    skin = head.face_part == head.part_names.index("skin")
    used = np.unique(head.quads[skin])
    order = rng.permutation(len(used))
    number = np.full(len(head.mean), -1)
    number[used] = order
    person = head.mean + 1.5 * head.identity[0] - head.identity[1]
    cut = np.arange(skin.sum()) % 3 == 0

    def halved(values: np.ndarray) -> np.ndarray:
        halves = [values[cut][:, corners] for corners in ([0, 1, 2, 2], [0, 2, 3, 3])]
        return np.concatenate([values[~cut], *halves])

    faces = halved(number[head.quads[skin]]).astype(np.int32)
    rows = np.array([2, 3])

    def placed(values: np.ndarray) -> np.ndarray:
        """(..., V, 3) in the source's order, and one vertex that no face has."""
        out = np.zeros((*values.shape[:-2], len(used) + 1, 3), np.float32)
        out[..., order, :] = values[..., used, :]
        return out

    jaw = head.expression_names.index("jawOpen")
    own = np.stack([JAW * head.expression[jaw], 0.5 * head.expression[jaw]])
    source = HeadSource(
        id="skinned",
        version="1.0.0",
        parts=(PackPart("head", "a test", "CC0-1.0", "this project", ""),),
        mean=placed(person) + OFFSET,
        identity=placed(head.identity[rows]),
        expression=placed(own),
        expression_names=("jawOpen", "chatter"),
        faces=faces,
        face_part=np.zeros(len(faces), np.uint8),
        part_names=("skin",),
        corner_uv=halved(head.corner_uv[skin]),
    )
    return Known(check_source(source, "skinned"), person, number, rows)
