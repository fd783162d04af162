"""Two worlds, one door: no torch on Blender's side, no bpy on the engine's."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STANDARD = set(sys.stdlib_module_names)

IMPORT_ALL = """
import importlib, pkgutil, sys
import engine.protocol as protocol
for module in pkgutil.iter_modules(protocol.__path__):
    importlib.import_module("engine.protocol." + module.name)
print(" ".join(sorted(name.split(".")[0] for name in sys.modules)))
"""


def sources(folder: str) -> Iterator[Path]:
    yield from sorted((ROOT / folder).rglob("*.py"))


@cache
def imported(path: Path) -> set[str]:
    """Outermost names of all absolute imports of a file, also those inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).split(".")[0])
    return names


@cache
def reached(path: Path) -> set[str]:
    """Folders of the engine that a file's relative imports lead to."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.resolve().parents[node.level - 1]
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            for module in modules:
                target = base.joinpath(*module.split("."))
                if target.is_relative_to(ROOT / "engine"):
                    found.add(target.relative_to(ROOT / "engine").parts[0])
    return found


def test_the_protocol_loads_neither_torch_nor_bpy() -> None:
    done = subprocess.run(
        [sys.executable, "-E", "-c", IMPORT_ALL],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"torch", "bpy", "cv2", "PIL", "scipy", "safetensors"}


def test_the_protocol_imports_standard_library_and_numpy_only() -> None:
    for path in sources("engine/protocol"):
        assert imported(path) <= STANDARD | {"numpy"}, path
        assert reached(path) <= {"protocol"} | {each.stem for each in path.parent.glob("*.py")}, (
            path
        )


@pytest.mark.parametrize("banned", ["bpy", "bmesh", "mathutils", "gpu", "uvapm_blender", "pickle"])
def test_the_engine_knows_no_blender(banned: str) -> None:
    for path in sources("engine"):
        assert banned not in imported(path), path


@pytest.mark.parametrize("banned", ["torch", "cv2", "PIL", "scipy", "safetensors", "pickle"])
def test_the_add_on_knows_no_torch(banned: str) -> None:
    for path in [*sources("uvapm_blender"), ROOT / "__init__.py"]:
        if path.exists():
            assert banned not in imported(path), path


def test_the_add_on_reaches_only_the_protocol() -> None:
    for path in sources("uvapm_blender"):
        assert reached(path) <= {"protocol"}, path


def test_the_extension_has_no_fixed_package_name() -> None:
    """Blender names the outermost package, so what it loads may import itself only relatively."""
    for path in [*sources("uvapm_blender"), *sources("engine/protocol"), ROOT / "__init__.py"]:
        if path.exists():
            assert not imported(path) & {"engine", "uvapm_blender", "uvapm"}, path


def test_help_is_quick_and_needs_no_torch() -> None:
    script = (
        "import sys\n"
        "from engine.cli import main\n"
        "try:\n    main(['fit', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "assert not {'torch', 'cv2', 'PIL', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-E", "-c", script], cwd=ROOT, capture_output=True, check=True)
