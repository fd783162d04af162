"""A name for the extension's outermost package outside Blender.

Inside the extension the parts import each other relatively (`from ..engine.protocol import ...`),
and Blender chooses the name of the package around them. Tests and headless jobs run straight from
the repository, where that name must be given.
"""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

NAME = "uvapm"


def name_outer_package(root: Path) -> None:
    """Make `uvapm.uvapm_blender` and `uvapm.engine` importable from the folder `root`."""
    spec = importlib.machinery.ModuleSpec(NAME, None, is_package=True)
    spec.submodule_search_locations = [str(root)]
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
