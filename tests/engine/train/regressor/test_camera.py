"""Views of random photos."""

import numpy as np

from engine.protocol.conventions import FRONTAL_ROTATION
from engine.train.regressor.camera import random_view, turned


def test_no_turn_is_the_frontal_view() -> None:
    assert np.allclose(turned(0.0, 0.0, 0.0), FRONTAL_ROTATION)
    assert np.allclose(turned(0.3, -0.2, 0.1) @ turned(0.3, -0.2, 0.1).T, np.eye(3))


def test_faces_lie_in_the_picture_whatever_the_distance() -> None:
    face = np.array([[0.0, -0.01, 0.03], [0.06, 0.0, 0.0], [-0.06, 0.0, 0.0], [0.0, -0.09, 0.0]])
    for seed in range(100):
        view = random_view(np.random.default_rng(seed), 288)
        pixels, depth = view.project(face)
        assert (depth > 0.2).all()
        assert ((pixels > 0.0) & (pixels < 288.0)).all()
        centre = view.rotation @ view.eye + view.translation
        assert np.allclose(centre, 0.0, atol=1e-9)
