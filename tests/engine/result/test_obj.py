"""OBJ and MTL text, read back by a few lines of parser."""

import numpy as np

from engine.protocol.result import ResultMesh
from engine.result.decimals import decimal_rows, pair_rows
from engine.result.obj import mtl_text, obj_bytes, obj_faces
from tests.fixtures.small_result import PARTS, SIDE, small_mesh


def obj_text(points: np.ndarray, mesh: ResultMesh) -> str:
    return obj_bytes(points, obj_faces(mesh, PARTS)).decode("ascii")


def test_decimals_equal_the_slow_twin() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0.0, scale, (200, 3)) for scale in (1e-6, 0.1, 30.0, 4e5)])
    rows = np.concatenate([rows, [[0.0, -1.0, 0.9999996], [123.0, -0.0000015, 10.0]]])
    for points in (rows, rows.astype(np.float32)):
        twin = "".join("v {:.6f} {:.6f} {:.6f}\n".format(*row) for row in points.tolist())
        assert decimal_rows("v", points).decode() == twin.replace("-0.000000", "0.000000")


def test_pairs_equal_the_slow_twin() -> None:
    rows = np.random.default_rng(0).integers(0, [[[1, 20000]]], (100, 4, 2))
    rows[0] = 0
    twin = "".join("f {}/{} {}/{} {}/{} {}/{}\n".format(*row) for row in rows.reshape(-1, 8))
    assert pair_rows("f", rows).decode() == twin


def test_obj_holds_the_mesh() -> None:
    mesh = small_mesh()
    lines = [line.split() for line in obj_text(mesh.neutral, mesh).splitlines()]
    points = np.array([line[1:] for line in lines if line[0] == "v"], float)
    uv = np.array([line[1:] for line in lines if line[0] == "vt"], float)
    faces = [[pair.split("/") for pair in line[1:]] for line in lines if line[0] == "f"]
    pairs = np.array(faces, int) - 1
    assert np.abs(points - mesh.neutral).max() < 1e-6
    assert (pairs[..., 0] == mesh.quads).all()
    assert np.abs(uv[pairs[..., 1]] - mesh.corner_uv).max() < 1e-6
    assert len(np.unique(uv, axis=0)) == len(uv)
    assert [line[1] for line in lines if line[0] == "g"] == list(PARTS)
    assert [line[1] for line in lines if line[0] == "usemtl"] == list(PARTS)


def test_the_seam_is_kept() -> None:
    mesh = small_mesh()
    pairs = [
        tuple(pair.split("/"))
        for line in obj_text(mesh.neutral, mesh).splitlines()
        if line.startswith("f ")
        for pair in line.split()[1:]
    ]
    split = len(set(pairs)) - len({vertex for vertex, _ in pairs})
    assert split == SIDE  # the vertices of the seam have two UVs each


def test_mtl_names_every_part_and_only_maps_that_are_there() -> None:
    text = mtl_text(PARTS, ["albedo", "lash"])
    for part in PARTS:
        assert f"newmtl {part}\n" in text
    assert text.count("maps/albedo.png") == 1 and "maps/eye.png" not in text
    assert "map_d maps/lash.png" in text
    assert "norm " not in text and "map_Pr" not in text
    text = mtl_text(PARTS, ["albedo", "normal", "roughness"])
    skin = text[: text.index("newmtl eye_left")]
    assert "norm maps/normal.png\n" in skin and "map_Pr maps/roughness.png\n" in skin
    assert text.count("maps/normal.png") == 1
