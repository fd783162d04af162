"""FLAME (Li et al. 2017), the files of 2020 and 2023, as its makers release them.

A pickle of chumpy and scipy objects (or the same keys as .npz): v_template (V, 3) metres; f (F, 3)
0-based; shapedirs (V, 3, 400): 300 of shape, then 100 of expression; posedirs (V, 3, 36); weights
(V, 5) of the joints root, neck, jaw, left eye, right eye; kintree_table (2, 5); J_regressor (5, V).
Keys, shapes and joints are those that several public loaders read; the topology (5,023 vertices,
9,976 triangles, eyeballs as pieces of their own) and axes were measured on public template meshes.
The model files themselves are gated and were not at hand. Not verified: that a shape coefficient of
1 is one standard deviation, as the loaders' priors take it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...protocol.pack_manifest import PackPart
from ...reporter import Reporter
from ..uvapm.pickle_data import PickleRefused, read_pickle_data
from .files.limits import read_file
from .files.members import read_members
from .files.npz import parse_npz
from .files.obj import read_obj
from .source import HeadSource, check_source, source_error
from .winding import wound_outwards

SHAPES, EXPRESSIONS = 300, 100
JOINTS, JAW = 5, 2
PARENTS = (0, 1, 1, 1)
"""Of neck, jaw and eyes (kintree_table)."""
KEYS = ("v_template", "f", "shapedirs", "posedirs", "weights", "kintree_table", "J_regressor")
MOST_BYTES = 256 << 20
"""The released files have 53 MB, in float64."""
PARTS = ("skin", "eye_left", "eye_right")
JAW_TURNS = {"jaw_open": (0.35, 0.0), "jaw_left": (0.0, 0.12), "jaw_right": (0.0, -0.12)}
"""Own shapes of the jaw's joint: radians downwards and to the subject's left. Ours: about the
travel of the default pack's jawOpen (40 mm at most, at the chin) and of a jaw to the side."""
EYE_TILE = (2.0, 3.0)
"""u of eyeballs in FFHQ-UV's layout of FLAME, by which that file is known."""


@dataclass(frozen=True)
class FlameEdition:
    """What differs between editions. files: names of the model in a folder or archive, the first
    that is there is taken."""

    id: str
    files: tuple[str, ...]
    licence: str
    about: str


NON_COMMERCIAL = FlameEdition(
    "flame",
    (
        *("generic_model.pkl", "flame2023.pkl", "flame2023_no_jaw.pkl", "FLAME_NEUTRAL.pkl"),
        *("generic_model.npz", "flame2023.npz", "flame2023_no_jaw.npz", "FLAME_NEUTRAL.npz"),
    ),
    "FLAME model licence: non-commercial scientific research only",
    "FLAME 2020 or 2023",
)


def read(paths: Sequence[Path], reporter: Reporter) -> HeadSource:
    """FLAME 2020 or 2023 of its .pkl or .npz, or the folder or archive that holds it; beside it, if
    given, FFHQ-UV's FLAME_w_HIFI3D_UV.obj, which spares the registration.

    Raises EngineError(PACK_INVALID) and Cancelled.
    """
    return read_edition(paths, reporter, NON_COMMERCIAL)


def read_edition(paths: Sequence[Path], reporter: Reporter, edition: FlameEdition) -> HeadSource:
    """`read` of one edition."""
    models = [Path(path) for path in paths if Path(path).suffix.lower() != ".obj"]
    layouts = [Path(path) for path in paths if Path(path).suffix.lower() == ".obj"]
    if len(models) != 1 or len(layouts) > 1:
        expected = "one model, and one .obj with FFHQ-UV's layout at most"
        raise source_error("FLAME", "", expected, ", ".join(Path(p).name for p in paths) or "none")
    reporter.progress(0, 3)
    name, data = _model_file(models[0], edition)
    arrays = _arrays(data, name)
    reporter.progress(1, 3)
    model = _checked(arrays, name)
    part = _parts(model, name)
    reporter.progress(2, 3)
    source = _source(model, part, edition, name, sha256(data).hexdigest())
    if layouts:
        uv = _layout(layouts[0], model.faces, part)
        source = replace(source, corner_uv=uv)
    return check_source(source, name)


def _model_file(path: Path, edition: FlameEdition) -> tuple[str, bytes]:
    if path.suffix.lower() in (".pkl", ".npz"):
        return path.name, read_file(path, MOST_BYTES)[0]
    found = dict(read_members(path, frozenset(edition.files)))
    for name in edition.files:
        if name in found:
            return name, found[name]
    raise source_error(path.name, "", f"one of {', '.join(edition.files[:3])}", "none of them")


def _arrays(data: bytes, name: str) -> Mapping[str, np.ndarray]:
    if name.lower().endswith(".npz"):
        return parse_npz(data, name, KEYS)
    try:
        table = read_pickle_data(data, objects=True)
    except PickleRefused as refusal:
        raise source_error(name, "", "a pickle file of FLAME", str(refusal)) from refusal
    if not isinstance(table, dict):
        raise source_error(name, "", "a table of arrays", type(table).__name__)
    for key in KEYS:
        if not isinstance(table.get(key), np.ndarray):
            held = ", ".join(sorted(table))[:200] or "nothing"
            kind = type(table[key]).__name__ if key in table else f"none; it holds {held}"
            raise source_error(name, key, "an array", kind)
    return {key: table[key] for key in KEYS}


@dataclass(frozen=True, eq=False)
class _Flame:
    """Checked arrays, float64: mean (V, 3), basis (V, 3, 400), pose (V, 3, 36), weights (V, 5),
    joints (5, 3); faces (F, 3) i32."""

    mean: np.ndarray
    basis: np.ndarray
    pose: np.ndarray
    weights: np.ndarray
    joints: np.ndarray
    faces: np.ndarray


def _checked(arrays: Mapping[str, np.ndarray], name: str) -> _Flame:
    for key in set(KEYS) - {"f", "kintree_table"}:
        array = arrays[key]
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise source_error(
                name, key, "finite real numbers", f"{array.dtype} or some that are not"
            )
    mean = arrays["v_template"].astype(np.float64)
    if mean.ndim != 2 or mean.shape[1] != 3:
        raise source_error(name, "v_template", "shape (vertices, 3)", f"shape {mean.shape}")
    count = len(mean)
    shapes = {
        "shapedirs": (count, 3, SHAPES + EXPRESSIONS),
        "posedirs": (count, 3, 9 * (JOINTS - 1)),
        "weights": (count, JOINTS),
        "kintree_table": (2, JOINTS),
        "J_regressor": (JOINTS, count),
    }
    for key, shape in shapes.items():
        if arrays[key].shape != shape:
            raise source_error(name, key, f"shape {shape}", f"shape {arrays[key].shape}")
    parents = tuple(int(parent) for parent in arrays["kintree_table"][0, 1:])
    if parents != PARENTS:
        raise source_error(name, "kintree_table", f"parents {PARENTS}", str(parents))
    weights = arrays["weights"].astype(np.float64)
    if weights.min() < -1e-6 or np.abs(weights.sum(axis=1) - 1.0).max() > 1e-3:
        raise source_error(name, "weights", "shares that add up to 1", "others")
    faces = arrays["f"]
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu" or not len(faces):
        raise source_error(name, "f", "triangles of whole numbers", f"{faces.dtype} {faces.shape}")
    if faces.min() != 0 or faces.max() != count - 1:
        found = f"{faces.min()} to {faces.max()}"
        raise source_error(name, "f", f"vertices 0 to {count - 1}", found)
    basis, pose = (arrays[key].astype(np.float64) for key in ("shapedirs", "posedirs"))
    joints = arrays["J_regressor"].astype(np.float64) @ mean
    return _Flame(mean, basis, pose, weights, joints, faces.astype(np.int32))


def _parts(model: _Flame, name: str) -> np.ndarray:
    """(F,) u8 into PARTS: the largest piece is skin, two others the eyeballs."""
    a, b = model.faces[:, [0, 1]].T, model.faces[:, [1, 2]].T
    rows, columns = np.concatenate([a, b], axis=1)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(model.mean),) * 2)
    count, piece = connected_components(graph, directed=False)
    if count not in (1, 3):
        raise source_error(name, "f", "a head and two eyeballs, or a head alone", f"{count} pieces")
    order = np.argsort(-np.bincount(piece))
    skin = model.mean[piece == order[0]].mean(axis=0)
    part = np.zeros(len(model.faces), dtype=np.uint8)
    sides = sorted(order[1:], key=lambda label: -model.mean[piece == label, 0].mean())
    for number, label in enumerate(sides, start=1):
        centre = model.mean[piece == label].mean(axis=0)
        if (centre[0] - skin[0]) * (3 - 2 * number) <= 0.0 or centre[2] <= skin[2]:
            expected = "an eye on each side, in front (x to the left, y up, z forward)"
            raise source_error(name, "v_template", expected, f"one at {np.round(centre, 3)}")
        part[piece[model.faces[:, 0]] == label] = number
    return part


def _source(
    model: _Flame, part: np.ndarray, edition: FlameEdition, name: str, digest: str
) -> HeadSource:
    faces = np.concatenate([model.faces, model.faces[:, 2:]], axis=1)
    if not wound_outwards(model.mean, faces):
        raise source_error(name, "f", "faces counter-clockwise from outside", "clockwise ones")
    basis = np.moveaxis(model.basis, 2, 0)
    signed = [sign * row for row in basis[SHAPES:] for sign in (1.0, -1.0)]
    names = [f"expression_{k:03d}_{s}" for k in range(EXPRESSIONS) for s in ("plus", "minus")]
    turned = [jaw_shape(model, down, left) for down, left in JAW_TURNS.values()]
    about = (
        f"{edition.about}, {name}: mean head, {SHAPES} shape and {EXPRESSIONS} expression "
        "components, jaw"
    )
    return HeadSource(
        id=edition.id,
        version="1.0.0",
        parts=(PackPart("geometry", about, edition.licence, "FLAME (Li et al. 2017)", digest),),
        mean=model.mean.astype(np.float32),
        identity=np.ascontiguousarray(basis[:SHAPES], dtype=np.float32),
        expression=np.array([*turned, *signed], dtype=np.float32),
        expression_names=(*JAW_TURNS, *names),
        faces=faces,
        face_part=part,
        part_names=PARTS if part.any() else PARTS[:1],
    )


def jaw_shape(model: _Flame, down: float, left: float) -> np.ndarray:
    """(V, 3) displacement when the jaw turns, radians: the pose correctives of its rotation minus
    the identity, then linear blend skinning about its joint (Li et al. 2017, eq. 1 to 4)."""
    c, s, d, t = np.cos(left), np.sin(left), np.cos(down), np.sin(down)
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    turn = turn @ np.array([[1.0, 0.0, 0.0], [0.0, d, -t], [0.0, t, d]])
    block = model.pose[:, :, 9 * (JAW - 1) : 9 * JAW]
    shaped = model.mean + block @ (turn - np.eye(3)).ravel()
    offset = shaped - model.joints[JAW]
    return shaped + model.weights[:, JAW, None] * (offset @ turn.T - offset) - model.mean


def _layout(path: Path, faces: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(F, 4, 2) f32 of FFHQ-UV's mesh of FLAME, whose faces must be the model's."""
    mesh = read_obj(path)
    if mesh.faces.shape != faces.shape or not np.array_equal(mesh.faces, faces):
        raise source_error(path.name, "f", "the triangles of the model, in its order", "others")
    if mesh.uv_faces.min() < 0:
        raise source_error(path.name, "vt", "UVs at every corner", "corners without")
    uv = mesh.uv[mesh.uv_faces]
    skin, eyes = uv[part == 0], uv[part > 0][..., 0]
    if skin.min() < 0.0 or skin.max() > 1.0:
        raise source_error(path.name, "vt", "the skin within 0 to 1", "UVs outside")
    if eyes.size and not EYE_TILE[0] <= eyes.min() <= eyes.max() <= EYE_TILE[1]:
        expected = "FFHQ-UV's layout, with the eyeballs at u 2 to 3"
        raise source_error(path.name, "vt", expected, f"u {eyes.min():.2f} to {eyes.max():.2f}")
    return np.concatenate([uv, uv[:, 2:]], axis=1).astype(np.float32)
