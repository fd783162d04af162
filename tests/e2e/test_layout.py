"""What holds for the repository as a whole."""

import ast
import re
import subprocess
import sys

import pytest

LIMIT = 300


def _imports(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def _files(folder):
    return [path for path in folder.rglob("*.py") if "__pycache__" not in path.parts]


@pytest.mark.parametrize(
    ("folder", "banned"),
    [
        ("engine", {"bpy", "bmesh", "mathutils"}),
        ("engine/protocol", {"torch", "cv2", "PIL", "scipy", "safetensors"}),
        ("engine/packaging", {"torch", "numpy", "cv2", "PIL"}),
        ("uvapm_blender", {"torch", "cv2", "PIL", "scipy"}),
    ],
)
def test_folder_imports_nothing_of_the_other_side(root, folder, banned):
    files = _files(root / folder)
    if not files:
        pytest.skip(f"{folder} has no code yet")
    found = {str(path.relative_to(root)): banned & set(_imports(path)) for path in files}
    assert {name: names for name, names in found.items() if names} == {}


def _calls_of(path, name):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
            yield node


def test_torch_load_takes_weights_only(root):
    for path in _files(root / "engine"):
        for call in _calls_of(path, "torch.load"):
            settings = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert settings.get("weights_only") == "True", path


def test_protocol_loads_without_torch(root):
    code = (
        "import sys, pkgutil, importlib, engine.protocol as p\n"
        "for m in pkgutil.walk_packages(p.__path__, 'engine.protocol.'):\n"
        "    importlib.import_module(m.name)\n"
        "bad = {'torch', 'cv2', 'PIL', 'scipy', 'bpy'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_files_stay_readable(root):
    sources = [path for top in ("engine", "uvapm_blender", "tests") for path in _files(root / top)]
    lines = {
        str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines())
        for path in [root / "build_addon.py", *sources]
        if path.is_file()
    }
    assert {name: count for name, count in lines.items() if count > LIMIT} == {}


def test_readme_points_at_files_that_exist(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (root / link).is_file()] == []


def test_readme_commands_are_understood(root):
    """Each command of the README with --help added; none of them may have been renamed."""
    text = (root / "README.md").read_text(encoding="utf-8")
    commands = set(
        re.findall(r"python (build_addon\.py \w+|-m engine \w+(?: (?!FOLDER)\w+)?)", text)
    )
    assert len(commands) >= 8
    for command in sorted(commands):
        words = command.split()
        if words[:2] == ["build_addon.py", "test"]:
            words = words[:1]
        if words[2:3] == ["fit"]:
            words = words[:3]
        done = subprocess.run(
            [sys.executable, *words, "--help"], cwd=root, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stderr)


def test_code_is_formatted_and_clean(root):
    for arguments in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "."]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
