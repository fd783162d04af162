"""What the photo says about each texel: the step from image space to UV space."""

from dataclasses import dataclass

import numpy as np
import torch

from ...head.camera import Camera
from ...head.normals import unit, vertex_normals
from ...render.atlas import Atlas, covered_visibility, facing_atlas
from ...render.interpolate import interpolate_covered, to_image
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
    near, at, normal = texel_points(vertices, triangles, atlas, camera)
    seen = covered_visibility(at, normal, camera, depth)
    outline = torch.from_numpy(person.astype(np.float32, copy=False))[..., None]

    def image(values: torch.Tensor) -> np.ndarray:
        return to_image(values, near.covered, *near.valid.shape).numpy()

    colour, shown = (
        image(sample_image(layer, seen.pixels)) for layer in (torch.from_numpy(linear), outline)
    )
    return TexelObservation(
        image(at),
        image(normal),
        colour,
        image(seen.cosine[:, None])[..., 0],
        image(seen.visible[:, None])[..., 0],
        shown[..., 0],
    )


def texel_points(
    vertices: torch.Tensor, triangles: torch.Tensor, atlas: Atlas, camera: Camera
) -> tuple[Atlas, torch.Tensor, torch.Tensor]:
    """The texels whose skin does not face away, and position and normal (N, 3) of each.

    vertices (V, 3) model space; triangles (T, 3).
    """
    normals = vertex_normals(vertices, triangles)
    near = facing_atlas(vertices, normals, triangles, atlas, camera)
    weights = near.barycentric.reshape(-1, 3).index_select(0, near.covered)
    both = interpolate_covered(torch.cat([vertices, normals], -1), near, triangles, weights)
    return near, both[:, :3].contiguous(), unit(both[:, 3:])


def texel_normals(
    vertices: torch.Tensor, triangles: torch.Tensor, atlas: Atlas, camera: Camera
) -> np.ndarray:
    """(S, S, 3) `TexelObservation.normal`, for whom the rest is of no use."""
    near, _, normal = texel_points(vertices, triangles, atlas, camera)
    return to_image(normal, near.covered, *near.valid.shape).numpy()
