"""A tiny head of another pack: triangles beside quads, other parts, expressions and components."""

import json

import numpy as np

from engine.protocol.result import file_sha256, read_result
from engine.protocol.safetensors import read_safetensors, write_safetensors

PARTS = ("eye_right", "skin", "teeth_lower", "eye_left", "occlusion film")
"""In another order than the default pack's, without upper teeth, tongue and lashes."""
EXPRESSIONS = ("jawOpen", 'Smile "wide"', "expr_03_minus")
WEIGHTS = (0.0, 0.5, 0.25)
COMPONENTS = 7
STANDS_FOR = {"occlusion film": "lashes_left"}


def write_foreign_result(tiny, folder, photo):
    """A tiny result whose mesh is `foreign_mesh`, its identity of other length."""
    tiny.write_tiny_result(folder, photo)
    coefficients = read_safetensors(folder / "coefficients.safetensors")
    coefficients["identity"] = np.zeros(COMPONENTS, np.float32)
    coefficients["expression"] = np.array(WEIGHTS, np.float32)
    write_safetensors(folder / "mesh.safetensors", foreign_mesh(tiny))
    write_safetensors(folder / "coefficients.safetensors", coefficients)
    manifest = json.loads((folder / "result.json").read_text())
    manifest["pack"]["id"] = "foreign"
    manifest["mesh"] = {"expression_names": EXPRESSIONS, "part_names": PARTS}
    manifest["coefficients"] = {name: array.shape for name, array in coefficients.items()}
    for name in ("mesh.safetensors", "coefficients.safetensors"):
        manifest["files"][name] = file_sha256(folder / name)
    (folder / "result.json").write_text(json.dumps(manifest))
    read_result(folder)
    return folder


def foreign_mesh(tiny):
    """The arrays of mesh.safetensors: every other quad of the skin is two triangles."""
    mesh = tiny.tiny_mesh()
    rows = []
    for number, name in enumerate(PARTS):
        chosen = mesh["face_part"] == tiny.PARTS.index(STANDS_FOR.get(name, name))
        rows.append((mesh["quads"][chosen], mesh["corner_uv"][chosen], number))
    quads, uv = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
    parts = np.concatenate([np.full(len(row[0]), row[2], np.uint8) for row in rows])
    split = (parts == PARTS.index("skin")) & (np.arange(len(parts)) % 2 == 0)
    order = np.concatenate([np.flatnonzero(~split), np.flatnonzero(split), np.flatnonzero(split)])
    corners = np.tile(np.arange(4), (len(order), 1))
    count = int(split.sum())
    corners[len(order) - 2 * count :] = (0, 1, 2, 2)
    corners[len(order) - count :] = (0, 2, 3, 3)
    quads, uv = quads[order[:, None], corners], uv[order[:, None], corners]
    used, faces = np.unique(quads, return_inverse=True)
    shapes = mesh["expression"][:, used]
    return {
        "neutral": mesh["neutral"][used],
        "expression": np.stack([shapes[0], shapes[1], shapes[0] * np.float16(0.5)]),
        "quads": faces.reshape(-1, 4).astype(np.int32),
        "corner_uv": uv,
        "face_part": parts[order],
    }
