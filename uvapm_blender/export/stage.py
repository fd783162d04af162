"""Copies of a head that exporters write: new data-blocks, gone afterwards whatever happens."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np

from .geometry import PartGeometry
from .materials import new_material
from .pictures import Saved
from .read import BONES
from .settings import ExportSettings, Format
from .simplify import new_mesh
from .surface import Surface

_KINDS = ("objects", "meshes", "materials", "images", "armatures", "collections")
CENTIMETRES = 100.0


@dataclass(frozen=True, eq=False)
class Stage:
    """What to write: `frame` belongs to every file, `levels` are the meshes of each level."""

    frame: tuple[bpy.types.Object, ...]
    levels: tuple[tuple[bpy.types.Object, ...], ...]

    @property
    def everything(self) -> tuple[bpy.types.Object, ...]:
        """All objects."""
        return self.frame + tuple(item for level in self.levels for item in level)


@contextmanager
def staged(
    name: str,
    levels: Sequence[Sequence[PartGeometry]],
    surfaces: Mapping[str, Surface],
    saved: Mapping[str, Mapping[str, Saved]],
    kind: Format,
    settings: ExportSettings,
) -> Iterator[Stage]:
    """Build the copies in the scene; afterwards no data-block of theirs is left.

    name: of the file's root. saved: the pictures' files, by kind of part and use.
    """
    before = {block.session_uid for each in _KINDS for block in getattr(bpy.data, each)}
    try:
        collection = bpy.data.collections.new(name)
        bpy.context.scene.collection.children.link(collection)
        materials = {
            part_kind: new_material(f"{name}_{part_kind}", surface, saved[part_kind], kind)
            for part_kind, surface in surfaces.items()
        }
        yield _build(name, levels, materials, collection, kind, settings)
    finally:
        blocks = (block for each in _KINDS for block in getattr(bpy.data, each))
        bpy.data.batch_remove([block for block in blocks if block.session_uid not in before])


def _build(
    name: str,
    levels: Sequence[Sequence[PartGeometry]],
    materials: Mapping[str, bpy.types.Material],
    collection: bpy.types.Collection,
    kind: Format,
    settings: ExportSettings,
) -> Stage:
    axes = _axes(kind, settings)
    skeleton = _skeleton(name, levels[0], axes, collection) if settings.skeleton else None
    holder = _holder(name, levels, skeleton, collection, settings)
    parent = holder or skeleton
    if skeleton is not None and kind in (Format.GLB, Format.GLTF):
        parent = None  # glTF wants skinned meshes at the root: their parents move nothing
    made = []
    for number, parts in enumerate(levels):
        ending = f"_LOD{number}" if len(levels) > 1 else ""
        made.append(
            tuple(
                _object(_name(name, part, ending), part, materials, axes, parent) for part in parts
            )
        )
        for item, part in zip(made[-1], parts, strict=True):
            collection.objects.link(item)
            if number and kind not in (Format.GLB, Format.GLTF):
                # glTF stores normals of expressions too, which Blender takes from the mesh itself
                item.data.normals_split_custom_set_from_vertices(part.normals @ _turn(axes).T)
            if skeleton is not None:
                _bind(item, part, skeleton)
    bpy.context.view_layer.update()
    return Stage(tuple(each for each in (skeleton, holder) if each is not None), tuple(made))


def _name(name: str, part: PartGeometry, ending: str) -> str:
    label = part.label.replace(" ", "_")
    return f"{name}_{label}{ending}" if label else f"{name}{ending}"


def _axes(kind: Format, settings: ExportSettings) -> np.ndarray:
    """(3, 3) Blender metres to what is staged. FBX gets its own axes and units here, so that no
    object carries a rotation or scale; the other exporters turn what they write themselves."""
    if kind != Format.FBX:
        return np.eye(3, dtype=np.float32)
    return BLENDER_TO_FBX * (CENTIMETRES if settings.centimetres else 1.0)


def _turn(axes: np.ndarray) -> np.ndarray:
    """The rotation alone: Blender takes normals of another length than 1 for something else."""
    return axes / np.linalg.norm(axes[0])


BLENDER_TO_FBX = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)
"""Z up, face along -Y, to Y up, face along +Z: the inverse of `MODEL_TO_BLENDER`."""


def _object(
    name: str,
    part: PartGeometry,
    materials: Mapping[str, bpy.types.Material],
    axes: np.ndarray,
    parent: bpy.types.Object | None,
) -> bpy.types.Object:
    points = part.points @ axes.T
    mesh = new_mesh(name, part)
    mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
    mesh.update()
    for kind in part.kinds:
        mesh.materials.append(materials[kind])
    item = bpy.data.objects.new(name, mesh)
    item.parent = parent
    item.location = axes @ part.origin
    if part.keys:
        item.shape_key_add(name="Basis", from_mix=False)
    for key_name, moves in part.keys.items():
        key = item.shape_key_add(name=key_name, from_mix=False)
        places = points + moves @ axes.T
        key.points.foreach_set("co", np.ascontiguousarray(places, np.float32).ravel())
        key.value = part.weights[key_name]
    return item


def _holder(
    name: str,
    levels: Sequence[Sequence[PartGeometry]],
    skeleton: bpy.types.Object | None,
    collection: bpy.types.Collection,
    settings: ExportSettings,
) -> bpy.types.Object | None:
    """The empty above the meshes: the head, or the node that groups levels. Not needed where a
    skeleton or a single mesh is the root."""
    grouped = settings.lod_group and len(levels) > 1
    if not grouped and (skeleton is not None or sum(map(len, levels)) == 1):
        return None
    item = bpy.data.objects.new(f"{name}_LodGroup" if grouped else name, None)
    if grouped:
        item["fbx_type"] = "LodGroup"  # read by Blender's FBX exporter
    collection.objects.link(item)
    return item


def _skeleton(
    name: str,
    parts: Sequence[PartGeometry],
    axes: np.ndarray,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """Bones: a root at the origin, the head above the neck's end, an eye each."""
    armature = bpy.data.armatures.new("Armature")
    # Unreal takes any other name of this object for one more bone
    item = bpy.data.objects.new("Armature", armature)
    collection.objects.link(item)
    layer = bpy.context.view_layer
    active = layer.objects.active
    layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        _add_bones(armature, parts, axes)
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        layer.objects.active = active
    return item


BONE_LENGTH = 0.03
"""Metres. Ours: short enough to lie inside an eyeball's socket."""


def _add_bones(
    armature: bpy.types.Armature, parts: Sequence[PartGeometry], axes: np.ndarray
) -> None:
    everything = np.concatenate([part.points + part.origin for part in parts])
    bones = np.concatenate([part.bones for part in parts])
    low = everything[:, 2].min()
    places = {"root": np.zeros(3), "head": np.array([0.0, everything[:, 1].mean(), low])}
    for bone in ("eye_L", "eye_R"):
        own = everything[bones == BONES.index(bone)]
        if len(own):
            places[bone] = (own.min(0) + own.max(0)) / 2
    up, ahead = np.array([0.0, 0.0, BONE_LENGTH]), np.array([0.0, -BONE_LENGTH, 0.0])
    for bone, place in places.items():
        made = armature.edit_bones.new(bone)
        made.head = axes @ place
        made.tail = axes @ (place + (ahead if bone.startswith("eye") else up))
        if bone != "root":
            made.parent = armature.edit_bones["root" if bone == "head" else "head"]


def _bind(item: bpy.types.Object, part: PartGeometry, skeleton: bpy.types.Object) -> None:
    for index in np.unique(part.bones):
        group = item.vertex_groups.new(name=BONES[index])
        group.add(np.flatnonzero(part.bones == index).tolist(), 1.0, "REPLACE")
    item.modifiers.new("Armature", "ARMATURE").object = skeleton
