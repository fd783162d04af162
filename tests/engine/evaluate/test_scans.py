"""Scans: read as they are, measured whatever their size and place, refused in plain words."""

import struct
from pathlib import Path

import numpy as np
import pytest

from engine.evaluate.scans import Summary, average, millimetres, summary
from engine.evaluate.scans_files import read_ply, read_scan, scan_folders
from engine.evaluate.scans_fit import Scan, fit_model, placed_on_scan
from engine.evaluate.scans_regions import OUTSIDE, REGIONS, face_regions, landmark_points
from engine.fit.loaded import LoadedPack, load_pack
from engine.fit.shape.view import rotation_matrix
from engine.protocol.errors import EngineError, ErrorCode


@pytest.fixture(scope="module")
def loaded(default_pack: Path) -> LoadedPack:
    return load_pack(default_pack)


def _ply(polygons: list[list[int]]) -> bytes:
    header = (
        "ply\nformat binary_little_endian 1.0\ncomment x\nelement vertex 4\nproperty float x\n"
        "property float y\nproperty float z\nproperty uchar red\n"
        f"element face {len(polygons)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    vertices = b"".join(struct.pack("<fffB", k, 2 * k, -k, 7) for k in range(4))
    faces = b"".join(struct.pack(f"<B{len(p)}i", len(p), *p) for p in polygons)
    return header.encode() + vertices + faces


def test_ply_with_triangles_and_quads() -> None:
    vertices, triangles = read_ply(_ply([[0, 1, 2], [0, 1, 2, 3]]))
    assert np.array_equal(vertices, [[k, 2 * k, -k] for k in range(4)])
    assert triangles.tolist() == [[0, 1, 2], [0, 1, 2], [0, 2, 3]]


def test_obj_with_colour_ignores_orientation_and_keeps_uv(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "a.obj").write_text(
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
        "f 1/1 2/2 3/3 4/4\nf 1/1 2/2 3/3\n"
    )
    (tmp_path / "a.mtl").write_text("newmtl x\nmap_Kd colour.png\n")
    image = np.zeros((8, 8, 3), np.uint8)
    image[..., 2] = 255
    cv2.imwrite(str(tmp_path / "colour.png"), image)
    scan = read_scan(tmp_path, tmp_path / "a.obj")
    assert scan.triangles.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]
    assert scan.corner_uv is not None and scan.texture is not None
    assert scan.corner_uv[1].tolist() == [[0, 0], [1, 1], [0, 1]]
    assert np.allclose(scan.texture[0, 0], [1, 0, 0])
    assert scan.photos == ()


def test_unusable_folders_and_meshes_are_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as none:
        scan_folders(tmp_path)
    assert none.value.code is ErrorCode.BAD_INPUT
    (tmp_path / "one").mkdir()
    mesh = tmp_path / "one" / "a.ply"
    mesh.write_bytes(_ply([[0, 1, 2]])[:-3])
    assert scan_folders(tmp_path) == [(tmp_path / "one", mesh)]
    with pytest.raises(EngineError) as broken:
        read_scan(tmp_path / "one", mesh)
    assert broken.value.code is ErrorCode.BAD_INPUT


def _scan_of(vertices: np.ndarray, loaded: LoadedPack) -> Scan:
    """A scan that is the head itself, turned, moved and enlarged."""
    head = loaded.head
    moved = 1.3 * vertices @ rotation_matrix(np.array([0.03, -0.05, 0.02])).T + [0.01, 0.02, 0.0]
    region = face_regions(head)
    pick = np.flatnonzero(region < OUTSIDE)[::9]
    points = moved[head.triangles[pick]].mean(axis=1)
    marks = landmark_points(moved, head, head.landmarks468)
    marks[5] = np.nan
    return Scan("known", moved, head.triangles, marks, moved, points, region[pick])


def test_size_and_place_do_not_count_but_shape_does(loaded: LoadedPack) -> None:
    head = loaded.head
    true = (head.mean + 1.5 * head.identity[1]).astype(np.float64)
    scan = _scan_of(true, loaded)
    same = millimetres(scan, true, loaded)
    mean = millimetres(scan, head.mean, loaded)
    half = millimetres(scan, head.mean + 0.75 * head.identity[1], loaded)
    assert same["all"] < 0.01
    assert 0.2 * mean["all"] < half["all"] < 0.8 * mean["all"]
    assert set(mean) == {"all", *REGIONS}
    assert np.abs(placed_on_scan(scan, true, loaded) - scan.vertices).max() < 1e-4


def test_a_model_is_fitted_to_a_scan_of_another_size(loaded: LoadedPack) -> None:
    head = loaded.head
    true = (head.mean + head.identity[1] - head.identity[3]).astype(np.float64)
    scan = _scan_of(true, loaded)
    found = fit_model(loaded, scan.vertices, scan.triangles, scan.marks)
    assert millimetres(scan, found, loaded)["all"] < 0.2


def test_averages_and_the_figures_that_count() -> None:
    assert average([{"all": 1.0, "nose": 2.0}, {"all": 3.0}])["all"] == 2.0
    assert average([]) == {}

    class View:
        def __init__(self, name: str, value: float | None) -> None:
            self.name, self.ours = name, {} if value is None else {"all": value}

    class Outcome:
        def __init__(self, mean: float, views: list[View]) -> None:
            self.mean, self.views, self.scan = {"all": mean}, views, Named()

    class Named:
        name = "scan"

    told = summary([Outcome(2.0, [View("a", 1.0), View("b", 2.2), View("c", None)])])
    assert told == Summary(2.0, 1.6, pytest.approx(0.2), pytest.approx(1.1), "scan, b")
