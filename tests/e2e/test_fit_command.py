import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from engine.protocol.result import read_result
from engine.protocol.result_schema import OTHER_FILES, REQUIRED_FILES

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def package(astronaut_result):
    folder, done = astronaut_result
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder)
    return read_result(folder)


def test_result_directory_is_complete_and_unchanged(package):
    """read_result has checked the sha256 of every file; nothing else may lie there."""
    names = {
        str(path.relative_to(package.folder)).replace("\\", "/")
        for path in package.folder.rglob("*")
        if path.is_file()
    }
    assert {*REQUIRED_FILES, *OTHER_FILES} <= names
    assert names == {*package.manifest.files, "result.json"}
    assert [path.name for path in package.folder.parent.iterdir()] == [package.folder.name]


def test_head_is_seen_by_the_camera_where_the_face_is(package):
    """Every vertex in front of the camera; the face in the photo's upper middle."""
    camera, mesh = package.manifest.camera, package.mesh
    assert (camera.width, camera.height) == (512, 512)
    posed = mesh.posed(package.coefficients["expression"])
    points = posed @ np.array(camera.R).T + np.array(camera.t)
    assert points[:, 2].min() > 0.1
    pixels = points @ np.array(camera.K).T
    pixels = pixels[:, :2] / pixels[:, 2:]
    middle = (pixels.min(0) + pixels.max(0)) / 2
    assert 170 < middle[0] < 280
    assert 60 < middle[1] < 250
    assert 80 < np.ptp(pixels[:, 0]) < 250


def test_albedo_is_skin(package):
    """Median of what was seen: red over green over blue, neither black nor burnt."""
    albedo = np.asarray(Image.open(package.path("maps/albedo.png")).convert("RGB")).astype(float)
    origin = np.asarray(Image.open(package.path("maps/origin.png")).convert("L"))
    assert albedo.shape == (1024, 1024, 3)
    assert origin.shape == (1024, 1024)
    seen = albedo[origin == origin.max()]
    assert 0.05 < len(seen) / origin.size < 0.9
    red, green, blue = np.median(seen, axis=0)
    assert red > green > blue
    assert 80 < red < 250


def test_pictures_have_the_right_size(package):
    with Image.open(package.path("render.png")) as render:
        assert render.size == (512, 512)
    with Image.open(package.path("compare.png")) as compare:
        assert min(compare.size) >= 200
        assert np.asarray(compare.convert("L")).std() > 10


def test_glb_carries_the_expressions(package):
    data = package.path("head.glb").read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size = struct.unpack_from("<I", data, 12)[0]
    scene = json.loads(data[20 : 20 + size])
    morphs = max(len(p.get("targets", [])) for m in scene["meshes"] for p in m["primitives"])
    assert morphs == len(package.manifest.mesh.expression_names) == 52
    assert scene["images"]


def test_obj_has_uvs_for_every_corner(package):
    lines = package.path("head.obj").read_text().splitlines()
    faces = [line for line in lines if line.startswith("f ")]
    assert 15_000 <= len(faces) <= 20_000
    assert all("/" in corner for corner in faces[0].split()[1:])
    assert sum(line.startswith("v ") for line in lines) == len(package.mesh.neutral)


def test_landmarks_fit_within_a_few_percent(package):
    """Twice the goal of the whole photo set: one photo may be worse than their median."""
    assert package.manifest.metrics
    names = [name for name in package.manifest.metrics if "landmark" in name]
    assert names
    assert 0 < package.manifest.metrics[names[0]] < 0.03


def test_same_photo_and_seed_give_the_same_bits(fit, astronaut, package, tmp_path):
    """Of every file, but for the times in result.json."""
    done = fit(astronaut, tmp_path / "again")
    assert done.returncode == 0, done.stderr
    first, again = package.manifest, read_result(tmp_path / "again").manifest
    assert again.files == first.files
    assert replace(again, stages=first.stages) == first
