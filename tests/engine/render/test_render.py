"""Rendered pictures with known answers, and gradients through them."""

import math
import os

import pytest
import torch

from engine.head.camera import Camera, weak_perspective_camera
from engine.head.lighting import shade
from engine.head.normals import unit
from engine.protocol import conventions
from engine.render.render import (
    Material,
    clay_materials,
    orbit_camera,
    render_head,
    render_looks,
    render_view,
    render_views,
    studio_light,
)
from engine.render.threads import choose_threads

FRONTAL = torch.tensor(conventions.FRONTAL_ROTATION)


def flat_scene(depths=(0.0,), dtype=torch.float64):
    """Unit squares around the origin at the given z, two triangles and one part each."""
    corners = torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]], dtype=dtype)
    vertices, triangles, uv, part = [], [], [], []
    for number, z in enumerate(depths):
        vertices.append(torch.cat([corners, torch.full((4, 1), z, dtype=dtype)], 1))
        faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
        triangles.append(faces + 4 * number)
        uv.append((corners + 0.5)[faces])
        part += [number, number]
    return torch.cat(vertices), torch.cat(triangles), torch.cat(uv), torch.tensor(part)


def front(size=16, fill=1.0, dtype=torch.float64):
    """Camera whose picture a unit square at the origin fills."""
    centre = torch.tensor([size / 2, size / 2], dtype=dtype)
    return weak_perspective_camera(size * fill, FRONTAL.to(dtype), centre, size, size, 1e4)


def white():
    return torch.tensor(conventions.ambient_light(1.0))


def colour(*rgb):
    return torch.tensor(rgb, dtype=torch.float64)


def test_texture_appears_upright_and_unmirrored():
    """A square that fills the picture shows its texture pixel by pixel."""
    texture = torch.rand(16, 16, 3, dtype=torch.float64)
    materials = [Material(colour(1, 1, 1), texture)]
    output = render_head(*flat_scene(), materials, white(), front())
    torch.testing.assert_close(output.rgb, texture, atol=1e-3, rtol=0)
    assert (output.alpha == 1).all()


def test_colour_is_albedo_times_shading():
    light = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).double() * 0.1 + white()
    tint = colour(0.5, 0.25, 0.125)
    output = render_head(*flat_scene(), [Material(tint)], light, front())
    wanted = tint * shade(colour(0, 0, 1), light)
    torch.testing.assert_close(output.rgb, wanted.expand(16, 16, 3))


def test_nearer_part_hides_the_other():
    materials = [Material(colour(1, 0, 0)), Material(colour(0, 1, 0))]
    for depths, wanted in (((0.0, 0.1), 1), ((0.1, 0.0), 0)):
        output = render_head(*flat_scene(depths), materials, white(), front())
        shown = output.rgb[8, 8].argmax()
        assert int(shown) == wanted


def test_cutouts_blend_over_what_lies_behind_and_hide_behind_what_lies_before():
    veil = torch.zeros(4, 4, 4, dtype=torch.float64)
    veil[..., 1], veil[..., 3] = 1.0, 0.25
    materials = [Material(colour(1, 0, 0)), Material(colour(1, 1, 1), veil)]
    over = render_head(*flat_scene((0.0, 0.1)), materials, white(), front())
    torch.testing.assert_close(over.rgb, colour(0.75, 0.25, 0).expand(16, 16, 3))
    assert (over.alpha == 1).all()
    under = render_head(*flat_scene((0.1, 0.0)), materials, white(), front())
    torch.testing.assert_close(under.rgb, colour(1, 0, 0).expand(16, 16, 3))
    alone = render_head(*flat_scene((0.0,)), [materials[1]], white(), front())
    torch.testing.assert_close(alone.rgb, colour(0, 0.25, 0).expand(16, 16, 3))
    assert (alone.alpha == 0.25).all()


def test_hidden_clay_parts_are_not_drawn():
    scene = flat_scene((0.0, 0.1), torch.float32)
    light, camera = white().float(), front(dtype=torch.float32)
    solid = render_head(*scene, clay_materials(2), light, camera)
    peeled = render_head(*scene, clay_materials(2, hidden={1}), light, camera)
    assert (solid.fragments.triangle >= 2).all() and (peeled.fragments.triangle < 2).all()
    torch.testing.assert_close(peeled.rgb, solid.rgb)
    empty = render_head(*scene, clay_materials(2, hidden={0, 1}), light, camera)
    assert (empty.alpha == 0).all()


def test_looks_share_a_raster_and_equal_pictures_by_themselves():
    scene = flat_scene((0.0, 0.1), torch.float32)
    veil = torch.rand(4, 4, 4)
    painted = [Material(torch.tensor([1.0, 0.5, 0.2])), Material(torch.ones(3), veil)]
    looks = [painted, clay_materials(2, hidden={1})]
    light, camera = white().float(), front(dtype=torch.float32)
    for found, look in zip(render_looks(*scene, looks, light, camera, 1.5), looks, strict=True):
        alone = render_head(*scene, look, light, camera, 1.5)
        torch.testing.assert_close(found.rgb, alone.rgb)
        torch.testing.assert_close(found.alpha, alone.alpha)
    view = render_view(*scene, looks, (20.0, 5.0), 24)
    for found, look in zip(view, looks, strict=True):
        torch.testing.assert_close(found, render_views(*scene, look, [(20.0, 5.0)], 24)[0])
    with pytest.raises(ValueError, match="cut-outs"):
        render_looks(*scene, [painted, clay_materials(2)], light, camera)


def test_supersampling_measures_coverage():
    camera = front(size=15, fill=10.5 / 15)  # borders fall on a quarter of a pixel
    output = render_head(*flat_scene(), [Material(colour(1, 1, 1))], white(), camera, 4)
    assert output.alpha.shape == (15, 15)
    assert abs(float(output.alpha.sum()) - 10.5**2) < 0.02 * 10.5**2
    torch.testing.assert_close(output.rgb[..., 0], output.alpha)
    assert 0 < float(output.alpha[2, 7]) < 1 and output.alpha[0, 0] == 0


def test_uniform_light_makes_a_sphere_look_flat(sphere):
    vertices, triangles = sphere(30, 60)
    uv = torch.zeros(len(triangles), 3, 2, dtype=torch.float64)
    part = torch.zeros(len(triangles), dtype=torch.int64)
    output = render_head(
        vertices, triangles, uv, part, [Material(colour(0.3, 0.3, 0.3))], white(), front(40, 0.4)
    )
    covered = output.alpha > 0
    assert int(covered.sum()) > 500
    torch.testing.assert_close(output.rgb[covered], torch.full_like(output.rgb[covered], 0.3))


def test_sphere_shading_follows_the_true_normal(sphere):
    vertices, triangles = sphere(60, 120)
    uv = torch.zeros(len(triangles), 3, 2, dtype=torch.float64)
    part = torch.zeros(len(triangles), dtype=torch.int64)
    light = studio_light().double()
    output = render_head(
        vertices, triangles, uv, part, [Material(colour(1, 1, 1))], light, front(64, 0.45)
    )
    y, x = torch.meshgrid(torch.arange(64) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    x, y = (x - 32).double() / (64 * 0.45), -(y - 32).double() / (64 * 0.45)
    inside = (x * x + y * y < 0.9) & (output.alpha > 0)
    normal = unit(torch.stack([x, y, torch.sqrt((1 - x * x - y * y).clamp(min=0))], -1))
    wanted = shade(normal, light).clamp(min=0)
    assert (output.rgb - wanted)[inside].abs().max() < 0.01


def test_gradients_reach_every_input():
    vertices, triangles, uv, part = flat_scene()
    vertices = vertices + 0.05 * torch.tensor([[0.3, 0.1, 1], [0.2, 0, -1], [0, 0.1, 1], [0, 0, 0]])
    texture = torch.rand(5, 5, 3, dtype=torch.float64)
    light = 0.1 * torch.randn(9, 3, generator=torch.Generator().manual_seed(1)).double() + white()
    start = front(5, fill=0.7)
    shift = start.translation.clone()
    leaves = [v.requires_grad_() for v in (vertices, texture, light, colour(0.9, 0.8, 0.7), shift)]

    def picture(points, map_, lamp, tint, translation):
        camera = Camera(start.intrinsics, start.rotation, translation, 5, 5)
        return render_head(points, triangles, uv, part, [Material(tint, map_)], lamp, camera).rgb

    assert torch.autograd.gradcheck(picture, leaves, atol=1e-4)


def test_pictures_look_at_the_head_from_where_they_say(sphere):
    """A marked point turns up where the camera's yaw and pitch put it."""
    vertices, _ = sphere(20, 40)
    for yaw, pitch in ((0, 0), (90, 0), (-35, 0), (20, 40)):
        camera = orbit_camera(vertices, yaw, pitch, 100)
        a, b = math.radians(yaw), math.radians(pitch)
        facing = colour(math.sin(a) * math.cos(b), math.sin(b), math.cos(a) * math.cos(b))
        in_camera = camera.rotation @ facing + camera.translation
        torch.testing.assert_close(in_camera[:2], colour(0, 0), atol=1e-6, rtol=0)
        assert in_camera[2] < (camera.rotation @ -facing + camera.translation)[2]
        up = camera.rotation @ colour(0, 1, 0)
        assert up[1] < 0 and abs(float(up[0])) < 1e-6


def test_pictures_are_srgb_and_lit_from_the_upper_left(sphere):
    vertices, triangles = sphere(30, 60)
    uv = torch.zeros(len(triangles), 3, 2)
    part = torch.zeros(len(triangles), dtype=torch.int64)
    views = [(0, 0), (120, 0)]
    pictures = render_views(
        vertices.float(), triangles, uv, part, clay_materials(1), views, size=64
    )
    assert [p.shape for p in pictures] == [(64, 64, 3)] * 2
    for picture in pictures:  # the light moves with the camera: both look alike
        assert 0 <= picture.min() and picture.max() <= 1
        assert picture[16:24, 16:24].mean() > picture[40:48, 40:48].mean() + 0.1
    torch.testing.assert_close(pictures[0], pictures[1], atol=0.03, rtol=0)
    given_light = render_views(
        vertices.float(), triangles, uv, part, clay_materials(1), views, 64, studio_light()
    )
    assert (given_light[0] - given_light[1]).abs().max() > 0.1


@pytest.mark.parametrize("limit", [1, None])
def test_thread_choice_takes_effect(limit):
    before = torch.get_num_threads()
    try:
        chosen = choose_threads(limit)
        assert torch.get_num_threads() == chosen >= 1
        assert chosen <= (limit or os.cpu_count())
    finally:
        torch.set_num_threads(before)
