"""`build_scene`: one result becomes one head in the scene, or nothing at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError
from ...engine.protocol.recipe import recipe_of
from ...engine.protocol.result import ResultPackage
from ..declarations import PROPERTY
from ..detail.sources import describe_detail
from ..engine_client.status import plain_words
from ..packs.licences import licences_of
from ..properties import SCHEMA_VERSION
from ..relight.environments import PLAIN
from ..relight.worlds import suit
from ..rig.fixes import add_fixes
from ..shape.describe import describe_shape
from ..skin.describe import describe_skin
from . import camera, groups, material, mesh, photo, place, world
from .eye_material import iris_colour
from .images import COLOUR, DATA, load_packed, read_pixels
from .made import Steps, at_once, nothing_on_error
from .plan import HeadPlan, plan_head

MAPS = {"albedo": COLOUR, "normal": DATA, "roughness": DATA, "eye": COLOUR, "lash": COLOUR}
"""Maps that the materials use, with their colour space; the last two are optional."""


@dataclass(frozen=True, eq=False)
class BuiltHead:
    """The data-blocks of a new head. For immediate use: undo makes such references stale."""

    collection: bpy.types.Collection
    root: bpy.types.Object
    head: bpy.types.Object
    parts: tuple[bpy.types.Object, ...]
    camera: bpy.types.Object
    world: bpy.types.World
    warnings: tuple[str, ...]


def build_scene(
    result: ResultPackage, context: bpy.types.Context, plan: HeadPlan | None = None
) -> BuiltHead:
    """Add the head of a result to the scene in one go: see `build_steps`. When anything fails, the
    scene stays as it was and the error goes on."""
    with nothing_on_error():
        return at_once(build_steps(result, context, plan or plan_head(result)))


def build_steps(
    result: ResultPackage, context: bpy.types.Context, plan: HeadPlan
) -> Steps[BuiltHead]:
    """Add the head of a result to the scene: meshes, materials, camera, world. plan: of this very
    result.

    The head stands at the scene's origin, or to the right of what is in its way. The scene
    takes over the photo's camera, light and picture (see `match_photo`). A few tens of
    milliseconds at most pass between two items; the scene changes after the last one only.
    """
    name = plain_words(Path(result.manifest.photo.path).stem) or "Head"
    collection = bpy.data.collections.new(name)
    root = bpy.data.objects.new(name, None)
    root.empty_display_type, root.empty_display_size = "PLAIN_AXES", 0.05
    pictures = yield from load_maps(result, name)
    parts = yield from _build_parts(result, plan, name, root, pictures)
    eye_of_photo = camera.new_camera(f"{name} camera", result.manifest.camera, root)
    warnings = _put_photo(result, name, eye_of_photo)
    yield
    light = world.new_world(name, np.asarray(result.manifest.light.sh))
    for item in (root, *parts, eye_of_photo):
        collection.objects.link(item)
    yield
    _assign_roles(root, parts, eye_of_photo)
    getattr(root, PROPERTY).camera, getattr(root, PROPERTY).world = eye_of_photo, light
    describe_head(root, result, pictures, warnings)
    yield
    add_fixes(root)
    yield
    root.location.x = place.free_x(result, context)
    context.scene.collection.children.link(collection)
    match_photo(root, context.scene)
    context.view_layer.update()  # world matrices and driven keys are right from the start
    _select(parts[0], context)
    return BuiltHead(collection, root, parts[0], parts, eye_of_photo, light, warnings)


def match_photo(root: bpy.types.Object, scene: bpy.types.Scene) -> None:
    """Look at a head as its photo did: camera, light, picture size, plain view transform.

    "Standard" shows the albedo and light as they were fitted; AgX would grade them.
    """
    head = getattr(root, PROPERTY)
    if head.camera is not None:
        scene.camera = head.camera
    if head.world is not None:
        scene.world = head.world
    render = scene.render
    render.resolution_x, render.resolution_y = head.resolution
    render.resolution_percentage = 100
    render.pixel_aspect_x, render.pixel_aspect_y = head.pixel_aspect
    render.film_transparent = True  # the photo stays visible behind the head, and in a composite
    suit(scene, PLAIN)


def load_maps(result: ResultPackage, name: str) -> Steps[dict[str, bpy.types.Image]]:
    """New packed images of the maps that the materials use, by the names of `MAPS`."""
    pictures = {}
    for key, space in MAPS.items():
        if f"maps/{key}.png" in result.manifest.files:
            path = result.path(f"maps/{key}.png")
            pictures[key] = load_packed(path, f"{name} {key}", space)
            yield
    return pictures


def _build_parts(
    result: ResultPackage,
    plan: HeadPlan,
    name: str,
    root: bpy.types.Object,
    images: dict[str, bpy.types.Image],
) -> Steps[tuple[bpy.types.Object, ...]]:
    materials, objects = {}, []
    iris = yield from _pick_iris(images)
    for kind in dict.fromkeys(part.plan.material for part in plan.arrays):
        materials[kind] = material.new_material(kind, f"{name} {kind}", images, iris)
        yield
    for part in plan.arrays:
        paint = materials[part.plan.material]
        objects.append(mesh.new_object(f"{name} {part.plan.label}", part, paint, root))
        yield
    yield from _add_expressions(result, objects, plan.arrays)
    for item, levels in zip(objects, plan.groups, strict=True):
        groups.add_groups(item, levels)
        yield
    return tuple(objects)


def _pick_iris(images: dict[str, bpy.types.Image]) -> Steps[material.Colour]:
    """Linear RGB of the iris in the eye's picture."""
    if "eye" not in images:
        return material.PLAIN_IRIS
    width, height = images["eye"].size  # decodes it, and takes half of the time
    yield
    if width != height or not images["eye"].has_data:
        return material.PLAIN_IRIS  # a stranger's picture
    colour = iris_colour(read_pixels(images["eye"]))
    yield
    return colour


def _add_expressions(
    result: ResultPackage, objects: list[bpy.types.Object], arrays: tuple[mesh.PartArrays, ...]
) -> Steps[None]:
    """Keys on every part that moves; the first part has them all and drives the others."""
    names = result.manifest.mesh.expression_names
    if not names:
        return
    weights = dict(zip(names, map(float, result.coefficients["expression"]), strict=True))
    master = objects[0]
    mesh.add_keys(master, arrays[0], names, always=frozenset(names))
    mesh.set_keys(master, weights)
    yield
    for part, part_arrays in zip(objects[1:], arrays[1:], strict=True):
        mesh.add_keys(part, part_arrays, names, always=frozenset())
        mesh.drive_keys(part, master)
        yield


def _put_photo(result: ResultPackage, name: str, eye_of_photo: bpy.types.Object) -> tuple[str, ...]:
    """The photo behind the camera; a photo that is gone is a warning, not a failure."""
    try:
        image = photo.load_photo(result.manifest.photo, f"{name} photo")
    except EngineError as error:
        return (error.message,)
    camera.show_photo(eye_of_photo, image)
    return ()


def describe_head(
    root: bpy.types.Object,
    result: ResultPackage,
    pictures: Mapping[str, bpy.types.Image],
    warnings: tuple[str, ...],
) -> None:
    """Fill the properties that are saved on the root of a new or a refitted head.

    pictures: its images by the names of `MAPS`.
    """
    _describe(root, result, warnings)
    describe_detail(root, result, pictures["albedo"])
    describe_shape(root, result)
    describe_skin(root, result, pictures)


def _describe(root: bpy.types.Object, result: ResultPackage, warnings: tuple[str, ...]) -> None:
    manifest, head = result.manifest, getattr(root, PROPERTY)
    head.schema_version = SCHEMA_VERSION
    head.result_folder = _stored_path(result.folder)
    head.photo = _stored_path(Path(manifest.photo.path))
    head.recipe = recipe_of(result)
    head.pack = f"{manifest.pack.id} {manifest.pack.version}"
    head.licences = "\n".join(licences_of(manifest))
    head.warnings = _lines((*manifest.warnings, *warnings))
    head.metrics = _lines(f"{name}: {value:.4g}" for name, value in manifest.metrics.items())
    head.resolution = manifest.camera.width, manifest.camera.height
    head.pixel_aspect = camera.lens_of(manifest.camera).aspect


def _lines(texts: Iterable[str]) -> str:
    """One text a line, as Blender can hold it: results come from strangers too."""
    return "\n".join(plain_words(text).replace("\n", " ") for text in texts)


def _assign_roles(
    root: bpy.types.Object, parts: tuple[bpy.types.Object, ...], eye_of_photo: bpy.types.Object
) -> None:
    getattr(root, PROPERTY).role = "ROOT"
    getattr(eye_of_photo, PROPERTY).role = "CAMERA"
    for part in parts:
        getattr(part, PROPERTY).role = "PART"
    getattr(parts[0], PROPERTY).role = "SKIN"


def _stored_path(path: Path) -> str:
    """Relative to the .blend when that is saved, so that a project folder can be moved."""
    if not bpy.data.filepath:
        return str(path)
    try:
        return bpy.path.relpath(str(path))
    except ValueError:  # another drive on Windows
        return str(path)


def _select(skin: bpy.types.Object, context: bpy.types.Context) -> None:
    """The skin becomes the only selected and the active object: its sliders are at hand."""
    for item in context.view_layer.objects:
        item.select_set(False)
    skin.select_set(True)
    context.view_layer.objects.active = skin
