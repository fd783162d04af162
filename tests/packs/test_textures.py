"""Eye and lash textures: what sits where, and that it is the same every time."""

import cv2
import numpy as np
import pytest

from engine.packs.build.eyeball import eyeball_uv
from engine.packs.build.textures import encode_png, eye_texture, lash_texture
from engine.protocol.conventions import uv_to_pixels


@pytest.fixture(scope="module")
def eye():
    return eye_texture(256)


def at_angle(image, degrees, azimuth=0.3):
    angle = np.radians(degrees)
    direction = [np.sin(angle) * np.cos(azimuth), np.sin(angle) * np.sin(azimuth), np.cos(angle)]
    uv = eyeball_uv(np.array([direction]))
    column, row = uv_to_pixels(uv, *image.shape[1::-1])[0].astype(int)
    return image[row, column].astype(float)


def test_pupil_iris_limbus_sclera_from_the_axis_outwards(eye):
    assert at_angle(eye, 0.0).max() < 20
    assert at_angle(eye, 15.0)[0] > at_angle(eye, 15.0)[2] > 10  # brown
    assert at_angle(eye, 22.5).mean() < at_angle(eye, 15.0).mean()
    assert at_angle(eye, 35.0).min() > 180


def test_upper_half_of_the_eye_texture_is_above(eye):
    up = eyeball_uv(np.array([[0.0, 0.5, 1.0]]))[0]
    assert up[0] == pytest.approx(0.5) and up[1] > 0.5


def test_lashes_thin_out_towards_the_tip():
    alpha = lash_texture()[..., 3].astype(float)
    upper, lower = np.split(alpha, 2)
    for half in (upper, lower):
        rows = half.mean(axis=1)
        assert rows[-30:].mean() > 3.0 * rows[:60].mean()
        assert (half[-1] > 128).mean() < 0.8  # strands, not a slab
    assert (upper[:128] > 50).sum() > (lower[:128] > 50).sum()


def test_textures_repeat_and_survive_png(eye):
    assert (eye_texture(256) == eye).all()
    back = cv2.imdecode(np.frombuffer(encode_png(eye), np.uint8), cv2.IMREAD_COLOR)
    assert (cv2.cvtColor(back, cv2.COLOR_BGR2RGB) == eye).all()
