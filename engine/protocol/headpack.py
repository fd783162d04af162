"""Read a head pack folder to frozen values, strictly. Standard library and numpy only.

A pack stores the control mesh and one subdivision operator; reading applies it once, so that
everybody sees arrays over the V fine vertices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from .albedo_pack import AlbedoModel, read_albedo_model
from .conventions import bytes_to_unit
from .detail_pack import DetailModel, read_detail_model
from .faces import doubled_corners, is_triangle
from .pack_manifest import (
    HEAD_FILE,
    PACK_JSON,
    HeadNames,
    PackManifest,
    check_files,
    pack_error,
    read_manifest,
)
from .pack_tensors import Schema, check_range, check_tensors
from .safetensors import read_safetensors
from .sparse import apply_operator

MASK_SIZE = 512
SMALLEST_HEAD = 0.1
LARGEST_HEAD = 1.0
"""Metres, longest side of the bounding box of the mean head (with neck or shoulders)."""

_HEAD_TENSORS: Schema = {
    "control_mean": ("f4", ("V0", 3)),
    "control_identity": ("f2", ("K", "V0", 3)),
    "control_expression": ("f2", ("E", "V0", 3)),
    "subdivision_rows": ("i4", ("n",)),
    "subdivision_columns": ("i4", ("n",)),
    "subdivision_values": ("f4", ("n",)),
    "quads": ("i4", ("F", 4)),
    "corner_uv": ("f4", ("F", 4, 2)),
    "face_part": ("u1", ("F",)),
    "groups": ("f2", ("G", "V")),
    "mirror": ("i4", ("V",)),
    "landmarks468_triangles": ("i4", ("L468",)),
    "landmarks468_barycentric": ("f4", ("L468", 3)),
    "landmarks468_weight": ("f4", ("L468",)),
    "landmarks68_triangles": ("i4", ("L68",)),
    "landmarks68_barycentric": ("f4", ("L68", 3)),
    "landmarks68_weight": ("f4", ("L68",)),
    "uv_masks": ("u1", ("M", MASK_SIZE, MASK_SIZE)),
}
MOST_SUBDIVIDED = 16
"""Vertices for each one of the control mesh. Ours: one subdivision makes four of quads and six of
triangles; two make sixteen of quads."""
TURN_TERMS = 5
"""Of the polynomial in yaw and pitch: see `fit/shape/landmark_turn.py`."""
_OPTIONAL: Schema = {"landmarks468_turn": ("f4", (TURN_TERMS, "L468", 3))}


@dataclass(frozen=True)
class LandmarkEmbedding:
    """Landmarks as points of the fine mesh.

    triangles (n,) i32: rows of HeadPack.triangles. barycentric (n, 3) f32, sum 1.
    weight (n,) f32: trust in [0, 1]; 0 means that the landmark is not on the head.
    turn (TURN_TERMS, n, 3) f32: what the network's points do as heads turn, metres along the
    model's axes for each term of `fit.landmark_turn.turn_features`; None: not known.
    """

    triangles: np.ndarray
    barycentric: np.ndarray
    weight: np.ndarray
    turn: np.ndarray | None = None


@dataclass(frozen=True)
class HeadPack:
    """The head model over V fine vertices. Metres, model space; origin between the eyeballs.

    mean (V, 3) f32. identity (K, V, 3) f32: displacement per standard deviation.
    expression (E, V, 3) f32: displacement at weight 1, named by expression_names.
    quads (F, 4) i32, counter-clockwise from outside. corner_uv (F, 4, 2) f32: the skin in the
    FFHQ-UV layout, other parts in a tile of their own. face_part (F,) u8 into part_names.
    groups: name -> (V,) f32 in [0, 1]. mirror (V,) i32: index of the mirrored vertex.
    uv_masks: name -> (512, 512) f32 in [0, 1], row 0 on top, over the skin layout.
    id, version, folder, sha: of the pack; sha is the sha256 of pack.json, which names all files.
    """

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    expression_names: tuple[str, ...]
    quads: np.ndarray
    corner_uv: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]
    groups: Mapping[str, np.ndarray]
    mirror: np.ndarray
    landmarks468: LandmarkEmbedding
    landmarks68: LandmarkEmbedding
    uv_masks: Mapping[str, np.ndarray]
    id: str
    version: str
    folder: Path
    sha: str

    @cached_property
    def triangles(self) -> np.ndarray:
        """(2F, 3) i32: corners (0, 1, 2) and (0, 2, 3) of each quad, quad by quad."""
        return split_quads(self.quads)

    @cached_property
    def triangle_uv(self) -> np.ndarray:
        """(2F, 3, 2) f32: corner UVs of `triangles`."""
        return split_quads(self.corner_uv)


@dataclass(frozen=True)
class Pack:
    """A whole pack. albedo and detail are None for a pack without such a model."""

    manifest: PackManifest
    head: HeadPack
    albedo: AlbedoModel | None
    folder: Path
    detail: DetailModel | None = None


def split_quads(values: np.ndarray) -> np.ndarray:
    """Per-corner values (F, 4, ...) of quads to (2F, 3, ...) of their triangles."""
    both = np.stack([values[:, [0, 1, 2]], values[:, [0, 2, 3]]], axis=1)
    return both.reshape(-1, 3, *values.shape[2:])


def read_pack(folder: Path) -> Pack:
    """Read and check the folder of a head pack.

    Raises EngineError(PACK_INVALID) with file, key, expected and found, also for a pack that
    has no head (`albedo_pack.read_albedo_pack` and `detail_pack.read_detail_pack` read those).
    """
    folder = Path(folder)
    manifest, sha = read_manifest(folder)
    if manifest.head is None:
        kind = "a detail model" if manifest.albedo is None else "an albedo model"
        found = f"none: this pack holds {kind} only"
        raise pack_error(PACK_JSON, "head", "a head", found)
    check_files(folder, manifest)
    head = _read_head(folder, manifest, manifest.head, sha)
    albedo = None if manifest.albedo is None else read_albedo_model(folder, manifest.albedo)
    detail = None if manifest.detail is None else read_detail_model(folder, manifest.detail)
    return Pack(manifest, head, albedo, folder, detail)


def _read_head(folder: Path, manifest: PackManifest, names: HeadNames, sha: str) -> HeadPack:
    sizes = {
        "E": len(names.expression_names),
        "G": len(names.group_names),
        "M": len(names.mask_names),
    }
    table = read_safetensors(folder / HEAD_FILE)
    optional = {name: kind for name, kind in _OPTIONAL.items() if name in table}
    check_tensors(HEAD_FILE, table, _HEAD_TENSORS | optional, sizes)
    _check_head(table, names, sizes)
    mean, identity, expression = _subdivided(table, sizes["V"])
    groups = table["groups"].astype(np.float32)
    masks = bytes_to_unit(table["uv_masks"])
    return HeadPack(
        mean=mean,
        identity=identity,
        expression=expression,
        expression_names=names.expression_names,
        quads=table["quads"],
        corner_uv=table["corner_uv"],
        face_part=table["face_part"],
        part_names=names.part_names,
        groups=dict(zip(names.group_names, groups, strict=True)),
        mirror=table["mirror"],
        landmarks468=_embedding(table, "landmarks468"),
        landmarks68=_embedding(table, "landmarks68"),
        uv_masks=dict(zip(names.mask_names, masks, strict=True)),
        id=manifest.id,
        version=manifest.version,
        folder=folder,
        sha=sha,
    )


def _check_head(table: dict[str, np.ndarray], names: HeadNames, sizes: dict[str, int]) -> None:
    last_control, last = sizes["V0"] - 1, sizes["V"] - 1
    if sizes["V"] > MOST_SUBDIVIDED * sizes["V0"]:  # a small file must not fill the memory
        expected = f"at most {MOST_SUBDIVIDED} vertices for each of control_mean"
        raise pack_error(HEAD_FILE, "mirror", expected, f"{sizes['V']} for {sizes['V0']}")
    limits = {
        "subdivision_rows": last,
        "subdivision_columns": last_control,
        "quads": last,
        "mirror": last,
        "face_part": len(names.part_names) - 1,
        "landmarks468_triangles": 2 * sizes["F"] - 1,
        "landmarks68_triangles": 2 * sizes["F"] - 1,
        "corner_uv": 1,
        "groups": 1,
        "landmarks468_weight": 1,
        "landmarks68_weight": 1,
    }
    for name, high in limits.items():
        check_range(HEAD_FILE, name, table[name], 0, high, 1e-4 if high == 1 else 0.0)
    for name in ("landmarks468_barycentric", "landmarks68_barycentric"):
        check_range(HEAD_FILE, name, table[name].sum(axis=-1), 1, 1, 1e-3)
    _check_faces(table["quads"], table["corner_uv"])
    mirror = table["mirror"]
    if np.any(mirror[mirror] != np.arange(last + 1)):
        raise pack_error(HEAD_FILE, "mirror", "pairs that name each other", "others")
    rows = table["subdivision_rows"]
    if np.any(np.diff(rows) < 0) or len(np.unique(rows)) != sizes["V"]:
        raise pack_error(HEAD_FILE, "subdivision_rows", "every vertex once, sorted", "other rows")
    sums = np.add.reduceat(table["subdivision_values"], np.searchsorted(rows, np.arange(last + 1)))
    check_range(HEAD_FILE, "subdivision_values", sums, 1, 1, 1e-3)
    size = float(np.ptp(table["control_mean"], axis=0).max())
    if not SMALLEST_HEAD <= size <= LARGEST_HEAD:
        expected = f"a head of {SMALLEST_HEAD:g} to {LARGEST_HEAD:g} metres"
        raise pack_error(HEAD_FILE, "control_mean", expected, f"one of {size:.4g}")


def _check_faces(quads: np.ndarray, corner_uv: np.ndarray) -> None:
    """Quads of four corners, and triangles that repeat their last one, in the layout too: nobody
    else then needs to tell them apart."""
    triangle = is_triangle(quads)
    if doubled_corners(quads).any():
        expected = "corners that differ, but for a triangle's repeated last one"
        raise pack_error(HEAD_FILE, "quads", expected, "others twice")
    if np.any(corner_uv[triangle, 2] != corner_uv[triangle, 3]):
        raise pack_error(HEAD_FILE, "corner_uv", "one UV at a repeated corner", "two")


def _embedding(table: dict[str, np.ndarray], name: str) -> LandmarkEmbedding:
    parts = (table[f"{name}_{key}"] for key in ("triangles", "barycentric", "weight"))
    return LandmarkEmbedding(*parts, table.get(f"{name}_turn"))


def _subdivided(
    table: dict[str, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, identity and expression over the fine vertices, f32."""
    shapes = [table["control_mean"][None], table["control_identity"], table["control_expression"]]
    if _is_identity(table, count):  # a mesh that is not subdivided: no copies of large models
        mean, *rest = (shape.astype(np.float32) for shape in shapes)
        return mean[0], *rest
    control = np.concatenate([shape.astype(np.float32) for shape in shapes])
    columns = np.ascontiguousarray(control.transpose(1, 0, 2)).reshape(control.shape[1], -1)
    fine = apply_operator(
        table["subdivision_rows"],
        table["subdivision_columns"],
        table["subdivision_values"],
        columns,
        count,
    )
    fine = np.ascontiguousarray(fine.reshape(count, -1, 3).transpose(1, 0, 2))
    split = 1 + len(shapes[1])
    return fine[0], fine[1:split], fine[split:]


def _is_identity(table: dict[str, np.ndarray], count: int) -> bool:
    every = np.arange(count)
    return (
        len(table["control_mean"]) == count
        and np.array_equal(table["subdivision_columns"], every)
        and np.array_equal(table["subdivision_rows"], every)
        and bool((table["subdivision_values"] == 1.0).all())
    )
