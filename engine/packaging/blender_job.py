"""The process that builds a head in Blender without a window and writes 3D files.

Run as `python -m engine.packaging.blender_job RESULT FOLDER FORMAT [FORMAT ...]` by an interpreter
that has bpy. It only finds the add-on and calls it: the work is uvapm_blender/headless.py.
"""

import importlib
import os
import sys
from pathlib import Path

from engine.packaging.outer_package import NAME, name_outer_package

FORMATS = ("blend", "glb", "fbx", "gltf", "obj", "usdc", "usdz")


def main(arguments: list[str]) -> int:
    """Build the head of the result directory and write head.<format> files into the folder."""
    result, folder, *formats = arguments
    name_outer_package(Path(__file__).resolve().parents[2])
    errors = importlib.import_module(f"{NAME}.engine.protocol.errors")
    headless = importlib.import_module(f"{NAME}.uvapm_blender.headless")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        headless.build_head(Path(result), Path(folder), tuple(formats))
    except errors.EngineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"{folder} cannot be written ({error.strerror}).", file=sys.stderr)
        return errors.EXIT_BAD_INPUT
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender 4.2 as a module crashes while Python shuts down; there is nothing left to do.
    os._exit(code)
