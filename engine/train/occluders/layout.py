"""What made up looks need of a head pack, and the skins they are of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional

from ...head.normals import vertex_normals
from ...nets.occluders import LAYOUT, window
from ...protocol.albedo import AlbedoEncoder, prepare_encoder
from ...protocol.albedo_pack import AlbedoModel
from ...protocol.errors import EngineError, ErrorCode
from ...protocol.headpack import HeadPack
from ...render.atlas import build_atlas, texel_values
from ..maps import read_map

KEPT = 40
"""Components of the albedo model that a made up coarse albedo has. Ours: enough to look fitted."""
RIDGE = 1.0
LIDS, SURROUNDINGS = 0.6, 0.15
"""How far lids count as openings, and the weight of texels outside the face. Ours."""


@dataclass(frozen=True, eq=False)
class Layout:
    """What stays the same in the window (128, 128): normals (…, 3) unit, model space, of the mean
    head; trained (…) in [0, 1]: how much a texel counts; openings (…) in [0, 1]: eyes and mouth.
    model: its first components, at 256 texels a side; encoder: of its coefficients."""

    model: AlbedoModel
    encoder: AlbedoEncoder
    normals: np.ndarray
    trained: np.ndarray
    openings: np.ndarray


def build_layout(head: HeadPack, model: AlbedoModel) -> Layout:
    """Raises EngineError(BAD_SETTINGS) for a model of another size than 256."""
    if model.valid.shape != (LAYOUT, LAYOUT):
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"The albedo model has {model.valid.shape[0]} texels a side, {LAYOUT} were expected.",
            "Train with the default pack.",
        )
    few = AlbedoModel(
        model.mean,
        np.ascontiguousarray(model.basis[:, :KEPT]),
        model.sigma[:, :KEPT],
        model.valid,
        model.covariance,
    )
    triangles = torch.from_numpy(head.triangles.astype(np.int64))
    skin = torch.from_numpy(head.face_part == head.part_names.index("skin"))
    atlas = build_atlas(torch.from_numpy(head.corner_uv), LAYOUT, skin)
    vertices = torch.from_numpy(head.mean).float()
    normals = texel_values(vertex_normals(vertices, triangles), triangles, atlas)
    normals = functional.normalize(normals, dim=-1).numpy()

    def mask(name: str) -> np.ndarray:
        small = cv2.resize(head.uv_masks[name], (LAYOUT, LAYOUT), interpolation=cv2.INTER_AREA)
        return small.astype(np.float32)

    openings = np.maximum.reduce([mask("sockets"), mask("mouth"), LIDS * mask("lids")])
    trained = np.maximum(mask("face"), SURROUNDINGS) * atlas.valid.numpy()
    encoder = prepare_encoder(few.mean, few.basis, few.valid, None, RIDGE)
    return Layout(few, encoder, window(normals), window(trained), window(openings))


@dataclass(frozen=True, eq=False)
class Skins:
    """Skin maps by number, with the coefficients that the albedo model gives them."""

    files: Sequence[Path]
    layout: Layout

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """(256, 256, 3) sRGB and (3, K). Raises EngineError(BAD_INPUT) for an unreadable map."""
        skin = read_map(self.files[index % len(self.files)], LAYOUT).unit()
        return skin, self.layout.encoder.encode(skin)
