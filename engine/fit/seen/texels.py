"""What the photo says about each texel: the step from image space to UV space."""

from dataclasses import dataclass

import numpy as np
import torch

from ...head.camera import Camera
from ...head.normals import unit, vertex_normals
from ...render.atlas import Atlas, facing_atlas, texel_values, visible_texels
from ...render.interpolate import to_image
from ...render.texture import sample_image


@dataclass(frozen=True)
class TexelObservation:
    """One photo seen from the texels of the skin's UV layout (S x S, row 0 on top).

    position, normal (S, S, 3) model space, metres and unit; colour (S, S, 3) linear RGB of the
    photo at the texel; facing (S, S) cosine between normal and view; visible (S, S) bool;
    person (S, S) in [0, 1].
    """

    position: np.ndarray
    normal: np.ndarray
    colour: np.ndarray
    facing: np.ndarray
    visible: np.ndarray
    person: np.ndarray


def observe_texels(
    vertices: torch.Tensor,
    triangles: torch.Tensor,
    atlas: Atlas,
    camera: Camera,
    depth: torch.Tensor,
    linear: np.ndarray,
    person: np.ndarray,
) -> TexelObservation:
    """Sample the photo at every texel of the atlas; all is 0 where the skin faces away.

    vertices (V, 3) model space; triangles (T, 3); camera and depth (h, w) of the image;
    linear (h, w, 3) RGB; person (h, w) in [0, 1].
    """
    normals = vertex_normals(vertices, triangles)
    near = facing_atlas(vertices, normals, triangles, atlas, camera)
    both = texel_values(torch.cat([vertices, normals], -1), triangles, near)
    position, normal = both[..., :3].contiguous(), unit(both[..., 3:])
    seen = visible_texels(position, normal, near, camera, depth)
    outline = torch.from_numpy(person.astype(np.float32, copy=False))[..., None]
    pixels = seen.pixels.reshape(-1, 2).index_select(0, near.covered)
    colour, shown = (
        to_image(sample_image(layer, pixels), near.covered, *near.valid.shape).numpy()
        for layer in (torch.from_numpy(linear), outline)
    )
    inside = near.valid & seen.visible
    return TexelObservation(
        position.numpy(),
        normal.numpy(),
        colour,
        seen.cosine.numpy(),
        inside.numpy(),
        shown[..., 0],
    )
