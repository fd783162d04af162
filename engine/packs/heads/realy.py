"""HiFi3D++ as REALY distributes it: `HIFI3D++.mat`.

Another file than FFHQ-UV's: rows are modes, vertices are counted from 0, other numbers of modes,
another unit, the 86 landmarks of HiFi3D. Modes are already scaled: coefficients of the authors'
own examples are standard normal (hifi3dface, 3DMM/scripts).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol.pack_manifest import PackPart
from ...reporter import Reporter
from .files.mat import MatFile, open_mat
from .hifi3d import (
    LICENCE,
    Sizes,
    check_landmarks,
    check_size,
    find_files,
    read_topology,
    skin_source,
)
from .hifi3d_eyes import LEFT_FILE, RIGHT_FILE, with_eyes
from .source import HeadSource, check_source, source_error

MODEL_FILE = "HIFI3D++.mat"
METRES = 0.00895
"""Its unit: mean over the 100 scans of REALY's metrical_scale.txt (6.49 to 10.24 mm)."""
SMALLEST, LARGEST = 20.0, 50.0
"""Of its unit, longest side of the mean: its template has 35."""
LANDMARKS = 86
LANDMARKS_68 = (
    *range(22),
    *range(26, 31),
    *range(51, 55),
    *range(61, 66),
    *range(35, 41),
    *range(43, 49),
    *(66, 72, 67, 68, 69, 73, 70, 74, 85, 71, 84, 75, 76, 78, 79, 80, 77, 83, 82, 81),
)
"""Where the 68 landmarks are among the 86 (FFHQ-UV's source; equal to REALY's HIFI3D.txt)."""


@dataclass(frozen=True)
class ModelSizes(Sizes):
    """How many of everything; the defaults are those of the released file."""

    identity: int = 526
    expression: int = 203


def read(paths: Sequence[Path], reporter: Reporter) -> HeadSource:
    """Read the model file, or the folder(s) that hold it and FFHQ-UV's eyeballs.

    Raises EngineError(PACK_INVALID) with file, key, expected and found, and Cancelled.
    """
    return read_model(paths, reporter, ModelSizes())


def read_model(paths: Sequence[Path], reporter: Reporter, sizes: ModelSizes) -> HeadSource:
    """`read` for files of other sizes than the released one."""
    files = find_files(paths, (MODEL_FILE, LEFT_FILE, RIGHT_FILE))
    if MODEL_FILE not in files:
        raise source_error(MODEL_FILE, "", "this file among those given", "none")
    reporter.progress(0, 4)
    mat = open_mat(files[MODEL_FILE])
    if "meanshape" in mat.headers and "mu_shape" not in mat.headers:
        raise mat.refuse("", "REALY's file", "FFHQ-UV's (its kind is hifi3dpp)")
    _check_release(mat)
    topology = read_topology(mat, ("tri", "tri_vt"), 0, sizes)
    mean = mat.numbers("mu_shape", (3 * sizes.vertices,)).reshape(-1, 3)
    check_size(mat.name, "mu_shape", mean, "centimetres", SMALLEST, LARGEST)
    all_landmarks = mat.indices("keypoints", (LANDMARKS,), 0, sizes.vertices - 1)
    landmarks = all_landmarks[list(LANDMARKS_68)]
    check_landmarks(mat, "keypoints", mean, landmarks)
    _check_tables(mat, sizes)
    reporter.progress(1, 4)
    identity = _modes(mat, "basis_shape", sizes.identity, sizes.vertices)
    reporter.progress(2, 4)
    expression = _modes(mat, "basis_exp", sizes.expression, sizes.vertices)
    reporter.progress(3, 4)
    part = PackPart(
        "head",
        "HiFi3D++ as released with REALY: mean, identity, expressions, UVs",
        LICENCE,
        f"{mat.name} (REALY, ECCV 2022)",
        mat.sha256,
    )
    names = tuple(f"hifi3d_{k:03d}" for k in range(1, sizes.expression + 1))
    shapes = mean * np.float32(METRES), identity, expression
    source = skin_source("realy", part, shapes, names, topology, landmarks)
    return check_source(with_eyes(source, topology, files), mat.name)


def _check_release(mat: MatFile) -> None:
    """The first release lacked the triangles' UVs (August 2022)."""
    for key in ("vt_list", "tri_vt"):
        if key not in mat.headers:
            expected = "this matrix, which the release of August 2022 and later ones hold"
            raise mat.refuse(key, expected, "none (get the file anew)")


def _check_tables(mat: MatFile, sizes: ModelSizes) -> None:
    variances = mat.numbers("EVs", (sizes.identity,))
    if variances.min() < 0.0 or (np.diff(variances) > 1e-6 * variances.max()).any():
        raise mat.refuse("EVs", "falling variances", "others")
    if "mask_face" in mat.headers:
        mask = mat.numbers("mask_face", (sizes.vertices,))
        if mask.min() < 0.0 or mask.max() > 1.0:
            raise mat.refuse("mask_face", "0 and 1", f"{mask.min():g} to {mask.max():g}")


def _modes(mat: MatFile, key: str, count: int, vertices: int) -> np.ndarray:
    """(count, vertices, 3) f32 metres of a matrix whose rows are modes in the file's unit."""
    rows = mat.numbers(key, (count, 3 * vertices))
    if not np.abs(rows).max(axis=1).all():
        raise mat.refuse(key, "modes that move something", "some of zeros alone")
    return (rows * np.float32(METRES)).reshape(count, vertices, 3)
