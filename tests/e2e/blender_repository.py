"""Adds a repository over loopback to an empty Blender: install, update, remove. Prints the facts.

python blender_repository.py ADDRESS NEWER_ZIP REPOSITORY, with the project on PYTHONPATH
"""

import json
import os
import sys
import tomllib
from pathlib import Path

import bpy

from engine.packaging.index import make_index

ID = "uvapm"


def version_of(folder: Path) -> str:
    """Version of the extension installed there, "" when there is none."""
    manifest = folder / "blender_manifest.toml"
    return tomllib.loads(manifest.read_text())["version"] if manifest.is_file() else ""


def main() -> dict[str, object]:
    """Walk through the life of an extension from a repository."""
    address, newer, folder = sys.argv[1], *map(Path, sys.argv[2:])
    preferences = bpy.context.preferences
    preferences.system.use_online_access = True
    repositories = preferences.extensions.repos
    repository = repositories.new(name="own", module="own", remote_url=address)
    repository.use_remote_url = True
    number = list(repositories).index(repository)
    module = f"bl_ext.own.{ID}"
    home = Path(bpy.utils.user_resource("EXTENSIONS")) / "own" / ID
    facts: dict[str, object] = {"before": version_of(home)}
    bpy.ops.extensions.repo_sync(repo_index=number)
    bpy.ops.extensions.package_install(repo_index=number, pkg_id=ID, enable_on_install=True)
    facts["installed"] = version_of(home)
    facts["enabled"] = module in preferences.addons
    make_index(newer, folder, Path(sys.executable))
    bpy.ops.extensions.repo_sync(repo_index=number)
    bpy.ops.extensions.package_install(repo_index=number, pkg_id=ID, enable_on_install=True)
    facts["updated"] = version_of(home)
    bpy.ops.extensions.package_uninstall(repo_index=number, pkg_id=ID)
    facts["removed"] = not home.exists()
    return facts


if __name__ == "__main__":
    print("FACTS", json.dumps(main()), flush=True)
    os._exit(0)  # Blender 4.2 as a module crashes at its end
