"""The CUDA rasteriser against the torch one; its own part also with a stand-in for the package."""

from types import SimpleNamespace

import pytest
import torch

from engine.protocol.errors import EngineError, ErrorCode
from engine.render.interpolate import barycentric
from engine.render.nvdiffrast_backend import load_nvdiffrast, make_rasterizer
from engine.render.rasterize import rasterize

HEIGHT, WIDTH = 37, 53


def stand_in():
    """nvdiffrast.torch as its documentation describes it: clip space in, triangle + 1 out."""

    def draw(context, position, triangles, resolution):
        assert triangles.dtype == torch.int32 and position.is_contiguous()
        height, width = resolution
        w = position[0, :, 3]
        used = triangles.long().unique()
        assert (position[0, used, 2].abs() <= w[used]).all()  # nothing is clipped in depth
        size = torch.tensor([width, height])
        pixels = (position[0, :, :2] / w[:, None] + 1) / 2 * size
        near = position[0, :, 2] / w + 2  # any growing function of the depth
        raster = rasterize(pixels, near, triangles, height, width)
        out = torch.zeros(1, height, width, 4)
        out[0, ..., 3] = raster.triangle + 1
        return out, out

    return make_rasterizer(SimpleNamespace(rasterize=draw), None, torch.device("cpu"))


@pytest.fixture(params=["stand-in", "cuda"])
def other(request):
    if request.param == "stand-in":
        return stand_in()
    pytest.importorskip("nvdiffrast")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA card")
    return load_nvdiffrast()


def edge_distance(pixels, triangles):
    """(H, W) distance of each pixel's centre to the nearest edge of any triangle, pixels."""
    y, x = torch.meshgrid(torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij")
    centre = torch.stack([x, y], -1)[:, :, None]
    a = pixels[triangles].reshape(-1, 2)
    b = pixels[triangles[:, [1, 2, 0]]].reshape(-1, 2)
    along = ((centre - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1)
    foot = a + along.clamp(0, 1)[..., None] * (b - a)
    return (centre - foot).norm(dim=-1).amin(-1)


def scene(count=12, size=24.0):
    """Random triangles at different depths, one behind the camera, one that is not finite."""
    generator = torch.Generator().manual_seed(3)
    middle = torch.rand(count, 1, 2, generator=generator) * torch.tensor([WIDTH, HEIGHT])
    pixels = (middle + (torch.rand(count, 3, 2, generator=generator) - 0.5) * size).reshape(-1, 2)
    depth = torch.rand(count * 3, generator=generator) + 0.4
    depth[0], pixels[4] = -0.5, torch.nan
    return pixels, depth, torch.arange(count * 3).reshape(-1, 3)


def test_values_and_gradients_are_those_of_the_torch_rasterizer(other):
    pixels, depth, triangles = scene()
    one, two = (draw(pixels, depth, triangles, HEIGHT, WIDTH) for draw in (rasterize, other))
    sure = edge_distance(pixels[6:], triangles[:-2]) > 0.13  # two steps of 1/16 pixel
    assert sure.float().mean() > 0.5
    same = one.triangle == two.triangle
    assert same[sure].float().mean() > 0.995  # crossing planes may swap on a pixel
    assert not torch.isin(two.triangle, torch.tensor([0, 1])).any()
    torch.testing.assert_close(one.barycentric[same], two.barycentric[same], rtol=0, atol=1e-5)
    torch.testing.assert_close(one.depth[same], two.depth[same], rtol=1e-5, atol=0)
    torch.testing.assert_close(
        two.covered, (two.triangle.reshape(-1) >= 0).nonzero().squeeze(1), rtol=0, atol=0
    )
    target = torch.rand(HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(1))
    target = target * (same & sure)[..., None]
    slopes = []
    for fragments in (one, two):
        moving = pixels.nan_to_num().requires_grad_()
        (barycentric(moving, depth, triangles, fragments) * target).sum().backward()
        slopes.append(moving.grad)
    torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-5)


def test_nothing_to_draw(other):
    empty = other(torch.zeros(3, 2), -torch.ones(3), torch.tensor([[0, 1, 2]]), 4, 6)
    assert (empty.triangle == -1).all() and (empty.depth == torch.inf).all()


def test_no_card_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="graphics card") as caught:
        load_nvdiffrast()
    assert caught.value.code is ErrorCode.BAD_SETTINGS
