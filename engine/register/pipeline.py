"""Registration of a head mesh: find the face, bend the default head to it, lay it on, match."""

from dataclasses import dataclass, replace

import numpy as np

from ..nets.bundle import Nets
from ..protocol.headpack import HeadPack
from ..reporter import Reporter
from .bend import bend
from .carry import transfer_uv
from .correspondence import Correspondence, Hints
from .find import FoundFace, find_face
from .lay import lay
from .marks import Marks, find_marks, with_known
from .match import landmarks_on, match_vertices
from .mesh import HeadMesh, check_mesh
from .quality import measure
from .registration import Similarity
from .template import Template, read_template

STAGES = ("Finding the face", "Following it", "Laying the head on it", "Matching")
EYES, EYE_REACH = ("eye_left", "eye_right"), 0.022
"""Parts of the default head, and metres from their middle within which a piece is an eye."""
BEND_ROUNDS = (6, 14)
"""Rounds of bending after each look for landmarks."""
NO_HINTS = Hints()


def register_head(
    mesh: HeadMesh,
    template: HeadPack,
    nets: Nets,
    report: Reporter,
    hints: Hints = NO_HINTS,
) -> Correspondence:
    """The mesh and the default head, point by point; see `Correspondence`.

    template: a head in the FFHQ-UV layout with FFHQ-UV landmarks, the default one. Takes some 20
    seconds. Raises EngineError: BAD_INPUT for a mesh that is none, NO_FACE where no face is found
    or what is found has not a face's form; Cancelled.
    """
    check_mesh(mesh)
    default = read_template(template)
    report.stage(STAGES[0], 0, len(STAGES))
    found = find_face(mesh, default.landmarks, default.weight, nets, report)
    skin = found.piece if hints.skin is None else hints.skin[mesh.triangle_face]
    outer = skin if hints.inner is None else skin & ~hints.inner[mesh.triangle_face]
    place = _known_size(found, default) if hints.metres else found.to_model

    report.stage(STAGES[1], 1, len(STAGES))
    followed = _follow(mesh, skin, outer, default, place, nets, hints, report)
    triangles = mesh.welded[mesh.triangles]
    vertices = followed.place.apply(mesh.vertices)
    report.stage(STAGES[2], 2, len(STAGES))
    laid = lay(default, followed.bent, vertices, triangles[outer], followed.marks, report).vertices
    report.stage(STAGES[3], 3, len(STAGES))
    draft = _matched(mesh, skin, outer, default, followed, vertices, laid)
    draft = replace(draft, corner_uv=transfer_uv(draft, mesh, template))
    return replace(draft, quality=measure(draft, mesh, default, followed.marks, outer))


@dataclass(frozen=True, eq=False)
class _Followed:
    """The mesh's place in model space, the bent head (Vt, 3) there, its coefficients, landmarks."""

    place: Similarity
    bent: np.ndarray
    coefficients: np.ndarray
    marks: Marks


def _follow(
    mesh: HeadMesh,
    skin: np.ndarray,
    outer: np.ndarray,
    default: Template,
    place: Similarity,
    nets: Nets,
    hints: Hints,
    report: Reporter,
) -> _Followed:
    """Landmarks and the head's own model, in turn: the better the head follows the mesh, the
    better are the network's errors known."""
    triangles = mesh.welded[mesh.triangles]
    coefficients = np.zeros(len(default.modes))
    bent = default.shape(coefficients)
    for rounds in BEND_ROUNDS:
        vertices = place.apply(mesh.vertices)
        shown = _shown_with(mesh, vertices, skin, bent, default)
        marks = find_marks(vertices, triangles, shown, outer, default, bent, nets, report)
        if hints.landmarks68 is not None:
            known = vertices[hints.landmarks68]
            marks = with_known(marks, default.head.landmarks68, known)
        surface = vertices, triangles[outer]
        fit = bend(default, *surface, marks, rounds, coefficients, keep_size=hints.metres)
        coefficients, bent = fit.coefficients, fit.vertices
        place = _after(fit.place, place)
        marks = replace(marks, goals=fit.place.apply(marks.goals))
    return _Followed(place, bent, coefficients, marks)


def _matched(
    mesh: HeadMesh,
    skin: np.ndarray,
    outer: np.ndarray,
    default: Template,
    followed: _Followed,
    vertices: np.ndarray,
    laid: np.ndarray,
) -> Correspondence:
    triangles = mesh.welded[mesh.triangles]
    points, matched, filled = match_vertices(default, laid, vertices, triangles[skin], mesh.welded)
    rows = np.flatnonzero(outer)
    embeddings = [
        landmarks_on(default, embedding, laid, vertices, triangles, rows)
        for embedding in (default.head.landmarks468, default.head.landmarks68)
    ]
    faces = np.zeros(len(mesh.faces), dtype=bool)
    faces[mesh.triangle_face[skin]] = True
    return Correspondence(
        followed.place,
        vertices,
        laid,
        points.triangle.astype(np.int32),
        points.barycentric,
        matched | filled,
        filled,
        faces,
        followed.coefficients,
        *embeddings,
    )


def _after(second: Similarity, first: Similarity) -> Similarity:
    """x -> second(first(x))."""
    return Similarity(
        second.scale * first.scale,
        second.rotation @ first.rotation,
        second.apply(first.translation[None])[0],
    )


def _known_size(found: FoundFace, template: Template) -> Similarity:
    """Only the translation of what was found: units and axes are known to be right."""
    middle = found.to_model.rotation.T @ (
        template.landmarks.mean(axis=0) - found.to_model.translation
    )
    own = middle / found.to_model.scale
    return Similarity(1.0, np.eye(3), template.landmarks.mean(axis=0) - own)


def _shown_with(
    mesh: HeadMesh, vertices: np.ndarray, skin: np.ndarray, bent: np.ndarray, template: Template
) -> np.ndarray:
    """(T,) bool: the skin, and pieces that lie where the eyes are: the network knows lids better
    with eyes between them."""
    head, corners = template.head, vertices[mesh.triangles]
    shown = skin.copy()
    for name in EYES:
        eye = bent[np.unique(head.quads[head.face_part == head.part_names.index(name)])]
        away = np.linalg.norm(corners - eye.mean(axis=0), axis=2).max(axis=1) > EYE_REACH
        count = mesh.component.max() + 1
        whole = np.bincount(mesh.component, away, count) == 0
        shown |= whole[mesh.component] & ~skin
    return shown
