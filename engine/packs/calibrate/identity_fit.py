"""The calibration table: where people lie in the space of sampled heads.

Random heads of a scan statistic (ICT-FaceKit) are fitted with the raw identity basis; mean and
covariance of their coefficients replace the raw standard normal distribution. Directions that the
fit does not see keep a share of their raw variance.
"""

from dataclasses import dataclass

import numpy as np

from ...register.registration import RegistrationSettings, point_matrix, register
from ...register.surface import SurfaceIndex, triangulate, vertex_normals
from .head_patches import HeadPatches
from .ict import LANDMARKS_68, IctModel

SETTINGS = RegistrationSettings(rounds=30)
LANDMARKS_USED = (8, *range(27, 68))
"""Chin, nose, eyes, mouth: the contour and the brows are no fixed places."""
LARGEST_GAP = 0.002
"""Metres between our vertex and the registered scan mesh beyond which it takes no part."""
EDGE_COSINE = 0.7
HEADS, SEED = 3000, 11
CHUNK = 250
ALIGN_ROUNDS = 3
NOISE = 0.045
"""Metres. How far a vertex of mean weight may lie off. Ours, chosen among 4 to 60 mm by the error
of the mean head and of landmark fits on three scans and four other heads: errors of the
correspondence go together over whole regions, so that the 2,600 vertices count like a few."""
SLIDE, FEATURE_SLIDE = 0.05, 0.3
"""Weight of errors along the surface against errors across it, on smooth skin and on lips and
lids: the registration knows little about where on a cheek a vertex belongs."""
UNSEEN_VARIANCE = 1.0
"""Share of the posterior variance of each fit that is added to the spread of the fits. 1 is the
step of expectation and maximisation (Dempster, Laird & Rubin 1977) from the raw prior: directions
that the scans say nothing about keep their raw variance, so that artists keep their use."""


@dataclass(frozen=True)
class DenseLink:
    """Our control vertices as points of the scan model: rows (n,) of ours, vertex_ids (n, 3) of
    the scan model, barycentric (n, 3), weights (n,), normals (n, 3) of our mean head."""

    rows: np.ndarray
    vertex_ids: np.ndarray
    barycentric: np.ndarray
    weights: np.ndarray
    normals: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """mean (K,), transform (K, K) as `build.identity.apply_calibration` takes them; explained
    (K,): share of the weighted variance; residual: metres, weighted rms of the fits."""

    mean: np.ndarray
    transform: np.ndarray
    explained: np.ndarray
    residual: float


def link_to_scans(
    ict: IctModel, head: HeadPatches, landmarks: np.ndarray, weights: np.ndarray
) -> DenseLink:
    """Register the scan model's mean to our head and find our control vertices on it.

    landmarks (68, 3): ours; weights (n,): wished, 0 leaves a vertex out.
    """
    surface = triangulate(head.fine.quads)
    outside = surface[np.repeat(head.outside, 8)]  # 4 fine quads, 2 triangles each
    used = np.array(LANDMARKS_USED)
    ids = np.repeat(np.array(LANDMARKS_68)[used][:, None], 2, axis=1)
    matrix = point_matrix(ids, np.full(ids.shape, 0.5), len(ict.mean))
    registered = register(
        ict.mean,
        ict.triangles,
        head.fine_vertices,
        outside,
        matrix,
        landmarks[used],
        SETTINGS,
    ).vertices
    index = SurfaceIndex(registered, ict.triangles, SETTINGS.normal_weight)
    normals = vertex_normals(head.fine_vertices, surface)[: len(head.vertices)]
    found = index.closest(head.vertices, normals)
    good = (found.distance < LARGEST_GAP) & (found.cosine > EDGE_COSINE) & (weights > 0.0)
    rows = np.flatnonzero(good)
    return DenseLink(
        rows,
        ict.triangles[found.triangle[rows]],
        found.barycentric[rows],
        weights[rows],
        normals[rows],
    )


def linked_points(link: DenseLink, values: np.ndarray) -> np.ndarray:
    """(..., n, 3) values of the scan model (..., V, 3) at our vertices."""
    return np.einsum("nk,...nkc->...nc", link.barycentric, values[..., link.vertex_ids, :])


def calibrate(
    mean: np.ndarray, basis: np.ndarray, ict: IctModel, link: DenseLink, features: np.ndarray
) -> Calibration:
    """Fit random scan heads with the raw basis and take the moments. Deterministic.

    mean (n, 3), basis (K, n, 3): the raw identity space at our control vertices, on the surface.
    features (n,) in [0, 1]: lips and lids.
    """
    mean, basis = mean[link.rows], basis[:, link.rows]
    weights = link.weights / link.weights.mean()
    slide = SLIDE + (FEATURE_SLIDE - SLIDE) * features[link.rows]
    solver = _Solver(mean, basis, weights, link.normals, slide)
    centre = linked_points(link, ict.mean)
    modes = linked_points(link, ict.modes.astype(np.float64)).reshape(len(ict.modes), -1)
    draws = np.random.default_rng(SEED).standard_normal((HEADS, len(modes)))
    fitted = [
        solver.fit(centre + (part @ modes).reshape(len(part), -1, 3))
        for part in np.array_split(draws, max(1, HEADS // CHUNK))
    ]
    coefficients = np.concatenate([part for part, _ in fitted])
    squares = np.concatenate([part for _, part in fitted])
    average = coefficients.mean(axis=0)
    spread = np.cov(coefficients.T) + UNSEEN_VARIANCE * solver.posterior
    gram = np.einsum("kvc,v,lvc->kl", basis, weights, basis)
    transform, explained = principal_transform(spread, gram)
    return Calibration(average, transform, explained, float(np.sqrt(squares.mean())))


class _Solver:
    """Ridge fit of the basis under a similarity, alternating; the prior is standard normal.
    Errors along the surface count `slide` (n,) times as much as errors across it."""

    def __init__(
        self,
        mean: np.ndarray,
        basis: np.ndarray,
        weights: np.ndarray,
        normals: np.ndarray,
        slide: np.ndarray,
    ) -> None:
        self.mean, self.weights = mean, weights
        self.flat = basis.reshape(len(basis), -1)
        across = np.einsum("knc,nc->kn", basis, normals)[..., None] * normals
        scaled = weights[:, None] * (across + slide[:, None] * basis)
        self.scaled = scaled.reshape(len(basis), -1) / NOISE**2
        self.posterior = np.linalg.inv(self.scaled @ self.flat.T + np.eye(len(basis)))

    def fit(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (h, K) of target heads (h, n, 3), and their weighted mean squared errors
        (h,) in square metres."""
        shapes = np.broadcast_to(self.mean, targets.shape)
        for _ in range(ALIGN_ROUNDS):
            moved = align_similarity(targets, shapes, self.weights)
            offsets = (moved - self.mean).reshape(len(targets), -1)
            coefficients = offsets @ self.scaled.T @ self.posterior
            shapes = self.mean + (coefficients @ self.flat).reshape(targets.shape)
        squared = ((moved - shapes) ** 2).sum(axis=2)
        return coefficients, squared @ self.weights / self.weights.sum()


def align_similarity(heads: np.ndarray, goals: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Heads (h, n, 3) on goals (h, n, 3), each by its weighted similarity (Umeyama 1991)."""
    share = weights / weights.sum()
    middle, goal = np.einsum("n,hnc->hc", share, heads), np.einsum("n,hnc->hc", share, goals)
    a, b = heads - middle[:, None], goals - goal[:, None]
    moment = np.einsum("n,hnc,hnd->hcd", share, b, a, optimize=True)
    u, d, vt = np.linalg.svd(moment)
    sign = np.stack([np.ones(len(u)), np.ones(len(u)), np.sign(np.linalg.det(u @ vt))], axis=1)
    rotation = (u * sign[:, None, :]) @ vt
    scale = (d * sign).sum(axis=1) / np.einsum("n,hnc,hnc->h", share, a, a, optimize=True)
    return scale[:, None, None] * np.einsum("hcd,hnd->hnc", rotation, a) + goal[:, None]


def principal_transform(covariance: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows T (K, K) with T.T @ T = covariance and T @ gram @ T.T diagonal, falling.

    So T @ basis are the principal components, one standard deviation each, of a normal
    distribution of coefficients with that covariance, in the metric gram = basis W basis.T.
    Returns also the share of variance of each row.
    """
    root = np.linalg.cholesky(covariance)
    values, vectors = np.linalg.eigh(root.T @ gram @ root)
    order = np.argsort(-values)
    transform = (root @ vectors[:, order]).T
    peak = np.abs(transform).argmax(axis=1)
    transform *= np.sign(transform[np.arange(len(transform)), peak])[:, None]
    return transform, values[order] / values.sum()
