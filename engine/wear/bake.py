"""Maps of the FFHQ-UV layout -> maps in the mesh's own UVs."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from ..protocol.conventions import signed_to_unit, unit_to_signed, uv_to_pixels
from ..protocol.headpack import split_quads
from ..render.atlas import padding_sources
from ..reporter import Reporter
from .coverage import coverage_of
from .layout import OwnLayout, finer, own_layout
from .spread import continued
from .tangents import Frames, frames_of
from .worn import WornMesh

_CHUNK = 1 << 18
"""Texels a step: some 100 MB, and a cancel is heard within half a second."""
_BLED = 64
"""Part of the map's side that colours bleed over seams: 32 texels at 2048, five mip levels."""
_TONE = 40
"""Part of a map's side over which skin is smoothed before it is continued: a centimetre."""
_FINER = 1.25
"""Texels of the source to one of the target from which the source is reduced first."""
NORMAL, COVERAGE = "normal", "coverage"


@dataclass(frozen=True, eq=False)
class Baked:
    """maps: name -> (S, S) or (S, S, 3) float32 in [0, 1], row 0 on top: those given, and
    coverage. covered (F,) bool: faces with the person's skin in these maps. overlap: share of the
    covered UV area that faces share; beside: share that lies outside the tile that was baked."""

    maps: dict[str, np.ndarray]
    covered: np.ndarray
    overlap: float
    beside: float


@dataclass(frozen=True, eq=False)
class _Spots:
    """n texels: triangle (n,) of the mesh, corners (n, 3), weights (n, 3), share (n,) of the
    person's, uv (n, 2) in the FFHQ-UV layout."""

    triangle: np.ndarray
    corners: np.ndarray
    weights: np.ndarray
    share: np.ndarray
    uv: np.ndarray


def covered_faces(mesh: WornMesh, coverage: np.ndarray) -> np.ndarray:
    """(F,) bool: faces with some of the person's skin. coverage (W,): of `coverage_of`."""
    return (coverage[mesh.triangles] > 0.0).any(axis=1).reshape(-1, 2).any(axis=1)


def bake(
    mesh: WornMesh,
    corner_uv: np.ndarray,
    sources: Mapping[str, np.ndarray],
    size: int,
    report: Reporter,
) -> Baked:
    """corner_uv (F, 4, 2): the mesh's own, v up; of its UDIM tiles the one with most of the face
    is baked. sources: maps in the FFHQ-UV layout, (S, S) or (S, S, 3) in [0, 1]; "normal" is in
    tangent space and is turned into the mesh's. Raises Cancelled."""
    coverage = coverage_of(mesh)
    covered = covered_faces(mesh, coverage)
    layout = own_layout(corner_uv, covered, mesh.with_skin[mesh.triangles[::2, 0]], size)
    plain = {name: source for name, source in sources.items() if name != NORMAL}
    tones = _continued_tones(mesh, plain, coverage)
    reduced = _reduced(sources, mesh, layout, covered, size)
    frames = (_frames(mesh, mesh.corner_uv), _frames(mesh, layout.uv))
    flat_uv = split_quads(mesh.corner_uv).astype(np.float64)
    texels = layout.atlas.covered.numpy()
    out: dict[str, np.ndarray] = {}
    for start in range(0, max(len(texels), 1), _CHUNK):
        report.progress(start, len(texels))
        texel = texels[start : start + _CHUNK]
        spots = _spots(mesh, layout, texel, coverage, flat_uv)
        _put(out, COVERAGE, texel, spots.share, size)
        for name in plain:
            tone = np.einsum("nk,nk...->n...", spots.weights, tones[name][spots.corners])
            own = _sampled(reduced[name], spots.uv)
            share = spots.share if own.ndim == 1 else spots.share[:, None]
            _put(out, name, texel, tone + share * (own - tone), size)
        if NORMAL in sources:
            tilt = _sampled(reduced[NORMAL], spots.uv)
            _put(out, NORMAL, texel, _turned(tilt, spots, mesh, *frames), size)
    report.progress(len(texels), len(texels))
    worn = covered & layout.inside
    return Baked(_finished(out, layout, size), worn, layout.overlap, layout.beside)


def _frames(mesh: WornMesh, corner_uv: np.ndarray) -> Frames:
    return frames_of(mesh.vertices, mesh.normals, mesh.triangles, corner_uv)


def _spots(
    mesh: WornMesh,
    layout: OwnLayout,
    texel: np.ndarray,
    coverage: np.ndarray,
    flat_uv: np.ndarray,
) -> _Spots:
    triangle = layout.atlas.triangle.numpy().reshape(-1)[texel]
    weights = layout.atlas.barycentric.numpy().reshape(-1, 3)[texel].astype(np.float64)
    corners = mesh.triangles[triangle]
    share = (weights * coverage[corners]).sum(axis=1)
    uv = np.einsum("nk,nkc->nc", weights, flat_uv[triangle])
    return _Spots(triangle, corners, weights, share, uv)


def _turned(
    tilt: np.ndarray, spots: _Spots, mesh: WornMesh, theirs: Frames, ours: Frames
) -> np.ndarray:
    """(n, 3) stored normals in the frames of the mesh's own layout, of stored ones in those of the
    FFHQ-UV layout on the same surface. Where the person ends they flatten out."""
    x, y, _ = unit_to_signed(tilt).T * spots.share
    z = np.sqrt(np.maximum(1.0 - x * x - y * y, 0.0))
    normal = np.einsum("nk,nkc->nc", spots.weights, mesh.normals[spots.corners])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
    from_t, from_b = theirs.at(spots.triangle, spots.weights, normal)
    to_t, to_b = ours.at(spots.triangle, spots.weights, normal)
    bent = x[:, None] * from_t + y[:, None] * from_b
    out = np.stack([(bent * to_t).sum(1), (bent * to_b).sum(1), z], axis=1)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-30)
    return signed_to_unit(out)


def _continued_tones(
    mesh: WornMesh, sources: Mapping[str, np.ndarray], coverage: np.ndarray
) -> dict[str, np.ndarray]:
    """name -> (W,) or (W, C): the skin's tone within, continued over the rest of the skin."""
    known = coverage >= 1.0 if (coverage >= 1.0).any() else mesh.dressed
    uv = np.zeros((len(known), 2))
    uv[mesh.triangles] = split_quads(mesh.corner_uv)
    out = {}
    for name, source in sources.items():
        soft = cv2.GaussianBlur(source, (0, 0), source.shape[0] / _TONE)
        values = _sampled(soft, uv).reshape(len(known), -1)
        values = continued(mesh.vertices, mesh.graph, values, known)
        out[name] = values[:, 0] if source.ndim == 2 else values
    return out


def _sampled(source: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(n,) or (n, C) of a map (S, S) or (S, S, C) at UVs (n, 2); cubic, within the map's range."""
    height, width = source.shape[:2]
    pixels = (uv_to_pixels(uv, width, height) - 0.5).astype(np.float32)  # OpenCV's centres
    side = 1024  # OpenCV's pictures have less than 32,768 rows
    count = -len(uv) % side
    pixels = np.concatenate([pixels, np.zeros((count, 2), np.float32)]).reshape(-1, side, 2)
    x, y = np.ascontiguousarray(pixels[..., 0]), np.ascontiguousarray(pixels[..., 1])
    found = cv2.remap(source, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(found.reshape(-1, *source.shape[2:])[: len(uv)], 0.0, 1.0)


def _reduced(
    sources: Mapping[str, np.ndarray],
    mesh: WornMesh,
    layout: OwnLayout,
    covered: np.ndarray,
    size: int,
) -> dict[str, np.ndarray]:
    """The sources at the resolution that the target has on the face, when that is less."""
    corners = mesh.vertices[mesh.triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) * np.repeat(covered, 2)
    ratio = finer(split_quads(mesh.corner_uv), split_quads(layout.uv), area)
    out = {}
    for name, source in sources.items():
        texels = ratio * source.shape[0] / size
        out[name] = np.ascontiguousarray(source, dtype=np.float32)
        if texels > _FINER:
            side = max(16, round(source.shape[0] / texels))
            out[name] = cv2.resize(out[name], (side, side), interpolation=cv2.INTER_AREA)
    return out


def _put(
    maps: dict[str, np.ndarray], name: str, texel: np.ndarray, values: np.ndarray, size: int
) -> None:
    if name not in maps:
        maps[name] = np.zeros((size * size, *values.shape[1:]), np.float32)
    maps[name][texel] = values


def _finished(
    maps: Mapping[str, np.ndarray], layout: OwnLayout, size: int
) -> dict[str, np.ndarray]:
    """name -> (S, S) or (S, S, C): colours bled over the seams, beyond them the mean."""
    source = padding_sources(layout.atlas.valid, size // _BLED).numpy().reshape(-1)
    valid = layout.atlas.valid.numpy().reshape(-1)
    reached = valid[source]
    out = {}
    for name, flat in maps.items():
        full = flat[source]
        if valid.any() and name != COVERAGE:
            full[~reached] = flat[valid].mean(axis=0)
        out[name] = full.reshape(size, size, *flat.shape[1:])
    return out
