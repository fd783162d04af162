"""The Blender tests and the slider bench in several versions of Blender."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.packaging.environment import make_environment
from engine.packaging.problems import SetupError
from engine.packaging.progress import Progress
from engine.packaging.system import check_machine

BENCH = "tests/blender/bench_sliders.py"
BUNDLE = "tests/e2e/bundle_life.py"
REPOSITORY = "tests/e2e/test_repository.py"
TESTS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/blender", REPOSITORY)


@dataclass(frozen=True)
class BlenderModule:
    """A version of Blender as a Python module. python: the one it is built for; packages: what
    it asks for or ships with, pinned as in that Blender."""

    bpy: str
    python: tuple[int, int]
    packages: tuple[str, ...]


_WITH_PYTHON_313 = ("numpy==2.5.5", "attrs==26.1.0", "cattrs==26.2.1", "certifi==2026.10.18")
BLENDERS = {
    "4.2": BlenderModule("4.2.23", (3, 11), ("numpy==1.26.4",)),
    "4.5": BlenderModule("4.5.15", (3, 11), ("numpy==1.26.4",)),
    "5.0": BlenderModule("5.0.1", (3, 11), ("numpy==1.26.4",)),
    "5.2": BlenderModule("5.2.3", (3, 13), _WITH_PYTHON_313),
}
"""The supported versions that there is a module of, by the name that people use."""
_TOOLS = ("pytest", "hypothesis", "pillow")
"""What the tests need besides, as the requirement files pin it."""


def run_blenders(root: Path, versions: tuple[str, ...], words: tuple[str, ...]) -> int:
    """Run Python with `words` (`TESTS`, `BENCH`, ...) in the project, in each version of Blender,
    with an empty user folder. Exit code.

    A version whose Python is not on this machine is left out and said, which counts as failed.
    """
    progress = Progress()
    check_machine()
    outcomes = {}
    for version in versions:
        try:
            python = _environment(root, version, progress)
        except SetupError as problem:
            outcomes[version] = str(problem)
            continue
        progress.say(f"running {' '.join(words)} in Blender {version}")
        outcomes[version] = _run(root, python, words)
    for version, outcome in outcomes.items():
        print(f"Blender {version}: {outcome or 'as it should be'}")
    return int(any(outcomes.values()))


def bundle_words(bundle: Path, photo: Path, out: Path) -> tuple[str, ...]:
    """What installs the engine from an offline bundle, fits, exports and takes all away."""
    out.mkdir(parents=True, exist_ok=True)
    return (BUNDLE, str(bundle.resolve()), str(photo.resolve()), str(out.resolve()))


def _run(root: Path, python: Path, words: tuple[str, ...]) -> str:
    """What went wrong, "" for nothing."""
    with tempfile.TemporaryDirectory(prefix="uvapm-blender-", ignore_cleanup_errors=True) as home:
        own = os.environ | {"BLENDER_USER_RESOURCES": home}
        code = subprocess.run([str(python), *words], cwd=root, env=own).returncode
    return f"failed, exit code {code}" if code else ""


def _environment(root: Path, version: str, progress: Progress) -> Path:
    """Interpreter with that Blender, made at the first use. Raises SetupError."""
    module = BLENDERS[version]
    files = [root / "wheels" / f"requirements-{group}.txt" for group in ("engine", "dev")]
    pins = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    tools = [line for line in pins if line.lower().startswith(tuple(f"{t}==" for t in _TOOLS))]
    packages = (f"bpy=={module.bpy}", *module.packages, *tools)
    folder = root / f".venv-blender-{version}"
    return make_environment(folder, _python(module.python), packages, progress)


def _python(version: tuple[int, int]) -> Path:
    """An interpreter of that version: this one, on the PATH, or of pyenv. Raises SetupError."""
    if sys.version_info[:2] == version:
        return Path(sys.executable)
    name = "python{}.{}".format(*version)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    on_path = shutil.which(name)
    found = [Path(on_path)] if on_path else []
    for python in (*found, *sorted(pyenv.glob(f"{version[0]}.{version[1]}.*/bin/{name}"))):
        if subprocess.run([python, "-c", "import venv"], capture_output=True).returncode == 0:
            return python
    raise SetupError(f"left out, there is no {name}", "Install it.")
