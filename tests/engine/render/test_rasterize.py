"""The rasteriser against its exact twin, and properties that must hold for any mesh."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.head.camera import project
from engine.render.rasterize import front_facing, of_all_triangles, rasterize
from engine.render.rasterize_reference import rasterize_reference
from engine.render.render import orbit_camera

HEIGHT, WIDTH = 37, 53


def assert_same(pixels, depth, triangles, height=HEIGHT, width=WIDTH):
    fast = rasterize(pixels, depth, triangles, height, width)
    slow = rasterize_reference(pixels, depth, triangles, height, width)
    assert torch.equal(fast.triangle, slow.triangle)
    assert torch.equal(fast.covered, slow.covered)
    torch.testing.assert_close(fast.depth.double(), slow.depth, rtol=1e-6, atol=0)
    torch.testing.assert_close(fast.barycentric.double(), slow.barycentric, rtol=0, atol=2e-5)
    return fast


def soup(seed: int, count: int, size: float, snapped: bool, spread: float = 1.4):
    """Random triangles, partly outside; `snapped` puts corners on pixel centres and edges."""
    generator = torch.Generator().manual_seed(seed)
    extent = torch.tensor([float(WIDTH), float(HEIGHT)])
    middle = (torch.rand(count, 1, 2, generator=generator) - 0.5) * spread * extent + extent / 2
    corners = middle + (torch.rand(count, 3, 2, generator=generator) - 0.5) * size
    if snapped:
        corners = (corners * 2).round() / 2
    depth = torch.rand(count * 3, generator=generator) + 0.3
    return corners.reshape(-1, 2), depth, torch.arange(count * 3).reshape(-1, 3)


@pytest.mark.parametrize("snapped", [False, True])
@pytest.mark.parametrize("size", [1.5, 6.0, 30.0, 300.0])
def test_soup_matches_the_twin(size, snapped):
    assert_same(*soup(int(size), 10 if size > 100 else 60, size, snapped))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(*[st.integers(-6, 20)] * 2), min_size=3, max_size=7),
    st.lists(st.integers(1, 3), min_size=7, max_size=7),
    st.data(),
)
def test_half_pixel_grids_match_the_twin(points, depths, data):
    """Corners on a half-pixel grid: full of centres on edges, shared edges and equal depths."""
    index = st.integers(0, len(points) - 1)
    faces = data.draw(st.lists(st.tuples(index, index, index), min_size=1, max_size=6))
    pixels = torch.tensor(points, dtype=torch.float32) / 2
    depth = torch.tensor(depths[: len(points)], dtype=torch.float32)
    fast = rasterize(pixels, depth, torch.tensor(faces), 9, 8)
    slow = rasterize_reference(pixels, depth, torch.tensor(faces), 9, 8)
    # Crossing planes can meet in equal depths that round either way: there only depth is sure.
    torch.testing.assert_close(fast.depth.double(), slow.depth, rtol=1e-6, atol=0)
    if len(set(depths)) == 1:
        assert torch.equal(fast.triangle, slow.triangle)


def test_a_pixel_centre_decides():
    square = torch.tensor([[2.5, 3.5], [5.5, 3.5], [5.5, 6.5], [2.5, 6.5]])
    triangles = torch.tensor([[0, 1, 2], [0, 2, 3]])
    hit = rasterize(square, torch.ones(4), triangles, 10, 10).triangle >= 0
    wanted = torch.zeros(10, 10, dtype=torch.bool)
    wanted[3:6, 2:5] = True  # top and left centres on the border are in, bottom and right out
    assert torch.equal(hit, wanted)
    inner = (square - 4) * (1 - 1e-6) + 4
    assert int((rasterize(inner, torch.ones(4), triangles, 10, 10).triangle >= 0).sum()) == 4


def test_shared_edges_have_no_gaps_and_no_double_hits():
    """Every pixel of a fan of triangles is owned exactly once, also at corners on centres."""
    generator = torch.Generator().manual_seed(2)
    grid = torch.stack(torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="xy"), -1)
    jitter = torch.rand(12, 12, 2, generator=generator) - 0.5
    jitter[0], jitter[-1], jitter[:, 0], jitter[:, -1] = 0, 0, 0, 0
    jitter[3:6] = (jitter[3:6] * 2).round() / 2
    pixels = ((grid + 0.7 * jitter) * 4 + 0.5).reshape(-1, 2)
    index = torch.arange(144).reshape(12, 12)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = torch.stack([torch.stack([a, b, c], -1), torch.stack([a, c, d], -1)]).reshape(-1, 3)
    owners = torch.zeros(44, 44, dtype=torch.int64)
    for face in faces:
        owners += rasterize(pixels, torch.ones(144), face[None], 44, 44).triangle >= 0
    assert (owners == 1).all()


def test_closed_surface_has_no_holes(sphere):
    vertices, triangles = sphere(60, 120)
    pixels = (vertices[:, :2] * 45.3 + 50.1).float()
    depth = (3 - vertices[:, 2]).float()
    raster = rasterize(pixels, depth, triangles, 100, 100)
    y, x = torch.meshgrid(torch.arange(100) + 0.5, torch.arange(100) + 0.5, indexing="ij")
    radius = torch.hypot(x - 50.1, y - 50.1) / 45.3
    assert (raster.triangle[radius < 0.99] >= 0).all()
    assert (raster.triangle[radius > 1] == -1).all()
    front = raster.depth[radius < 0.99]
    true = 3 - torch.sqrt(1 - radius[radius < 0.99] ** 2)
    assert (front - true).abs().max() < 0.02  # the near side, not the far one


def test_nearer_wins_and_ties_go_to_the_first():
    pixels = torch.tensor([[0.0, 0], [20, 0], [0, 20]]).repeat(3, 1)
    depth = torch.tensor([2.0] * 3 + [1.0] * 3 + [1.0] * 3)
    triangles = torch.tensor([[0, 1, 2], [6, 8, 7], [3, 4, 5]])
    chosen = rasterize(pixels, depth, triangles, 8, 8).triangle
    assert (chosen[:4, :4] == 1).all()


@pytest.mark.parametrize("bad", [-0.5, 0.0, float("nan"), float("inf")])
def test_triangles_behind_the_camera_or_not_finite_draw_nothing(bad):
    pixels = torch.tensor([[0.0, 0], [20, 0], [0, 20]])
    depth = torch.tensor([1.0, bad, 1.0])
    fragments = assert_same(pixels, depth, torch.tensor([[0, 1, 2]]))
    assert len(fragments.covered) == 0 and (fragments.depth == torch.inf).all()
    spoiled = pixels.clone()
    spoiled[1, 0] = float("nan") if bad < 1 else bad
    fragments = rasterize(spoiled, torch.ones(3), torch.tensor([[0, 1, 2]]), HEIGHT, WIDTH)
    assert len(fragments.covered) == 0


def test_degenerate_triangles_draw_nothing():
    pixels = torch.tensor([[0.5, 0.5], [4.5, 4.5], [9.5, 9.5], [4.5, 0.5]])
    triangles = torch.tensor([[0, 1, 2], [0, 0, 3], [1, 1, 1]])
    assert len(assert_same(pixels, torch.ones(4), triangles).covered) == 0


def test_triangle_larger_than_the_image_covers_it():
    pixels = torch.tensor([[-1e4, -1e4], [1e5, -1e4], [-1e4, 1e5]])
    raster = rasterize(pixels, torch.tensor([1.0, 2, 3]), torch.tensor([[0, 1, 2]]), 70, 90)
    assert (raster.triangle == 0).all()
    torch.testing.assert_close(raster.barycentric.sum(-1), torch.ones(70, 90))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 2)])
def test_narrow_images(shape):
    pixels, depth, triangles = soup(9, 40, 30.0, False)
    assert_same(pixels, depth, triangles, *shape)


def test_no_triangles():
    raster = rasterize(torch.zeros(0, 2), torch.zeros(0), torch.zeros(0, 3).long(), 4, 5)
    assert raster.triangle.shape == (4, 5) and (raster.triangle == -1).all()


def test_repeated_runs_are_identical():
    mesh = soup(4, 200, 20.0, True)
    first, second = rasterize(*mesh, HEIGHT, WIDTH), rasterize(*mesh, HEIGHT, WIDTH)
    assert torch.equal(first.triangle, second.triangle)
    assert torch.equal(first.barycentric, second.barycentric)


def test_inputs_are_left_alone():
    pixels, depth, triangles = soup(4, 20, 20.0, True)
    before = [pixels.clone(), depth.clone(), triangles.clone()]
    rasterize(pixels, depth, triangles, HEIGHT, WIDTH)
    for value, kept in zip((pixels, depth, triangles), before, strict=True):
        assert torch.equal(value, kept)


def test_of_a_closed_surface_the_front_is_all_that_is_seen(sphere):
    vertices, triangles = (part for part in sphere(13, 17))
    vertices = (0.1 * vertices).float()
    pixels, depth = project(vertices, orbit_camera(vertices, 25.0, 10.0, 40))
    whole = rasterize(pixels, depth, triangles, 40, 40)
    front = front_facing(pixels, triangles)
    assert 0.3 < len(front) / len(triangles) < 0.5
    found = of_all_triangles(rasterize(pixels, depth, triangles[front], 40, 40), front)
    assert torch.equal(found.triangle, whole.triangle)
    assert torch.equal(found.depth, whole.depth)
