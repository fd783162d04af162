"""The person mask on the portrait."""

import numpy as np
import pytest


@pytest.mark.parametrize("use_points", [False, True])
def test_the_person_stands_out_from_the_ground(nets, portrait, use_points):
    points = None
    if use_points:
        points = nets.face_mesh(portrait, nets.detect_faces(portrait)[0]).points
    mask = nets.person_mask(portrait, points)
    assert mask.shape == portrait.shape[:2]
    assert mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1
    assert mask[70:160, 190:255].mean() > 0.98  # face
    assert mask[300:450, 150:250].mean() > 0.95  # chest
    assert mask[:100, 330:400].mean() < 0.05  # the wall beside the head


def test_the_mask_stays_with_a_picture_that_is_not_square(nets, portrait):
    tall = np.ascontiguousarray(portrait[:, 90:360])
    whole, part = nets.person_mask(portrait), nets.person_mask(tall)
    assert part.shape == tall.shape[:2]
    assert np.abs(part - whole[:, 90:360])[:220].mean() < 0.03  # head and shoulders


def test_the_mask_does_not_fade_at_the_pictures_rim(nets, portrait):
    mask = nets.person_mask(portrait)
    assert np.abs(mask[-1] - mask[-4]).mean() < 0.02
