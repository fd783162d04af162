"""The life of the built zip in a Blender of its own. Run: blender_life.py ZIP PHOTO NO_FACE OUT.

Prints one JSON object; the test beside it judges.
"""

import json
import os
import sys
from pathlib import Path

import bpy
import numpy as np

MODULE = "bl_ext.user_default.uvapm"
STEPS = 20
KINDS = ("objects", "meshes", "materials", "images", "cameras", "worlds", "collections")


def snapshot():
    return {kind: sorted(each.name for each in getattr(bpy.data, kind)) for kind in KINDS}


def preferences():
    return bpy.context.preferences.addons[MODULE].preferences


def skins():
    return [each for each in bpy.data.objects if each.uvapm.role == "SKIN"]


def keys(skin):
    return skin.data.shape_keys.key_blocks


def describe_heads():
    images = [each for each in bpy.data.images if each.type == "IMAGE" and each.size[0]]
    return {
        "skins": sorted(each.name for each in skins()),
        "keys": [sum(not key.name.startswith("fix ") for key in keys(each)) for each in skins()],
        "faces": [len(each.data.polygons) for each in skins()],
        "uvs": [len(each.data.uv_layers) for each in skins()],
        "cameras": len(bpy.data.cameras),
        "images": {each.name: [bool(each.packed_file), max(each.pixels)] for each in images},
    }


def refuse(photo):
    """The operator's own words about a photo it cannot use."""
    try:
        bpy.ops.uvapm.reconstruct(filepath=str(photo))
    except RuntimeError as error:
        return str(error)
    return ""


def export(folder):
    sizes = {}
    bpy.context.view_layer.objects.active = skins()[0]
    for name, extension in (("FBX", "fbx"), ("GLB", "glb")):
        path = folder / f"head.{extension}"
        bpy.ops.uvapm.export_head(filepath=str(path), format=name)
        sizes[extension] = path.stat().st_size
    return sizes


def root_of(name):
    """Never kept across undo: it makes references stale."""
    return bpy.data.objects[name]


def points(name):
    skin = next(each for each in root_of(name).children if each.uvapm.role == "SKIN")
    basis = skin.data.shape_keys.key_blocks[0]
    values = np.empty(3 * len(basis.points), np.float32)
    basis.points.foreach_get("co", values)
    return values


def colour(name):
    """Mean of the albedo that is shown."""
    image = root_of(name).uvapm.detail.albedo
    values = np.empty(4 * image.size[0] * image.size[1], np.float32)
    image.pixels.foreach_get(values)
    return float(values.mean())


def state(name):
    return points(name), colour(name)


def distance(one, other):
    """Millimetres and grey levels between two states."""
    moved = 1e3 * float(np.abs(one[0] - other[0]).max())
    return moved, 255.0 * abs(one[1] - other[1])


def edit(name, step):
    """An undo step of an artist: a slider of the shape, or one of the skin."""
    head = root_of(name).uvapm
    if step % 2:
        head.skin.lighter = step * 0.1
    else:
        head.shape.components[step % 8].value += 0.5
    bpy.ops.ed.undo_push(message=f"step {step}")


def undo_and_redo(mine, other):
    """Twenty edits of a head taken back and done again, beside another head."""
    bpy.ops.ed.undo_push(message="start")
    begun, still = state(mine), state(other)
    for step in range(STEPS):
        edit(mine, step)
    edited = state(mine)
    for _ in range(STEPS):
        bpy.ops.ed.undo()
    undone = state(mine)
    for _ in range(STEPS):
        bpy.ops.ed.redo()
    return {
        "edited": distance(edited, begun),
        "undone": distance(undone, begun),
        "redone": distance(state(mine), edited),
        "other": distance(state(other), still),
    }


def duplicate(mine):
    """A linked duplicate that is edited; what its original does meanwhile."""
    for item in bpy.context.view_layer.objects:
        item.select_set(item == root_of(mine) or item in root_of(mine).children_recursive)
    bpy.context.view_layer.objects.active = root_of(mine)
    bpy.ops.object.duplicate(linked=True)
    copy = bpy.context.view_layer.objects.active.name
    begun, still = state(copy), state(mine)
    edit(copy, 2)
    edit(copy, 3)
    return {"copy": distance(state(copy), begun), "original": distance(state(mine), still)}


def remove_all():
    """Every head by its button, then a purge; what is left."""
    while roots := [each for each in bpy.data.objects if each.uvapm.role == "ROOT"]:
        bpy.context.view_layer.objects.active = roots[0]
        bpy.ops.uvapm.remove_head()
    bpy.context.scene.world = None
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    return snapshot()


def main(zip_path, photo, no_face, out):
    facts = {}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.extensions.package_install_files(
        filepath=zip_path, repo="user_default", enable_on_install=True
    )
    facts["enabled"] = MODULE in bpy.context.preferences.addons
    preferences().engine_python = sys.executable
    before = snapshot()
    facts["no_face"] = refuse(no_face)
    facts["missing"] = refuse(Path(out) / "nobody.jpg")
    facts["untouched"] = snapshot() == before
    facts["first"] = list(bpy.ops.uvapm.reconstruct(filepath=photo))
    facts["one"] = describe_heads()
    facts["second"] = list(bpy.ops.uvapm.reconstruct(filepath=photo))
    facts["two"] = describe_heads()
    facts["exported"] = export(Path(out))
    blend = str(Path(out) / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.wm.open_mainfile(filepath=blend)
    facts["reloaded"] = describe_heads()
    for _ in range(2):
        bpy.ops.preferences.addon_disable(module=MODULE)
        facts["left"] = [name for name in dir(bpy.types) if name.startswith("UVAPM_")]
        bpy.ops.preferences.addon_enable(module=MODULE)
    facts["again"] = hasattr(bpy.types, "UVAPM_PT_main")
    first, second = (each.name for each in bpy.data.objects if each.uvapm.role == "ROOT")
    facts["undo"] = undo_and_redo(first, second)
    facts["duplicate"] = duplicate(first)
    facts["purged"] = remove_all() == before
    bpy.ops.preferences.addon_disable(module=MODULE)
    return facts


if __name__ == "__main__":
    print("FACTS " + json.dumps(main(*sys.argv[1:])))
    sys.stdout.flush()
    os._exit(0)  # Blender 4.2 as a module crashes while Python shuts down
