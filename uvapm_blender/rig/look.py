"""Eyes that look at an empty, with lids that follow; plain constraints and drivers, so it works
in a Blender without this extension too."""

import math

import bpy

from ...engine.protocol.gaze import LOOKS
from ..declarations import PROPERTY
from ..scene.heads import parts_of, role_of
from ..scene.mesh import drive_key
from .drivers import Source, drive, key_path
from .fixes import drive_fixes, eyes_of, influence_of

LOOK, LIMIT = "Look at target", "Limit of the eye"
"""Names of the constraints."""
DISTANCE = 0.5
"""Metres from the eyes to a new target."""
MOST_TURN = {"x": (-25.0, 35.0), "z": (-40.0, 40.0)}
"""Degrees: up and down, to the sides (Shin et al. 2016 measured ductions of about 45 to the sides,
33 up, 47 down in adults; people turn the head before they go so far)."""


def target_of(root: bpy.types.Object) -> bpy.types.Object | None:
    """The empty that a head's eyes look at."""
    return next((item for item in root.children if role_of(item) == "TARGET"), None)


def add_target(root: bpy.types.Object) -> bpy.types.Object:
    """A new look target in front of a head, where its eyes look at present; the one it has, if
    any."""
    target = target_of(root)
    if target is not None:
        return target
    eyes = eyes_of(root)
    target = bpy.data.objects.new(f"{root.name} look target", None)
    target.empty_display_type, target.empty_display_size = "SPHERE", 0.012
    target.show_in_front = True
    getattr(target, PROPERTY).role = "TARGET"
    target.parent = root
    left, up = _gaze(root)
    middle = sum((eye.location for eye in eyes.values()), start=target.location) / len(eyes)
    way = (math.sin(left), -math.cos(left), math.tan(up))
    target.location = [m + DISTANCE * w for m, w in zip(middle, way, strict=True)]
    for collection in root.users_collection:
        collection.objects.link(target)
    for eye in eyes.values():
        _constrain(eye, target)
    aim_drivers(root)
    return target


def remove_target(root: bpy.types.Object) -> None:
    """Take a head's look target away; its eyes follow their sliders again."""
    target = target_of(root)
    for eye in eyes_of(root).values():
        for name in (LOOK, LIMIT):
            constraint = eye.constraints.get(name)
            if constraint is not None:
                eye.driver_remove(f'constraints["{name}"].influence')
                eye.constraints.remove(constraint)
    aim_drivers(root)
    if target is not None:
        bpy.data.objects.remove(target)


def look_constraints(root: bpy.types.Object) -> dict[str, bpy.types.Constraint]:
    """What makes each eye look at the target, by "Left" and "Right"."""
    found = {side: eye.constraints.get(LOOK) for side, eye in eyes_of(root).items()}
    return {side: each for side, each in found.items() if each is not None}


def looks_by_itself(root: bpy.types.Object) -> bool:
    """False for a linked duplicate whose drivers read another head's eyes."""
    own = set(eyes_of(root).values())
    for part in parts_of(root):
        keys = part.data.shape_keys
        for curve in keys.animation_data.drivers if keys and keys.animation_data else ():
            for variable in curve.driver.variables:
                for target in variable.targets:
                    if target.id_type == "OBJECT" and _is_eye(target.id) and target.id not in own:
                        return False
    return True


def _is_eye(block: bpy.types.ID | None) -> bool:
    return block is not None and getattr(block, PROPERTY).kind == "eye"


def aim_drivers(root: bpy.types.Object) -> None:
    """Drivers of the eyes' own keys and of the lids, as the head's constraints are now."""
    skin = parts_of(root)[0]
    constraint = LOOK if look_constraints(root) else None
    for eye in eyes_of(root).values():
        keys = eye.data.shape_keys
        for key in keys.key_blocks[1:] if keys else ():
            if constraint is None or skin.data.shape_keys is None:
                drive_key(key, skin)
                continue
            weight = Source("KEY", skin.data.shape_keys, key_path(key.name))
            sources = {"weight": weight, "influence": influence_of(eye, constraint)}
            drive(key, "weight * (1 - influence)", sources)
    drive_fixes(root, constraint)


def _constrain(eye: bpy.types.Object, target: bpy.types.Object) -> None:
    look = eye.constraints.new("TRACK_TO")
    look.name, look.target = LOOK, target
    look.track_axis, look.up_axis, look.use_target_z = "TRACK_NEGATIVE_Y", "UP_Z", True
    limit = eye.constraints.new("LIMIT_ROTATION")
    limit.name, limit.owner_space = LIMIT, "LOCAL"
    limit.use_limit_x = limit.use_limit_z = True
    limit.min_x, limit.max_x = map(math.radians, MOST_TURN["x"])
    limit.min_z, limit.max_z = map(math.radians, MOST_TURN["z"])


def _gaze(root: bpy.types.Object) -> tuple[float, float]:
    """Radians, left and up: where the sliders make the eyes look, on average."""
    keys = parts_of(root)[0].data.shape_keys
    blocks = keys.key_blocks if keys else {}
    turns = [(blocks[name].value, angles) for name, angles in LOOKS.items() if name in blocks]
    left, up = (sum(w * angles[i] for w, angles in turns) / 2.0 for i in (0, 1))
    return left, up
