"""The rasteriser of the optional package nvdiffrast (Laine et al. 2020), on a CUDA card.

Only the choice of the visible triangle is taken from it; weights and depth come from the formulas
of `interpolate.py`, so that values and gradients are those of `rasterize.py`. Its coverage is
decided in steps of 1/16 pixel: along edges the neighbouring triangle may be chosen.
"""

from types import ModuleType
from typing import Any

import torch

from ..protocol.errors import EngineError, ErrorCode
from .interpolate import covered_weights
from .rasterize import NEAR, Fragments, Rasterizer

_RANGE_MARGIN = 1e-3
"""Of the nearest and the farthest depth, so that nothing is clipped there."""


def load_nvdiffrast() -> Rasterizer:
    """A rasteriser as `rasterize.rasterize`; inputs on any device, results where they were.

    Raises EngineError: BAD_SETTINGS without a CUDA card, ENGINE_MISSING without the package.
    """
    if not torch.cuda.is_available():
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            "The rasterizer nvdiffrast needs an NVIDIA graphics card that PyTorch can use.",
            "Choose the rasterizer torch.",
        )
    try:
        import nvdiffrast.torch as library
    except ImportError as error:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The rasterizer nvdiffrast needs that package ({error}).",
            "Install it as its authors describe, or choose the rasterizer torch.",
        ) from error
    return make_rasterizer(library, library.RasterizeCudaContext(), torch.device("cuda"))


def make_rasterizer(library: ModuleType, context: Any, device: torch.device) -> Rasterizer:
    """The rasteriser around the package's module and one context of it."""

    def rasterize(
        pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, height: int, width: int
    ) -> Fragments:
        with torch.no_grad():
            moved = (each.to(device) for each in (pixels.float(), depth.float(), triangles.long()))
            x, z, faces = moved
            kept = _drawable(x, z, faces).nonzero().squeeze(1)
            chosen = torch.full((height, width), -1, dtype=torch.int32, device=device)
            if len(kept):
                drawn = faces[kept]
                position = _clip_space(x, z, drawn, height, width)
                seen, _ = library.rasterize(context, position, drawn.int(), (height, width))
                number = seen[0, ..., 3].long()
                chosen = torch.where(number > 0, kept[(number - 1).clamp(min=0)], -1).int()
            return _fragments(pixels, depth, triangles, chosen.to(pixels.device))

    return rasterize


def _drawable(pixels: torch.Tensor, depth: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
    """(T,) bool: finite, and wholly in front of the camera."""
    corners, z = pixels[faces], depth[faces]
    return corners.isfinite().all(-1).all(-1) & z.isfinite().all(-1) & (z > NEAR).all(-1)


def _clip_space(
    pixels: torch.Tensor, depth: torch.Tensor, faces: torch.Tensor, height: int, width: int
) -> torch.Tensor:
    """(1, V, 4) clip coordinates (OpenGL 4.6, section 13.8; row 0 of the image at y = -1).

    w is the depth; z / w grows with it from -1 to 1 over the depths of `faces`.
    """
    used = depth[faces]
    near = used.min() * (1.0 - _RANGE_MARGIN)
    far = used.max() * (1.0 + _RANGE_MARGIN)
    size = torch.tensor([width, height], dtype=torch.float32, device=pixels.device)
    plane = (pixels / size * 2.0 - 1.0) * depth[:, None]
    z = ((far + near) * depth - 2.0 * far * near) / (far - near)
    clip = torch.cat([plane, z[:, None], depth[:, None]], dim=1)
    return clip.nan_to_num(0.0, 0.0, 0.0)[None].contiguous()


def _fragments(
    pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, chosen: torch.Tensor
) -> Fragments:
    """Weights and depth of the chosen triangles (H, W)."""
    height, width = chosen.shape
    covered = (chosen.reshape(-1) >= 0).nonzero().squeeze(1)
    found = chosen.reshape(-1)[covered].long()
    inside = covered_weights(pixels, depth, triangles, found, covered, width).clamp(0.0, 1.0)
    inside /= inside.sum(-1, keepdim=True)  # a centre just outside its triangle: the nearest point
    weights = pixels.new_zeros(height * width, 3)
    weights[covered] = inside
    nearest = torch.full((height * width,), torch.inf, dtype=pixels.dtype, device=pixels.device)
    nearest[covered] = (inside * depth[triangles.long()[found]]).sum(-1)
    shape = (height, width)
    return Fragments(chosen, weights.reshape(*shape, 3), nearest.reshape(shape), covered)
