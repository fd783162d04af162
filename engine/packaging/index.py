"""A static extension repository in Blender's own format: a folder that any web server can give."""

import shutil
import subprocess
from pathlib import Path

from engine.packaging.extension import blender_tool
from engine.packaging.problems import SetupError

FOLDER = "repository"
INDEX_FILE = "index.json"


def make_index(extension: Path, folder: Path, python: Path) -> Path:
    """Put the extension zip into `folder`, in place of other versions, and list what is there;
    returns index.json.

    Of two versions of one extension Blender would offer the first that is listed. python: has
    bpy, whose own generator writes the list. Raises SetupError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.glob(f"{extension.stem.partition('-')[0]}-*.zip"):
        other.unlink()
    shutil.copyfile(extension, folder / extension.name)
    tool, _ = blender_tool(python)
    command = [str(python), str(tool), "server-generate", "--repo-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    index = folder / INDEX_FILE
    if done.returncode or not index.is_file():
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise SetupError(f"Blender's repository generator failed: {' '.join(last)}", "")
    return index
