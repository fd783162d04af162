"""The life of the built zip in a Blender of its own. Run: blender_life.py ZIP PHOTO NO_FACE OUT.

Prints one JSON object; the test beside it judges.
"""

import json
import os
import sys
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.uvapm"
KINDS = ("objects", "meshes", "materials", "images", "cameras", "worlds", "collections")


def snapshot():
    return {kind: sorted(each.name for each in getattr(bpy.data, kind)) for kind in KINDS}


def preferences():
    return bpy.context.preferences.addons[MODULE].preferences


def skins():
    return [each for each in bpy.data.objects if each.uvapm.role == "SKIN"]


def describe_heads():
    images = [each for each in bpy.data.images if each.type == "IMAGE" and each.size[0]]
    return {
        "skins": sorted(each.name for each in skins()),
        "keys": [len(each.data.shape_keys.key_blocks) for each in skins()],
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
    bpy.ops.preferences.addon_disable(module=MODULE)
    return facts


if __name__ == "__main__":
    print("FACTS " + json.dumps(main(*sys.argv[1:])))
    sys.stdout.flush()
    os._exit(0)  # Blender 4.2 as a module crashes while Python shuts down
