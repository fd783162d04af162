"""A scene of our own in which pictures are taken: the user's scene is not touched.

Everything in it that is not the user's carries a mark, and `close_studio` removes what is marked.
"""

import math

import bpy
from mathutils import Matrix, Vector

from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..scene.environment import controls_of
from ..scene.heads import parts_of
from .environments import environment_of
from .shots import Shot
from .worlds import suit, world_of

MARK = "uvapm_studio"
"""Custom property of what is removed again."""
TURN = "uvapm_turn"
"""Custom property of the studio's own world: its rotation before a shot turns it, radians."""
LENS = 85.0
"""Millimetres on a sensor of 36: the portrait lens."""
SENSOR = 36.0
MARGIN = 1.22
"""Room around the head, as a factor, for the perspective of its nearer half as well."""
LABEL_SIZE = 0.055
"""Height of the label, as a share of the picture's."""
_COPIED = ("cycles", "eevee", "view_settings", "display_settings")
"""Groups of settings that the studio takes over from the user's scene."""


def open_studio(
    source: bpy.types.Scene, root: bpy.types.Object, size: int, samples: int, own_light: bool
) -> bpy.types.Scene:
    """A scene with the head and what is parented to it, a camera, and the user's render settings.

    own_light: the shots turn the light, so the world is copied.
    """
    studio = bpy.data.scenes.new("UVAPM Studio")
    studio[MARK] = True
    for item in (root, *root.children_recursive):
        studio.collection.objects.link(item)
    _copy_settings(source, studio)
    render = studio.render
    render.resolution_x = render.resolution_y = size
    render.use_compositing = render.use_sequencer = False
    studio.eevee.taa_render_samples = samples
    if hasattr(studio, "cycles"):
        studio.cycles.samples = samples
    studio.world = source.world
    if own_light and source.world is not None:
        studio.world = _own_world(source.world)
    data = bpy.data.cameras.new("UVAPM Studio")
    data.lens, data.sensor_width = LENS, SENSOR
    data.clip_start, data.clip_end = 0.01, 100.0
    camera = bpy.data.objects.new("UVAPM Studio", data)
    data[MARK] = camera[MARK] = True
    studio.collection.objects.link(camera)
    studio.camera = camera
    return studio


def pose(studio: bpy.types.Scene, root: bpy.types.Object, shot: Shot) -> None:
    """Set camera, light and label for a shot. Raises EngineError when its file is unusable."""
    if shot.environment is not None:
        environment = environment_of(shot.environment)
        known = set(bpy.data.worlds)
        studio.world = world_of(root, environment)
        if studio.world not in known:
            studio.world[MARK] = True
        if getattr(studio, PROPERTY).suit_view:
            suit(studio, environment.view)
    elif studio.world is not None and TURN in studio.world:
        rotation = controls_of(studio.world).rotation
        if rotation is not None:
            rotation.default_value[2] = studio.world[TURN] + shot.light
    studio.camera.matrix_world = _look(root, shot.camera)
    _stamp(studio.render, shot.label)


def close_studio() -> None:
    """Remove what is marked, with the pictures that only that used."""
    marked = [
        block
        for kind in ("scenes", "objects", "cameras", "worlds")
        for block in getattr(bpy.data, kind)
        if MARK in block
    ]
    if not marked:
        return
    worlds = [block for block in marked if isinstance(block, bpy.types.World)]
    trees = [world.node_tree for world in worlds if world.node_tree]
    images = {node.image for tree in trees for node in tree.nodes if node.type == "TEX_ENVIRONMENT"}
    shown = {scene.world for scene in bpy.data.scenes if MARK not in scene}
    for world in shown & set(worlds):  # the user took it while pictures were taken
        del world[MARK]
    bpy.data.batch_remove([block for block in marked if block not in shown])
    bpy.data.batch_remove([image for image in images - {None} if not image.users])


def _copy_settings(source: bpy.types.Scene, studio: bpy.types.Scene) -> None:
    studio.frame_current = source.frame_current
    for name in _COPIED:
        if hasattr(source, name):
            _copy_values(getattr(source, name), getattr(studio, name))
    _copy_values(getattr(source, PROPERTY), getattr(studio, PROPERTY))
    old, new = source.render, studio.render
    new.engine, new.film_transparent = old.engine, old.film_transparent
    new.threads_mode = old.threads_mode
    if old.threads_mode == "FIXED":
        new.threads = old.threads
    new.image_settings.file_format = "PNG"
    new.image_settings.color_mode = "RGBA"
    new.image_settings.color_depth = "8"


def _copy_values(source: bpy.types.bpy_struct, target: bpy.types.bpy_struct) -> None:
    for each in source.bl_rna.properties:
        if each.is_readonly or each.type in ("POINTER", "COLLECTION"):
            continue
        value = getattr(source, each.identifier)
        if value == getattr(target, each.identifier):
            continue  # setting it would run what other add-ons do then
        try:
            setattr(target, each.identifier, value)
        except (TypeError, AttributeError):
            continue  # a value that this set-up does not offer


def _own_world(world: bpy.types.World) -> bpy.types.World:
    own = world.copy()
    own[MARK] = True
    if own.node_tree:
        own.node_tree.animation_data_clear()
    rotation = controls_of(own).rotation
    own[TURN] = 0.0 if rotation is None else rotation.default_value[2]
    return own


def _look(root: bpy.types.Object, azimuth: float) -> Matrix:
    """Camera at the head's height that holds all of it at every azimuth."""
    corners = [
        part.matrix_world @ Vector(corner) for part in parts_of(root) for corner in part.bound_box
    ]
    if not corners:
        raise EngineError(ErrorCode.BAD_INPUT, f"{root.name} has no mesh.", "Choose another head.")
    low, high = (Vector(map(choose, *corners)) for choose in (min, max))
    centre, half = (low + high) / 2.0, (high - low) / 2.0
    radius = max(half.z, math.hypot(half.x, half.y))
    distance = MARGIN * radius / (SENSOR / 2.0 / LENS)
    front = root.matrix_world.to_3x3() @ Vector((0.0, -1.0, 0.0))
    turn = math.atan2(front.x, -front.y) + azimuth
    offset = Vector((math.sin(turn), -math.cos(turn), 0.0)) * distance
    level = Matrix.Rotation(turn, 4, "Z") @ Matrix.Rotation(math.pi / 2.0, 4, "X")
    return Matrix.Translation(centre + offset) @ level


def _stamp(render: bpy.types.RenderSettings, label: str) -> None:
    """Blender writes the label on the picture; nothing else of what it could write."""
    render.use_stamp = bool(label)
    for each in render.bl_rna.properties:
        if each.identifier.startswith("use_stamp_"):
            setattr(render, each.identifier, False)
    render.use_stamp_note = True
    render.stamp_note_text = label
    render.stamp_font_size = max(8, round(LABEL_SIZE * render.resolution_y))
    render.stamp_foreground = (1.0, 1.0, 1.0, 1.0)
    render.stamp_background = (0.0, 0.0, 0.0, 0.0)
