"""A head that stays where it is takes over another result of its photo: objects, materials,
modifiers, names and what an artist sculpted remain; shape, pictures, camera and light are new."""

from collections.abc import Mapping
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.conventions import blender_to_model, model_to_blender
from ...engine.protocol.errors import EngineError
from ...engine.protocol.result import ResultPackage, read_mesh
from ..declarations import PROPERTY
from ..detail import live
from ..detail.properties import DIRECTIONS
from ..detail.sources import check_result
from ..detail.values import is_changed
from ..match import overlay, views
from ..shape.apply import EYE, move_vertices
from ..shape.cache import CACHE
from ..shape.values import applied_of, keys_of, values_of
from . import camera, world
from .build import MAPS, describe_head, load_maps, nothing_on_error
from .heads import parts_of
from .images import replace_image
from .mesh import VERTEX_ATTRIBUTE
from .own import image_nodes, own_materials, own_view

WORN = "What was sculpted on the head is gone: its earlier result or its head pack was not found."


def fits(root: bpy.types.Object, result: ResultPackage) -> bool:
    """Whether the meshes of a head can take the shape of a result: the same vertices, faces and
    expressions, or fewer of the vertices where an artist deleted some."""
    count = len(result.mesh.neutral)
    for part in parts_of(root):
        attribute = part.data.attributes.get(VERTEX_ATTRIBUTE)
        if attribute is None or attribute.domain != "POINT":
            return False
        vertices = np.empty(len(part.data.vertices), np.int32)
        attribute.data.foreach_get("value", vertices)
        if len(vertices) and not (0 <= vertices.min() and vertices.max() < count):
            return False
    known = {item.name for item in getattr(root, PROPERTY).shape.expressions}
    return not known or known == set(result.manifest.mesh.expression_names)


def update_head(root: bpy.types.Object, result: ResultPackage) -> tuple[str, ...]:
    """Put a result in the place of a head's own. Returns warnings.

    Raises EngineError, with the head as it was, when the result cannot be used.
    """
    head = getattr(root, PROPERTY)
    with nothing_on_error():
        pictures = load_maps(result, root.name)
        shift, warnings = shape_change(root, result)
        move_vertices(root, shift)  # the last that can fail; nothing has changed then
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


def shape_change(
    root: bpy.types.Object, result: ResultPackage
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(V, 3) f32 metres, model space: what the neutral head moves by; and warnings.

    From the shape that result and sliders gave the head, so that what was sculpted stays on top.
    Where that is not known, from the vertices as they are.
    """
    head = getattr(root, PROPERTY)
    folder = Path(bpy.path.abspath(head.result_folder))
    try:
        check_result(folder, head.detail.stamp)
        old = read_mesh(folder).neutral
        moved = applied_of(root) - values_of(root, "fitted")
        if moved.any():
            old = old + CACHE.basis(root).shift(moved)
        if old.shape == result.mesh.neutral.shape:
            return result.mesh.neutral - old, ()
    except EngineError:
        pass  # the vertices themselves tell, see below
    return _shift_from_vertices(root, result.mesh.neutral), (WORN,)


def _shift_from_vertices(root: bpy.types.Object, neutral: np.ndarray) -> np.ndarray:
    target = model_to_blender(neutral)
    now = target.copy()
    for part in parts_of(root):
        mesh, kind = part.data, getattr(part, PROPERTY).kind
        basis = mesh.shape_keys.key_blocks[0].points if mesh.shape_keys else mesh.vertices
        points = np.empty((len(mesh.vertices), 3), np.float32)
        basis.foreach_get("co", points.ravel())
        vertices = np.empty(len(points), np.int32)
        mesh.attributes[VERTEX_ATTRIBUTE].data.foreach_get("value", vertices)
        now[vertices] = points + (np.array(part.location, np.float32) if kind == EYE else 0.0)
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
