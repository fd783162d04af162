"""HiFi3D++'s albedo model (meantex and texBase of `hifi3dpp_model_info.mat`) as an albedo pack.

There a colour belongs to a vertex and one set of coefficients moves all three channels; here to a
texel of the layout, with coefficients for each channel. Texels take the colours of their triangle;
each channel's part of the basis is brought to its principal axes, and how the three belong
together becomes the covariance: the distribution of maps is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...protocol.albedo import CHANNELS
from ...protocol.albedo_pack import AlbedoModel
from ...protocol.conventions import BYTE_MAX
from ...protocol.headpack import split_quads
from ...protocol.pack_manifest import PackPart
from ...render.atlas import build_atlas
from ...reporter import Reporter
from ..albedo import write_albedo_pack
from .files.mat import MatFile, open_mat
from .hifi3d import LICENCE, VERSION, Topology, find_files, read_topology
from .hifi3dpp import MODEL_FILE, ModelSizes
from .source import source_error

SIZE = 256
"""Texels a side: twice as fine as vertices lie in the face."""
COMPONENTS = 100
"""Per channel, as UVAPM's model has."""


@dataclass(frozen=True, eq=False)
class VertexColours:
    """mean (V, 3), basis (V, 3, K) per standard deviation; sRGB in [0, 1]."""

    mean: np.ndarray
    basis: np.ndarray


def import_hifi3dpp_albedo(
    paths: Sequence[Path],
    folder: Path,
    reporter: Reporter,
    sizes: ModelSizes | None = None,
    size: int = SIZE,
) -> Path:
    """Write the model as an albedo pack into `folder` and return that.

    sizes: of the file, the released one's by default; size: texels a side. Raises EngineError
    (PACK_INVALID, BAD_OUTPUT) and Cancelled.
    """
    sizes = sizes or ModelSizes()
    reporter.stage("Reading the model", 0, 3)
    files = find_files(paths, (MODEL_FILE,))
    if MODEL_FILE not in files:
        raise source_error(MODEL_FILE, "", "this file among those given", "none")
    mat = open_mat(files[MODEL_FILE])
    topology = read_topology(mat, ("head_tri", "head_tri_vt"), 1, sizes)
    colours = read_colours(mat, sizes)
    reporter.stage("Laying it out", 1, 3)
    model, kept = albedo_of(colours, topology, size, reporter)
    reporter.stage("Writing the pack", 2, 3)
    recipe = (
        f"meantex and texBase of {mat.name}, {sizes.texture} modes of vertex colours, laid out at "
        f"{size} texels a side; per channel the first {model.sigma.shape[1]} principal axes, "
        f"{kept:.1%} of the variance"
    )
    origin = f"{mat.name} (FFHQ-UV, CVPR 2023; REALY, ECCV 2022)"
    part = PackPart("albedo", "HiFi3D++'s albedo model", LICENCE, origin, mat.sha256)
    return write_albedo_pack(folder, model, folder.name, VERSION, (part,), recipe)


def read_colours(mat: MatFile, sizes: ModelSizes) -> VertexColours:
    """The colours of the file. Raises EngineError(PACK_INVALID)."""
    count = sizes.vertices
    mean = mat.numbers("meantex", (3 * count,))
    if mean.min() < 0.0 or not 1.0 < mean.max() <= BYTE_MAX:
        found = f"{mean.min():g} to {mean.max():g}"
        raise mat.refuse("meantex", f"grey levels from 0 to {BYTE_MAX}", found)
    basis = mat.numbers("texBase", (3 * count, sizes.texture))
    if not np.abs(basis).max() > 0.0:
        raise mat.refuse("texBase", "modes that change something", "zeros alone")
    shaped = basis.reshape(count, CHANNELS, sizes.texture) / np.float32(BYTE_MAX)
    return VertexColours(mean.reshape(count, CHANNELS) / np.float32(BYTE_MAX), shaped)


def albedo_of(
    colours: VertexColours, topology: Topology, size: int, reporter: Reporter
) -> tuple[AlbedoModel, float]:
    """The model over a (size, size) layout and the share of the variance it keeps.

    A channel's texels are B z with z standard normal. With the eigenvectors V and eigenvalues
    s^2 of B^T B, they are (B V / s) s a with a = V^T z standard normal: unit rows, deviations s.
    Coefficients of two channels have the covariance V_c^T V_d. Raises Cancelled.
    """
    atlas = build_atlas(torch.from_numpy(topology.corner_uv), size)
    valid = atlas.valid.numpy()
    corners = split_quads(topology.faces)[atlas.triangle.numpy()[valid]]
    weights = atlas.barycentric.numpy()[valid].astype(np.float32)
    modes = min(COMPONENTS, colours.basis.shape[2])
    means, rows, sigmas, axes = [], [], [], []
    total = kept = 0.0
    for channel in range(CHANNELS):
        reporter.progress(channel, CHANNELS)
        means.append(_texels(colours.mean[:, channel, None], corners, weights)[:, 0])
        texels = _texels(colours.basis[:, channel], corners, weights)
        values, vectors = np.linalg.eigh(texels.T.astype(np.float64) @ texels)
        first = np.argsort(-values)[:modes]
        total += float(values.sum())
        kept += float(values[first].sum())
        sigmas.append(np.sqrt(np.maximum(values[first], 0.0)))
        axes.append(vectors[:, first])
        rows.append((texels @ axes[-1].astype(np.float32)).T)
    joint = np.concatenate(axes, axis=1)
    model = AlbedoModel(
        mean=np.clip(np.stack(means), 0.0, 1.0).astype(np.float32),
        basis=np.stack(rows).astype(np.float32),
        sigma=np.stack(sigmas).astype(np.float32),
        valid=valid,
        covariance=(joint.T @ joint).astype(np.float32),
    )
    return model, kept / total


def _texels(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(N, C) f32 at texels of values (V, C) at vertices; corners, weights (N, 3)."""
    out = weights[:, 0, None] * values[corners[:, 0]]
    for corner in (1, 2):
        out += weights[:, corner, None] * values[corners[:, corner]]
    return out
