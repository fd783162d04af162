"""Face search on the portrait, changed in size, place and rotation."""

import cv2
import numpy as np
import pytest

from engine.nets.face_detector import DetectedFace, _turn_back, suppress


def scene(portrait, size, height=600, width=900):
    """The portrait's head, `size` pixels wide, on a plain ground; returns picture and centre."""
    head = portrait[20:190, 135:305]
    scale = size / 102
    head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 0.62, np.float32)
    top, left = height // 3, int(width * 0.7)
    picture[top : top + head.shape[0], left : left + head.shape[1]] = head
    return picture, np.array([left + 88 * scale, top + 99 * scale])


def test_the_portraits_face_is_found_once(nets, portrait):
    (face,) = nets.detect_faces(portrait)
    assert face.score > 0.9
    assert np.linalg.norm(face.center - [223, 120]) < 8
    assert 85 < face.side < 120
    # The subject's right eye is on the left of the picture; ears are outside the eyes.
    right_eye, left_eye, nose, mouth, right_ear, left_ear = face.keypoints
    assert right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0]
    assert right_eye[1] < nose[1] < mouth[1]


@pytest.mark.parametrize("size", [40, 70])
def test_small_faces_in_large_pictures_are_found(nets, portrait, size):
    picture, center = scene(portrait, size)
    faces = nets.detect_faces(picture)
    assert [np.linalg.norm(face.center - center) < size / 4 for face in faces] == [True]


def test_a_face_that_fills_the_picture_is_found(nets, portrait):
    assert len(nets.detect_faces(np.ascontiguousarray(portrait[60:185, 165:285]))) == 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_pictures_give_the_same_face_turned(nets, portrait, turns):
    upright = np.ascontiguousarray(portrait[:400])
    (expected,) = nets.detect_faces(upright)
    (face,) = nets.detect_faces(np.ascontiguousarray(np.rot90(upright, turns)))
    back = _turn_back(face, turns, upright.shape[1], upright.shape[0])
    assert np.abs(back.keypoints - expected.keypoints).max() < 0.06 * expected.side


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_back_inverts_rot90(turns):
    picture = np.zeros((30, 50))
    picture[7, 41] = 1
    y, x = np.argwhere(np.rot90(picture, turns) == 1)[0] + 0.5
    face = DetectedFace(np.array([x - 3, y - 3, x + 3, y + 3]), np.tile([x, y], (6, 1)), 1.0)
    np.testing.assert_allclose(_turn_back(face, turns, 50, 30).keypoints[0], [41.5, 7.5])
    np.testing.assert_allclose(_turn_back(face, turns, 50, 30).center, [41.5, 7.5])


def test_faces_come_largest_first(nets, portrait):
    picture, _ = scene(portrait, 60)
    large, _ = scene(portrait, 100)
    picture = np.concatenate([picture, large], axis=1)
    faces = nets.detect_faces(picture)
    assert len(faces) == 2
    assert faces[0].area > faces[1].area


def test_pictures_without_a_face_give_none(nets):
    noise = np.random.default_rng(0).random((240, 320, 3)).astype(np.float32)
    assert nets.detect_faces(noise) == []
    assert nets.detect_faces(np.full((240, 320, 3), 0.5, np.float32)) == []


def test_suppression_keeps_the_best_of_overlapping_finds():
    def face(x, y, side, score):
        return DetectedFace(np.array([x, y, x + side, y + side]), np.zeros((6, 2)), score)

    faces = [face(0, 0, 40, 0.7), face(5, 4, 40, 0.9), face(10, 10, 20, 0.8), face(100, 0, 40, 0.6)]
    assert [kept.score for kept in suppress(faces, 0.3)] == [0.9, 0.6]
