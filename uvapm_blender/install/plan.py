"""What *Install Engine* would do: with which Python, which packages, from where, how large."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.install import PART
from ...engine.protocol.wheel_lock import (
    PYTHONS,
    LockedWheel,
    WheelLock,
    WheelTarget,
    target_name,
)

PATIENCE = 20.0
"""Seconds for a Python to tell its version; a cold disk needs some."""
_ASK = "import sys, venv; print(sys.executable); print('{}.{}'.format(*sys.version_info))"
Ask = Callable[[tuple[str, ...]], "BasePython | None"]


@dataclass(frozen=True)
class BasePython:
    """An interpreter, and its version as the lock has it, "3.11"."""

    path: Path
    version: str


@dataclass(frozen=True)
class InstallPlan:
    """python: makes the environment. wheels: what goes in. lacking: of these and pip, what is not
    in the extension. fetched: bytes of these that an earlier run left."""

    python: BasePython
    wheels: tuple[LockedWheel, ...]
    lacking: tuple[LockedWheel, ...]
    fetched: int = 0

    @property
    def size(self) -> int:
        """Bytes of all packages."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def licences(self) -> tuple[str, ...]:
        """Of all packages, each once."""
        every = (part for wheel in self.wheels for part in wheel.licence.split(" AND "))
        return tuple(sorted(set(every)))

    @property
    def download(self) -> int:
        """Bytes of what is not in the extension; 0 with a bundle."""
        return sum(wheel.size for wheel in self.lacking)

    @property
    def unusual(self) -> tuple[LockedWheel, ...]:
        """What would be fetched and is not on the common package index."""
        return tuple(wheel for wheel in self.lacking if wheel.local)


def make_plan(
    lock: WheelLock,
    wheels: Path,
    platform: str,
    own: BasePython,
    ask: Ask | None = None,
    cache: Path | None = None,
) -> InstallPlan:
    """own: Blender's Python, which comes first; then those on the PATH. cache: where an earlier
    run left what it fetched. Raises EngineError."""
    python, target = _choose(lock, platform, own, ask or ask_python)
    needed = (lock.installer, *target.wheels)
    lacking = tuple(wheel for wheel in needed if not _lies_in(wheels, wheel))
    fetched = sum(_bytes_of(cache, wheel) for wheel in lacking) if cache is not None else 0
    return InstallPlan(python, target.wheels, lacking, fetched)


def index_address(text: str) -> str:
    """The address in what the user pasted, which may be a whole line for pip; "" for nothing.

    Raises EngineError where there is none.
    """
    found = re.findall(r"\b(?:https?|file)://[^\s\"']+", text)
    if text.strip() and not found:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"The PyTorch package index is not an address: {text.strip()}",
            "It begins with https://. Copy it from pytorch.org's install page, or clear the field.",
        )
    return found[-1] if found else ""


def blenders_python() -> BasePython:
    """The Python that runs this."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return BasePython(Path(sys.executable), version)


@cache
def ask_python(command: tuple[str, ...]) -> BasePython | None:
    """What a command runs, None when it runs no Python that can make environments."""
    found = shutil.which(command[0])
    if found is None:
        return None
    words = [found, *command[1:], "-I", "-c", _ASK]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.split("\n")
    return BasePython(Path(lines[0]), lines[1]) if done.returncode == 0 and lines[1:] else None


def _choose(
    lock: WheelLock, platform: str, own: BasePython, ask: Ask
) -> tuple[BasePython, WheelTarget]:
    targets = _complete(lock, platform)
    if own.version in targets:
        return own, targets[own.version]
    for version in sorted(targets, reverse=True):
        for command in _commands(version):
            found = ask(command)
            if found is not None and found.version == version:
                return found, targets[version]
    raise _no_python(lock, platform, own, sorted(targets))


def _complete(lock: WheelLock, platform: str) -> dict[str, WheelTarget]:
    """The lock's targets for a platform by Python, without those whose torch lies elsewhere."""
    found = (lock.targets.get(target_name(platform, version)) for version in PYTHONS)
    return {target.python: target for target in found if target and not target.elsewhere}


def _commands(version: str) -> Sequence[tuple[str, ...]]:
    if os.name == "nt":
        return (("py", f"-{version}"), ("python",))
    return ((f"python{version}",),)


def _no_python(
    lock: WheelLock, platform: str, own: BasePython, versions: Sequence[str]
) -> EngineError:
    if not versions:
        have = ", ".join(sorted({target.platform for target in lock.targets.values()}))
        return EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The engine's packages here are for {have}; this machine is {platform}.",
            "Get the bundle for this machine, or choose a Python that has PyTorch.",
        )
    wanted = " or ".join(versions)
    return EngineError(
        ErrorCode.ENGINE_MISSING,
        f"The engine needs Python {wanted}; Blender's own is {own.version} and no other was found.",
        f"Install Python {wanted}, get a bundle for Python {own.version} where there is one, or "
        "choose a Python that has PyTorch.",
    )


def _lies_in(folder: Path, wheel: LockedWheel) -> bool:
    """By name and size: the installer checks the sha256 before it uses it."""
    try:
        return (folder / wheel.file).stat().st_size == wheel.size
    except OSError:
        return False


def _bytes_of(cache: Path, wheel: LockedWheel) -> int:
    for name in (wheel.file, wheel.file + PART):
        try:
            return min((cache / name).stat().st_size, wheel.size)
        except OSError:
            continue
    return 0


def has_nvidia() -> bool:
    """Whether the driver of an NVIDIA card is installed."""
    if os.name == "nt":
        return (Path(os.environ.get("SystemRoot", "C:/Windows")) / "System32/nvcuda.dll").is_file()
    return Path("/proc/driver/nvidia/version").is_file()
