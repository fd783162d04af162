"""HiFi3D++: both its files become the same head; what is said of broken ones."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from engine.packs.heads import hifi3dpp, realy
from engine.packs.heads.files.mat5 import read_entries, read_entry
from engine.packs.heads.files.obj import read_obj
from engine.packs.heads.hifi3d import quads_of
from engine.packs.heads.hifi3d_eyes import LEFT, RIGHT
from engine.packs.heads.source import HeadSource
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.reporter import CancelToken, NullReporter

sys.path.insert(0, str(Path(__file__).parent))
from hifi3d_files import (
    REALY_UNIT,
    FaceMesh,
    Tables,
    hifi3dpp_tables,
    model_sizes,
    realy_sizes,
    realy_tables,
    smooth_modes,
    tiny_face,
    unwrap_tables,
    write_mat,
)

EVALDATA = Path(__file__).resolve().parents[4] / "shared" / "evaldata"
MESH = tiny_face()


def read_model(path: Path, mesh: FaceMesh = MESH) -> HeadSource:
    return hifi3dpp.read_model([path], NullReporter(), model_sizes(mesh))


def read_realy(path: Path, mesh: FaceMesh = MESH) -> HeadSource:
    return realy.read_model([path], NullReporter(), realy_sizes(mesh))


@pytest.mark.parametrize("compressed", [True, False])
def test_the_file_of_ffhq_uv_becomes_a_head_in_metres(tmp_path: Path, compressed: bool) -> None:
    write_mat(tmp_path / hifi3dpp.MODEL_FILE, hifi3dpp_tables(MESH), compressed)
    write_mat(tmp_path / hifi3dpp.UNWRAP_FILE, unwrap_tables(MESH))
    source = read_model(tmp_path)
    shift = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(source.mean, 0.1 * (MESH.vertices + shift), atol=1e-6)
    np.testing.assert_allclose(source.identity, 0.1 * smooth_modes(MESH, 3, 1), atol=1e-7)
    np.testing.assert_allclose(source.expression, 0.1 * smooth_modes(MESH, 2, 2), atol=1e-7)
    _check_mesh(source)


def test_the_file_of_realy_becomes_the_same_head(tmp_path: Path) -> None:
    path = write_mat(tmp_path / realy.MODEL_FILE, realy_tables(MESH))
    source = read_realy(path)
    np.testing.assert_allclose(source.mean, 0.1 * MESH.vertices, atol=1e-6)
    np.testing.assert_allclose(source.identity, 0.1 * smooth_modes(MESH, 3, 1), atol=1e-7)
    np.testing.assert_allclose(source.expression, 0.1 * smooth_modes(MESH, 2, 2), atol=1e-7)
    _check_mesh(source)


def _check_mesh(source: HeadSource) -> None:
    """Quads, seams, landmarks; the mouth bag is inner, the largest island is not."""
    np.testing.assert_array_equal(source.faces, MESH.quads)
    assert source.corner_uv is not None and source.inner is not None
    np.testing.assert_allclose(source.corner_uv, MESH.uv[MESH.uv_quads], atol=1e-7)
    np.testing.assert_array_equal(source.landmarks68, MESH.landmarks)
    np.testing.assert_array_equal(np.flatnonzero(source.inner), len(MESH.quads) - np.array([2, 1]))


def test_triangles_that_are_no_halves_of_a_quad_stay_triangles() -> None:
    triangles = np.array([[0, 1, 2], [0, 2, 3], [3, 2, 4], [0, 1, 2], [0, 2, 3]])
    corners = triangles.copy()
    corners[4, 0] = 9  # a seam runs along the common edge
    faces, uv_faces = quads_of(triangles, corners)
    expected = [[0, 1, 2, 3], [3, 2, 4, 4], [0, 1, 2, 2], [0, 2, 3, 3]]
    np.testing.assert_array_equal(faces, expected)
    np.testing.assert_array_equal(uv_faces[-1], [9, 2, 3, 3])


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    path = write_mat(tmp_path / hifi3dpp.MODEL_FILE, hifi3dpp_tables(MESH))
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        hifi3dpp.read_model([path], NullReporter(token), model_sizes(MESH))


def _without(key: str) -> Callable[[Tables], Tables]:
    return lambda tables: {name: value for name, value in tables.items() if name != key}


def _with(key: str, change: Callable[[np.ndarray], object]) -> Callable[[Tables], Tables]:
    return lambda tables: {**tables, key: change(tables[key])}


def _spoilt(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        out = array.astype(np.float64)
        out.flat[7] = value
        return out

    return change


BROKEN_MODEL = {
    "no mean": (_without("meanshape"), ["meanshape", "none"]),
    "modes in rows": (_with("idBase", np.transpose), ["idBase", "expected shape"]),
    "another head's modes": (_with("exBase", lambda a: a[:-3]), ["exBase", "expected shape"]),
    "too few expressions": (_with("exBase", lambda a: a[:, :1]), ["exBase", "found"]),
    "triangles from 0": (_with("head_tri", lambda a: a - 1), ["head_tri", "count from 0"]),
    "UV points beyond": (_with("head_tri_vt", lambda a: a + 1), ["head_tri_vt", "numbers from 1"]),
    "broken indices": (_with("head_tri", lambda a: a + 0.5), ["head_tri", "whole numbers"]),
    "a vertex of two UVs": (
        _with("head_tri_vt", lambda a: np.roll(a, 1, axis=1)),
        ["head_tri_vt", "one vertex"],
    ),
    "an unused vertex": (_with("head_tri", lambda a: np.where(a == 3, 2, a)), ["head_tri"]),
    "UVs in texels": (_with("vt_list", lambda a: 512 * a), ["vt_list", "UVs from 0 to 1"]),
    "centimetres": (_with("meanshape", lambda a: 10 * a), ["meanshape", "decimetres", "32"]),
    "not a number": (_with("idBase", _spoilt(np.nan)), ["idBase", "finite"]),
    "too large a number": (_with("exBase", _spoilt(1e300)), ["exBase", "finite"]),
    "an empty mode": (_with("idBase", lambda a: a * [1, 0, 1]), ["idBase", "move"]),
    "67 landmarks": (_with("keypoints", lambda a: a[:, 1:]), ["keypoints", "67"]),
    "landmarks from 0": (_with("keypoints", lambda a: a - 1), ["keypoints", "off by one"]),
    "a face that looks back": (
        _with("meanshape", lambda a: (a.reshape(-1, 3) * [-1, 1, -1]).reshape(1, -1)),
        ["keypoints", "+z out of it"],
    ),
    "colours to 1": (_with("meantex", lambda a: a / 255), ["meantex", "grey levels"]),
    "a texture basis of others": (_with("texBase", lambda a: a[:, :2]), ["texBase"]),
    "facial triangles": (_with("tri", lambda a: a + 1e6), ["mat, tri:", "numbers from 1"]),
    "padding": (_with("point_buf", lambda a: a + 2), ["point_buf", "numbers from 1"]),
    "rows of a larger map": (_with("vtx_vt", lambda a: 2 * a), ["vtx_vt", "512"]),
    "a text": (_with("idBase", lambda a: "idBase"), ["idBase", "class char"]),
    "a structure": (_with("head_tri", lambda a: {"x": a}), ["head_tri", "class struct"]),
    "complex numbers": (_with("meanshape", lambda a: a + 1j), ["meanshape", "real numbers"]),
}


@pytest.mark.parametrize("name", BROKEN_MODEL)
def test_a_broken_model_file_is_named_with_what_was_expected(tmp_path: Path, name: str) -> None:
    change, words = BROKEN_MODEL[name]
    write_mat(tmp_path / hifi3dpp.MODEL_FILE, change(hifi3dpp_tables(MESH)))
    _complains(lambda: read_model(tmp_path), hifi3dpp.MODEL_FILE, *words)


BROKEN_UNWRAP = {
    "vertices from 1": (_with("uv_idx_v_idx", lambda a: a + 200), ["uv_idx_v_idx", "from 0"]),
    "weights": (_with("uv_idx_bw", lambda a: 0.9 * a), ["uv_idx_bw", "sum to 1"]),
    "another size": (_with("uv_idx_bw", lambda a: a[1:]), ["uv_idx_bw", "32 x 32 x 3"]),
}


@pytest.mark.parametrize("name", BROKEN_UNWRAP)
def test_broken_unwrap_tables_are_named(tmp_path: Path, name: str) -> None:
    change, words = BROKEN_UNWRAP[name]
    write_mat(tmp_path / hifi3dpp.MODEL_FILE, hifi3dpp_tables(MESH))
    write_mat(tmp_path / hifi3dpp.UNWRAP_FILE, change(unwrap_tables(MESH)))
    _complains(lambda: read_model(tmp_path), hifi3dpp.UNWRAP_FILE, *words)


BROKEN_REALY = {
    "the first release": (_without("vt_list"), ["vt_list", "August 2022"]),
    "modes in columns": (_with("basis_shape", np.transpose), ["basis_shape", "shape 3 x"]),
    "triangles from 1": (_with("tri", lambda a: a + 1), ["tri", "count from 1"]),
    "landmarks from 1": (_with("keypoints", lambda a: a + 1), ["keypoints", "off by one"]),
    "68 landmarks": (_with("keypoints", lambda a: a[:, :68]), ["keypoints", "86", "68"]),
    "decimetres": (_with("mu_shape", lambda a: a / REALY_UNIT), ["mu_shape", "centimetres"]),
    "no variances": (_without("EVs"), ["EVs", "none"]),
    "rising variances": (_with("EVs", lambda a: a[::-1]), ["EVs", "falling"]),
    "a mask of grey levels": (_with("mask_face", lambda a: 255 * a), ["mask_face", "255"]),
}


@pytest.mark.parametrize("name", BROKEN_REALY)
def test_a_broken_file_of_realy_is_named(tmp_path: Path, name: str) -> None:
    change, words = BROKEN_REALY[name]
    write_mat(tmp_path / realy.MODEL_FILE, change(realy_tables(MESH)))
    _complains(lambda: read_realy(tmp_path), realy.MODEL_FILE, *words)


def test_the_two_files_are_not_taken_for_each_other(tmp_path: Path) -> None:
    path = write_mat(tmp_path / "a.mat", realy_tables(MESH))
    _complains(lambda: read_model(path), "a.mat", "REALY's", "kind is realy")
    path = write_mat(tmp_path / "b.mat", hifi3dpp_tables(MESH))
    _complains(lambda: read_realy(path), "b.mat", "kind is hifi3dpp")


def test_files_that_are_no_matlab_files(tmp_path: Path) -> None:
    whole = write_mat(tmp_path / "whole.mat", hifi3dpp_tables(MESH)).read_bytes()
    hdf5 = b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n"
    path = tmp_path / "broken.mat"
    for data, words in (
        (b"", "a MATLAB file"),
        (b"<html>Sign in to download</html>" * 100, "a MATLAB file"),
        (hdf5, "version 7.3"),
        (whole[: len(whole) // 2], ""),
    ):
        path.write_bytes(data)
        _complains(lambda: read_model(path), "broken.mat", words)
    _complains(lambda: read_model(tmp_path / "absent.mat"), "absent.mat", "readable")
    (tmp_path / "empty").mkdir()
    _complains(lambda: read_model(tmp_path / "empty"), hifi3dpp.MODEL_FILE, "none")


@pytest.mark.parametrize("compressed", [True, False])
def test_damaged_bytes_never_end_in_anything_but_words(tmp_path: Path, compressed: bool) -> None:
    tables = hifi3dpp_tables(MESH)
    whole = write_mat(tmp_path / "whole.mat", tables, compressed).read_bytes()
    rng, path = np.random.default_rng(3), tmp_path / "damaged.mat"
    heads = [whole.find(name.encode()) for name in tables if name.encode() in whole] or [128]
    for _ in range(40):
        data = bytearray(whole)
        for place in rng.choice(heads, 2) + rng.integers(-60, 40, 2):
            data[max(0, place)] = rng.integers(256)
        path.write_bytes(data)
        try:
            read_model(path)
        except EngineError as error:
            assert error.code == ErrorCode.PACK_INVALID


def test_matrices_are_those_that_scipy_reads(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kinds = "i1 u1 i2 u2 i4 u4 i8 u8 f4 f8 b".split()
    tables = {
        f"m_{kind}_{size}": (100 * rng.random((size, 3, 2)[: 2 + size % 2])).astype(kind)
        for kind in kinds
        for size in (1, 2, 7)
    }
    for compressed in (False, True):
        path = write_mat(tmp_path / "all.mat", tables, compressed)
        theirs = loadmat(path)
        with open(path, "rb") as file:
            entries = read_entries(file, 99)
            assert [entry.name for entry in entries] == list(tables)
            for entry in entries:
                np.testing.assert_array_equal(read_entry(file, entry), theirs[entry.name])


def _complains(read: Callable[[], HeadSource], *words: str) -> None:
    with pytest.raises(EngineError) as raised:
        read()
    assert raised.value.code == ErrorCode.PACK_INVALID
    text = str(raised.value)
    assert "expected" in text and "found" in text
    for word in words:
        assert word in text, text


needs_evaldata = pytest.mark.skipif(not EVALDATA.is_dir(), reason="no evaluation data")


def _published() -> tuple[FaceMesh, np.ndarray]:
    """A published head of FFHQ-UV (decimetres) and the UVs at its corners, quad by quad."""
    template = read_obj(EVALDATA / "topology" / "HIFI3D.obj")
    head = read_obj(EVALDATA / "peer_outputs" / "ffhq_uv_teaser_1" / "mesh_head.obj")
    rows = json.loads((EVALDATA / "topology" / "HIFI3D.txt").read_text())[:68]
    picks = [np.argmax([a, b, 1.0 - a - b]) for _, a, b in rows]
    landmarks = np.array([head.faces[row[0], k] for row, k in zip(rows, picks, strict=True)])
    vertices = head.vertices
    mesh = FaceMesh(vertices, template.faces, template.uv, template.uv_faces, landmarks)
    return mesh, template.uv[template.uv_faces]


@needs_evaldata
def test_the_real_topology_with_its_eyeballs(tmp_path: Path) -> None:
    mesh, corner_uv = _published()
    tables = hifi3dpp_tables(mesh, smooth_modes(mesh, 3, 5))
    kept = ("meanshape", "idBase", "exBase", "head_tri", "head_tri_vt", "vt_list", "keypoints")
    write_mat(tmp_path / hifi3dpp.MODEL_FILE, {k: tables[k] for k in kept}, False)
    topology = EVALDATA / "topology"
    sizes = model_sizes(mesh)
    paths = [tmp_path, topology]
    source = hifi3dpp.read_model(paths, NullReporter(), sizes)
    assert source.part_names == ("skin", "eye_left", "eye_right")
    skin = source.face_part == 0
    assert skin.sum() == 20416 and source.corner_uv is not None and source.inner is not None
    np.testing.assert_array_equal(source.faces[skin], mesh.quads)
    np.testing.assert_allclose(source.corner_uv[skin], corner_uv, atol=1e-7)
    assert source.inner.sum() == (2 * 1028 + 2 * 1376) // 2
    for side, letter in ((LEFT, "L"), (RIGHT, "R")):
        chosen = source.face_part == source.part_names.index(side.part)
        ids = np.unique(source.faces[chosen])
        ball = source.mean[ids].astype(np.float64) - [0.01, 0.02, 0.03]
        folder = EVALDATA / "peer_outputs" / "ffhq_uv_teaser_1"
        theirs = 0.1 * read_obj(folder / f"mesh_eye_ball_{letter}.obj").vertices
        assert np.linalg.norm(ball.mean(axis=0) - theirs.mean(axis=0)) < 0.0015
        assert np.ptp(ball, axis=0).max() == pytest.approx(np.ptp(theirs, axis=0).max(), rel=0.05)
        lids = source.identity[:, list(side.lids)].mean(axis=1)
        assert np.linalg.norm(source.identity[:, ids].mean(axis=1) - lids, axis=1).max() < 0.001
