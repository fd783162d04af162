"""A rasteriser on a card whose memory may end, with ours behind it."""

from collections.abc import Callable

import torch

from ..failure import is_out_of_memory
from .rasterize import Fragments, Rasterizer, rasterize


def falling_back(first: Rasterizer, tell: Callable[[], None]) -> Rasterizer:
    """`first` until it runs out of memory, from then on our own rasteriser; `tell` is called once.

    Both choose the same triangles but along edges, so a fit may change over at any picture.
    """
    ended: list[bool] = []

    def draw(
        pixels: torch.Tensor, depth: torch.Tensor, triangles: torch.Tensor, height: int, width: int
    ) -> Fragments:
        if not ended:
            try:
                return first(pixels, depth, triangles, height, width)
            except RuntimeError as error:  # torch.OutOfMemoryError is one; nvdiffrast's own too
                if not is_out_of_memory(error):
                    raise
            ended.append(True)
            tell()
        return rasterize(pixels, depth, triangles, height, width)

    return draw
