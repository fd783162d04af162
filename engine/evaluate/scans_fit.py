"""A scan put into model space, the head model fitted to it, and meshes measured against it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from ..fit.loaded import LoadedPack
from ..fit.shape.view import rotation_matrix
from ..head.numerics import align_similarity
from ..protocol.headpack import HeadPack
from ..register.surface import SurfaceIndex, triangle_normals, vertex_normals
from ..render.render import clay_materials, orbit_camera, render_head
from .scans_files import ScanFile
from .scans_regions import OUTSIDE, face_regions, landmark_points
from .skin_sheet import soft_light

LOOK_SIZE = 448
"""Pixels a side of the picture in which the scan's face is looked for."""
TURNS = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
)
"""Axes that are tried: y up and facing z (most files), z down and facing y, z up and facing -y
(Blender), y up and facing -z, z up and facing y."""
LEAST_PRESENCE = 0.8
SAMPLES = 4000
"""Points of the scan at which meshes are measured. Ours: the mean moves by 1 % with others."""
FRONT = -0.11
"""Metres behind the eyes up to which skin is compared: somewhat more than the face."""
FAR = 0.008
"""Metres from the fitted model beyond which scan is hair, holes' edges or noise."""
ROUNDS = 10
ALIGN_STEP = 3
"""Of the points, every third aligns."""
NEAR_TRIANGLES = 8
"""Triangles tried for each point while aligning; twice as many for the figure itself."""
FLOOR_ROUNDS = 14
FLOOR_STEP = 3
"""Of the model's vertices on the face, every third pulls the model onto the scan."""
FLOOR_SIGMA = 0.001
"""Metres; how far a vertex may lie from the scan. Ours: the prior then hardly pulls."""
FLOOR_EXPRESSION = 0.15
"""Spread of expression weights. Ours: scanned faces are at rest."""
MARK_SIGMA = 0.006
"""Metres; the same for landmarks, which only say which part of the surface is meant."""


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan in model space, sized so that its landmarks fit the mean head of the pack that placed
    it.

    vertices (V, 3), triangles (T, 3). marks (468, 3): the network's landmarks on the surface, NaN
    where it has none. floor (n, 3): vertices of that pack's model fitted to the scan itself.
    points (S, 3) on the scan, region (S,): index into REGIONS. Metres.
    """

    name: str
    vertices: np.ndarray
    triangles: np.ndarray
    marks: np.ndarray
    floor: np.ndarray
    points: np.ndarray
    region: np.ndarray


def place_scan(file: ScanFile, loaded: LoadedPack) -> Scan | None:
    """Find the scan's face, bring it to model space and fit the model to it.

    None when no face is found. Takes some seconds.
    """
    head = loaded.head
    found = _upright(file, loaded)
    if found is None:
        return None
    vertices, marks = found
    known = np.isfinite(marks[:, 0])
    basis = loaded.landmarks
    weight = basis.weight * known
    fit = align_similarity(np.nan_to_num(marks), basis.mean, weight)
    vertices, marks = (_moved(values, *fit) for values in (vertices, marks))
    floor = fit_model(loaded, vertices, file.triangles, marks)
    points, region = _samples(head, floor, vertices, file.triangles)
    return Scan(file.name, vertices, file.triangles, marks, floor, points, region)


def _moved(points: np.ndarray, scale: float, rotation: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return scale * points @ rotation.T + shift


def _upright(file: ScanFile, loaded: LoadedPack) -> tuple[np.ndarray, np.ndarray] | None:
    """Vertices turned to y up, facing z, and the landmarks seen on them from the front."""
    for turn in TURNS:
        vertices = file.vertices @ np.array(turn, dtype=np.float64).T
        vertices = vertices - vertices.mean(axis=0)
        vertices = vertices * (0.25 / np.ptp(vertices[:, 1]))
        marks = _look(vertices, file.triangles, loaded)
        if marks is not None:
            return vertices, marks
    return None


def _look(vertices: np.ndarray, triangles: np.ndarray, loaded: LoadedPack) -> np.ndarray | None:
    """(468, 3) landmarks on the surface, NaN where none; None when no face is seen."""
    points = torch.from_numpy(vertices.astype(np.float32))
    index = torch.from_numpy(triangles.astype(np.int64))
    camera = orbit_camera(points, 0.0, 0.0, LOOK_SIZE)
    part = torch.zeros(len(index), dtype=torch.int64)
    uv = torch.zeros(len(index), 3, 2)
    skin = clay_materials(1)
    output = render_head(points, index, uv, part, skin, soft_light(), camera, 1)
    picture = (output.rgb + 0.1 * (1.0 - output.alpha[..., None])).clamp(0, 1).sqrt().numpy()
    picture = (picture * np.array([1.0, 0.85, 0.75])).astype(np.float32)
    faces = loaded.nets.detect_faces(picture)
    if not faces:
        return None
    mesh = loaded.nets.face_mesh(picture, faces[0])
    if mesh.presence < LEAST_PRESENCE or mesh.points[10, 1] > mesh.points[152, 1]:
        return None
    shown, weights = output.fragments.triangle.numpy(), output.fragments.barycentric.numpy()
    row, column = (np.clip(mesh.points[:, axis].astype(int), 0, LOOK_SIZE - 1) for axis in (1, 0))
    hit = shown[row, column]
    marks = np.einsum("lk,lkc->lc", weights[row, column], vertices[triangles[hit]])
    marks[hit < 0] = np.nan
    return marks


def fit_model(
    loaded: LoadedPack, vertices: np.ndarray, triangles: np.ndarray, marks: np.ndarray
) -> np.ndarray:
    """(n, 3) vertices of the model fitted to a scan's face: iterated closest points, each a
    linear solve for identity, expression and similarity with the model's own prior.

    vertices (V, 3), triangles (T, 3), marks (468, 3): of a placed scan.
    """
    head = loaded.head
    inside = np.unique(head.triangles[face_regions(head) < OUTSIDE])[::FLOOR_STEP]
    target = SurfaceIndex(vertices, triangles, 0.01)
    basis, known = loaded.landmarks, np.isfinite(marks[:, 0]) & (loaded.landmarks.weight > 0.3)
    modes = np.concatenate([head.identity, head.expression]).astype(np.float64)
    mark_modes = np.concatenate([basis.identity, basis.expression])
    count, split = len(modes), len(head.identity)
    z = np.zeros(count)
    fit = align_similarity(basis.mean, np.nan_to_num(marks), basis.weight * known)
    scale, rotation, shift = fit
    prior = np.concatenate(
        [np.ones(split), np.full(count - split, FLOOR_EXPRESSION**-2.0), np.full(7, 1e-9)]
    )
    for _ in range(FLOOR_ROUNDS):
        shape = head.mean + np.tensordot(z, modes, 1)
        normals = vertex_normals(shape, head.triangles)[inside] @ rotation.T
        here = scale * shape[inside] @ rotation.T + shift
        hit = target.closest(here, normals, NEAR_TRIANGLES)
        plane = target.normals[hit.triangle]
        good = (hit.distance < 2.0 * FAR) & (hit.cosine > 0.6)
        rows = _rows(here, modes[:, inside], scale * rotation, shift)
        across = np.einsum("nc,ncp->np", plane, rows)[good] / FLOOR_SIGMA
        missing = np.einsum("nc,nc->n", plane, here - hit.position)[good] / FLOOR_SIGMA
        mark = basis.mean + np.tensordot(z, mark_modes, 1)
        mark = (scale * mark @ rotation.T + shift)[known]
        mark_rows = _rows(mark, mark_modes[:, known], scale * rotation, shift)
        a = np.concatenate([across, mark_rows.reshape(-1, count + 7) / MARK_SIGMA])
        b = np.concatenate([missing, (mark - marks[known]).ravel() / MARK_SIGMA])
        normal = a.T @ a + np.diag(prior)
        step = -np.linalg.solve(normal, a.T @ b + prior * np.concatenate([z, np.zeros(7)]))
        z[:split] += step[:split]
        z[split:] = np.clip(z[split:] + step[split:count], 0.0, 1.0)
        turn, grow = rotation_matrix(step[count : count + 3]), np.exp(step[-1])
        rotation, scale = turn @ rotation, scale * grow
        shift = grow * turn @ shift + step[count + 3 : count + 6]
    return scale * (head.mean + np.tensordot(z, modes, 1)) @ rotation.T + shift


def _rows(
    points: np.ndarray, modes: np.ndarray, linear: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """(n, 3, P + 7) derivative of placed points by modes, rotation, shift and log scale."""
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    zero = np.zeros_like(x)
    cross = np.stack([zero, z, -y, -z, zero, x, y, -x, zero], -1).reshape(-1, 3, 3)
    placed = np.einsum("knc,dc->ndk", modes, linear)
    unit = np.broadcast_to(np.eye(3), (len(points), 3, 3))
    return np.concatenate([placed, cross, unit, points[:, :, None]], axis=2)


def _samples(
    head: HeadPack, floor: np.ndarray, vertices: np.ndarray, triangles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points spread evenly over the scan's face and their regions."""
    rng = np.random.default_rng(5)
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    near = np.linalg.norm((a + b + c) / 3.0 - floor[head.landmarks468.triangles[0]].mean(0), axis=1)
    area = area * (near < 0.2)
    pick = rng.choice(len(area), 4 * SAMPLES, p=area / area.sum())
    u, v = rng.random((2, len(pick), 1))
    turned = u + v > 1.0
    u, v = np.where(turned, 1.0 - u, u), np.where(turned, 1.0 - v, v)
    points = a[pick] + u * (b - a)[pick] + v * (c - a)[pick]
    index = SurfaceIndex(floor, head.triangles, 0.01)
    hit = index.closest(points, triangle_normals(vertices, triangles)[pick], 2 * NEAR_TRIANGLES)
    region = face_regions(head)[hit.triangle]
    region[(hit.distance > FAR) | (hit.cosine < 0.5)] = OUTSIDE
    kept = np.flatnonzero(region < OUTSIDE)[:SAMPLES]
    return points[kept], region[kept]


def scan_distances(scan: Scan, vertices: np.ndarray, loaded: LoadedPack) -> np.ndarray:
    """(S,) metres from the scan's points to a mesh (V, 3) of the model, after `_aligned`."""
    points, size, index = _aligned(scan, vertices.astype(np.float64), loaded)
    return index.closest(points, None, 2 * NEAR_TRIANGLES).distance / size


def placed_on_scan(scan: Scan, vertices: np.ndarray, loaded: LoadedPack) -> np.ndarray:
    """The mesh (V, 3) where `scan_distances` measures it, in the scan's place and size."""
    points, _, _ = _aligned(scan, vertices.astype(np.float64), loaded)
    return _moved(vertices, *align_similarity(points, scan.points, np.ones(len(points))))


def _aligned(
    scan: Scan, vertices: np.ndarray, loaded: LoadedPack
) -> tuple[np.ndarray, float, SurfaceIndex]:
    """The scan's points (S, 3) brought onto a mesh by a similarity, its scale, the mesh's surface.

    First by landmarks, then by the surface: iterated closest points (Besl & McKay 1992) with steps
    from point to plane (Chen & Medioni 1991).
    """
    head = loaded.head
    marks = landmark_points(vertices, head, head.landmarks468)
    weight = loaded.landmarks.weight * np.isfinite(scan.marks[:, 0])
    size, *fit = align_similarity(np.nan_to_num(scan.marks), marks, weight)
    points = _moved(scan.points, size, *fit)
    index = SurfaceIndex(vertices, head.triangles[_measured(loaded)])
    some = slice(None, None, ALIGN_STEP)
    for _ in range(ROUNDS):
        here = points[some]
        hit = index.closest(here, None, NEAR_TRIANGLES)
        normals = index.normals[hit.triangle]
        rows = _rows(here, np.zeros((0, len(here), 3)), np.eye(3), np.zeros(3))
        a = np.einsum("nc,ncp->np", normals, rows)
        b = np.einsum("nc,nc->n", normals, here - hit.position)
        step = -np.linalg.solve(a.T @ a + 1e-9 * np.eye(7), a.T @ b)
        size *= np.exp(step[6])
        points = np.exp(step[6]) * points @ rotation_matrix(step[:3]).T + step[3:6]
    return points, size, index


@lru_cache(maxsize=2)
def _measured(loaded: LoadedPack) -> np.ndarray:
    """(n,) triangles that scans are compared with: the face, and the outer skin round it, so that
    edges of the oval have a surface to meet."""
    head = loaded.head
    shown = np.maximum.reduce([head.groups[name] for name in ("sockets", "mouth", "ears")])
    skin = np.repeat(head.face_part == head.part_names.index("skin"), 2)
    front = head.mean[head.triangles][:, :, 2].mean(axis=1) > FRONT
    near = skin & front & (shown[head.triangles].max(axis=1) < 0.5)
    whole = head.triangles[:, 1] != head.triangles[:, 2]
    return np.flatnonzero(((face_regions(head) < OUTSIDE) | near) & whole)
