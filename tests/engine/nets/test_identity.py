"""Identity: alignment, and that persons stay together."""

import cv2
import numpy as np
import pytest

from engine.nets.identity import (
    INPUT_SIZE,
    MESH_POINTS,
    PADDING,
    TEMPLATE,
    chip_matrix,
    embed,
    face_chip,
    identity_cosine,
    identity_distance,
)


@pytest.fixture(scope="module")
def points(nets, portrait):
    return nets.face_mesh(portrait, nets.detect_faces(portrait)[0]).points


def landmarks_of(chip_places):
    points = np.zeros((468, 3))
    points[list(MESH_POINTS), :2] = chip_places
    return points


def test_chip_matrix_recovers_a_known_similarity():
    template = (TEMPLATE + PADDING) / (1 + 2 * PADDING) * INPUT_SIZE
    linear = 2.5 * np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    matrix = chip_matrix(landmarks_of(template @ linear.T + [300, 200]))
    np.testing.assert_allclose(matrix, np.column_stack([linear, [300, 200]]), atol=1e-9)


def test_chip_matrix_is_the_least_squares_similarity():
    random = np.random.default_rng(0)
    template = (TEMPLATE + PADDING) / (1 + 2 * PADDING) * INPUT_SIZE
    target = template * 1.7 + random.standard_normal((5, 2)) * 4
    rows_x = np.column_stack([template[:, 0], -template[:, 1], np.ones(5), np.zeros(5)])
    rows_y = np.column_stack([template[:, 1], template[:, 0], np.zeros(5), np.ones(5)])
    solution = np.linalg.lstsq(np.concatenate([rows_x, rows_y]), target.T.reshape(-1), rcond=None)[
        0
    ]
    a, b, x, y = solution
    np.testing.assert_allclose(
        chip_matrix(landmarks_of(target)), [[a, -b, x], [b, a, y]], atol=1e-8
    )


def test_embedding_is_near_dlibs_with_its_own_landmarks(nets, portrait, points, reference):
    """Different persons are about 0.8 apart, the same person's photos 0.3 to 0.45."""
    ours = embed(nets.identity, portrait, points)
    assert identity_distance(ours, reference["identity_aligned"]) < 0.15


def test_the_same_face_stays_near_in_other_pictures(nets, portrait, points):
    first = nets.embed(portrait, points)
    matrix = cv2.getRotationMatrix2D((223, 120), 20, 1.4)
    turned = cv2.warpAffine(portrait, matrix, (512, 512))
    moved = (points[:, :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    assert identity_distance(first, nets.embed(turned, moved)) < 0.12
    assert identity_cosine(first, nets.embed(portrait * np.float32(0.7), points)) > 0.97


def test_a_chip_of_another_size_of_photo_looks_the_same(portrait, points):
    large = cv2.resize(portrait, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    difference = face_chip(large, points * 3) - face_chip(portrait, points)
    assert np.abs(difference).mean() < 0.01


def test_distance_and_cosine_of_known_vectors():
    a, b = np.zeros(128), np.zeros(128)
    a[0], b[1] = 3, 4
    assert identity_distance(a, b) == pytest.approx(5)
    assert identity_cosine(a, b) == 0
    assert identity_cosine(a, 2 * a) == pytest.approx(1)
