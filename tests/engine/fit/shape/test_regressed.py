"""What the shipped regressor tells of random photos that it was not trained on."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.fit.shape.landmark_basis import landmark_basis
from engine.fit.shape.regressed import regress_shape
from engine.fit.shape.view import ShapeView
from engine.nets.bundle import load_nets
from engine.nets.regressor_file import WEIGHTS, knows_head, read_regressor
from engine.photo.prepare import WorkingCrop
from engine.protocol.headpack import read_pack
from engine.train.regressor.observe import observe_photos
from engine.train.regressor.picture import synthetic_photo
from engine.train.regressor.stage import build_stage

SEED, COUNT = 977, 12


@pytest.fixture(scope="module")
def skin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("skin") / "000000.png"
    cv2.imwrite(str(path), np.full((256, 256, 3), (120, 150, 190), np.uint8))
    return path


def test_landmarks_get_nearer_to_the_truth_at_any_scale(default_pack: Path, skin: Path) -> None:
    head, nets = read_pack(default_pack).head, load_nets(default_pack)
    basis = landmark_basis(head, head.landmarks468)
    regressor = read_regressor(WEIGHTS)
    assert knows_head(regressor, basis.identity)
    stage = build_stage(head, (skin,))
    photos = [synthetic_photo(stage, SEED, number) for number in range(COUNT)]
    before, after = [], []
    for photo, seen in zip(
        photos, observe_photos(nets, photos, basis.weight, range(COUNT)), strict=True
    ):
        # The photo's points, from those of the levelled crop: back by the photo's own truth.
        pixels = photo.view.project(photo.points)[0]
        turn = np.linalg.lstsq(
            np.column_stack([seen.truth[:, :2], np.ones(468)]), pixels, rcond=None
        )[0]
        points = np.column_stack(
            [
                np.column_stack([seen.seen.points[:, :2], np.ones(468)]) @ turn,
                seen.seen.points[:, 2] / seen.zoom,
            ]
        )
        crop = WorkingCrop(photo.image, np.ones(photo.image.shape[:2], np.float32), 40.0, 30.0, 0.5)
        view = ShapeView(points * [2.0, 2.0, 2.0] + [40.0, 30.0, 0.0], (700, 700), None, crop)
        told = regress_shape(regressor, nets.identity, view)
        assert told is not None
        wanted = pixels * 2.0 + [40.0, 30.0]
        for landmarks, errors in ((view.landmarks, before), (told.landmarks, after)):
            distance = np.linalg.norm(landmarks[:, :2] - wanted, axis=1)
            errors.append(basis.weight @ distance / basis.weight.sum())
        assert (told.landmark_sigma > 0.0).all()
        assert (told.picture_sigma > 0.0).all()
        assert (told.picture_sigma < 1.6).all()
    assert np.mean(after) < 0.9 * np.mean(before)


def test_points_without_a_picture_are_left_alone(default_pack: Path) -> None:
    regressor, nets = read_regressor(WEIGHTS), load_nets(default_pack)
    view = ShapeView(np.zeros((468, 3)), (100, 100))
    assert regress_shape(regressor, nets.identity, view) is None
