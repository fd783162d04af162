"""Is this machine ready? Asked before anything is downloaded, answered in one line."""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from engine.packaging.problems import SetupError

PYTHONS = ((3, 11), (3, 13))
"""The Pythons that Blender is published for as a module: 4.5 LTS and 5.2 LTS."""

# Shared object that must load, Debian package that has it. OpenCV and Blender link to these.
_LIBRARIES = (
    ("libX11.so.6", "libx11-6"),
    ("libXi.so.6", "libxi6"),
    ("libXrender.so.1", "libxrender1"),
    ("libXfixes.so.3", "libxfixes3"),
    ("libXxf86vm.so.1", "libxxf86vm1"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libSM.so.6", "libsm6"),
    ("libICE.so.6", "libice6"),
    ("libGL.so.1", "libgl1"),
    ("libEGL.so.1", "libegl1"),
    ("libgomp.so.1", "libgomp1"),
    ("libgthread-2.0.so.0", "libglib2.0-0"),
)


def missing_libraries() -> tuple[list[str], list[str]]:
    """(shared objects, Debian packages) that a Linux machine lacks; two empty lists elsewhere."""
    absent = []
    if sys.platform.startswith("linux"):
        absent = [pair for pair in _LIBRARIES if not _loads(pair[0])]
    return [name for name, _ in absent], [package for _, package in absent]


def check_machine() -> None:
    """Raises SetupError, one line, that names the command which installs what is missing."""
    python, version = _choose_python()
    libraries, packages = missing_libraries()
    words = [f"the system libraries {', '.join(libraries)}"] if libraries else []
    if not _has_venv(python):
        words.append(f"the venv module of {python}")
        packages.append(_venv_package(version))
    if not words:
        return
    if shutil.which("apt-get"):
        raise SetupError(f"Missing: {' and '.join(words)}.", f"Run: {apt_command(packages)}")
    raise SetupError(
        f"Missing: {' and '.join(words)}.", "Install them with the system's own means."
    )


def apt_command(packages: list[str]) -> str:
    """The command line that installs Debian packages, with sudo where that is needed."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    return f"{sudo}apt-get update && {sudo}{line}"


def find_python() -> Path:
    """A Python that Blender's module exists for: this one, else one on the PATH.

    Raises SetupError that says which versions will do.
    """
    return _choose_python()[0]


def _choose_python() -> tuple[Path, tuple[int, ...]]:
    this = tuple(sys.version_info[:2])
    if this in PYTHONS:
        return Path(sys.executable), this
    for version in PYTHONS:
        found = shutil.which("python{}.{}".format(*version))
        if found and _runs(found):
            return Path(found), version
    wanted = " or ".join("{}.{}".format(*version) for version in PYTHONS)
    raise SetupError(
        f"Python {wanted} is needed, this is Python {'{}.{}'.format(*this)}.",
        "Blender's module exists for these only: install one and run this again with it.",
    )


def _has_venv(python: Path) -> bool:
    if python == Path(sys.executable):
        return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    return _runs(str(python), "import venv, ensurepip")


def _venv_package(version: tuple[int, ...]) -> str:
    return "python{}.{}-venv".format(*version)


def _runs(python: str, code: str = "pass") -> bool:
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def missing_packages() -> list[str]:
    """Debian packages to install before the rest can work; empty when the machine is ready."""
    python, version = _choose_python()
    return missing_libraries()[1] + ([] if _has_venv(python) else [_venv_package(version)])


if __name__ == "__main__":
    print(" ".join(missing_packages()))
