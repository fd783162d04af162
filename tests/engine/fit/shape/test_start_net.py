"""What a network of Deep3D's kind tells, in the terms of our camera and head."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.fit.shape.start_net import (
    AlignedCrop,
    aligned_crop,
    net_start,
    pose_of,
    rotation_of,
)
from engine.fit.shape.view import ShapeView
from engine.nets.deep3d import SIDE, Deep3DCoefficients
from engine.protocol.errors import EngineError, ErrorCode

ANGLE = np.array([0.1, -0.3, 0.05])
MOVE = np.array([0.2, -0.1, 0.4])


def coefficients(identity: int = 3, expression: int = 2) -> Deep3DCoefficients:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=identity), rng.random(expression), np.zeros(1))
    return Deep3DCoefficients(*values, ANGLE, np.zeros((3, 9)), MOVE)


def in_its_picture(points: np.ndarray) -> np.ndarray:
    """Its projection (decimetres, its own axes) in pixels of its picture, row 0 on top."""
    (a, b, c) = ANGLE
    x, y, z = points.T
    y, z = np.cos(a) * y - np.sin(a) * z, np.sin(a) * y + np.cos(a) * z
    x, z = np.cos(b) * x + np.sin(b) * z, -np.sin(b) * x + np.cos(b) * z
    x, y = np.cos(c) * x - np.sin(c) * y, np.sin(c) * x + np.cos(c) * y
    x, y, z = x + MOVE[0], y + MOVE[1], 10.0 - (z + MOVE[2])
    return np.column_stack([1015.0 * x / z + 112.0, SIDE - (1015.0 * y / z + 112.0)])


def test_the_pose_shows_the_head_where_the_network_sees_it() -> None:
    origin = np.array([0.01, -0.08, -0.06])
    points = np.random.default_rng(1).normal(0.0, 0.08, (50, 3))
    rotation, translation = pose_of(coefficients(), origin)
    camera = points @ rotation.T + translation
    ours = 1015.0 * camera[:, :2] / camera[:, 2:] + 112.0
    theirs = in_its_picture((points - origin) / 0.1)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    np.testing.assert_allclose(rotation_of(ANGLE) @ rotation_of(ANGLE).T, np.eye(3), atol=1e-12)


def test_the_crop_is_found_by_five_points_and_cut_out() -> None:
    template = np.random.default_rng(2).normal(0.0, 0.5, (468, 3))
    landmarks = np.array([300.0, 200.0]) + 51.0 * template[:, :2] * [1.0, -1.0]
    crop = aligned_crop(landmarks, template)
    assert crop.middle == pytest.approx((300.0, 200.0))
    assert crop.scale == pytest.approx(2.0)
    photo = np.zeros((400, 600, 3), np.float32)
    photo[190:210, 290:310] = 1.0
    for pixels in (photo, photo[::2, ::2]):
        rows, columns = np.nonzero(crop.picture(pixels, 600, 400)[..., 0] > 0.5)
        np.testing.assert_allclose([rows.min(), rows.max() + 1], [92, 132], atol=2)
        np.testing.assert_allclose([columns.min(), columns.max() + 1], [92, 132], atol=2)


@pytest.mark.parametrize("focal", [None, 1500.0])
def test_the_photos_own_camera_shows_the_head_at_the_same_place(focal: float | None) -> None:
    crop = AlignedCrop((500.0, 300.0), 0.5)
    view = ShapeView(np.zeros((468, 3), np.float32), (1200, 900), focal)
    rotation, translation = pose_of(coefficients(), np.zeros(3))
    points = np.random.default_rng(3).uniform(-0.1, 0.1, (50, 3))
    seen = points @ rotation.T + translation
    told = (1015.0 * seen[:, :2] / seen[:, 2:]) / crop.scale + crop.middle
    found, turned, moved = crop.through(view, rotation, translation)
    seen = points @ turned.T + moved
    ours = found * seen[:, :2] / seen[:, 2:] + view.center
    assert found == (focal or 2030.0)
    size = np.ptp(told, axis=0).max()
    limit = 0.01 if focal is None else 0.05  # perspective differs, places do not
    assert np.linalg.norm(ours - told, axis=1).max() < limit * size


class _Net:
    """Tells the same of every picture."""

    name, groups = "net.pth", (3, 2, 1, 3, 27, 2, 1)

    def read(self, picture: np.ndarray) -> Deep3DCoefficients:
        assert picture.shape == (SIDE, SIDE, 3)
        return coefficients()


def _loaded(identity: int, names: tuple[str, ...]) -> Any:
    rng = np.random.default_rng(4)
    head = SimpleNamespace(
        id="tiny",
        identity=np.zeros((identity, 8, 3)),
        expression_names=names,
        mean=rng.normal(0.0, 0.1, (8, 3)),
        quads=np.array([[0, 1, 2, 3], [4, 5, 6, 7]]),
        face_part=np.array([0, 1]),
        part_names=("skin", "eye_left"),
    )
    mean = rng.normal(0.0, 0.05, (468, 3))
    return SimpleNamespace(head=head, landmarks=SimpleNamespace(mean=mean))


def _start(loaded: Any) -> Any:
    points = 300.0 + 1000.0 * loaded.landmarks.mean * [1.0, -1.0, -1.0]
    photo = SimpleNamespace(pixels=np.zeros((300, 350, 3), np.float32), width=700, height=600)
    view = ShapeView(points.astype(np.float32), (700, 600))
    return net_start(_Net(), loaded, [SimpleNamespace(photo=photo)], [view]), view  # type: ignore[arg-type, list-item]


def test_a_start_is_made_of_what_the_network_tells() -> None:
    start, view = _start(_loaded(3, ("jawOpen", "hifi3dpp_01", "hifi3dpp_02")))
    (fit,) = start.fits
    told = coefficients()
    np.testing.assert_array_equal(fit.identity, told.identity)
    np.testing.assert_array_equal(fit.expression, [0.0, *told.expression])
    (view,) = start.told([view])
    assert view.belief is not None
    np.testing.assert_array_equal(view.belief.mean, told.identity)
    assert (np.diag(view.belief.precision) > 1.0).all()
    arkit, _ = _start(_loaded(3, ("jawOpen",)))
    np.testing.assert_array_equal(arkit.fits[0].expression, [0.0])


@pytest.mark.parametrize(("identity", "names"), [(80, ()), (3, ("hifi3dpp_01",))])
def test_another_heads_network_is_refused(identity: int, names: tuple[str, ...]) -> None:
    with pytest.raises(EngineError, match="head pack tiny") as raised:
        _start(_loaded(identity, names))
    assert raised.value.code == ErrorCode.BAD_SETTINGS
