"""Several photos of one person, and a fit that goes on from a result."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from engine.protocol.conventions import sh_basis
from engine.protocol.result import read_result

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


def test_another_photo_than_the_start_has_is_refused(fit, astronaut, astronaut_result, tmp_path):
    with Image.open(astronaut) as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "flipped.png")
    start = ("--start", str(astronaut_result[0]))
    done = fit(tmp_path / "flipped.png", tmp_path / "r", *start)
    assert done.returncode == 2 and "made from other photos" in done.stderr
    assert not (tmp_path / "r").exists()
    done = fit(astronaut, tmp_path / "r", "--lock", "identity")
    assert done.returncode == 2 and "no result to start from" in done.stderr
