"""Registration of a head mesh: find the face, bend the default head to it, lay it on, match."""

from dataclasses import replace

import numpy as np

from ..nets.bundle import Nets
from ..protocol.headpack import HeadPack
from ..reporter import Reporter
from .bend import bend
from .correspondence import Correspondence, Hints
from .find import FoundFace, find_face
from .lay import lay
from .marks import Marks, find_marks
from .match import landmarks_on, match_vertices
from .mesh import HeadMesh, check_mesh
from .quality import measure
from .registration import Similarity
from .template import Template, read_template

STAGES = ("Finding the face", "Following it", "Laying the head on it", "Matching")
EYES, EYE_REACH = ("eye_left", "eye_right"), 0.022
"""Parts of the default head, and metres from their middle within which a piece is an eye."""
LEAST_KNOWN = 60
"""Landmarks with some trust below which the mesh's own are not enough to go on."""
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
    place = _known_size(mesh, found, default) if hints.metres else found.to_model

    triangles = mesh.welded[mesh.triangles]
    report.stage(STAGES[1], 1, len(STAGES))
    coefficients = np.zeros(len(default.modes))
    bent = default.shape(coefficients)
    for rounds in (6, 14):
        vertices = place.apply(mesh.vertices)
        shown = _shown_with(mesh, vertices, skin, bent, default)
        marks = find_marks(vertices, triangles, shown, outer, default, bent, nets, report)
        marks = _with_hints(marks, mesh, vertices, hints)
        fit = bend(
            default,
            vertices,
            triangles[outer],
            marks,
            rounds,
            coefficients,
            keep_size=hints.metres,
        )
        coefficients, bent = fit.coefficients, fit.vertices
        place = _after(fit.place, place)
        marks = replace(marks, goals=fit.place.apply(marks.goals))
    report.stage(STAGES[2], 2, len(STAGES))
    vertices = place.apply(mesh.vertices)
    laid = lay(default, bent, vertices, triangles[outer], marks, report).vertices
    report.stage(STAGES[3], 3, len(STAGES))
    points, matched, filled = match_vertices(default, laid, vertices, triangles[skin], mesh.welded)
    rows = np.flatnonzero(outer)
    embeddings = [
        landmarks_on(default, embedding, laid, vertices, triangles, rows)
        for embedding in (template.landmarks468, template.landmarks68)
    ]
    faces = np.zeros(len(mesh.faces), dtype=bool)
    faces[mesh.triangle_face[skin]] = True
    draft = Correspondence(
        place,
        vertices,
        laid,
        points.triangle.astype(np.int32),
        points.barycentric,
        matched | filled,
        filled,
        faces,
        coefficients,
        *embeddings,
        None,
    )
    return replace(draft, quality=measure(draft, mesh, default, marks, outer))


def _after(second: Similarity, first: Similarity) -> Similarity:
    """x -> second(first(x))."""
    return Similarity(
        second.scale * first.scale,
        second.rotation @ first.rotation,
        second.apply(first.translation[None])[0],
    )


def _known_size(mesh: HeadMesh, found: FoundFace, template: Template) -> Similarity:
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


def _with_hints(marks: Marks, mesh: HeadMesh, vertices: np.ndarray, hints: Hints) -> Marks:
    return marks
