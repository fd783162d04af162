"""An artist's mesh with faces of all sizes, and the directory of what it should wear."""

import json

import numpy as np

from engine.protocol.result import file_sha256
from engine.protocol.safetensors import write_safetensors

POINTS = [(0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0), (0, 0, 3), (2, 0, 3), (1, -1, 3), (1, 4, 0)]
POLYGONS = [(0, 1, 2, 3), (0, 1, 5, 6, 4), (2, 7, 3)]
"""A quad, a polygon of five corners, a triangle."""
FACES = 5
"""Of the engine's: the quad, the triangle, three of the polygon."""
NAMES = ("jawOpen", "eyeBlinkLeft")


def new_mesh(bpy, name="Bust"):
    """An active, selected object in the scene, with two UV maps, the second active."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(POINTS, [], POLYGONS)
    for layer in ("first", "skin map"):
        uv = mesh.uv_layers.new(name=layer).uv
        values = np.linspace(0.0, 1.0, 2 * len(mesh.loops), dtype=np.float32)
        uv.foreach_set("vector", values)
    mesh.uv_layers.active_index = 1
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    activate(bpy, item)
    return item


def activate(bpy, *items):
    """Select only these; the last is active."""
    for each in bpy.context.view_layer.objects:
        each.select_set(each in items)
    bpy.context.view_layer.objects.active = items[-1]


def shifts():
    """(2, V, 3) expressions and (V, 3) likeness in the engine's axes."""
    random = np.random.default_rng(3)
    moves = random.normal(0.0, 0.1, (3, len(POINTS), 3)).astype(np.float32)
    return moves[:2], moves[2]


def write_wear(tiny, folder, names=NAMES, covered=(1, 0, 0, 0, 0), maps=True):
    """A valid directory for `new_mesh`."""
    (folder / "maps").mkdir(parents=True)
    expression, likeness = shifts()
    arrays = {
        "expression": expression[: len(names)],
        "likeness": likeness if names else np.zeros_like(likeness),
        "covered": np.array(covered, np.uint8),
    }
    write_safetensors(folder / "shapes.safetensors", arrays)
    if maps:
        for name in ("albedo", "albedo_coarse", "normal", "roughness", "coverage"):
            tiny.write_png(folder / f"maps/{name}.png", tiny._gradient(16, 16))
    files = [path for path in folder.rglob("*") if path.is_file()]
    manifest = {
        "schema": 1,
        "engine": "0",
        "mesh": "mesh.safetensors",
        "result": "0" * 64,
        "pack": {"id": "tiny", "version": "1", "sha256": "0" * 64},
        "vertices": len(POINTS),
        "faces": FACES,
        "size": 256,
        "expression_names": names,
        "metrics": {},
        "quality": ["Most of the face was found."],
        "warnings": [],
        "files": {path.relative_to(folder).as_posix(): file_sha256(path) for path in files},
    }
    (folder / "wear.json").write_text(json.dumps(manifest))
    return folder
