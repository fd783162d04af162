"""What registration finds, as values."""

from dataclasses import dataclass

import numpy as np

from .registration import Similarity


@dataclass(frozen=True, eq=False)
class Hints:
    """What the caller knows of a mesh.

    metres: its units are metres and its axes those of model space (the origin anywhere).
    landmarks68 (68,): vertex ids of the iBUG landmarks. inner (F,) bool: faces of eye sockets and
    mouth bag, which are never laid on the outer surface. skin (F,) bool: faces of the skin; by
    default the connected piece that carries the face.
    """

    metres: bool = False
    landmarks68: np.ndarray | None = None
    inner: np.ndarray | None = None
    skin: np.ndarray | None = None


@dataclass(frozen=True)
class Quality:
    """How well the default head lies on a mesh.

    landmarks_found: of 468. landmark_error: metres, median distance between landmarks of the laid
    head and those found on the mesh. residual_median, residual_p95: metres between the laid face
    and the mesh. flipped: faces of the mesh whose FFHQ-UV is turned over. stretched: those ten
    times as long in one direction as it should be. coverage: share of the default head's face that
    lies on the mesh. verdict: "good", "usable" or "poor". words: what to say of it.
    """

    landmarks_found: int
    landmark_error: float
    residual_median: float
    residual_p95: float
    flipped: int
    stretched: int
    coverage: float
    verdict: str
    words: str


@dataclass(frozen=True, eq=False)
class MeshLandmarks:
    """Landmarks as points of the mesh. triangles (n,) i32: rows of HeadMesh.triangles;
    barycentric (n, 3) f32; weight (n,) f32 in [0, 1], 0: not on the mesh."""

    triangles: np.ndarray
    barycentric: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class Correspondence:
    """A mesh and the default head, point by point. Metres, model space.

    to_model: own coordinates to model space. mesh_vertices (V, 3) f64: the mesh there.
    template_vertices (Vt, 3) f64: the default head's vertices laid on the mesh (parts that are not
    skin are bent along). triangle (V,) i32 of template.triangles and barycentric (V, 3) f64: each
    vertex of the mesh on the default head, also of those that are not matched (then the nearest).
    matched (V,) bool; filled (V,) bool: those of them that lie in pockets which the default head
    lacks (nostrils), their UV comes from around them. skin (F,) bool: faces of the piece that
    carries the face. coefficients (K + E,): identity and expression of the default head nearest
    to the mesh.
    landmarks468, landmarks68: the default head's landmarks on the mesh. quality and corner_uv
    (F, 4, 2), see `carry.transfer_uv`: always there in what `register_head` returns.
    """

    to_model: Similarity
    mesh_vertices: np.ndarray
    template_vertices: np.ndarray
    triangle: np.ndarray
    barycentric: np.ndarray
    matched: np.ndarray
    filled: np.ndarray
    skin: np.ndarray
    coefficients: np.ndarray
    landmarks468: MeshLandmarks
    landmarks68: MeshLandmarks
    quality: Quality | None = None
    corner_uv: np.ndarray | None = None
