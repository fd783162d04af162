"""The photo's camera in Blender's own projection, and the photo behind the head."""

import numpy as np
import pytest

from engine.protocol.conventions import turn_upright

pytestmark = pytest.mark.blender

CAMERAS = {
    "centred": dict(centre=(80.0, 60.0)),
    "shifted": dict(),
    "tall": dict(width=90, height=200, centre=(40.0, 120.0)),
    "wide": dict(width=400, height=100, centre=(210.0, 33.0), yaw=-0.8),
    "flat pixels": dict(focal=(400.0, 500.0)),
    "high pixels": dict(focal=(450.0, 400.0)),
    "long": dict(focal=(40000.0, 40000.0), distance=80.0),
}


@pytest.mark.parametrize("name", CAMERAS)
def test_projection_is_that_of_the_engine(blender, addon, tiny, tmp_path, name):
    """Blender's view of each vertex against K (R x + t), within 0.1 pixel."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    camera = tiny.TinyCamera(**CAMERAS[name])
    folder = tiny.write_tiny_result(tmp_path / "r", tmp_path / "p.png", camera)
    addon.build(folder)
    built = addon.build(folder)  # the second stands aside: its camera must ride along
    blender.context.view_layer.update()
    info, scene = addon.read_result(folder).manifest.camera, blender.context.scene
    worst = 0.0
    points = tiny.tiny_mesh()["neutral"][::7]
    for point in points.astype(float):
        projected = np.array(info.K) @ (np.array(info.R) @ point + np.array(info.t))
        expected = projected[:2] / projected[2]
        there = built.root.matrix_world @ Vector((point[0], -point[2], point[1]))
        u, v, _ = world_to_camera_view(scene, built.camera, there)
        worst = max(worst, abs(u * info.width - expected[0]))
        worst = max(worst, abs((1 - v) * info.height - expected[1]))
    assert worst < 0.1


def test_the_head_is_never_clipped(blender, addon, tiny, tmp_path):
    camera = tiny.TinyCamera(focal=(40000.0, 40000.0), distance=80.0)
    folder = tiny.write_tiny_result(tmp_path / "r", tmp_path / "p.png", camera)
    data = addon.build(folder).camera.data
    assert data.clip_start < 79 and data.clip_end > 81


def test_the_photo_fills_the_camera_upright(blender, addon, tiny, result):
    data = addon.build(result).camera.data
    background = data.background_images[0]
    assert data.show_background_images and background.frame_method == "STRETCH"
    pixels = addon.images.read_pixels(background.image)
    expected = tiny._gradient(120, 160)
    np.testing.assert_allclose(pixels[..., :3], expected, atol=1 / 255)


def test_orientation_is_that_of_the_photo_library():
    """All eight EXIF turns of a small picture against Pillow."""
    image = pytest.importorskip("PIL.Image")
    ops = pytest.importorskip("PIL.ImageOps")
    pixels = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    for orientation in range(1, 9):
        picture = image.fromarray(pixels)
        picture.getexif()[0x0112] = orientation
        upright = np.asarray(ops.exif_transpose(picture))
        np.testing.assert_array_equal(turn_upright(pixels, orientation), upright)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photo_is_shown_upright(blender, addon, tiny, tmp_path, suffix, orientation):
    image = pytest.importorskip("PIL.Image")
    ops = pytest.importorskip("PIL.ImageOps")
    path = tmp_path / f"turned{suffix}"
    picture = image.fromarray(np.uint8(tiny._gradient(48, 80) * 255))
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif, **({"quality": 95} if suffix in (".jpg", ".webp") else {}))
    assert addon.exif.read_orientation(path) == orientation
    upright = np.asarray(ops.exif_transpose(image.open(path)).convert("RGB")) / 255
    height, width = upright.shape[:2]
    camera = tiny.TinyCamera(width=width, height=height)
    built = addon.build(tiny.write_tiny_result(tmp_path / "r", path, camera))
    assert built.warnings == ()
    pixels = addon.images.read_pixels(built.camera.data.background_images[0].image)
    np.testing.assert_allclose(pixels[..., :3], upright, atol=0.04)
