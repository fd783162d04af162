"""The binary glTF: read back by hand, and by the Khronos validator where it is installed."""

import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine.result.glb import glb_bytes
from engine.result.write import png_bytes
from tests.fixtures.small_result import EXPRESSIONS, PARTS, small_mesh

KINDS = {5126: "<f4", 5123: "<u2", 5125: "<u4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}
WEIGHTS = np.array([0.5, 0.25, 0.0])

VALIDATE = """
const fs = require('fs');
require('gltf-validator').validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))
  .then(report => console.log(JSON.stringify(report.issues)));
"""


def textures() -> dict[str, bytes]:
    ramp = np.tile(np.linspace(0, 1, 8)[:, None], (8, 1, 4))
    return {
        "albedo": png_bytes(ramp[..., :3]),
        "lash": png_bytes(ramp),
        "origin": png_bytes(ramp[..., 0]),
        "normal": png_bytes(np.tile(np.array([0.5, 0.5, 1.0]), (8, 8, 1))),
        "roughness": png_bytes(ramp[..., 0]),
    }


@pytest.fixture(scope="module")
def data() -> bytes:
    return glb_bytes(small_mesh(), WEIGHTS, EXPRESSIONS, PARTS, textures())


class Reader:
    """Enough of glTF to get the arrays back."""

    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON" and size % 4 == 0
        self.document = json.loads(data[20 : 20 + size])
        rest, kind = struct.unpack_from("<I4s", data, 20 + size)
        assert kind == b"BIN\0" and rest % 4 == 0
        self.binary = data[28 + size :]
        assert len(self.binary) == rest

    def view(self, index: int) -> bytes:
        view = self.document["bufferViews"][index]
        return self.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]

    def array(self, index: int) -> np.ndarray:
        entry = self.document["accessors"][index]
        width = WIDTHS[entry["type"]]
        values = np.zeros((entry["count"], width), KINDS[entry["componentType"]])
        if "bufferView" in entry:
            raw = self.view(entry["bufferView"])
            values = np.frombuffer(raw, KINDS[entry["componentType"]]).reshape(-1, width)
        if "sparse" in entry:
            sparse = entry["sparse"]
            kind = KINDS[sparse["indices"]["componentType"]]
            rows = np.frombuffer(self.view(sparse["indices"]["bufferView"]), kind)
            moved = np.frombuffer(self.view(sparse["values"]["bufferView"]), "<f4")
            assert len(rows) == sparse["count"]
            values[rows] = moved.reshape(-1, width)
        if "min" in entry:
            assert np.array_equal(values.min(0), np.array(entry["min"], np.float32))
            assert np.array_equal(values.max(0), np.array(entry["max"], np.float32))
        return values


def test_geometry_uv_and_expressions_survive(data: bytes) -> None:
    reader, mesh = Reader(data), small_mesh()
    (head,) = reader.document["meshes"]
    assert head["extras"]["targetNames"] == list(EXPRESSIONS)
    assert head["weights"] == list(WEIGHTS)
    assert len(head["primitives"]) == len(PARTS)
    posed = mesh.posed(WEIGHTS)
    for part, primitive in enumerate(head["primitives"]):
        attributes = primitive["attributes"]
        position = reader.array(attributes["POSITION"]).copy()
        for weight, target in zip(WEIGHTS, primitive["targets"], strict=True):
            position += np.float32(weight) * reader.array(target["POSITION"])
        order = reader.array(primitive["indices"]).reshape(-1, 3)
        chosen = mesh.quads[mesh.face_part == part]
        triangles = np.stack([chosen[:, [0, 1, 2]], chosen[:, [0, 2, 3]]], 1).reshape(-1, 3)
        assert np.abs(position[order] - posed[triangles]).max() < 1e-6
        uv = mesh.corner_uv[mesh.face_part == part]
        corner = np.stack([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]], 1).reshape(-1, 3, 2)
        found = reader.array(attributes["TEXCOORD_0"])[order]
        assert np.abs(found[..., 0] - corner[..., 0]).max() < 1e-6
        assert np.abs(found[..., 1] - (1 - corner[..., 1])).max() < 1e-6


def test_normals_look_outwards(data: bytes) -> None:
    reader = Reader(data)
    for primitive in reader.document["meshes"][0]["primitives"]:
        normals = reader.array(primitive["attributes"]["NORMAL"])
        assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-5
        assert normals[:, 2].min() > 0.5  # all parts of the small mesh face +z


def test_materials_and_embedded_textures(data: bytes) -> None:
    reader = Reader(data)
    materials = {each["name"]: each for each in reader.document["materials"]}
    assert list(materials) == list(PARTS)
    names = [image["name"] for image in reader.document["images"]]
    assert names == ["albedo", "lash", "normal", "roughness"]
    assert reader.view(reader.document["images"][0]["bufferView"]) == textures()["albedo"]
    assert materials["skin"]["pbrMetallicRoughness"]["baseColorTexture"] == {"index": 0}
    skin = materials["skin"]
    assert names[skin["normalTexture"]["index"]] == "normal"
    surface = skin["pbrMetallicRoughness"]
    assert names[surface["metallicRoughnessTexture"]["index"]] == "roughness"
    # The factors multiply the texture: roughness as it is, no metal though the picture is grey.
    assert surface["roughnessFactor"] == 1.0 and surface["metallicFactor"] == 0.0
    assert "normalTexture" not in materials["tongue"]
    assert materials["lashes_left"]["alphaMode"] == "BLEND"
    for plain in ("eye_left", "tongue"):
        assert "baseColorTexture" not in materials[plain]["pbrMetallicRoughness"]


def test_a_vertex_without_area_still_has_a_normal() -> None:
    mesh = small_mesh()
    flat = mesh.neutral.copy()
    flat[-4:] = flat[-1]
    reader = Reader(glb_bytes(type(mesh)(flat, *_rest(mesh)), WEIGHTS, EXPRESSIONS, PARTS, {}))
    for primitive in reader.document["meshes"][0]["primitives"]:
        normals = reader.array(primitive["attributes"]["NORMAL"])
        assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-5


def _rest(mesh) -> tuple[np.ndarray, ...]:
    return mesh.expression, mesh.quads, mesh.corner_uv, mesh.face_part


def test_khronos_validator(data: bytes, tmp_path: Path, root: Path) -> None:
    node, package = shutil.which("node"), root / "build" / "node_modules" / "gltf-validator"
    if node is None or not package.is_dir():
        pytest.skip("needs node and: npm install --prefix build gltf-validator")
    (tmp_path / "head.glb").write_bytes(data)
    done = subprocess.run(
        [node, "-e", VALIDATE, str(tmp_path / "head.glb")],
        cwd=root / "build",
        capture_output=True,
        text=True,
        check=True,
    )
    issues = json.loads(done.stdout)
    codes = {each["code"] for each in issues["messages"] if each["severity"] <= 1}
    # Left to the program that reads the file: section 3.7.2.1 names MikkTSpace for it.
    assert codes <= {"MESH_PRIMITIVE_GENERATED_TANGENT_SPACE"}, issues["messages"]


def test_without_fine_maps_the_skin_is_plain() -> None:
    rest = {name: data for name, data in textures().items() if name in ("albedo", "lash")}
    reader = Reader(glb_bytes(small_mesh(), WEIGHTS, EXPRESSIONS, PARTS, rest))
    skin = reader.document["materials"][0]
    assert "normalTexture" not in skin and skin["pbrMetallicRoughness"]["roughnessFactor"] == 0.5
