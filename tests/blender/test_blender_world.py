"""The photo's light: orientation by render, values against the shading formula."""

import numpy as np
import pytest

from engine.protocol.conventions import SH_COUNT, ambient_light, sh_basis

pytestmark = pytest.mark.blender


def directional(x=0.0, y=0.0, z=0.0, strength=0.5):
    """Light that is brighter from one side, never negative: shading 1 + strength * n."""
    light = np.zeros((SH_COUNT, 3))
    light[:, :] = ambient_light()[:, :]
    per_axis = np.sqrt(3 / (4 * np.pi))
    light[1], light[2], light[3] = (strength * c / per_axis for c in (y, z, x))
    return light


def render(bpy):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = 8, False, 1
    scene.render.resolution_percentage = 50
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = bpy.app.tempdir + "render.exr"
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath, check_existing=False)
    width, height = image.size
    pixels = np.array(image.pixels[:], np.float32).reshape(height, width, 4)[::-1]
    bpy.data.images.remove(image)
    return pixels[..., :3]


def plain_head(bpy, built):
    """A white matt skin without anything else in sight, black behind it."""
    for part in built.parts[1:]:
        part.hide_render = True
    tree = built.head.active_material.node_tree
    tree.nodes.clear()
    shader = tree.nodes.new("ShaderNodeBsdfDiffuse")
    shader.inputs["Color"].default_value = (1, 1, 1, 1)
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    bpy.context.scene.render.film_transparent = True


def centroid(image):
    """Brightness-weighted centre relative to the middle of what is lit, in pixels (x, y down)."""
    lit = image.mean(-1) > 0.01
    y, x = np.nonzero(lit)
    weight = image.mean(-1)[lit]
    return (x * weight).sum() / weight.sum() - x.mean(), (
        y * weight
    ).sum() / weight.sum() - y.mean()


@pytest.mark.parametrize(
    ("axis", "side", "sign"),
    [("x", 0, 1), ("y", 1, -1)],
    ids=["from the subject's left: right of the picture", "from above: upper part"],
)
def test_light_comes_from_where_it_came_in_the_photo(
    blender, addon, tiny, tmp_path, axis, side, sign
):
    camera = tiny.TinyCamera(yaw=0.0, centre=(80.0, 60.0))
    folder = tiny.write_tiny_result(
        tmp_path / "r", tmp_path / "p.png", camera, directional(**{axis: 1.0})
    )
    plain_head(blender, addon.build(folder))
    shift = centroid(render(blender))
    assert shift[side] * sign > 1.0 and abs(shift[1 - side]) < 0.5


def test_light_from_the_front_is_brighter_than_from_behind(blender, addon, tiny, tmp_path):
    camera = tiny.TinyCamera(yaw=0.0)
    brightness = []
    for z in (1.0, -1.0):
        folder = tiny.write_tiny_result(
            tmp_path / f"r{z}", tmp_path / "p.png", camera, directional(z=z)
        )
        built = addon.build(folder)
        plain_head(blender, built)
        image = render(blender)
        brightness.append(image.max())
        blender.ops.uvapm.remove_head()
    assert brightness[0] > 1.3 and brightness[1] < brightness[0] - 0.5


def test_white_light_of_shading_one_shows_the_albedo(blender, addon, tiny, tmp_path):
    """Convex, matt, white, lit by 1 from everywhere: every pixel is 1."""
    folder = tiny.write_tiny_result(tmp_path / "r", tmp_path / "p.png", light=ambient_light())
    plain_head(blender, addon.build(folder))
    image = render(blender).mean(-1)
    inside = image[image > 0.9]
    assert len(inside) > 100 and inside.mean() == pytest.approx(1.0, abs=0.02)


def test_matt_shading_is_that_of_the_engine(blender, addon, tiny, tmp_path):
    """Pixels in the middle of the ball against albedo 1 times sum_k light_k Y_k(normal)."""
    light = directional(x=0.3, y=0.2, z=0.35)
    camera = tiny.TinyCamera(yaw=0.0, centre=(80.0, 60.0))
    folder = tiny.write_tiny_result(tmp_path / "r", tmp_path / "p.png", camera, light)
    built = addon.build(folder)
    plain_head(blender, built)
    middle = render(blender).mean(-1)[28:34, 37:43].mean()
    expected = (sh_basis(np.array([0.0, 0.0, 1.0])) @ light).mean()
    assert middle == pytest.approx(expected, rel=0.03)


def test_the_light_survives_saving(blender, addon, tiny, tmp_path):
    folder = tiny.write_tiny_result(
        tmp_path / "r", tmp_path / "p.png", light=directional(x=1.0, strength=2.5)
    )
    world = addon.build(folder).world
    environment = next(n for n in world.node_tree.nodes if n.type == "TEX_ENVIRONMENT")
    before = addon.images.read_pixels(environment.image)
    assert environment.image.is_float and before.max() > 2.0
    blender.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    blender.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    world = blender.context.scene.world
    environment = next(n for n in world.node_tree.nodes if n.type == "TEX_ENVIRONMENT")
    after = addon.images.read_pixels(environment.image)
    np.testing.assert_allclose(after, before, rtol=2e-3, atol=2e-3)
    assert environment.image.colorspace_settings.name == "Linear Rec.709"
