"""A card whose memory ends: our rasteriser goes on, and that is said once."""

import pytest
import torch

from engine.render.fallback import falling_back
from engine.render.rasterize import rasterize


def scene():
    pixels = torch.tensor([[1.0, 1.0], [8.0, 1.0], [1.0, 8.0]])
    return pixels, torch.ones(3), torch.tensor([[0, 1, 2]]), 10, 10


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        RuntimeError("Cuda error: 2[cudaMalloc(&m_gpuPtr, bytes);]"),
    ],
)
def test_ours_goes_on_when_the_memory_of_the_card_ends(error):
    calls, told = [], []

    def card(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise error
        return rasterize(*arguments)

    draw = falling_back(card, lambda: told.append(True))
    for expected in (0, 1, 1):
        found = draw(*scene())
        assert torch.equal(found.triangle, rasterize(*scene()).triangle)
        assert len(told) == expected
    assert len(calls) == 2


def test_other_errors_are_not_hidden():
    def broken(*arguments):
        raise RuntimeError("an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="illegal"):
        falling_back(broken, lambda: None)(*scene())
