"""A small albedo pack for the skin sliders."""

import json

import numpy as np

from engine.protocol.pack_manifest import PACK_SCHEMA, AlbedoInfo, PackManifest, PackPart
from engine.protocol.result import file_sha256
from engine.protocol.safetensors import write_safetensors
from engine.protocol.strict import to_plain

SIDE, K = 32, 5


def tensors():
    """A smooth albedo model: the first component is the tone, the others waves."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    waves = [np.ones_like(x), *(np.sin(2.0 * np.pi * (k * x + y)) for k in range(1, K))]
    rows = np.stack([wave.reshape(-1) for wave in waves])
    steps = np.rint(100.0 * rows).astype(np.int8) * np.ones((3, 1, 1), np.int8)
    alike = np.kron(0.8 * np.ones((3, 3)) + 0.2 * np.eye(3), np.eye(K))
    alike[::K, ::K] = 0.5 + 0.5 * np.eye(3)  # the tone has colours
    return {
        "mean": np.full((3, SIDE * SIDE), 0.5, np.float32),
        "basis": steps,
        "basis_scale": np.full((3, K), 0.0004, np.float32),
        "sigma": np.full((3, K), 0.04 * SIDE, np.float32),
        "valid": np.ones((SIDE, SIDE), np.uint8),
        "covariance": (0.9 * alike + 0.1 * np.eye(3 * K)).astype(np.float32),
    }


def write_pack(folder):
    folder.mkdir(parents=True)
    write_safetensors(folder / "albedo.safetensors", tensors())
    manifest = PackManifest(
        schema=PACK_SCHEMA,
        id="tones",
        version="1",
        uv_layout="ffhq-uv",
        parts=(PackPart("all", "test data", "CC0-1.0", "this project", ""),),
        files={"albedo.safetensors": file_sha256(folder / "albedo.safetensors")},
        head=None,
        albedo=AlbedoInfo(SIDE, SIDE, K),
    )
    (folder / "pack.json").write_text(json.dumps(to_plain(manifest)))
    return folder
