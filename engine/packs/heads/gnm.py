"""GNM Head (Google, version 3), gnm_head.npz as its makers release it.

Arrays that are read: template_vertex_positions (V, 3) f32; vertex_identity_basis (K, V, 3) and
expression_basis (E, V, 3), linear, coefficients about -3 to 3; expression_names (E,); quads (Q, 4)
i32; vertex_groups (G, V) weights in [0, 1] with vertex_group_names (G,); mesh_component_names, the
groups that part the mesh: skin, left_eye, right_eye, upper_teeth_and_gums, lower_teeth_and_gums,
tongue; version, variant. Keys, shapes and groups are those of the makers' public loader, its tests
and readme (17,821 vertices, 17,662 quads, K 253, E 383). Metres and axes (y up, z forward, left
+x) are as several public programs use them. The file itself was not at hand: not verified are the
winding (told from the mesh), and the reach of the group skin_exterior.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol.pack_manifest import PackPart
from ...reporter import Reporter
from .files.limits import read_file
from .files.npz import read_npz
from .source import SKIN, HeadSource, check_source, source_error
from .winding import wound_outwards

BASES = ("vertex_identity_basis", "expression_basis")
KEYS = (
    *("version", "variant", "template_vertex_positions", *BASES, "expression_names", "quads"),
    *("vertex_groups", "vertex_group_names", "mesh_component_names"),
)
VARIANT, MAJOR = "head", "3"
COMPONENTS = {
    "skin": "skin",
    "left_eye": "eye_left",
    "right_eye": "eye_right",
    "upper_teeth_and_gums": "teeth_upper",
    "lower_teeth_and_gums": "teeth_lower",
    "tongue": "tongue",
}
"""Its components to the names of parts of the default pack; an eye is left and right of its own."""
PARTS = tuple(COMPONENTS.values())
EYES = (PARTS.index("eye_left"), PARTS.index("eye_right"))
CLEAR = "eye_exteriors"
"""The clear shell before iris and white; it is left out, as its makers' own viewer does."""
OUTSIDE = "skin_exterior"
MEMBER = 0.5
"""Weight above which a vertex belongs to a group."""
LICENCE = "Apache-2.0"
LANDMARKS = 68
MOST_LANDMARK_BYTES = 64 << 10


def read(paths: Sequence[Path], reporter: Reporter) -> HeadSource:
    """GNM of its .npz; beside it, if given, the makers' head_sparse_68.txt (68 rows of three
    vertices and weights), which makes the registration surer.

    Raises EngineError(PACK_INVALID) and Cancelled.
    """
    models = [Path(path) for path in paths if Path(path).suffix.lower() == ".npz"]
    tables = [Path(path) for path in paths if Path(path).suffix.lower() == ".txt"]
    if len(models) != 1 or len(tables) > 1 or len(paths) != len(models) + len(tables):
        names = ", ".join(Path(path).name for path in paths) or "none"
        raise source_error("GNM", "", "gnm_head.npz, and head_sparse_68.txt at most", names)
    name = models[0].name
    reporter.progress(0, 3)
    arrays, digest = read_npz(models[0], KEYS)
    reporter.progress(1, 3)
    model = _checked(arrays, name)
    landmarks = _landmarks(tables[0], len(model.mean)) if tables else None
    reporter.progress(2, 3)
    return check_source(_source(model, landmarks, digest, name), name)


@dataclass(frozen=True, eq=False)
class _Gnm:
    """Checked: mean (V, 3), identity (K, V, 3), expression (E, V, 3) f32; names of expressions;
    quads (Q, 4) i32; groups (V,) weights by name; version."""

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    names: tuple[str, ...]
    quads: np.ndarray
    groups: Mapping[str, np.ndarray]
    version: str


def _checked(arrays: Mapping[str, np.ndarray], name: str) -> _Gnm:
    version, variant = str(arrays["version"]), str(arrays["variant"])
    if variant != VARIANT:
        raise source_error(name, "variant", VARIANT, variant[:40])
    if version.split(".")[0] != MAJOR:
        raise source_error(name, "version", f"{MAJOR}.x", version[:40])
    for key in ("template_vertex_positions", *BASES, "vertex_groups"):
        if arrays[key].dtype.kind != "f" or not np.isfinite(arrays[key]).all():
            found = f"{arrays[key].dtype} or some that are not"
            raise source_error(name, key, "finite real numbers", found)
    mean, groups = arrays["template_vertex_positions"], arrays["vertex_groups"]
    if mean.ndim != 2 or mean.shape[1] != 3:
        raise source_error(name, KEYS[2], "shape (vertices, 3)", f"shape {mean.shape}")
    for key in BASES:
        if arrays[key].ndim != 3 or arrays[key].shape[1:] != mean.shape:
            expected = f"shape (components, {len(mean)}, 3)"
            raise source_error(name, key, expected, f"shape {arrays[key].shape}")
    names = _texts(arrays, "expression_names", len(arrays["expression_basis"]), name)
    group_names = _texts(arrays, "vertex_group_names", len(groups), name)
    if groups.shape != (len(group_names), len(mean)) or groups.min() < 0.0 or groups.max() > 1.0:
        expected = f"shape (groups, {len(mean)}) within 0 to 1"
        raise source_error(name, "vertex_groups", expected, f"shape {groups.shape}")
    quads = arrays["quads"]
    if quads.ndim != 2 or quads.shape[1] != 4 or quads.dtype.kind not in "iu" or not len(quads):
        raise source_error(name, "quads", "(n, 4) whole numbers", f"{quads.dtype} {quads.shape}")
    if quads.min() < 0 or quads.max() >= len(mean):
        found = f"{quads.min()} to {quads.max()}"
        raise source_error(name, "quads", f"vertices 0 to {len(mean) - 1}", found)
    by_name = dict(zip(group_names, groups, strict=True))
    components = _texts(arrays, "mesh_component_names", None, name)
    for component in components:
        if component not in COMPONENTS or component not in by_name:
            expected = f"groups among {', '.join(COMPONENTS)}"
            raise source_error(name, "mesh_component_names", expected, component[:40])
    if SKIN not in components:
        raise source_error(
            name, "mesh_component_names", f"{SKIN} among them", ", ".join(components)
        )
    return _Gnm(
        mean,
        *(arrays[key].astype(np.float32, copy=False) for key in BASES),
        names,
        quads.astype(np.int32),
        {key: value for key, value in by_name.items() if key in (*components, CLEAR, OUTSIDE)},
        version,
    )


def _texts(
    arrays: Mapping[str, np.ndarray], key: str, count: int | None, name: str
) -> tuple[str, ...]:
    array = arrays[key]
    if array.dtype.kind != "U" or array.ndim != 1 or (count is not None and len(array) != count):
        expected = "names" if count is None else f"{count} names"
        raise source_error(name, key, expected, f"{array.dtype} of shape {array.shape}")
    return tuple(str(text) for text in array)


def _source(model: _Gnm, landmarks: np.ndarray | None, digest: str, name: str) -> HeadSource:
    quads = model.quads
    if not wound_outwards(model.mean, quads):
        quads = quads[:, ::-1]
    clear = model.groups.get(CLEAR)
    if clear is not None:
        quads = quads[~(clear[quads] > MEMBER).all(axis=1)]
    components = [part for part in COMPONENTS if part in model.groups]
    shares = np.stack([model.groups[part][quads].mean(axis=1) for part in components])
    numbers = np.array([PARTS.index(COMPONENTS[part]) for part in components])
    part = numbers[shares.argmax(axis=0)].astype(np.uint8)
    _check_sides(model, quads, part, name)
    outside = model.groups.get(OUTSIDE)
    inner = None if outside is None else (part == 0) & (outside[quads] <= MEMBER).any(axis=1)
    used = np.unique(quads)
    place = np.full(len(model.mean), -1, dtype=np.int32)
    place[used] = np.arange(len(used))
    expression = model.expression[:, used]
    signed = np.empty((2 * len(expression), *expression.shape[1:]), dtype=np.float32)
    signed[::2], signed[1::2] = expression, -expression
    return HeadSource(
        id="gnm",
        version=_pack_version(model.version),
        parts=(_part(model, digest),),
        mean=model.mean[used].astype(np.float32),
        identity=np.ascontiguousarray(model.identity[:, used]),
        expression=signed,
        expression_names=tuple(f"{n}_{s}" for n in model.names for s in ("plus", "minus")),
        faces=place[quads],
        face_part=part,
        part_names=PARTS,
        inner=inner,
        landmarks68=None if landmarks is None else place[landmarks],
    )


def _part(model: _Gnm, digest: str) -> PackPart:
    about = (
        f"GNM Head {model.version}: mean head, {len(model.identity)} identity and "
        f"{len(model.expression)} expression components"
    )
    return PackPart("geometry", about, LICENCE, "GNM, Google (arXiv 2607.23687)", digest)


def _pack_version(version: str) -> str:
    numbers = [number for number in version.split(".") if number.isdecimal()]
    return ".".join((numbers + ["0", "0"])[:3])


def _check_sides(model: _Gnm, quads: np.ndarray, part: np.ndarray, name: str) -> None:
    """Raise unless the eyes show the axes: left at +x, both in front of the skin's middle."""
    present = [eye for eye in EYES if np.any(part == eye)]
    skin = model.mean[np.unique(quads[part == 0])].mean(axis=0)
    for eye in present:
        centre = model.mean[np.unique(quads[part == eye])].mean(axis=0)
        side = 1.0 if eye == EYES[0] else -1.0
        if (centre[0] - skin[0]) * side <= 0.0 or centre[2] <= skin[2]:
            expected = f"{PARTS[eye]} in front (x to the left, y up, z forward)"
            found = f"its centre at {np.round(centre, 3)}"
            raise source_error(name, KEYS[2], expected, found)


def _landmarks(path: Path, count: int) -> np.ndarray:
    """(68,) vertices: of each row of vertex and weight pairs the one that weighs most."""
    data, _ = read_file(path, MOST_LANDMARK_BYTES)
    try:
        rows = np.array(
            [line.split() for line in data.decode("ascii").splitlines() if line.strip()]
        )
        index, weight = rows[:, ::2].astype(np.int64), rows[:, 1::2].astype(np.float64)
    except (ValueError, IndexError, UnicodeError) as error:
        expected = f"{LANDMARKS} rows of three vertices and weights"
        raise source_error(path.name, "", expected, "something else") from error
    if index.shape != (LANDMARKS, 3) or weight.shape != index.shape:
        expected = f"{LANDMARKS} rows of three vertices and weights"
        raise source_error(path.name, "", expected, f"shape {rows.shape}")
    if (
        index.min() < 0
        or index.max() >= count
        or not np.allclose(weight.sum(axis=1), 1.0, atol=0.01)
    ):
        expected = f"vertices 0 to {count - 1}, weights that add up to 1"
        raise source_error(path.name, "", expected, "others")
    return index[np.arange(LANDMARKS), weight.argmax(axis=1)]
