"""A complete head pack of a few dozen vertices, for tests that need any pack at all.

An open box as skin (front, sides, back, top), two boxes as eyes, quads for teeth, tongue and
lashes; every key, name and file of a real pack, albedo maps of 64 x 64, no networks.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.packs.albedo import albedo_info, albedo_tensors, write_albedo_pack
from engine.packs.build.default import fine_mirror
from engine.packs.build.subdivide import subdivide, subdivide_corner_uv
from engine.packs.detail import detail_tensors, write_detail_pack
from engine.packs.store import write_pack
from engine.protocol.albedo_pack import AlbedoModel
from engine.protocol.detail_pack import DetailModel
from engine.protocol.pack_manifest import (
    PACK_SCHEMA,
    DetailInfo,
    HeadNames,
    PackManifest,
    PackPart,
)

PARTS = "skin eye_left eye_right teeth_upper teeth_lower tongue lashes_left lashes_right".split()
REGIONS = "face lips ears mouth eyelids_left eyelids_right neck sockets brows scalp".split()
MASKS = "face skin lips lids ears scalp brows sockets mouth".split()
EXPRESSIONS = "jawOpen eyeBlinkLeft eyeBlinkRight mouthSmileLeft mouthSmileRight".split()
ALBEDO_SIZE = 64
COMPONENTS = 4
IDENTITY = 3
DETAIL = DetailInfo(
    size=512, latent_channels=4, latent_size=32, widths=(4, 6, 8), blocks=1, directions=20
)
TEST_PARTS = (PackPart("all", "test data", "CC0-1.0", "this project", ""),)

# Corners of a box as signs of x, y, z; faces counter-clockwise from outside.
_BOX = {
    "front": [(-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)],
    "back": [(1, -1, -1), (-1, -1, -1), (-1, 1, -1), (1, 1, -1)],
    "left": [(1, -1, 1), (1, -1, -1), (1, 1, -1), (1, 1, 1)],
    "right": [(-1, -1, -1), (-1, -1, 1), (-1, 1, 1), (-1, 1, -1)],
    "top": [(-1, 1, 1), (1, 1, 1), (1, 1, -1), (-1, 1, -1)],
    "bottom": [(-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)],
}
_TILES = {"front": (1, 1), "back": (0, 0), "left": (2, 1), "right": (0, 1), "top": (1, 2)}


class _Mesh:
    """Quads with merged vertices and corner UVs."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, ...], int] = {}
        self.vertices: list[np.ndarray] = []
        self.quads: list[list[int]] = []
        self.uv: list[np.ndarray] = []
        self.part: list[int] = []

    def add(self, part: str, corners: np.ndarray, uv: np.ndarray) -> None:
        quad = []
        for corner in corners:
            key = (part, *(f"{value:.6f}" for value in np.where(corner == 0.0, 0.0, corner)))
            if key not in self.points:
                self.points[key] = len(self.vertices)
                self.vertices.append(corner)
            quad.append(self.points[key])
        self.quads.append(quad)
        self.uv.append(uv)
        self.part.append(PARTS.index(part))


def _lerp(corners: np.ndarray, s: float, t: float) -> np.ndarray:
    a, b, c, d = corners
    return (1 - s) * (1 - t) * a + s * (1 - t) * b + s * t * c + (1 - s) * t * d


def _grid(mesh: _Mesh, part: str, corners: np.ndarray, uv: np.ndarray, cells: int) -> None:
    steps = np.linspace(0.0, 1.0, cells + 1)
    for t0, t1 in pairwise(steps):
        for s0, s1 in pairwise(steps):
            where = [(s0, t0), (s1, t0), (s1, t1), (s0, t1)]
            mesh.add(
                part,
                np.array([_lerp(corners, *p) for p in where]),
                np.array([_lerp(uv, *p) for p in where]),
            )


def _square(column: float, row: float, size: float) -> np.ndarray:
    low = np.array([column, row])
    return low + size * np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def _build_mesh() -> _Mesh:
    mesh = _Mesh()
    half = np.array([0.075, 0.11, 0.09])
    for face, (column, row) in _TILES.items():
        corners = np.array(_BOX[face], dtype=float) * half + np.array([0.0, -0.01, -0.09])
        _grid(mesh, "skin", corners, _square(column / 3 + 0.01, row / 3 + 0.01, 0.31), 2)
    for part, side in (("eye_left", 1.0), ("eye_right", -1.0)):
        for face in _BOX.values():
            corners = np.array(face, dtype=float) * 0.012 + np.array([0.03 * side, 0.0, 0.0])
            mesh.add(part, corners, _square(0.25, 0.25, 0.5))
    for part, height in (("teeth_upper", -0.05), ("teeth_lower", -0.06), ("tongue", -0.055)):
        depth = -0.01 if part == "tongue" else 0.0
        corners = np.array(_BOX["front"], dtype=float) * [0.02, 0.004, 0.0]
        _grid(mesh, part, corners + np.array([0.0, height, depth]), _square(0.0, 0.0, 1.0), 2)
    for part, side in (("lashes_left", 1.0), ("lashes_right", -1.0)):
        corners = np.array(_BOX["front"], dtype=float) * [0.012, 0.003, 0.0]
        _grid(mesh, part, corners + [0.03 * side, 0.012, 0.015], _square(0.0, 0.5, 0.5), 2)
    return mesh


def _mirror(vertices: np.ndarray) -> np.ndarray:
    reflected = vertices * np.array([-1.0, 1.0, 1.0])
    return np.linalg.norm(reflected[:, None] - vertices[None], axis=-1).argmin(axis=1)


def _identity(vertices: np.ndarray) -> np.ndarray:
    """Width, height and depth, 4 mm each at the surface."""
    scaled = vertices / np.abs(vertices).max(axis=0) * 0.004
    return np.stack([scaled * axis for axis in np.eye(3)])


def _expressions(vertices: np.ndarray) -> np.ndarray:
    """Smooth bumps that move downwards or sideways, by name."""
    centres = {
        "jawOpen": ((0.0, -0.08, 0.0), (0.0, -0.02, 0.0)),
        "eyeBlinkLeft": ((0.03, 0.01, 0.0), (0.0, -0.008, 0.0)),
        "eyeBlinkRight": ((-0.03, 0.01, 0.0), (0.0, -0.008, 0.0)),
        "mouthSmileLeft": ((0.03, -0.05, 0.0), (0.006, 0.006, 0.0)),
        "mouthSmileRight": ((-0.03, -0.05, 0.0), (-0.006, 0.006, 0.0)),
    }
    out = np.zeros((len(EXPRESSIONS), *vertices.shape))
    for row, name in enumerate(EXPRESSIONS):
        centre, push = (np.array(value) for value in centres[name])
        fall = np.exp(-((vertices - centre) ** 2).sum(axis=1) / 0.03**2)
        out[row] = fall[:, None] * push
    return out


def _landmarks(count: int, corners: np.ndarray) -> dict[str, np.ndarray]:
    """Landmarks spread over the triangles of the front, every tenth of no weight."""
    front = np.flatnonzero((corners[:, :, 2] > -0.03).all(axis=1))
    rng = np.random.default_rng(count)
    barycentric = rng.dirichlet([1.0, 1.0, 1.0], count)
    weight = np.where(np.arange(count) % 10 == 9, 0.0, 1.0)
    return {
        "triangles": front[np.arange(count) * 7 % len(front)].astype(np.int32),
        "barycentric": barycentric.astype(np.float32),
        "weight": weight.astype(np.float32),
    }


def tiny_albedo() -> AlbedoModel:
    """Skin-coloured smooth maps over a disc."""
    size, count = ALBEDO_SIZE, COMPONENTS
    axis = np.linspace(-1.0, 1.0, size)
    x, y = np.meshgrid(axis, axis)
    valid = x**2 + y**2 < 0.95
    rng = np.random.default_rng(0)
    waves = [np.cos(k * x + phase) * np.cos(k * y) for k, phase in enumerate(rng.random(count))]
    basis = 0.05 * np.stack([np.stack(waves)[:, valid]] * 3).astype(np.float32)
    tone = np.array([0.72, 0.53, 0.43])[:, None]
    return AlbedoModel(
        mean=np.broadcast_to(tone, (3, valid.sum())).astype(np.float32),
        basis=basis,
        sigma=np.linalg.norm(basis, axis=2),
        valid=valid,
        covariance=np.eye(3 * count, dtype=np.float32),
    )


def tiny_tensors() -> tuple[dict[str, np.ndarray], HeadNames]:
    """Arrays of head.safetensors and their names."""
    mesh = _build_mesh()
    vertices, quads = np.array(mesh.vertices), np.array(mesh.quads)
    step = subdivide(quads, len(vertices))
    part = np.repeat(np.array(mesh.part, dtype=np.uint8), 4)
    fine = step.apply(vertices)
    corners = fine[step.quads][:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3)
    corners[np.repeat(part != 0, 2)] = -1.0
    groups = {name: np.zeros(len(fine)) for name in [*PARTS, *REGIONS]}
    for number, name in enumerate(PARTS):
        groups[name][np.unique(step.quads[part == number])] = 1.0
    groups["face"] = groups["skin"] * (fine[:, 2] > -0.05)
    groups["scalp"] = groups["skin"] - groups["face"]
    masks = np.zeros((len(MASKS), 512, 512), dtype=np.uint8)
    masks[:2, 170:340, 170:340] = 255
    tensors = {
        "control_mean": vertices.astype(np.float32),
        "control_identity": _identity(vertices).astype(np.float16),
        "control_expression": _expressions(vertices).astype(np.float16),
        "subdivision_rows": step.rows,
        "subdivision_columns": step.columns,
        "subdivision_values": step.values,
        "quads": step.quads,
        "corner_uv": subdivide_corner_uv(np.array(mesh.uv)).astype(np.float32),
        "face_part": part,
        "groups": np.stack(list(groups.values())).astype(np.float16),
        "mirror": fine_mirror(step, quads, _mirror(vertices)),
        "uv_masks": masks,
    }
    for name, count in (("landmarks468", 468), ("landmarks68", 68)):
        for key, value in _landmarks(count, corners).items():
            tensors[f"{name}_{key}"] = value
    names = HeadNames(tuple(EXPRESSIONS), tuple(PARTS), tuple(groups), tuple(MASKS))
    return tensors, names


def tiny_detail() -> DetailModel:
    """A detail network of random weights, with statistics of a latent."""
    import torch

    from engine.nets.detail_vae import DetailVae

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = DetailVae(DETAIL).state_dict()
    shape = (DETAIL.latent_channels, DETAIL.latent_size, DETAIL.latent_size)
    rng = np.random.default_rng(0)
    spread = 0.4 / np.arange(1, DETAIL.directions + 1)
    return DetailModel(
        info=DETAIL,
        net={name: value.numpy() for name, value in state.items()},
        latent_mean=rng.normal(0.0, 0.1, shape).astype(np.float32),
        latent_sigma=np.full(shape, 0.8, np.float32),
        directions=(spread[:, None, None, None] * rng.choice([-1.0, 1.0], (20, *shape))).astype(
            np.float32
        ),
        residual_sigma=np.full(shape, 0.9, np.float32),
    )


def write_tiny_pack(folder: Path, detail: bool = False) -> Path:
    """Write the tiny pack into `folder` and return it. Its id is "tiny".

    detail: with a detail model too.
    """
    tensors, names = tiny_tensors()
    albedo = tiny_albedo()
    manifest = PackManifest(
        schema=PACK_SCHEMA,
        id="tiny",
        version="1.0.0",
        uv_layout="ffhq-uv",
        parts=TEST_PARTS,
        files={},
        head=names,
        albedo=albedo_info(albedo),
        detail=DETAIL if detail else None,
    )
    files = {"head.safetensors": tensors, "albedo.safetensors": albedo_tensors(albedo)}
    if detail:
        files["detail.safetensors"] = detail_tensors(tiny_detail())
    return write_pack(folder, manifest, files, {})


def write_tiny_albedo_pack(folder: Path) -> Path:
    """Write the tiny pack's albedo model as a pack of its own; its id is the folder's name."""
    return write_albedo_pack(
        folder, tiny_albedo(), folder.name, "1.0.0", TEST_PARTS, "made for a test"
    )


def write_tiny_detail_pack(folder: Path) -> Path:
    """Write the tiny pack's detail model as a pack of its own; its id is the folder's name."""
    return write_detail_pack(
        folder, tiny_detail(), folder.name, "1.0.0", TEST_PARTS, "made for a test"
    )
