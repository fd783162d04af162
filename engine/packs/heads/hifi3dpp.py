"""HiFi3D++ as FFHQ-UV and UVAPM use it: `hifi3dpp_model_info.mat` of their `topo_assets`.

Columns are modes, vertices are counted from 1, lengths are decimetres, albedo is in grey levels.
The head's own tables (unwrap tables, masks, point_buf ...) follow from the mesh, or come from the
default pack in the same layout; where they are given they must agree with the mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol.conventions import BYTE_MAX
from ...protocol.pack_manifest import PackPart
from ...reporter import Reporter
from .files.mat import MatFile, open_mat
from .hifi3d import (
    LICENCE,
    Sizes,
    Topology,
    check_landmarks,
    check_size,
    find_files,
    read_topology,
    skin_source,
)
from .hifi3d_eyes import LEFT_FILE, RIGHT_FILE, with_eyes
from .source import HeadSource, check_source, source_error

MODEL_FILE, UNWRAP_FILE = "hifi3dpp_model_info.mat", "unwrap_1024_info.mat"
METRES = 0.1
"""The released meshes are in decimetres."""
SMALLEST, LARGEST = 2.0, 5.0
"""Decimetres, longest side of the mean: a released head has 3.3."""
ISLAND_SIZE = 512
"""Side of the map that vtx_vt, uv_idx and vtx_uv_idx count in."""


@dataclass(frozen=True)
class ModelSizes(Sizes):
    """How many of everything; the defaults are those of the released file."""

    identity: int = 532
    expression: int = 45
    texture: int = 439
    facial: int = 18318
    uv_pixels: int = 82810
    around: int = 8
    unwrap: int = 1024


def read(paths: Sequence[Path], reporter: Reporter) -> HeadSource:
    """Read the model file, or the folder(s) that hold it and FFHQ-UV's eyeballs.

    Raises EngineError(PACK_INVALID) with file, key, expected and found, and Cancelled.
    """
    return read_model(paths, reporter, ModelSizes())


def read_model(paths: Sequence[Path], reporter: Reporter, sizes: ModelSizes) -> HeadSource:
    """`read` for files of other sizes than the released ones."""
    names = (MODEL_FILE, UNWRAP_FILE, LEFT_FILE, RIGHT_FILE)
    files = find_files(paths, names)
    if MODEL_FILE not in files:
        raise source_error(MODEL_FILE, "", "this file among those given", "none")
    reporter.progress(0, 4)
    mat = open_mat(files[MODEL_FILE])
    if "mu_shape" in mat.headers and "meanshape" not in mat.headers:
        raise mat.refuse("", "FFHQ-UV's file", "REALY's (its kind is realy)")
    topology = read_topology(mat, ("head_tri", "head_tri_vt"), 1, sizes)
    mean = mat.numbers("meanshape", (3 * sizes.vertices,)).reshape(-1, 3)
    check_size(mat.name, "meanshape", mean, "decimetres", SMALLEST, LARGEST)
    landmarks = mat.indices("keypoints", (68,), 1, sizes.vertices)
    check_landmarks(mat, "keypoints", mean, landmarks)
    _check_tables(mat, sizes, topology)
    if UNWRAP_FILE in files:
        _check_unwrap(open_mat(files[UNWRAP_FILE]), sizes)
    reporter.progress(1, 4)
    identity = _modes(mat, "idBase", sizes.vertices, sizes.identity)
    reporter.progress(2, 4)
    expression = _modes(mat, "exBase", sizes.vertices, sizes.expression)
    reporter.progress(3, 4)
    part = PackPart(
        "head",
        "HiFi3D++ as released with FFHQ-UV: mean, identity, expressions, UVs",
        LICENCE,
        f"{mat.name} (FFHQ-UV, CVPR 2023; REALY, ECCV 2022)",
        mat.sha256,
    )
    names = tuple(f"hifi3dpp_{k:02d}" for k in range(1, sizes.expression + 1))
    shapes = mean * np.float32(METRES), identity, expression
    source = skin_source("hifi3dpp", part, shapes, names, topology, landmarks)
    return check_source(with_eyes(source, topology, files), mat.name)


def _modes(mat: MatFile, key: str, vertices: int, count: int) -> np.ndarray:
    """(count, vertices, 3) f32 metres of a matrix whose columns are modes in decimetres."""
    columns = mat.numbers(key, (3 * vertices, count))
    if not np.abs(columns).max(axis=0).all():
        raise mat.refuse(key, "modes that move something", "some of zeros alone")
    rows = np.ascontiguousarray(columns.T).reshape(count, vertices, 3)
    rows *= np.float32(METRES)
    return rows


def _check_tables(mat: MatFile, sizes: ModelSizes, topology: Topology) -> None:
    """Tables that follow from the mesh, where the file holds them.

    Raises EngineError(PACK_INVALID).
    """
    count, pixels = sizes.vertices, ISLAND_SIZE**2
    whole = {
        "tri": ((sizes.facial, 3), 1, count),
        "tri_vt": ((sizes.facial, 3), 1, sizes.uv_points),
        "vt_vtx_idx": ((sizes.uv_points,), 0, count),
        "uv_idx": ((sizes.uv_pixels, 2), 0, ISLAND_SIZE - 1),
        "vtx_uv_idx": ((count,), 0, pixels - 1),
        "point_buf": ((count, sizes.around), 1, sizes.triangles + 1),
    }
    for key, (shape, first, last) in whole.items():
        if key in mat.headers:
            mat.indices(key, shape, first, last)
    real = {
        "vtx_vt": ((count, 2), float(ISLAND_SIZE)),
        "meantex": ((3 * count,), float(BYTE_MAX)),
        "skinmask": ((count,), 1.0),
    }
    for key, (shape, last) in real.items():
        if key in mat.headers:
            values = mat.numbers(key, shape)
            if values.min() < 0.0 or values.max() > last:
                found = f"{values.min():g} to {values.max():g}"
                raise mat.refuse(key, f"numbers from 0 to {last:g}", found)
    if "meantex" in mat.headers and mat.numbers("meantex", (3 * count,)).max() <= 1.0:
        raise mat.refuse("meantex", f"grey levels to {BYTE_MAX}", "colours from 0 to 1")
    if "texBase" in mat.headers:
        claimed, expected = mat.headers["texBase"].shape, (3 * count, sizes.texture)
        if claimed != expected:
            raise mat.refuse("texBase", f"shape {expected}", f"{claimed}")


def _check_unwrap(mat: MatFile, sizes: ModelSizes) -> None:
    """The unwrap tables belong to this mesh: ids counted from 0, weights that sum to 1 or, where
    there is no skin, to 0. Raises EngineError(PACK_INVALID)."""
    shape = (sizes.unwrap, sizes.unwrap, 3)
    mat.indices("uv_idx_v_idx", shape, 0, sizes.vertices - 1)
    weights = mat.numbers("uv_idx_bw", shape).sum(axis=-1)
    if (np.minimum(np.abs(weights), np.abs(weights - 1.0)) > 0.01).any():
        raise mat.refuse("uv_idx_bw", "weights that sum to 1, or 0 outside", "others")
