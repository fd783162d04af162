"""Nodes of a world that shows one picture all around, and the two values to play with.

Strength and rotation are the nodes' own sockets: Blender animates, drives, saves and undoes them.
"""

from dataclasses import dataclass

import bpy

TURN = "Rotation"
"""Label of the node that turns the picture about the vertical."""
GAP = 320
"""Distance between our nodes in the editor."""
MAP_LEAST, MAP_MOST = 64, 4096
"""Columns of the map by which Cycles chooses where light comes from."""


@dataclass(frozen=True, eq=False)
class Controls:
    """Sockets of a world, None where it lacks them. For immediate use.

    strength: factor. rotation: Euler angles in radians; the third turns the light
    counter-clockwise as seen from above.
    """

    strength: bpy.types.NodeSocket | None
    rotation: bpy.types.NodeSocket | None


def fill(world: bpy.types.World, image: bpy.types.Image, label: str) -> None:
    """Make a new world show a linear picture in Blender's equirectangular layout."""
    if not world.node_tree:  # deprecated switch, still needed before Blender 5
        world.use_nodes = True
    tree = world.node_tree
    background = background_of(world)
    picture = tree.nodes.new("ShaderNodeTexEnvironment")
    picture.location = (background.location.x - GAP, background.location.y)
    picture.label, picture.image = label, image
    tree.links.new(picture.outputs["Color"], background.inputs["Color"])
    background.inputs["Strength"].default_value = 1.0
    renew(world)


def renew(world: bpy.types.World) -> None:
    """Give a world what an earlier version did not: its rotation, and quick sampling."""
    picture = picture_of(world)
    if picture is None or picture.image is None:
        return
    _set_sampling(world, picture.image)
    if not picture.inputs["Vector"].is_linked:
        _add_turn(world, picture)


def _add_turn(world: bpy.types.World, picture: bpy.types.ShaderNodeTexEnvironment) -> None:
    nodes, links = world.node_tree.nodes, world.node_tree.links
    turn = nodes.new("ShaderNodeMapping")
    turn.label = TURN
    turn.vector_type = "TEXTURE"  # the inverse: the picture turns by the angle, not the look
    turn.location = (picture.location.x - GAP, picture.location.y)
    coordinates = nodes.new("ShaderNodeTexCoord")
    coordinates.location = (picture.location.x - 2 * GAP, picture.location.y)
    links.new(coordinates.outputs["Generated"], turn.inputs["Vector"])
    links.new(turn.outputs["Vector"], picture.inputs["Vector"])


def _set_sampling(world: bpy.types.World, image: bpy.types.Image) -> None:
    """As many places to sample as the picture has columns. Left to itself Cycles makes a map of
    4096 columns before each render: 1.5 s of the processor, and 300 MB, for nothing."""
    if hasattr(world, "cycles"):
        world.cycles.sampling_method = "MANUAL"
        world.cycles.sample_map_resolution = min(max(image.size[0], MAP_LEAST), MAP_MOST)


def keep_soft(world: bpy.types.World) -> None:
    """A world without a sun: EEVEE else takes lamps and windows together for one hard sun."""
    world.sun_threshold = 0.0  # 0: never


def controls_of(world: bpy.types.World | None) -> Controls:
    """The two sockets of a world, ours or the user's own."""
    background = background_of(world)
    strength = None if background is None else background.inputs["Strength"]
    picture = picture_of(world)
    links = () if picture is None else picture.inputs["Vector"].links
    turn = next((link.from_node for link in links if link.from_node.type == "MAPPING"), None)
    return Controls(strength, None if turn is None else turn.inputs["Rotation"])


def background_of(world: bpy.types.World | None) -> bpy.types.ShaderNodeBackground | None:
    """The world's Background node, by type: names are translated."""
    return _first(world, "BACKGROUND")


def picture_of(world: bpy.types.World | None) -> bpy.types.ShaderNodeTexEnvironment | None:
    """The world's Environment Texture node."""
    return _first(world, "TEX_ENVIRONMENT")


def _first(world: bpy.types.World | None, kind: str) -> bpy.types.Node | None:
    nodes = world.node_tree.nodes if world is not None and world.node_tree else ()
    return next((node for node in nodes if node.type == kind), None)
