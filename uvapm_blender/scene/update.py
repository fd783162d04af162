"""A head that stays where it is takes over another result of its photo: objects, materials,
modifiers, names and what an artist sculpted remain; shape, pictures, camera and light are new."""

from collections.abc import Mapping
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import blender_to_model, model_to_blender
from ...engine.protocol.errors import EngineError
from ...engine.protocol.result import ResultPackage
from ..declarations import PROPERTY
from ..detail import live
from ..detail.properties import DIRECTIONS
from ..detail.values import is_changed
from ..match import overlay, views
from ..rig.reclose import close_lids
from ..shape.apply import EYE, move_vertices, vertices_of
from ..shape.cache import CACHE
from ..shape.values import applied_of, keys_of, values_of
from . import camera, world
from .build import MAPS, describe_head, load_maps
from .change import Before, Change
from .heads import parts_of
from .images import replace_image
from .made import at_once, nothing_on_error
from .own import image_nodes, own_materials, own_view

WORN = "What was sculpted on the head is gone: its earlier result or its head pack was not found."


def fits(root: bpy.types.Object, result: ResultPackage) -> bool:
    """Whether the meshes of a head can take the shape of a result: the same vertices, faces and
    expressions, or fewer of the vertices where an artist deleted some."""
    try:
        for part in parts_of(root):
            vertices_of(part.data, len(result.mesh.neutral))
    except EngineError:
        return False
    known = {item.name for item in getattr(root, PROPERTY).shape.expressions}
    return not known or known == set(result.manifest.mesh.expression_names)


def before_of(root: bpy.types.Object) -> Before:
    """A head as it is, as plain values."""
    head = getattr(root, PROPERTY)
    moved, slid = applied_of(root) - values_of(root, "fitted"), None
    if moved.any():
        slid = CACHE.basis(root).shift(moved)
    return Before(Path(bpy.path.abspath(head.result_folder)), head.detail.stamp, slid)


def update_head(
    root: bpy.types.Object, result: ResultPackage, change: Change | None
) -> tuple[str, ...]:
    """Put a result in the place of a head's own. Returns warnings.

    change: to the meshes, so that what was sculpted stays on top; None where it is not known: the
    vertices as they are tell then.
    Raises EngineError, with the head as it was, when the result cannot be used.
    """
    head = getattr(root, PROPERTY)
    with nothing_on_error():
        pictures = at_once(load_maps(result, root.name))
        shift = _shift_of(root, result.mesh.neutral) if change is None else change.shift
        move_vertices(root, shift)  # the last that can fail; nothing has changed then
    warnings = (WORN,) if change is None else ()
    for name, move in () if change is None else change.expressions.items():
        _move_key(root, name, model_to_blender(move))
    close_lids(root)
    own_materials(root)
    own_view(root)
    _set_expression(root, result)
    _swap_pictures(root, pictures)
    if head.camera is not None:
        camera.place_camera(head.camera, result.manifest.camera)
    if head.world is not None:
        world.set_light(head.world, np.asarray(result.manifest.light.sh))
    describe_head(root, result, pictures, warnings)
    bpy.data.batch_remove([image for image in pictures.values() if not image.users])
    if "detail" not in head.locks:
        for name in DIRECTIONS:
            head.detail.property_unset(name)  # a new detail has its own
    if is_changed(root):  # else the pictures are the result's own
        live.refresh(root)
    views.refresh(root)
    overlay.renew(root)
    return warnings


def _move_key(root: bpy.types.Object, name: str, move: np.ndarray) -> None:
    """Add a displacement (V, 3), Blender axes, to one key of every part that has it."""
    for part in parts_of(root):
        keys = part.data.shape_keys
        if keys is None or name not in keys.key_blocks:
            continue
        vertices = vertices_of(part.data, len(move))
        points = np.empty(len(vertices) * 3, np.float32)
        key = keys.key_blocks[name]
        key.points.foreach_get("co", points)
        key.points.foreach_set("co", points + move[vertices].ravel())


def _shift_of(root: bpy.types.Object, neutral: np.ndarray) -> np.ndarray:
    """(V, 3) f32 metres, model space, from the vertices as they are to `neutral` (V, 3)."""
    target = model_to_blender(neutral)
    now = target.copy()
    for part in parts_of(root):
        mesh, kind = part.data, getattr(part, PROPERTY).kind
        basis = mesh.shape_keys.key_blocks[0].points if mesh.shape_keys else mesh.vertices
        points = np.empty((len(mesh.vertices), 3), np.float32)
        basis.foreach_get("co", points.ravel())
        now[vertices_of(mesh, len(now))] = points + (
            np.array(part.location, np.float32) if kind == EYE else 0.0
        )
    return blender_to_model(target - now)


def _set_expression(root: bpy.types.Object, result: ResultPackage) -> None:
    """The weights of the result: the photo's, or those that went along as edits."""
    keys, names = keys_of(root), result.manifest.mesh.expression_names
    for name, weight in zip(names, result.coefficients["expression"], strict=True):
        if name in keys:
            keys[name].value = float(weight)


def _swap_pictures(root: bpy.types.Object, pictures: Mapping[str, bpy.types.Image]) -> None:
    """New images in the places of the old ones, where an artist left these."""
    materials = {slot.material for part in parts_of(root) for slot in part.material_slots}
    shown = {node.image for node in image_nodes(materials - {None})}
    shown |= {getattr(root, PROPERTY).detail.albedo} - {None}
    for old in shown:
        if role_of_image(old) in pictures:
            replace_image(old, pictures[role_of_image(old)])


def role_of_image(image: bpy.types.Image) -> str:
    """Which of `MAPS` an image was loaded from, by its file's name; empty for others."""
    stem = Path(bpy.path.basename(image.filepath)).stem
    return stem if stem in MAPS else ""
