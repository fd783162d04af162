"""Where a new head stands: at the scene's origin, or to the right of what is in its way."""

import bpy
import numpy as np
from mathutils import Vector

from ...engine.protocol.conventions import model_to_blender
from ...engine.protocol.result import ResultPackage
from .camera import pose_of
from .heads import MESH_ROLES, role_of

GAP = 0.15
"""Metres between two heads (ours: about one face)."""

ROOM = 5.0
"""Metres. Things longer than this are floors, rooms and skies, not in the way (ours)."""

SOLID = frozenset({"MESH", "CURVE", "SURFACE", "FONT", "META", "VOLUME", "CURVES", "POINTCLOUD"})


def free_x(result: ResultPackage, context: bpy.types.Context) -> float:
    """x of the new root in metres, so that neither the head nor its camera's view is blocked.

    Another head is always passed, whatever its height and depth: heads stand in a row.
    """
    context.view_layer.update()  # matrices of what was just made or moved
    head = model_to_blender(result.mesh.neutral)
    needed = np.vstack([head.min(0), head.max(0), pose_of(result.manifest.camera)[:3, 3]])
    low, high = needed.min(0), needed.max(0)
    row = map(_box, _heads(context))
    x = max((box[1, 0] + GAP - head[:, 0].min() for box in row), default=0.0)
    for box in sorted(map(_box, _others(context)), key=lambda box: box[0, 0]):
        apart = (box[1] < low + (x, 0, 0)) | (box[0] > high + (x, 0, 0))
        if not apart.any() and np.ptp(box, axis=0).max() <= ROOM:
            x = box[1, 0] + GAP - low[0]
    return float(x)


def _heads(context: bpy.types.Context) -> list[bpy.types.Object]:
    return [item for item in context.scene.objects if role_of(item) in MESH_ROLES]


def _others(context: bpy.types.Context) -> list[bpy.types.Object]:
    visible = context.view_layer.objects
    return [
        item
        for item in visible
        if item.type in SOLID and role_of(item) not in MESH_ROLES and item.visible_get()
    ]


def _box(item: bpy.types.Object) -> np.ndarray:
    """(2, 3) lowest and highest world coordinates of an object."""
    corners = np.array([item.matrix_world @ Vector(corner) for corner in item.bound_box])
    return np.stack([corners.min(0), corners.max(0)])
