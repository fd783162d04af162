"""Keys that lids have besides the expressions: driven, named "fix ...", not for sliders.

Each is an expression of the lids alone. A blink takes the others back, so that it closes from any
pose (at weight w of a blink, w of them); a look target adds what lids do when eyes turn.
"""

import bpy
import numpy as np

from ...engine.protocol.gaze import LOOKS
from ..scene.heads import parts_of
from ..scene.mesh import FIX, drive_key
from .drivers import Source, drive, key_path
from .lids import BLINK, SIDES

MOVERS = ("eyeWide", "eyeSquint", "eyeLookUp", "eyeLookDown")
NEAR, FAR = 0.004, 0.010
"""Metres from the eyeball within which skin counts as lid, fully and not at all. Ours."""
TOOK_BACK = "-mover * blink"
FOLLOWS = "min(max(sign * turn, 0), 1) * (1 - blink) - mover * (1 - (1 - blink) * (1 - influence))"


def add_fixes(root: bpy.types.Object) -> None:
    """Make the keys of a head anew, on the skin and on what lies on it (lashes), with drivers.

    They are made of the keys as they are now. A head without blinks gets none.
    """
    parts = parts_of(root)
    keys = parts[0].data.shape_keys if parts else None
    if keys is None:
        return
    remove_fixes(root)
    eyes = eyes_of(root)
    for side in SIDES:
        names = [mover + side for mover in MOVERS]
        if BLINK + side not in keys.key_blocks or side not in eyes:
            continue
        for name in (name for name in names if name in keys.key_blocks):
            for part in parts:
                _add_key(part, name, _lid_share(part, eyes[side]))
                _follow_skin(part, parts[0], FIX + name)
            drive(
                keys.key_blocks[FIX + name],
                TOOK_BACK,
                {"mover": _weight(keys, name), "blink": _weight(keys, BLINK + side)},
            )


def remove_fixes(root: bpy.types.Object) -> None:
    """Take these keys off all parts of a head."""
    for part in parts_of(root):
        keys = part.data.shape_keys
        for key in [k for k in keys.key_blocks if k.name.startswith(FIX)] if keys else ():
            key.driver_remove("value")
            part.shape_key_remove(key)


def drive_fixes(root: bpy.types.Object, constraint: str | None) -> None:
    """What the keys of looking do: follow the eyes' turn where they have a constraint of that
    name, else only give way to blinks."""
    keys = parts_of(root)[0].data.shape_keys
    for side, eye in eyes_of(root).items():
        for mover in MOVERS[2:]:
            key = keys.key_blocks.get(FIX + mover + side) if keys else None
            if key is None:
                continue
            sources = {
                "mover": _weight(keys, mover + side),
                "blink": _weight(keys, BLINK + side),
            }
            if constraint is None:
                drive(key, TOOK_BACK, sources)
                continue
            sources["influence"] = influence_of(eye, constraint)
            sources["turn"] = Source("OBJECT", eye, turn="ROT_X")
            # an eye that looks up turns by a negative angle about Blender's x axis
            drive(key, FOLLOWS.replace("sign", f"{-1.0 / LOOKS[mover + side][1]:.4f}"), sources)


def influence_of(eye: bpy.types.Object, constraint: str) -> Source:
    """A driver's source: the influence of an eye's constraint."""
    path = f'constraints["{bpy.utils.escape_identifier(constraint)}"].influence'
    return Source("OBJECT", eye, path)


def eyes_of(root: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """Eyeballs by "Left" and "Right" (the subject's left is +x)."""
    eyes = [part for part in parts_of(root) if part.uvapm.kind == "eye"]
    return {"Left" if eye.location.x > 0.0 else "Right": eye for eye in eyes}


def _weight(keys: bpy.types.Key, name: str) -> Source:
    return Source("KEY", keys, key_path(name))


def _add_key(part: bpy.types.Object, name: str, share: np.ndarray) -> None:
    """A part's key once more, by `share` (n,) of its movement; none where nothing moves."""
    keys = part.data.shape_keys
    if keys is None or name not in keys.key_blocks:
        return
    rest, moved = points_of(keys.key_blocks[0]), points_of(keys.key_blocks[name])
    key = part.shape_key_add(name=FIX + name, from_mix=False)
    key.slider_min, key.slider_max = -1.0, 1.0
    key.points.foreach_set("co", (rest + (moved - rest) * share[:, None]).ravel())


def _follow_skin(part: bpy.types.Object, skin: bpy.types.Object, name: str) -> None:
    keys = part.data.shape_keys
    if part != skin and keys is not None and name in keys.key_blocks:
        drive_key(keys.key_blocks[name], skin)


def _lid_share(part: bpy.types.Object, eye: bpy.types.Object) -> np.ndarray:
    """(n,) in [0, 1]: how much of a part's vertices is lid of an eye; lashes are so wholly."""
    if part.uvapm.kind != "skin":
        return np.ones(len(part.data.vertices), np.float32)
    rest = points_of(part.data.shape_keys.key_blocks[0])
    ball = np.empty(len(eye.data.vertices) * 3, np.float32)
    eye.data.vertices.foreach_get("co", ball)
    radius = np.linalg.norm(ball.reshape(-1, 3), axis=1).mean()
    away = np.linalg.norm(rest - np.array(eye.location, np.float32), axis=1) - radius
    return np.clip((FAR - away) / (FAR - NEAR), 0.0, 1.0).astype(np.float32)


def points_of(key: bpy.types.ShapeKey) -> np.ndarray:
    """(n, 3) f32 of a shape key."""
    out = np.empty(len(key.points) * 3, np.float32)
    key.points.foreach_get("co", out)
    return out.reshape(-1, 3)
