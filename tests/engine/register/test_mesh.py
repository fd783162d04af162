import json
import struct

import numpy as np
import pytest

from engine.protocol.errors import EngineError, ErrorCode
from engine.register.mesh import HeadMesh, read_mesh

POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype="<f4")
INDEX = np.array([0, 1, 2, 0, 2, 3], dtype="<u2")
UV = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype="<f4")


def document() -> dict:
    """A square of two triangles, under a node that moves it."""
    views = [
        {"buffer": 0, "byteOffset": at, "byteLength": n} for at, n in ((0, 48), (48, 12), (60, 32))
    ]
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"children": [1], "translation": [0, 0, 5]},
            {"mesh": 0, "scale": [2, 2, 2], "rotation": [0, 0, 0.5**0.5, 0.5**0.5]},
        ],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1}]}
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 6, "type": "SCALAR"},
            {"bufferView": 2, "componentType": 5126, "count": 4, "type": "VEC2"},
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": 92}],
    }


def glb(plain: dict, binary: bytes | None = None) -> bytes:
    binary = POINTS.tobytes() + INDEX.tobytes() + UV.tobytes() if binary is None else binary
    text = json.dumps(plain).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text
    body += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body


def test_glb_is_read_in_the_space_of_its_scene(tmp_path):
    path = tmp_path / "a.glb"
    path.write_bytes(glb(document()))
    mesh = read_mesh(path)
    assert np.allclose(mesh.vertices, [[0, 0, 5], [0, 2, 5], [-2, 2, 5], [-2, 0, 5]], atol=1e-6)
    assert mesh.faces.tolist() == [[0, 1, 2, 2], [0, 2, 3, 3]]
    assert np.allclose(mesh.corner_uv[0, :3], [[0, 0], [1, 0], [1, 1]])


def test_mirrored_nodes_keep_faces_outside(tmp_path):
    plain = document()
    plain["nodes"][1] = {"mesh": 0, "scale": [-1, 1, 1]}
    path = tmp_path / "a.glb"
    path.write_bytes(glb(plain))
    mesh = read_mesh(path)
    a, b, c = mesh.vertices[mesh.faces[0, :3]]
    assert np.cross(b - a, c - a)[2] > 0


@pytest.mark.parametrize("mode", [5, 6])
def test_strips_and_fans_become_triangles(tmp_path, mode):
    plain = document()
    primitive = plain["meshes"][0]["primitives"][0]
    primitive |= {"mode": mode}
    del primitive["indices"]
    order = [0, 1, 3, 2] if mode == 5 else [0, 1, 2, 3]
    path = tmp_path / "a.glb"
    path.write_bytes(glb(plain, POINTS[order].tobytes() + INDEX.tobytes() + UV.tobytes()))
    mesh = read_mesh(path)
    a, b, c = mesh.vertices[mesh.faces[:, :3]].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    assert len(normals) == 2
    assert (normals[:, 2] > 0).all()


def test_gltf_beside_its_buffer(tmp_path):
    plain = document()
    plain["buffers"][0]["uri"] = "a.bin"
    (tmp_path / "a.bin").write_bytes(POINTS.tobytes() + INDEX.tobytes() + UV.tobytes())
    (tmp_path / "a.gltf").write_text(json.dumps(plain))
    assert len(read_mesh(tmp_path / "a.gltf").faces) == 2


def broken() -> list[tuple[str, bytes, str]]:
    out = [("no json", b"{", "does not follow"), ("empty", b"", "does not follow")]
    out.append(("cut off", glb(document())[:-20], "whole file"))
    changes = {
        "compressed": ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "draco"),
        "outside": ({"buffers": [{"byteLength": 92, "uri": "../a.bin"}]}, "outside its folder"),
        "short": ({"buffers": [{"byteLength": 920}]}, "shorter than it says"),
        "no meshes": ({"meshes": []}, "does not follow"),
        "ring": ({"nodes": [{"children": [0]}]}, "in a ring"),
        "points": (
            {"meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "mode": 0}]}]},
            "no tri",
        ),
    }
    out += [(name, glb(document() | change), words) for name, (change, words) in changes.items()]
    plain = document()
    plain["accessors"][0]["count"] = 400
    out.append(("accessor", glb(plain), "beyond its buffer"))
    plain = document()
    plain["accessors"][0]["sparse"] = {}
    return [*out, ("sparse", glb(plain), "sparse")]


@pytest.mark.parametrize(
    ("data", "words"), [row[1:] for row in broken()], ids=[r[0] for r in broken()]
)
def test_broken_glb_is_refused_in_words(tmp_path, data, words):
    path = tmp_path / "head.glb"
    path.write_bytes(data)
    with pytest.raises(EngineError, match=words) as caught:
        read_mesh(path)
    assert caught.value.code is ErrorCode.BAD_INPUT
    assert "head.glb" in caught.value.message


def test_other_kinds_of_files_are_refused(tmp_path):
    with pytest.raises(EngineError, match=r"head\.fbx is no mesh that can be read"):
        read_mesh(tmp_path / "head.fbx")


def test_obj_of_triangles_and_quads(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 2 0 0\nf 1 2 3 4\nf 2 5 3\n")
    mesh = read_mesh(path)
    assert mesh.faces.tolist() == [[0, 1, 2, 3], [1, 4, 2, 2]]
    assert mesh.corner_uv is None
    assert len(mesh.triangles) == 3
    assert mesh.triangle_face.tolist() == [0, 0, 1]


def test_cuts_are_welded_and_pieces_told_apart():
    """Two triangles that share an edge by place only are one piece; a closed pyramid that touches
    the middle of a plate with its tip is one of its own."""
    tip = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    other = [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    faces = np.array([[0, 1, 2, 2], [3, 4, 5, 5]])
    cut = HeadMesh(np.array(tip + other), faces, None, "cut")
    assert cut.welded.tolist() == [0, 1, 2, 1, 4, 2]
    assert len(np.unique(cut.component)) == 1
    plate = [
        [-1.0, -1.0, 0.0],
        [1.0, -1.0, 0.0],
        [1.0, 1.0, 0.0],
        [-1.0, 1.0, 0.0],
        [0.0, 0.0, 0.0],
    ]
    fan = [[0, 1, 4, 4], [1, 2, 4, 4], [2, 3, 4, 4], [3, 0, 4, 4]]
    fluid = [[0.0, 0.0, 0.0], [0.1, 0.0, 0.1], [0.0, 0.1, 0.1]]
    touching = HeadMesh(np.array(plate + fluid), np.array([*fan, [5, 6, 7, 7]]), None, "touching")
    assert len(np.unique(touching.component)) == 2
