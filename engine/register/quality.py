"""How well the default head lies on a mesh, in figures and words."""

import numpy as np

from .carry import transfer_uv, uv_faults
from .correspondence import Correspondence, Quality
from .marks import Marks, mark_places
from .mesh import HeadMesh
from .surface import SurfaceIndex, vertex_normals
from .template import Template

COVERED = 0.003
"""Metres from the mesh up to which a vertex of the default head's face lies on it."""
GOOD_COVERAGE, USABLE_COVERAGE = 0.93, 0.7
GOOD_RESIDUAL, USABLE_RESIDUAL = 0.0015, 0.004
"""Metres, 95th percentile."""
GOOD_LANDMARKS, USABLE_LANDMARKS = 0.003, 0.006
"""Metres, median."""


def measure(
    found: Correspondence, mesh: HeadMesh, template: Template, marks: Marks, outer: np.ndarray
) -> Quality:
    """Figures of a registration; outer (T,) bool: the mesh's outer skin."""
    head = template.head
    laid = found.template_vertices
    face = np.unique(head.triangles[template.outer])
    face = face[head.groups["face"][face] > 0.5]
    index = SurfaceIndex(found.mesh_vertices, mesh.welded[mesh.triangles[outer]], 0.004)
    normals = vertex_normals(laid, head.triangles[template.outer])[face]
    hit = index.closest(laid[face], normals)
    on = (hit.distance < COVERED) & (hit.cosine > 0.3)
    known = marks.weight > 0.05
    error = np.linalg.norm(mark_places(laid, marks, head)[known] - marks.goals[known], axis=1)
    residual = hit.distance[hit.distance < 0.03]
    flipped, stretched = uv_faults(transfer_uv(found, mesh, head), found, mesh)
    median, p95 = np.percentile(residual, [50, 95]) if len(residual) else (np.inf, np.inf)
    figures = (
        int(known[: len(template.weight)].sum()),
        float(np.median(error)) if known.any() else float("inf"),
        float(median),
        float(p95),
        flipped,
        stretched,
        float(on.mean()),
    )
    return Quality(*figures, *_verdict(*figures))


def _verdict(
    landmarks: int,
    error: float,
    median: float,
    p95: float,
    flipped: int,
    stretched: int,
    coverage: float,
) -> tuple[str, str]:
    faults = []
    for value, good, usable, text in (
        (-coverage, -GOOD_COVERAGE, -USABLE_COVERAGE, f"{coverage:.0%} of the face is covered"),
        (p95, GOOD_RESIDUAL, USABLE_RESIDUAL, f"it lies up to {1e3 * p95:.1f} mm off the face"),
        (error, GOOD_LANDMARKS, USABLE_LANDMARKS, f"landmarks disagree by {1e3 * error:.1f} mm"),
    ):
        if value > good:
            faults.append((value > usable, text))
    verdict = "poor" if any(bad for bad, _ in faults) else "usable" if faults else "good"
    words = f"The default head lies on the mesh within {1e3 * median:.2f} mm (median)"
    if faults:
        words += "; " + ", ".join(text for _, text in faults)
    return verdict, words + "."
