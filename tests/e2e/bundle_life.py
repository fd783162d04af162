"""The offline bundle in a Blender of its own, from the click that installs the engine to nothing
left. Run: bundle_life.py BUNDLE PHOTO OUT; `build_addon.py blenders --bundle` does.

Prints one line of facts; ends with exit code 1 when one of them is not as it should be.
"""

import json
import os
import sys
import time
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.uvapm"


def install(bundle: Path) -> None:
    """The extension, by Blender's own operator."""
    bpy.ops.extensions.package_install_files(
        filepath=str(bundle), repo="user_default", enable_on_install=True
    )


def remaining(home: Path) -> list[str]:
    """Files of the extension that are still there."""
    found = (path for path in home.rglob("*") if path.is_file() and "uvapm" in path.parts)
    return sorted(str(path.relative_to(home)) for path in found)


def main() -> dict[str, object]:
    """Walk through it; each step's seconds and what it left."""
    bundle, photo, out = map(Path, sys.argv[1:])
    home = Path(os.environ["BLENDER_USER_RESOURCES"])
    facts: dict[str, object] = {"blender": bpy.app.version_string}
    begun = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal begun
        now = time.perf_counter()
        facts[f"{name}_seconds"] = round(now - begun, 1)
        begun = now

    install(bundle)
    facts["enabled"] = MODULE in bpy.context.preferences.addons
    lap("extension")
    bpy.ops.uvapm.install_engine()
    lap("engine")
    facts["fitted"] = bpy.ops.uvapm.reconstruct(filepath=str(photo)) == {"FINISHED"}
    lap("photo")
    skin = next(each for each in bpy.data.objects if each.uvapm.role == "SKIN")
    bpy.context.view_layer.objects.active = skin
    for name in ("FBX", "GLB"):
        path = out / f"head.{name.lower()}"
        bpy.ops.uvapm.export_head(filepath=str(path), format=name)
        facts[name] = path.stat().st_size > 1_000_000
    lap("export")
    bpy.ops.uvapm.uninstall_engine()
    lap("uninstall")
    facts["engine_gone"] = not [name for name in remaining(home) if "engine-env" in name]
    repositories = list(bpy.context.preferences.extensions.repos)
    number = next(i for i, each in enumerate(repositories) if each.module == "user_default")
    bpy.ops.extensions.package_uninstall(repo_index=number, pkg_id="uvapm")
    facts["left"] = remaining(home)
    return facts


if __name__ == "__main__":
    found = main()
    print("FACTS", json.dumps(found), flush=True)
    good = all(found[name] for name in ("enabled", "fitted", "FBX", "GLB", "engine_gone"))
    os._exit(0 if good and not found["left"] else 1)  # Blender 4.2 crashes at its end
