"""68 landmarks under the dense mesh, with a stand-in for the package."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from engine.photo.face_alignment_backend import (
    JAW,
    link_landmarks,
    load_locator,
    make_aligner,
    move_mesh,
)
from engine.protocol.errors import EngineError, ErrorCode


@pytest.fixture(scope="module")
def head():
    """468 dense and 68 sparse points of a bowl-like face of 12 x 16 cm, metres; their link."""
    rng = np.random.default_rng(0)

    def surface(count):
        xy = rng.uniform(-1, 1, (count, 2)) * [0.06, 0.08]
        return np.column_stack([xy, 3.0 * (xy**2).sum(1)])

    dense, points = surface(468), surface(68) * [0.7, 0.7, 0.49]
    return dense, points, link_landmarks(dense, points, np.full(68, 0.8))


def seen(points):
    """(N, 3) metres -> photo pixels and depth, turned and scaled as an affine camera does."""
    turned = points @ np.array([[0.8, 0.1, 0.6], [-0.1, 1.0, 0.0], [-0.6, 0.0, 0.8]])
    return turned * 2000 + [300, 400, 0]


def test_points_that_agree_move_nothing(head):
    dense, points, link = head
    mesh = seen(dense)
    moved = move_mesh(mesh, seen(points)[:, :2], link)
    assert np.abs(moved - mesh).max() < 1.0  # of a face 300 pixels tall


def test_an_error_of_the_mesh_is_taken_out_where_points_are(head):
    dense, points, link = head
    true = seen(dense)
    error = 8.0 * np.sin(dense[:, :2] / 0.03 * [1.0, 0.7])
    moved = move_mesh(true + np.pad(error, ((0, 0), (0, 1))), seen(points)[:, :2], link)
    near = np.linalg.norm(dense[:, None] - points[None, JAW:], axis=2).min(axis=1) < 0.006
    left = np.linalg.norm((moved - true)[near, :2], axis=1).mean()
    assert left < 0.3 * np.linalg.norm(error[near], axis=1).mean()
    assert np.array_equal(moved[:, 2], true[:, 2])


def test_the_jaw_is_left_to_the_mesh(head):
    dense, points, link = head
    mesh, sparse = seen(dense), seen(points)[:, :2]
    moved = move_mesh(mesh, sparse, link)
    sparse[:JAW] += 50.0
    assert np.array_equal(move_mesh(mesh, sparse, link), moved)


def fake_package(tmp_path, monkeypatch):
    """The parts of face-alignment 1.5 that are used; finds the 68 at the box's middle."""
    package, built = ModuleType("face_alignment"), []

    class Net:
        def __init__(self, kind, **options):
            built.append((kind, options))

        def get_landmarks_from_image(self, image, detected_faces):
            assert image.dtype == np.uint8
            (box,) = detected_faces
            return [np.tile((box[:2] + box[2:]) / 2, (68, 1)).astype(np.float32)]

    package.FaceAlignment = Net
    package.LandmarksType = SimpleNamespace(TWO_D=1)
    package.api = ModuleType("face_alignment.api")
    package.api.models_urls = {"2DFAN-4": "https://example.org/net-12ab.pth.tar"}
    package.utils = ModuleType("face_alignment.utils")
    package.utils.get_dir = lambda: str(tmp_path)
    for module in (package, package.api, package.utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return built


def test_nothing_is_downloaded_without_consent(tmp_path, monkeypatch):
    built = fake_package(tmp_path, monkeypatch)
    with pytest.raises(EngineError, match="--allow-download") as caught:
        load_locator(False)
    assert caught.value.code is ErrorCode.ENGINE_MISSING
    assert "net-12ab.pth.tar" in caught.value.message and not built
    load_locator(True)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "net-12ab.pth.tar").touch()
    load_locator(False)
    assert [kind for kind, _ in built] == [1, 1]
    assert built[0][1]["face_detector"] == "folder"  # the others load weights of their own


def test_the_network_is_asked_about_the_meshs_face(head, tmp_path, monkeypatch):
    fake_package(tmp_path, monkeypatch)
    dense, _, link = head
    mesh = seen(dense)
    align = make_aligner(link, load_locator(True))
    middle = (mesh[:, :2].min(0) + mesh[:, :2].max(0)) / 2
    wanted = move_mesh(mesh, np.tile(middle, (68, 1)), link)
    np.testing.assert_allclose(align(np.zeros((9, 9, 3), np.float32), mesh), wanted, atol=1e-3)


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(EngineError, match="pip install face-alignment") as caught:
        load_locator(True)
    assert caught.value.code is ErrorCode.ENGINE_MISSING
