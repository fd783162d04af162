"""Everything that random photos need of a head pack, prepared once and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ...fit.shape.landmark_basis import LandmarkBasis, landmark_basis
from ...protocol.conventions import BYTE_MAX, bytes_to_unit, srgb_to_linear
from ...protocol.headpack import HeadPack, split_quads
from .lights import sphere, visibility

CUTOUTS = ("lashes_left", "lashes_right")
"""Not drawn: cards with alpha. The skin maps have dark lid margins."""
MAP_SIZE = 256
"""Texels a side of the skins that are drawn."""

_LINEAR = srgb_to_linear(bytes_to_unit(np.arange(BYTE_MAX + 1, dtype=np.uint8))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Stage:
    """A coarse version of the head: the corners of groups of four quads where the pack's mesh was
    subdivided once, else all of it.

    mean (V, 3), identity (K, V, 3), expression (E, V, 3): float32, metres. triangles (T, 3) int64;
    uv (T, 3, 2) v up; part (T,) index into part_names. scalp, neck (V,) in [0, 1]. hair (S, S) in
    [0, 1]: where hair grows, over the layout. directions (D, 3), seen (V, D): see `lights`.
    eye (H, W, 3) linear.
    landmarks: of the whole model, float64.
    """

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    expression_names: tuple[str, ...]
    part_names: tuple[str, ...]
    triangles: np.ndarray
    uv: np.ndarray
    part: np.ndarray
    scalp: np.ndarray
    neck: np.ndarray
    hair: np.ndarray
    directions: np.ndarray
    seen: np.ndarray
    eye: np.ndarray
    landmarks: LandmarkBasis
    skins: Sequence[Path]


def build_stage(head: HeadPack, skins: Sequence[Path]) -> Stage:
    """Prepare a head. skins: files of skin maps in the UV layout, at least one.

    The pack's eye texture is used where there is one.
    """
    quads, corner_uv, part = _coarse(head)
    drawn = ~np.isin(part, [head.part_names.index(n) for n in CUTOUTS if n in head.part_names])
    quads, corner_uv, part = quads[drawn], corner_uv[drawn], part[drawn]
    used, flat = np.unique(quads, return_inverse=True)
    triangles = split_quads(flat.reshape(quads.shape)).astype(np.int64)
    mean = head.mean[used]
    directions = sphere()
    return Stage(
        mean,
        np.ascontiguousarray(head.identity[:, used]),
        np.ascontiguousarray(head.expression[:, used]),
        head.expression_names,
        head.part_names,
        triangles,
        split_quads(corner_uv),
        np.repeat(part, 2),
        head.groups["scalp"][used],
        head.groups["neck"][used],
        cv2.resize(head.uv_masks["scalp"], (MAP_SIZE, MAP_SIZE), interpolation=cv2.INTER_AREA),
        directions,
        visibility(mean, triangles, directions),
        _eye(head.folder / "textures" / "eye.png"),
        landmark_basis(head, head.landmarks468),
        tuple(skins),
    )


def _coarse(head: HeadPack) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quads, their corner UVs and parts, four to one where they are children of one quad."""
    groups = head.quads.reshape(-1, 4, 4) if len(head.quads) % 4 == 0 else np.zeros((1, 4, 4))
    # Children of a quad share its middle: the third corner of each (Catmull & Clark 1978).
    if not (groups[:, :, 2] == groups[:, :1, 2]).all() or not len(groups):
        return head.quads, head.corner_uv, head.face_part
    return groups[:, :, 0], head.corner_uv.reshape(-1, 4, 4, 2)[:, :, 0], head.face_part[::4]


def _eye(path: Path) -> np.ndarray:
    if not path.is_file():
        return np.full((8, 8, 3), 0.6, np.float32)
    with Image.open(path) as image:
        pixels = bytes_to_unit(np.asarray(image.convert("RGB").resize((MAP_SIZE, MAP_SIZE))))
    return srgb_to_linear(pixels).astype(np.float32)


def read_skin(stage: Stage, number: int) -> np.ndarray:
    """(S, S, 3) float32 linear albedo of a skin map."""
    with Image.open(stage.skins[number % len(stage.skins)]) as image:
        pixels = np.asarray(image.convert("RGB"))
    if pixels.shape[0] != MAP_SIZE:
        pixels = cv2.resize(pixels, (MAP_SIZE, MAP_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(_LINEAR[pixels])
