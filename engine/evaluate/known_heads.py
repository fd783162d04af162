"""Heads whose albedo is known, as scenes: their own meshes, or a skin map on our own head."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from ..fit.loaded import CUTOUT_PARTS, EYE_PARTS, SKIN_PART, LoadedPack
from ..fit.pictures import PART_COLOURS, pad_seams, part_texture
from ..protocol.conventions import linear_to_srgb, srgb_to_linear
from ..protocol.errors import EngineError, ErrorCode


@dataclass(frozen=True, eq=False)
class ScenePart:
    """A mesh with a texture: vertices (V, 3) model space; triangles (T, 3); uv (T, 3, 2), v up;
    texture (H, W, 3) sRGB in [0, 1], its albedo."""

    vertices: torch.Tensor
    triangles: torch.Tensor
    uv: torch.Tensor
    texture: np.ndarray


@dataclass(frozen=True, eq=False)
class KnownHead:
    """parts: the skin first."""

    name: str
    parts: tuple[ScenePart, ...]


def own_head(
    name: str,
    vertices: torch.Tensor,
    skin: np.ndarray,
    loaded: LoadedPack,
    eyes: np.ndarray | None = None,
) -> KnownHead:
    """A skin map (T, T, 3) sRGB of our layout, worn by our head of vertices (V, 3).

    eyes (3,): factor on the linear colour of the pack's eyes.
    """
    head = loaded.head
    uv = torch.from_numpy(head.triangle_uv)
    of_part = np.repeat(head.face_part, 2)
    parts = []
    for number, part in enumerate(head.part_names):
        if part in CUTOUT_PARTS:
            continue
        colour = linear_to_srgb(np.array(PART_COLOURS.get(part, (1.0, 1.0, 1.0))))
        own = pad_seams(skin, loaded) if part == SKIN_PART else part_texture(loaded, part)
        texture = np.tile(colour, (2, 2, 1)) if own is None else own[..., :3]
        if eyes is not None and part in EYE_PARTS:
            texture = linear_to_srgb(np.clip(srgb_to_linear(texture) * eyes, 0.0, 1.0))
        chosen = torch.from_numpy(np.flatnonzero(of_part == number))
        piece = _compact(vertices, loaded.triangles[chosen])
        parts.append(ScenePart(*piece, uv[chosen], texture.astype(np.float32)))
    return KnownHead(name, tuple(parts))


def _compact(vertices: torch.Tensor, triangles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The vertices that the triangles use, and the triangles by their new numbers."""
    used, renumbered = torch.unique(triangles, return_inverse=True)
    return vertices[used], renumbered


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), triangles (T, 3) and corner UVs (T, 3, 2) of a Wavefront OBJ.

    Polygons are cut into fans. Raises EngineError(BAD_INPUT).
    """
    vertices, uv, corners = [], [], []
    try:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if not words:
                continue
            if words[0] == "v":
                vertices.append([float(word) for word in words[1:4]])
            elif words[0] == "vt":
                uv.append([float(word) for word in words[1:3]])
            elif words[0] == "f":
                polygon = [[int(n) for n in word.split("/")[:2]] for word in words[1:]]
                corners += [[polygon[0], a, b] for a, b in pairwise(polygon[1:])]
        index = np.asarray(corners, np.int64) - 1
        places = np.asarray(uv, np.float32)[index[..., 1]]
        return np.asarray(vertices, np.float32), index[..., 0], places
    except (OSError, ValueError, IndexError) as error:
        raise EngineError(
            ErrorCode.BAD_INPUT, f"{path.name} is no mesh with texture coordinates: {error}."
        ) from error


def foreign_head(name: str, meshes: Sequence[tuple[Path, np.ndarray]]) -> KnownHead:
    """A head of somebody else's: OBJ files with their albedo (H, W, 3) sRGB, the skin first.

    y up, +z out of the face, any unit. Raises EngineError(BAD_INPUT).
    """
    parts = []
    for path, texture in meshes:
        vertices, triangles, uv = read_obj(path)
        arrays = (vertices, triangles, uv)
        parts.append(ScenePart(*(torch.from_numpy(array) for array in arrays), texture))
    return KnownHead(name, tuple(parts))
