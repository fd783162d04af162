"""A `RegisterJob` from its mesh to its directory: report, picture and correspondence."""

import hashlib
import json
from pathlib import Path

import numpy as np

from ..nets.bundle import ARRAYS_FILE, load_nets
from ..packs.registry import find_pack
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.headpack import Pack, read_pack
from ..protocol.safetensors import write_safetensors
from ..protocol.strict import parse_json, to_plain
from ..protocol.version import engine_version
from ..protocol.work import RegisterJob
from ..reporter import Reporter
from ..result.folder import FolderKind, check_output, replaced_folder
from ..result.write import png_bytes
from .carry import transfer_uv
from .correspondence import Correspondence
from .handed_mesh import read_any_mesh
from .mesh import HeadMesh
from .pictures import registration_sheet
from .pipeline import register_head

SCHEMA = 1
REPORT = "register.json"
ARRAYS = "correspondence.safetensors"
SHEET = "register.png"


def _files(folder: Path) -> list[str]:
    def refused(why: str) -> EngineError:
        return EngineError(ErrorCode.BAD_OUTPUT, f"{REPORT}: {why}.")

    try:
        plain = parse_json((folder / REPORT).read_bytes(), refused)
    except OSError as error:
        raise refused(str(error.strerror)) from error
    files = plain.get("files") if isinstance(plain, dict) else None
    if not isinstance(files, dict):
        raise refused("it names no files")
    return list(files)


REGISTRATION = FolderKind(REPORT, _files)


def run_register(job: RegisterJob, reporter: Reporter) -> Path:
    """Register a mesh and return the directory: register.json (figures and words),
    register.png (five sides), correspondence.safetensors (`Correspondence`, and corner_uv).

    Raises EngineError and Cancelled; then nothing is left behind.
    """
    output = check_output(Path(job.output), REGISTRATION)
    mesh = read_any_mesh(Path(job.mesh))
    pack = read_pack(find_pack(job.pack))
    nets = load_nets(pack.folder if ARRAYS_FILE in pack.manifest.files else find_pack())
    found = register_head(mesh, pack.head, nets, reporter)
    corner_uv = transfer_uv(found, mesh, pack.head)
    sheet = png_bytes(registration_sheet(found, mesh, corner_uv, pack.albedo))
    with replaced_folder(output, REGISTRATION) as folder:
        (folder / SHEET).write_bytes(sheet)
        write_safetensors(folder / ARRAYS, _arrays(found, corner_uv))
        names = (SHEET, ARRAYS)
        files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
        report = _report(found, mesh, pack) | {"files": files}
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return output


def _arrays(found: Correspondence, corner_uv: np.ndarray) -> dict[str, np.ndarray]:
    place = found.to_model
    out = {
        "scale": np.array([place.scale]),
        "rotation": place.rotation,
        "translation": place.translation,
        "mesh_vertices": found.mesh_vertices.astype(np.float32),
        "template_vertices": found.template_vertices.astype(np.float32),
        "triangle": found.triangle,
        "barycentric": found.barycentric.astype(np.float32),
        "matched": found.matched.astype(np.uint8),
        "skin": found.skin.astype(np.uint8),
        "coefficients": found.coefficients.astype(np.float32),
        "corner_uv": corner_uv,
    }
    for name in ("landmarks468", "landmarks68"):
        marks = getattr(found, name)
        out[f"{name}_triangles"] = marks.triangles
        out[f"{name}_barycentric"] = marks.barycentric
        out[f"{name}_weight"] = marks.weight
    return out


def _report(found: Correspondence, mesh: HeadMesh, pack: Pack) -> dict[str, object]:
    head = pack.head
    return {
        "schema": SCHEMA,
        "engine": engine_version(),
        "mesh": mesh.name,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "pack": {"id": head.id, "version": head.version, "sha": head.sha},
        "metres_per_unit": found.to_model.scale,
        "matched_vertices": int(found.matched.sum()),
        "quality": to_plain(found.quality),
    }


def describe(report: dict[str, object]) -> list[str]:
    """Lines about a register.json for people."""
    quality = report["quality"]
    lies = [1e3 * quality[key] for key in ("landmark_error", "residual_median", "residual_p95")]
    marks = f"{quality['landmarks_found']} of 468, median {lies[0]:.2f} mm from where they are seen"
    surface = f"{lies[1]:.2f} mm median, {lies[2]:.2f} mm for 95 % of the face"
    folds = f"{quality['flipped']} faces turned over, {quality['stretched']} stretched"
    return [
        f"{report['mesh']}: {quality['verdict']}. {quality['words']}",
        f"  landmarks  {marks}",
        f"  surface    {surface}; {quality['coverage']:.1%} of the face is covered",
        f"  layout     {folds}, of {report['faces']:,}",
        f"  vertices   {report['matched_vertices']:,} of {report['vertices']:,} on the head",
        f"  size       {report['metres_per_unit']:.5g} m a unit",
    ]
