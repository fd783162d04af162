"""Reading textures and images between pixels, and shrinking them."""

import math

import torch

from ..protocol import conventions


def sample_texture(texture: torch.Tensor, uv: torch.Tensor) -> torch.Tensor:
    """Bilinear texture lookup; differentiable in texture and uv.

    texture: (H, W, C), row 0 on top. uv: (..., 2), v up, clamped to the outermost texel centres.
    Returns (..., C) in the texture's units.
    """
    height, width = texture.shape[:2]
    return sample_image(texture, conventions.uv_to_pixels(uv, width, height, xp=torch))


def sample_image(image: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Bilinear image lookup at continuous pixel coordinates; differentiable in both.

    image: (H, W, C). pixels: (..., 2), centre of the first pixel at (0.5, 0.5); outside the
    outermost centres the edge is repeated. Returns (..., C).
    """
    height, width, channels = image.shape
    size = pixels.new_tensor([width, height])
    grid = (pixels.reshape(1, -1, 1, 2) * 2 / size) - 1  # torch's own image coordinates
    planes = image.permute(2, 0, 1)[None]
    sampled = torch.nn.functional.grid_sample(
        planes, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return sampled[0, :, :, 0].T.reshape(pixels.shape[:-1] + (channels,))


def resize_area(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Antialiased downscale: each new pixel is the exact mean over its area. Differentiable.

    image: (H, W, C) with H >= height and W >= width, else ValueError. Returns (height, width, C).
    """
    if height > image.shape[0] or width > image.shape[1]:
        raise ValueError("resize_area only makes images smaller")
    rows = _shrink_rows(image, height).transpose(0, 1).contiguous()
    return _shrink_rows(rows, width).transpose(0, 1).contiguous()


def _shrink_rows(image: torch.Tensor, count: int) -> torch.Tensor:
    """(H, W, C) to (count, W, C) by box means of H / count rows, with fractional ends."""
    height = image.shape[0]
    if count == height:
        return image
    if height % count == 0:
        return image.unflatten(0, (count, height // count)).mean(1)
    ratio = height / count
    start = torch.arange(count, dtype=torch.float64) * ratio
    first = start.floor().long()
    total = None
    for tap in range(math.ceil(ratio) + 1):
        row = first + tap
        overlap = torch.minimum(row + 1.0, start + ratio) - torch.maximum(row.double(), start)
        weight = (overlap.clamp(min=0) / ratio).to(image)[:, None, None]
        part = image.index_select(0, row.clamp(max=height - 1).to(image.device))
        total = weight * part if total is None else torch.addcmul(total, weight, part)
    return total
