"""Landmarks of the portrait: where they lie, and that they move with the picture."""

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def found(nets, portrait):
    return nets.face_mesh(portrait, nets.detect_faces(portrait)[0])


def eye_distance(points):
    return np.linalg.norm(points[33, :2] - points[263, :2])


def test_landmarks_agree_with_dlibs_five_points(found, reference):
    """Eye corners and nose base within 5 % of the eye distance; dlib counts from pixel centres."""
    ours = found.points[[263, 362, 33, 133, 2], :2]
    distance = np.linalg.norm(ours - (reference["five_points"] + 0.5), axis=1)
    assert distance.max() < 0.05 * eye_distance(found.points)
    assert found.presence > 0.99


def test_the_nose_is_nearer_to_the_viewer_than_the_cheeks(found):
    nose, right_cheek, left_cheek = found.points[[1, 234, 454], 2]
    assert nose < 0
    assert min(right_cheek, left_cheek) - nose > 0.5 * eye_distance(found.points)


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 2.0), (25.0, 1.0), (-70.0, 0.8)])
def test_landmarks_move_with_the_picture(nets, portrait, found, angle, scale):
    matrix = cv2.getRotationMatrix2D((223, 120), angle, scale)
    matrix[:, 2] += [60, 200]
    picture = cv2.warpAffine(portrait, matrix, (700, 800))
    (face,) = nets.detect_faces(picture)
    points = nets.face_mesh(picture, face).points
    expected = (found.points[:, :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    error = np.linalg.norm(points[:, :2] - expected, axis=1).mean()
    assert error < 0.012 * scale * eye_distance(found.points)
    assert np.ptp(points[:, 2]) == pytest.approx(scale * np.ptp(found.points[:, 2]), rel=0.05)


def test_a_second_pass_forgets_the_detectors_box(nets, portrait, found):
    from dataclasses import replace

    face = nets.detect_faces(portrait)[0]
    shifted = replace(face, box_xyxy=face.box_xyxy + 0.08 * face.side)
    error = nets.face_mesh(portrait, shifted).points - found.points
    assert np.linalg.norm(error[:, :2], axis=1).mean() < 0.012 * eye_distance(found.points)


def test_presence_is_low_without_a_face(nets, portrait):
    from dataclasses import replace

    face = nets.detect_faces(portrait)[0]
    elsewhere = replace(face, box_xyxy=face.box_xyxy + np.array([180, 150, 180, 150]))
    assert nets.face_mesh(portrait, elsewhere).presence < 0.1
