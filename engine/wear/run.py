"""A `WearJob` from its files to its directory."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..nets.bundle import ARRAYS_FILE, load_nets
from ..packs.registry import find_pack
from ..protocol.headpack import Pack, read_pack
from ..protocol.result import file_sha256
from ..protocol.work import WearJob
from ..register.correspondence import Correspondence, Hints
from ..register.mesh import HeadMesh
from ..register.pipeline import register_head
from ..reporter import Reporter
from ..result.folder import check_output
from .bake import Baked, bake, covered_faces
from .coverage import coverage_of
from .inputs import WearInputs, check_same_head, read_inputs
from .shapes import carried_likeness, carried_shapes
from .stages import InnerStages
from .worn import WornMesh, worn_mesh
from .write import WORN, WearContents, write_wear

STAGES = ("register", "maps", "shapes", "write")
SHARED = 0.02
"""Share of the UV area of the face that several faces share, from which people are told."""


@dataclass
class WearSession:
    """What the last job found, so that the same mesh is not registered twice: somebody moves a
    slider and lets the head wear it again."""

    _last: tuple[tuple[str, str], Correspondence] | None = field(default=None, repr=False)

    def registered(
        self, path: Path, mesh: HeadMesh, pack: Pack, report: Reporter
    ) -> Correspondence:
        """The mesh of the file `path` on the pack's head. Raises EngineError and Cancelled."""
        key = file_sha256(path), pack.head.sha
        if self._last is None or self._last[0] != key:
            nets = load_nets(pack.folder if ARRAYS_FILE in pack.manifest.files else find_pack())
            self._last = key, register_head(mesh, pack.head, nets, report, Hints())
        return self._last[1]


def run_wear(job: WearJob, reporter: Reporter, session: WearSession) -> Path:
    """Run a job and return its directory. Raises EngineError and Cancelled; then nothing is left
    behind."""
    check_output(Path(job.output), WORN)
    inputs = read_inputs(job)
    pack = read_pack(find_pack(inputs.result.manifest.pack.id))
    check_same_head(inputs.result, pack.head)
    reporter.stage(STAGES[0], 0, len(STAGES))
    inner = InnerStages(reporter)
    found = session.registered(Path(job.mesh), inputs.mesh, pack, inner)
    mesh = worn_mesh(
        found.mesh_vertices,
        inputs.mesh.faces,
        inputs.mesh.welded,
        found.matched,
        found.corner_uv,
        found.filled,
    )
    reporter.stage(STAGES[1], 1, len(STAGES))
    baked = _maps(job, inputs, mesh, reporter)
    reporter.stage(STAGES[2], 2, len(STAGES))
    names: tuple[str, ...] = ()
    expression = np.zeros((0, len(inputs.mesh.vertices), 3), np.float32)
    likeness = np.zeros_like(inputs.mesh.vertices, dtype=np.float32)
    if job.shapes:
        names = inputs.result.manifest.mesh.expression_names
        shapes = inputs.result.mesh.expression
        expression = carried_shapes(mesh, found, pack.head, shapes, reporter)
        likeness = carried_likeness(mesh, found, pack.head, inputs.result.mesh.neutral)
    reporter.stage(STAGES[3], 3, len(STAGES))
    quality = found.quality
    words = _faults(job, inputs, baked)
    for text in words:
        reporter.warning(text)
    contents = WearContents(
        inputs.mesh.name,
        job.size,
        names,
        expression,
        likeness,
        baked.covered,
        baked.maps,
        _metrics(found, baked),
        (quality.verdict, quality.words),
        (*inner.warnings, *words),
    )
    return write_wear(Path(job.output), contents, Path(job.result), inputs.result.manifest)


def _maps(job: WearJob, inputs: WearInputs, mesh: WornMesh, report: Reporter) -> Baked:
    own = inputs.mesh.corner_uv
    if job.maps and own is not None:
        return bake(mesh, own, inputs.maps, job.size, report)
    return Baked({}, covered_faces(mesh, coverage_of(mesh)), 0.0, 0.0)


def _faults(job: WearJob, inputs: WearInputs, baked: Baked) -> tuple[str, ...]:
    """What people should know of their UVs."""
    if not job.maps:
        return ()
    if inputs.mesh.corner_uv is None:
        return ("The mesh has no UV map, so no textures were made. Unwrap it and try again.",)
    out = []
    if baked.overlap > SHARED:
        share = f"{100 * baked.overlap:.0f}%"
        out.append(f"{share} of the face's UVs lie on top of others: both sides look the same.")
    if baked.beside > SHARED:
        share = f"{100 * baked.beside:.0f}%"
        out.append(
            f"{share} of the head lies on other UV tiles than the face and keeps its own look."
        )
    return tuple(out)


def _metrics(found: Correspondence, baked: Baked) -> dict[str, float]:
    quality = found.quality
    return {
        "landmark_error": float(quality.landmark_error),
        "residual_median": float(quality.residual_median),
        "residual_p95": float(quality.residual_p95),
        "coverage": float(quality.coverage),
        "uv_overlap": baked.overlap,
        "uv_beside": baked.beside,
        "metres_per_unit": float(found.to_model.scale),
    }
