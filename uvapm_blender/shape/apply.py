"""The meshes of a head follow its identity sliders.

A change is added to every shape key as it is, so that what an artist sculpted stays. The sum of
rounding errors grows as the root of the number of changes: 0.1 micrometre after thousands.
"""

import bpy
import numpy as np

from ...engine.protocol.conventions import model_to_blender
from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..rig.rest import note_change
from ..scene.heads import parts_of
from ..scene.mesh import VERTEX_ATTRIBUTE
from ..scene.own import own_meshes
from .cache import CACHE
from .values import applied_of, values_of

BUSY_MODES = ("EDIT", "SCULPT")
EYE = "eye"
"""Kind of the parts whose origin is their own centre."""


def is_busy(root: bpy.types.Object) -> bool:
    """True while a part of the head is in a mode that keeps its vertices to itself."""
    return any(part.mode in BUSY_MODES for part in parts_of(root))


def apply_identity(root: bpy.types.Object) -> bool:
    """Move the meshes of a head to where its component sliders are; True when they moved.

    Nothing happens while a part is edited, or where the head pack is gone (`CACHE.problem`);
    the next change or the end of the editing catches up.
    """
    change = values_of(root) - applied_of(root)
    if not change.any() or is_busy(root):
        return False
    try:
        shift = CACHE.basis(root).shift(change)
        move_vertices(root, shift)
    except EngineError as error:
        CACHE.refuse(root, error)
        return False
    components = getattr(root, PROPERTY).shape.components
    components.foreach_set("applied", values_of(root))
    CACHE.meshes.pop(root.session_uid, None)
    return True


def move_vertices(root: bpy.types.Object, shift: np.ndarray) -> None:
    """Add a displacement to all meshes of a head: to the vertices and to every shape key.

    shift: (V, 3) f32 metres, model space, by the vertices of the head pack. Meshes shared with
    other heads become the head's own first. Eyeballs take their origin along: it moves as the
    mean of their vertices does, so that they still turn about their centres.

    Raises EngineError(BAD_INPUT) when a mesh does not know its vertices any more or belongs to
    another file; nothing has moved then.
    """
    if any(part.data.library is not None for part in parts_of(root)):
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"The meshes of {root.name} are linked from another file.",
            "Make the head local (Object > Relations > Make Local) to change its shape.",
        )
    note_change(root)
    shift = model_to_blender(np.asarray(shift, np.float32))
    moves = [(part, _own_shift(part, shift)) for part in parts_of(root)]
    own_meshes(root)
    for part, (move, centre) in moves:
        _add(part.data, move)
        if centre.any():
            part.location = np.array(part.location) + centre


def _own_shift(part: bpy.types.Object, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n * 3,) of a part's vertices about its origin, and (3,) of its origin."""
    move = shift[vertices_of(part.data, len(shift))]
    if getattr(part, PROPERTY).kind != EYE:
        return move.ravel(), np.zeros(3, np.float32)
    centre = move.mean(0)
    return (move - centre).ravel(), centre


def _add(mesh: bpy.types.Mesh, move: np.ndarray) -> None:
    """Add (n * 3,) to a mesh and its keys."""
    points = np.empty(len(move), np.float32)
    keys = mesh.shape_keys.key_blocks if mesh.shape_keys else ()
    for key in keys:
        key.points.foreach_get("co", points)  # `points`: 50 times faster than `data`
        points += move
        key.points.foreach_set("co", points)
    mesh.vertices.foreach_get("co", points)
    points += move
    mesh.vertices.foreach_set("co", points)
    mesh.update()


def vertices_of(mesh: bpy.types.Mesh, count: int) -> np.ndarray:
    """(n,) index of each vertex in a head pack of `count` vertices.

    Vertices may have been deleted; new ones have no index. Raises EngineError(BAD_INPUT).
    """
    attribute = mesh.attributes.get(VERTEX_ATTRIBUTE)
    usable = attribute is not None and attribute.domain == "POINT" and attribute.data_type == "INT"
    vertices = np.empty(len(mesh.vertices), np.int32)
    if usable:
        attribute.data.foreach_get("value", vertices)
        usable = not len(vertices) or (
            0 <= vertices[0] and vertices[-1] < count and bool((np.diff(vertices) > 0).all())
        )
    if not usable:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"The mesh {mesh.name} was remodelled: its vertices are not the head model's any more.",
            "Undo that, or reconstruct the head again.",
        )
    return vertices
