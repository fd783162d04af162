"""A tiny head whose head pack is at hand, for tests of the shape sliders."""

import importlib
import json

import numpy as np

from engine.protocol.conventions import model_to_blender
from engine.protocol.pack_manifest import PACK_SCHEMA, HeadNames, PackManifest, PackPart
from engine.protocol.result import file_sha256
from engine.protocol.safetensors import write_safetensors
from engine.protocol.strict import to_plain

COMPONENTS = 4
CLOSE = 2e-6
"""Metres: f16 noise of the deltas of expressions, and float sums."""


def tiny_basis(tiny):
    """(K, V, 3) f16, a few millimetres, model space; of the eyes it moves centres too."""
    random = np.random.default_rng(5)
    count = len(tiny.tiny_mesh()["neutral"])
    return random.normal(0.0, 0.003, (COMPONENTS, count, 3)).astype(np.float16)


def write_shaped_result(tiny, folder, basis, monkeypatch, locations):
    """A tiny result in `folder`, its pack beside it, where the add-on looks for packs."""
    result = tiny.write_tiny_result(folder / "result", folder / "portrait.png")
    pack = write_pack(folder / "packs" / "tiny", basis)
    monkeypatch.setattr(locations, "pack_folder", lambda id: folder / "packs" / id)
    manifest = json.loads((result / "result.json").read_text())
    manifest["pack"]["sha256"] = file_sha256(pack / "pack.json")
    (result / "result.json").write_text(json.dumps(manifest))
    return result


def write_pack(folder, basis):
    """What the sliders read of a head pack: the subdivision is none."""
    folder.mkdir(parents=True)
    count = basis.shape[1]
    rows = np.arange(count, dtype=np.int32)
    tensors = {
        "control_identity": basis,
        "subdivision_rows": rows,
        "subdivision_columns": rows,
        "subdivision_values": np.ones(count, np.float32),
        "mirror": rows,
    }
    write_safetensors(folder / "head.safetensors", tensors)
    manifest = PackManifest(
        schema=PACK_SCHEMA,
        id="tiny",
        version="1",
        uv_layout="ffhq-uv",
        parts=(PackPart("all", "test data", "CC0-1.0", "this project", ""),),
        files={"head.safetensors": file_sha256(folder / "head.safetensors")},
        head=HeadNames(("jawOpen",), ("skin",), ("lips",), ("face",)),
    )
    (folder / "pack.json").write_text(json.dumps(to_plain(manifest)))
    return folder


def parts_of(root):
    heads = importlib.import_module("uvapm.uvapm_blender.scene.heads")
    return heads.parts_of(root)


def points_of(part, key=""):
    """(n, 3) of a mesh or one of its keys, in the space of the head's root."""
    mesh = part.data
    source = mesh.shape_keys.key_blocks[key].points if key else mesh.vertices
    points = np.empty(3 * len(mesh.vertices), np.float32)
    source.foreach_get("co", points)
    return points.reshape(-1, 3) + np.array(part.location)


def assert_shape(tiny, basis, root, values):
    """Every mesh and every key is where the components put it."""
    mesh = tiny.tiny_mesh()
    neutral = mesh["neutral"] + np.tensordot(values, basis.astype(np.float32), 1)
    for part in parts_of(root):
        own = np.empty(len(part.data.vertices), np.int32)
        part.data.attributes["uvapm_vertex"].data.foreach_get("value", own)
        expected = model_to_blender(neutral)[own]
        np.testing.assert_allclose(points_of(part), expected, atol=CLOSE)
        for key in part.data.shape_keys.key_blocks if part.data.shape_keys else ():
            delta = 0.0
            if key.name != "Basis":
                row = mesh["expression"][tiny.EXPRESSIONS.index(key.name)].astype(np.float32)
                delta = model_to_blender(row)[own]
            np.testing.assert_allclose(points_of(part, key.name), expected + delta, atol=CLOSE)


def root_of(blender):
    """The head's root as it is now: references do not outlive undo."""
    return next(o for o in blender.data.objects if o.uvapm.role == "ROOT")
