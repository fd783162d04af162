"""What an adapter delivers: a head model as its makers released it, in our units and axes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...protocol.errors import EngineError, ErrorCode
from ...protocol.headpack import LARGEST_HEAD, SMALLEST_HEAD
from ...protocol.pack_manifest import PackPart

MOST_VERTICES = 400_000
SKIN = "skin"


@dataclass(frozen=True, eq=False)
class HeadSource:
    """A head model in metres and model axes (+x the subject's left, +y up, +z out of the face);
    its origin may be anywhere.

    id, version: of the pack that is made of it. parts: licences, origins, sha256 of the user's
    files. mean (V, 3) f32. identity (K, V, 3) f32: displacement per standard deviation.
    expression (E, V, 3) f32: displacement at weight 1; weights are not negative. A signed basis is
    delivered as two rows, NAME_plus and NAME_minus. expression_names: spelled as in the default
    pack where a shape is one of ARKit's, otherwise the model's own.
    faces (F, 4) i32, counter-clockwise from outside; a triangle repeats its last corner.
    face_part (F,) u8 into part_names: names of the default pack where they mean the same; "skin"
    must be one of them.
    corner_uv (F, 4, 2) f32: the FFHQ-UV layout of the skin, v up, other parts any; None: it is
    registered. part_uv: likewise UVs of parts that are not skin: eyes and lashes as our pictures of
    them are laid out (`build/eyeball.py`, `build/part_uv.py`) unless `textures` brings others;
    None: none; teeth are laid out as our picture of them is. inner (F,) bool: faces of sockets and
    mouth bag, None: not known.
    landmarks68 (68,) i32: vertices in the order of `protocol/landmarks68.py`, None: found.
    textures: file name ("textures/eye.png") -> PNG, of the model's own parts. fit: settings of the
    shape fit that suit the model (`protocol/pack_manifest.py`).
    """

    id: str
    version: str
    parts: tuple[PackPart, ...]
    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    expression_names: tuple[str, ...]
    faces: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]
    corner_uv: np.ndarray | None = None
    part_uv: np.ndarray | None = None
    inner: np.ndarray | None = None
    landmarks68: np.ndarray | None = None
    textures: Mapping[str, bytes] = field(default_factory=dict)
    fit: Mapping[str, float] = field(default_factory=dict)


def source_error(file: str, key: str, expected: str, found: str) -> EngineError:
    """The one form of complaint about a user's model file: file, key, expected, found."""
    where = f"{file}, {key}" if key else file
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"The model cannot be read: {where}: expected {expected}, found {found}.",
        "Give the file as its makers release it.",
    )


def check_source(source: HeadSource, file: str) -> HeadSource:
    """The source itself when its arrays fit together. file: what people are told.

    Raises EngineError(PACK_INVALID).
    """
    count, faces = len(source.mean), len(source.faces)
    shapes = {
        "mean": (source.mean, (count, 3)),
        "identity": (source.identity, (len(source.identity), count, 3)),
        "expression": (source.expression, (len(source.expression_names), count, 3)),
        "faces": (source.faces, (faces, 4)),
        "face_part": (source.face_part, (faces,)),
        "corner_uv": (source.corner_uv, (faces, 4, 2)),
        "part_uv": (source.part_uv, (faces, 4, 2)),
        "inner": (source.inner, (faces,)),
        "landmarks68": (source.landmarks68, (68,)),
    }
    for key, (array, shape) in shapes.items():
        if array is None:
            continue
        if array.shape != shape:
            raise source_error(file, key, f"shape {shape}", f"shape {array.shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise source_error(file, key, "finite numbers", "infinite or undefined ones")
    if not 4 <= count <= MOST_VERTICES or faces < 4:
        raise source_error(file, "mean", f"4 to {MOST_VERTICES} vertices", str(count))
    size = float(np.ptp(source.mean, axis=0).max())
    if not SMALLEST_HEAD <= size <= LARGEST_HEAD:
        expected = f"a head of {SMALLEST_HEAD:g} to {LARGEST_HEAD:g} metres"
        raise source_error(file, "mean", expected, f"one of {size:.4g}")
    _check_indices(source, file)
    return source


def _check_indices(source: HeadSource, file: str) -> None:
    limits = {
        "faces": (source.faces, len(source.mean)),
        "face_part": (source.face_part, len(source.part_names)),
        "landmarks68": (source.landmarks68, len(source.mean)),
    }
    for key, (array, end) in limits.items():
        if array is not None and (array.min() < 0 or array.max() >= end):
            found = f"{array.min()} to {array.max()}"
            raise source_error(file, key, f"numbers from 0 to {end - 1}", found)
    for key in ("part_names", "expression_names"):
        names = getattr(source, key)
        if len(set(names)) != len(names):
            raise source_error(file, key, "distinct names", "some twice")
    if SKIN not in source.part_names:
        raise source_error(file, "part_names", f"one named {SKIN!r}", ", ".join(source.part_names))
