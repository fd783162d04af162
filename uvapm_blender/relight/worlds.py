"""A scene's environment: worlds that are made once, found again by what is saved on them."""

from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..scene.environment import background_of, controls_of, fill, keep_soft, renew
from ..scene.images import LINEAR, load_packed, new_packed
from .environments import NEUTRAL, PHOTO, Environment, View
from .neutral import neutral_studio

KEY = "uvapm_environment"
"""Custom property of a world: the environment that it shows."""
NEUTRAL_HEIGHT = 128
"""Rows of the neutral studio's picture: its edges are softer than that."""
LABEL = "Environment"
"""Label of the picture's node."""


def light(scene: bpy.types.Scene, root: bpy.types.Object, environment: Environment) -> None:
    """Light a scene with an environment. Raises EngineError, with the scene as it was."""
    scene.world = world_of(root, environment)


def world_of(root: bpy.types.Object, environment: Environment) -> bpy.types.World:
    """The world of an environment: the one that is there, with its strength and rotation as they
    are, else a new one. Raises EngineError when the photo's light is gone or a file is unusable."""
    if environment.id == PHOTO:
        return _photo_world(root)
    tag = _tag(environment.id)
    for world in bpy.data.worlds:
        if world.get(KEY) == tag and world.library is None:
            return world
    image = _image(environment)
    world = bpy.data.worlds.new(f"UVAPM {environment.label}")
    fill(world, image, LABEL)
    world[KEY] = tag
    background_of(world).inputs["Strength"].default_value = environment.strength
    if not environment.sun:
        keep_soft(world)
    return world


def current(scene: bpy.types.Scene, root: bpy.types.Object) -> str:
    """Id of the environment that lights a scene, empty for a world of the user's own.

    A file of Blender's has its name for an id here: another Blender keeps it elsewhere.
    """
    if scene.world is None:
        return ""
    if scene.world == getattr(root, PROPERTY).world:
        return PHOTO
    return str(scene.world.get(KEY, ""))


def shows(scene: bpy.types.Scene, root: bpy.types.Object, environment: Environment) -> bool:
    """Whether an environment lights the scene now."""
    return current(scene, root) == _tag(environment.id)


def suit(scene: bpy.types.Scene, view: View) -> None:
    """Set view transform and look; a colour configuration without them keeps its own. EEVEE
    traces rays: without them teeth and eyes are as bright as if nothing were around them."""
    scene.eevee.use_raytracing = True
    settings = scene.view_settings
    try:
        settings.view_transform = view.transform
        settings.look = view.look
    except TypeError:
        return


def _photo_world(root: bpy.types.Object) -> bpy.types.World:
    world = getattr(root, PROPERTY).world
    if world is None:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"The photo light of {root.name} was deleted.",
            "Refit the head to get it back, or choose another environment.",
        )
    if controls_of(world).rotation is None:
        renew(world)  # made by an earlier version
    return world


def _tag(id: str) -> str:
    path = Path(id)
    own = Path(bpy.utils.system_resource("DATAFILES"))
    return path.name if path.is_relative_to(own) else id


def _image(environment: Environment) -> bpy.types.Image:
    if environment.id == NEUTRAL:
        return new_packed("UVAPM Neutral", neutral_studio(NEUTRAL_HEIGHT), linear=True)
    path = Path(environment.id)
    if not path.is_file():
        raise _unusable(path, "The environment was not found")
    if _tag(environment.id) == path.name:  # small, and elsewhere in another Blender
        return load_packed(path, f"UVAPM {environment.label}", LINEAR)
    image = bpy.data.images.load(str(path), check_existing=True)
    if 0 in image.size:
        if not image.users:
            bpy.data.images.remove(image)
        raise _unusable(path, "Blender cannot read the environment")
    if bpy.data.filepath:
        image.filepath = _relative(path)
    return image


def _relative(path: Path) -> str:
    try:
        return bpy.path.relpath(str(path))
    except ValueError:  # another drive on Windows
        return str(path)


def _unusable(path: Path, what: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT, f"{what}: {path}", "Choose an .hdr or .exr picture of all around."
    )
