"""Non-rigid registration of one head mesh to another.

Similarity from landmarks, thin-plate spline faded away from them, then rounds of closest-point
pull with smooth displacements. The displacement step minimises

    sum_v w_v |x_v - c_v|^2 + a sum_l u_l |x(l) - g_l|^2 + s |L (x - x0)|^2

with c_v the closest point, L the graph Laplacian, x0 the spline-warped template, and s falling
from round to round (the stiffness schedule of Amberg, Romdhani & Vetter 2007, with smooth
displacements instead of local affine maps: ours, because it is a third of the unknowns and heads
differ by little rotation after the spline).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu
from scipy.spatial.distance import cdist

from ..head.numerics import align_similarity, smoothstep
from .surface import SurfaceIndex, border_vertices, vertex_normals


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotation @ x + translation."""

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) mapped points."""
        return self.scale * points @ self.rotation.T + self.translation


def fit_similarity(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None
) -> Similarity:
    """Weighted least-squares similarity of points (n, 3); see `align_similarity`."""
    share = np.ones(len(source)) if weights is None else weights
    return Similarity(*align_similarity(source, target, share))


@dataclass(frozen=True)
class ThinPlate:
    """Thin-plate spline in space, kernel r (Duchon 1977): displacement field of landmarks."""

    centres: np.ndarray
    weights: np.ndarray
    affine: np.ndarray

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) displacement at points (n, 3)."""
        linear = np.concatenate([np.ones((len(points), 1)), points], axis=1)
        return cdist(points, self.centres) @ self.weights + linear @ self.affine


def fit_thin_plate(source: np.ndarray, target: np.ndarray, smoothing: float) -> ThinPlate:
    """Spline with displacement(source) near target - source.

    smoothing: added to the kernel's diagonal, in length units (0 interpolates).
    """
    count = len(source)
    kernel = -cdist(source, source) + smoothing * np.eye(count)
    linear = np.concatenate([np.ones((count, 1)), source], axis=1)
    system = np.block([[kernel, linear], [linear.T, np.zeros((4, 4))]])
    right = np.concatenate([target - source, np.zeros((4, 3))])
    solution = np.linalg.solve(system, right)
    return ThinPlate(source, -solution[:count], solution[count:])


def fade_weights(points: np.ndarray, anchors: np.ndarray, reach: float) -> np.ndarray:
    """(n,) 1 near the anchors (m, 3), falling smoothly to 0 at distance 2 `reach`."""
    distance = cdist(points, anchors).min(axis=1)
    return smoothstep(distance, 2.0 * reach, reach)


@dataclass(frozen=True)
class RegistrationSettings:
    """Lengths are in units of the target.

    rounds: closest-point rounds. stiffness_first, stiffness_last: s, geometric in between.
    landmark_weight: a. normal_weight: length that a normal deviation of 1 costs.
    distance_limit: pulls from farther are dropped. cosine_limit: as for normals.
    smoothing, fade_reach: of the spline.
    """

    rounds: int = 40
    stiffness_first: float = 200.0
    stiffness_last: float = 0.5
    landmark_weight: float = 10.0
    normal_weight: float = 0.01
    distance_limit: float = 0.03
    cosine_limit: float = 0.5
    smoothing: float = 0.01
    fade_reach: float = 0.06


@dataclass(frozen=True)
class Registration:
    """vertices (V, 3): the template on the target. distance (V,): to the target's surface,
    nan where a vertex takes no part. similarity: the first step."""

    vertices: np.ndarray
    distance: np.ndarray
    similarity: Similarity


def graph_laplacian(triangles: np.ndarray, vertex_count: int) -> sparse.csr_matrix:
    """(V, V) row-normalised graph Laplacian: value minus the mean of the neighbours."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    degree = np.bincount(both[:, 0], minlength=vertex_count)
    values = 1.0 / degree[both[:, 0]]
    mean = sparse.csr_matrix((values, (both[:, 0], both[:, 1])), shape=(vertex_count,) * 2)
    return sparse.identity(vertex_count, format="csr") - mean


def point_matrix(
    vertex_ids: np.ndarray, weights: np.ndarray, vertex_count: int
) -> sparse.csr_matrix:
    """(n, V) matrix of points that are weighted means of vertices: ids (n, k), weights (n, k)."""
    rows = np.repeat(np.arange(len(vertex_ids)), vertex_ids.shape[1])
    shape = (len(vertex_ids), vertex_count)
    return sparse.csr_matrix((weights.ravel(), (rows, vertex_ids.ravel())), shape=shape)


def register(
    template_vertices: np.ndarray,
    template_triangles: np.ndarray,
    target_vertices: np.ndarray,
    target_triangles: np.ndarray,
    landmark_matrix: sparse.csr_matrix,
    landmark_goals: np.ndarray,
    settings: RegistrationSettings,
    active: np.ndarray | None = None,
    landmark_weights: np.ndarray | None = None,
) -> Registration:
    """Move the template (V, 3) onto the target; see the head of this file.

    landmark_matrix (n, V), landmark_goals (n, 3): template points and where they belong.
    active (V,) bool: vertices that are pulled to the surface (the others follow smoothly).
    target_triangles: only the part of the target to pull to. Raises nothing; pure.
    """
    count = len(template_vertices)
    share = np.ones(len(landmark_goals)) if landmark_weights is None else landmark_weights
    active = np.ones(count, dtype=bool) if active is None else active
    similarity = fit_similarity(landmark_matrix @ template_vertices, landmark_goals, share)
    start = _warp_by_spline(
        similarity, template_vertices, landmark_matrix, landmark_goals, settings
    )

    index = SurfaceIndex(target_vertices, target_triangles, settings.normal_weight)
    border = border_vertices(target_triangles, len(target_vertices))
    laplacian = graph_laplacian(template_triangles, count)
    smooth = (laplacian.T @ laplacian).tocsc()
    anchor = settings.landmark_weight * landmark_matrix.T @ sparse.diags(share)
    anchor_system, anchor_right = anchor @ landmark_matrix, anchor @ landmark_goals
    current = start
    stiffness = np.geomspace(settings.stiffness_first, settings.stiffness_last, settings.rounds)
    for value in stiffness:
        goal, weight = _pull(index, border, current, template_triangles, active, settings)
        system = sparse.diags(weight) + anchor_system + value * smooth
        right = weight[:, None] * goal + anchor_right + value * (smooth @ start)
        current = splu(system.tocsc()).solve(right)
    found = index.closest(current, vertex_normals(current, template_triangles))
    distance = np.where(active, found.distance, np.nan)
    return Registration(current, distance, similarity)


def _warp_by_spline(
    similarity: Similarity,
    vertices: np.ndarray,
    landmark_matrix: sparse.csr_matrix,
    goals: np.ndarray,
    settings: RegistrationSettings,
) -> np.ndarray:
    moved = similarity.apply(vertices)
    source = landmark_matrix @ moved
    spline = fit_thin_plate(source, goals, settings.smoothing)
    fade = fade_weights(moved, source, settings.fade_reach)
    return moved + fade[:, None] * spline.displacement(moved)


def _pull(
    index: SurfaceIndex,
    border: np.ndarray,
    current: np.ndarray,
    triangles: np.ndarray,
    active: np.ndarray,
    settings: RegistrationSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Closest points (V, 3) and their weights (V,): zero off the target's open edge, far away
    or where the normals disagree."""
    normals = vertex_normals(current, triangles)
    found = index.closest(current, normals)
    touched = (border[index.triangles[found.triangle]] & (found.barycentric > 1e-6)).sum(axis=1)
    off_edge = touched == (found.barycentric > 1e-6).sum(axis=1)
    good = active & ~off_edge
    good &= (found.distance < settings.distance_limit) & (found.cosine > settings.cosine_limit)
    return found.position, good.astype(np.float64)
