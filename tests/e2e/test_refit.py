"""Several photos of one person, and a fit that goes on from a result."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from engine.protocol.conventions import sh_basis
from engine.protocol.edits import Edits, write_edits
from engine.protocol.headpack import read_pack
from engine.protocol.recipe import recipe_of
from engine.protocol.result import read_result

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def coefficients(folder):
    return read_result(folder).coefficients


def test_two_photos_give_one_head(fit, astronaut, astronaut_result, tmp_path):
    with Image.open(astronaut) as photo:
        other = ImageEnhance.Brightness(photo.convert("RGB").crop((40, 0, 480, 460))).enhance(0.8)
    other.save(tmp_path / "darker.png")
    done = fit((astronaut, tmp_path / "darker.png"), tmp_path / "r", "--texture-size", "256")
    assert done.returncode == 0, done.stderr
    result = read_result(tmp_path / "r")
    (view,) = result.manifest.others
    assert view.photo.path.endswith("darker.png") and view.camera.width == 440
    ahead = sh_basis(np.array([[0.0, 0.0, 1.0]]))
    shading = [(ahead @ light.sh).mean() for light in (result.manifest.light, view.light)]
    assert 0.5 < shading[1] / shading[0] < 0.8, "the darker photo has its own light"
    alone = coefficients(astronaut_result[0])["identity"]
    assert np.abs(result.coefficients["identity"] - alone).max() < 1.0


def test_what_is_locked_stays(fit, astronaut, astronaut_result, tmp_path):
    start = astronaut_result[0]
    locks = ("--lock", "identity", "--lock", "albedo", "--lock", "detail")
    done = fit(astronaut, tmp_path / "r", "--start", str(start), *locks)
    assert done.returncode == 0, done.stderr
    before, after = coefficients(start), coefficients(tmp_path / "r")
    for name in ("identity", "albedo", "detail"):
        np.testing.assert_array_equal(after[name], before[name])
    maps = [np.asarray(Image.open(f / "maps/albedo.png")) for f in (start, tmp_path / "r")]
    assert np.abs(maps[0].astype(int) - maps[1]).mean() < 1.0, "the texture stays with them"


def test_a_pin_is_followed_a_locked_edit_stays_and_the_recipe_gives_the_same_bits(
    fit, astronaut, astronaut_result, offline, tmp_path
):
    start = read_result(astronaut_result[0])
    expression = np.clip(start.coefficients["expression"] + 0.125, 0.0, 1.0)
    write_edits(tmp_path / "edits", Edits(expression=expression))
    chin = chin_of(start)
    x, y = chin + (0.0, 5.0)
    options = ("--start", str(start.folder), "--edits", str(tmp_path / "edits"))
    options += ("--lock", "expression", "--pin", f"8,{x},{y}", "--texture-size", "256")
    done = fit(astronaut, tmp_path / "r", *options)
    assert done.returncode == 0, done.stderr
    after = read_result(tmp_path / "r")
    np.testing.assert_allclose(after.coefficients["expression"], expression, atol=1e-6)
    assert np.linalg.norm(chin_of(after) - (x, y)) < 1.0
    recipe = tmp_path / "recipe.txt"
    recipe.write_text(recipe_of(after), encoding="ascii")
    command = [sys.executable, "-m", "engine", "recipe", str(recipe), "--out", str(tmp_path / "a")]
    subprocess.run(command, cwd=ROOT, env=os.environ | offline, check=True, timeout=300)
    assert read_result(tmp_path / "a").manifest.files == after.manifest.files


def chin_of(result):
    """(2,) pixels of the photo where the head of a result has its chin (point 8 of the 68)."""
    pack = read_pack(ROOT / "packs" / result.manifest.pack.id)
    point = pack.head.landmarks68
    mesh = result.mesh.posed(result.coefficients["expression"])
    place = point.barycentric[8] @ mesh[pack.head.triangles[point.triangles[8]]]
    camera = result.manifest.camera
    seen = np.array(camera.K) @ (np.array(camera.R) @ place + np.array(camera.t))
    return seen[:2] / seen[2]


def test_another_photo_than_the_start_has_is_refused(fit, astronaut, astronaut_result, tmp_path):
    with Image.open(astronaut) as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "flipped.png")
    start = ("--start", str(astronaut_result[0]))
    done = fit(tmp_path / "flipped.png", tmp_path / "r", *start)
    assert done.returncode == 2 and "made from other photos" in done.stderr
    assert not (tmp_path / "r").exists()
    done = fit(astronaut, tmp_path / "r", "--lock", "identity")
    assert done.returncode == 2 and "no result to start from" in done.stderr
