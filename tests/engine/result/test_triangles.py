"""Triangles kept as quads that repeat their last corner: nothing shows that they are no quads."""

from dataclasses import replace

import numpy as np
import torch

from engine.head.normals import vertex_normals
from engine.protocol.headpack import is_triangle, split_quads
from engine.protocol.result import ResultMesh
from engine.render.atlas import build_atlas, texel_values
from engine.render.rasterize import rasterize
from engine.result.glb import glb_bytes
from engine.result.obj import obj_bytes, obj_faces
from tests.engine.result import test_glb
from tests.fixtures.small_result import EXPRESSIONS, PARTS, small_mesh


def split_mesh() -> ResultMesh:
    """The small mesh with every second quad cut along the diagonal that quads have."""
    mesh = small_mesh()
    cut = np.arange(len(mesh.quads)) % 2 == 0
    halves = ([0, 1, 2, 2], [0, 2, 3, 3])

    def both(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values[~cut], *(values[cut][:, half] for half in halves)])

    part = np.concatenate([mesh.face_part[~cut], *[mesh.face_part[cut]] * 2])
    return replace(mesh, quads=both(mesh.quads), corner_uv=both(mesh.corner_uv), face_part=part)


def as_set(triangles: np.ndarray) -> set[tuple[int, ...]]:
    real = [t for t in triangles.tolist() if len(set(t)) == 3]
    return {tuple(np.roll(t, -int(np.argmin(t)))) for t in real}


def test_normals_rasteriser_and_atlas_see_the_same_surface() -> None:
    whole, cut = small_mesh(), split_mesh()
    assert is_triangle(cut.quads).sum() == 2 * (len(whole.quads) + 1) // 2
    split = [torch.from_numpy(split_quads(mesh.quads).astype(np.int64)) for mesh in (whole, cut)]
    points = torch.from_numpy(whole.neutral)
    normals = [vertex_normals(points, triangles) for triangles in split]
    assert torch.allclose(*normals, atol=1e-6)
    flat, depth = points[:, :2] * 300.0, 1.0 - points[:, 2]
    images = [rasterize(flat, depth, triangles, 60, 60) for triangles in split]
    assert torch.equal(images[0].triangle >= 0, images[1].triangle >= 0)
    assert torch.equal(images[0].depth, images[1].depth)
    skin = [torch.from_numpy(mesh.face_part == 0) for mesh in (whole, cut)]
    atlases = [
        build_atlas(torch.from_numpy(mesh.corner_uv), 64, faces)
        for mesh, faces in zip((whole, cut), skin, strict=True)
    ]
    places = [texel_values(points, t, atlas) for t, atlas in zip(split, atlases, strict=True)]
    assert torch.equal(atlases[0].valid, atlases[1].valid)
    assert torch.allclose(*places, atol=1e-6)


def test_obj_has_faces_of_three_and_four_corners() -> None:
    mesh = split_mesh()
    text = obj_bytes(mesh.neutral, obj_faces(mesh, PARTS)).decode("ascii")
    faces = [line.split()[1:] for line in text.splitlines() if line.startswith("f ")]
    assert all(len(set(face)) == len(face) for face in faces)
    vertices = [[int(pair.split("/")[0]) - 1 for pair in face] for face in faces]
    triangles = [
        np.array(face)[k] for face in vertices for k in ([0, 1, 2], [0, 2, 3])[: len(face) - 2]
    ]
    assert as_set(np.array(triangles)) == as_set(split_quads(small_mesh().quads))
    assert len(faces) == len(mesh.quads)


def split_glb() -> bytes:
    return glb_bytes(split_mesh(), np.zeros(len(EXPRESSIONS)), EXPRESSIONS, PARTS, {})


def test_glb_has_no_triangle_without_area() -> None:
    reader = test_glb.Reader(split_glb())
    count = 0
    for primitive in reader.document["meshes"][0]["primitives"]:
        order = reader.array(primitive["indices"]).reshape(-1, 3)
        corners = reader.array(primitive["attributes"]["POSITION"])[order]
        area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert (np.linalg.norm(area, axis=1) > 1e-9).all()
        count += len(order)
    assert count == 2 * len(small_mesh().quads)


def test_khronos_validator_has_no_complaint(tmp_path, root) -> None:
    test_glb.test_khronos_validator(split_glb(), tmp_path, root)
