"""The UV atlas: round trip, padding, visibility on shapes with known answers."""

import math

import pytest
import torch

from engine.head.camera import Camera, camera_centre, project
from engine.head.normals import unit, vertex_normals
from engine.protocol import conventions
from engine.protocol.headpack import split_quads
from engine.render.atlas import (
    build_atlas,
    facing_atlas,
    pad_texture,
    padding_sources,
    texel_values,
    visible_texels,
)
from engine.render.rasterize import rasterize
from engine.render.texture import sample_texture


def patch(rows: int, columns: int, span: float = 2 * math.pi):
    """Band of the unit sphere: points, quads, corner UVs (latitude-longitude, inset by a tenth)."""
    u = torch.linspace(0, 1, columns + 1, dtype=torch.float64)
    v = torch.linspace(0, 1, rows + 1, dtype=torch.float64)
    grid_v, grid_u = torch.meshgrid(v, u, indexing="ij")
    theta, phi = math.pi * (0.1 + 0.8 * (1 - grid_v)), span * (grid_u - 0.5)
    points = torch.stack([theta.sin() * phi.sin(), theta.cos(), theta.sin() * phi.cos()], -1)
    uv = torch.stack([0.1 + 0.8 * grid_u, 0.1 + 0.8 * grid_v], -1).reshape(-1, 2)
    index = torch.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    quads = torch.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1)
    quads = quads.reshape(-1, 4)
    return points.reshape(-1, 3), quads, uv[quads]


def triangles_of(quads):
    return torch.tensor(split_quads(quads.numpy()))


def frontal_camera(distance=4.0, size=200, focal=380.0):
    intrinsics = torch.tensor([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]])
    rotation = torch.tensor(conventions.FRONTAL_ROTATION)
    shift = torch.tensor([0.0, 0, distance], dtype=torch.float64)
    return Camera(intrinsics.double(), rotation, shift, size, size)


def test_texels_lie_where_their_uv_says():
    points, quads, corner_uv = patch(12, 20)
    atlas = build_atlas(corner_uv, 64)
    row, column = atlas.valid.nonzero().T
    u, v = (column + 0.5) / 64, 1 - (row + 0.5) / 64
    wanted = (u > 0.1) & (u < 0.9) & (v > 0.1) & (v < 0.9)
    assert wanted.all() and int(atlas.valid.sum()) == 52 * 52
    flat_uv = torch.zeros(len(points), 2, dtype=torch.float64)
    flat_uv[quads] = corner_uv
    there = texel_values(flat_uv, triangles_of(quads), atlas)[atlas.valid]
    torch.testing.assert_close(there, torch.stack([u, v], -1).double())


def test_atlas_round_trip_of_a_smooth_texture():
    """Values baked to texels and read back at the corners come back."""
    points, quads, corner_uv = patch(24, 40)
    atlas = build_atlas(corner_uv, 256)
    baked = pad_texture(texel_values(points, triangles_of(quads), atlas), atlas.valid, 4)
    back = sample_texture(baked, corner_uv)
    assert (back - points[quads]).abs().max() < 0.03
    inside = (corner_uv > 0.15).all(-1) & (corner_uv < 0.85).all(-1)
    assert (back - points[quads])[inside].abs().max() < 2e-3


def test_faces_choose_what_is_drawn_but_keep_their_numbers():
    _, quads, corner_uv = patch(4, 4)
    chosen = torch.zeros(len(quads), dtype=torch.bool)
    chosen[5] = True
    atlas = build_atlas(corner_uv, 64, chosen)
    assert set(atlas.triangle.unique().tolist()) == {-1, 10, 11}


def test_texel_values_pass_gradients():
    points, quads, corner_uv = patch(2, 2)
    atlas = build_atlas(corner_uv, 6)
    values = points.clone().requires_grad_()
    triangles = triangles_of(quads)
    assert torch.autograd.gradcheck(lambda v: texel_values(v, triangles, atlas), (values,))


@pytest.mark.parametrize("margin", [1, 3, 50])
def test_padding_copies_the_nearest_valid_texel_or_nearly_so(margin):
    generator = torch.Generator().manual_seed(margin)
    valid = torch.rand(20, 20, generator=generator) > 0.97
    valid[:, 0] = False
    sources = padding_sources(valid, margin)
    places = valid.nonzero().double()
    for row in range(20):
        for column in range(20):
            distance = (places - torch.tensor([row, column])).norm(dim=-1).min()
            source = torch.tensor(divmod(int(sources[row, column]), 20))
            reached = (source - torch.tensor([row, column])).double().norm()
            if distance > 1.03 * margin:
                assert reached == 0.0
            elif distance < margin / 1.03:
                assert valid[tuple(source)] and reached <= 1.03 * distance


def test_padding_keeps_the_colours_of_valid_texels():
    texture = torch.rand(16, 16, 3)
    valid = torch.zeros(16, 16, dtype=torch.bool)
    valid[5:9, 4:12] = True
    padded = pad_texture(texture, valid, 2)
    assert torch.equal(padded[valid], texture[valid])
    assert torch.equal(padded[3, 6], texture[5, 6])
    assert torch.equal(padded[0, 0], texture[0, 0])  # out of reach: as it was


def seen_by(camera, points, quads, corner_uv, size=128, extra=None):
    """Visibility of a surface, with optional extra occluding geometry (vertices, triangles)."""
    triangles = triangles_of(quads)
    atlas = build_atlas(corner_uv, size)
    all_points, all_triangles = points, triangles
    if extra is not None:
        all_points = torch.cat([points, extra[0]])
        all_triangles = torch.cat([triangles, extra[1] + len(points)])
    pixels, depth = project(all_points, camera)
    raster = rasterize(pixels, depth, all_triangles, camera.height, camera.width)
    positions = texel_values(points, triangles, atlas)
    normals = texel_values(vertex_normals(points, triangles), triangles, atlas)
    return atlas, positions, visible_texels(positions, normals, atlas, camera, raster.depth)


@pytest.mark.parametrize("size", [80, 200, 800])
def test_visible_half_of_a_sphere(size):
    """Analytic: a point of the unit sphere is seen where n . (c - n) > 0. No acne inside."""
    camera = frontal_camera(size=size, focal=380.0 * size / 200)
    atlas, positions, result = seen_by(camera, *patch(40, 80))
    towards = unit(camera_centre(camera) - positions)
    cosine = (unit(positions) * towards).sum(-1)
    # Two pixels inside the silhouette: nearer to it a lookup blends the background.
    sure = atlas.valid & (cosine > math.sqrt(2 * 2 / (0.48 * size)))
    assert int(sure.sum()) > 1500
    assert result.visible[sure].all()
    assert not result.visible[atlas.valid & (cosine < -0.02)].any()
    assert not result.visible[~atlas.valid].any()
    error = (result.cosine - cosine)[atlas.valid & (cosine > 0)].abs()
    assert error.max() < 0.05  # normals of the faceted sphere


def test_an_occluder_hides_what_lies_behind_it():
    """A square in front of the sphere hides its shadow and nothing else."""
    square = torch.tensor([[-0.3, -0.3, 2], [0.3, -0.3, 2], [0.3, 0.3, 2], [-0.3, 0.3, 2]])
    extra = (square.double(), torch.tensor([[0, 1, 2], [0, 2, 3]]))
    camera = frontal_camera()
    atlas, positions, result = seen_by(camera, *patch(40, 80), extra=extra)
    # Similar triangles: at depth d the square of half side 0.3 at depth 2 covers 0.3 d / 2.
    reach = positions[..., :2].abs().amax(-1) / (4 - positions[..., 2]) * 2
    facing = atlas.valid & (result.cosine > 0.25)
    assert int((facing & (reach < 0.28)).sum()) > 50
    assert not result.visible[facing & (reach < 0.295)].any()
    assert result.visible[facing & (reach > 0.32)].all()


def test_texels_outside_the_picture_or_behind_it_are_not_seen():
    camera = frontal_camera(focal=2000.0)
    atlas, _, result = seen_by(camera, *patch(20, 40))
    inside = ((result.pixels > 0) & (result.pixels < 200)).all(-1)
    assert not result.visible[~inside].any()
    assert result.visible[inside & atlas.valid & (result.cosine > 0.5)].all()
    within = Camera(camera.intrinsics, camera.rotation, camera.translation * 0, 200, 200)
    _, _, result = seen_by(within, *patch(20, 40))
    assert not result.visible.any()


@pytest.mark.parametrize("distance", [1.5, 4.0])
def test_texels_that_face_the_camera_are_all_that_can_be_seen(distance):
    """The slow twin looks at all texels."""
    points, quads, corner_uv = patch(48, 72)
    triangles, camera = triangles_of(quads), frontal_camera(distance)
    normals = vertex_normals(points, triangles)
    atlas = build_atlas(corner_uv, 96)
    near = facing_atlas(points, normals, triangles, atlas, camera)
    pixels, depth = project(points, camera)
    buffer = rasterize(pixels, depth, triangles, camera.height, camera.width).depth
    found, twin = (
        visible_texels(
            *(texel_values(each, triangles, one) for each in (points, normals)), one, camera, buffer
        )
        for one in (near, atlas)
    )
    assert torch.equal(found.visible, twin.visible)
    assert twin.visible.any() and len(near.covered) < 0.6 * len(atlas.covered)
    torch.testing.assert_close(found.pixels[twin.visible], twin.pixels[twin.visible])
