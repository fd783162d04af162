"""`wheels/engine-lock.json`: every package of the engine, exactly, for each platform and Python.

Written by `python build_addon.py lock`; read by the installer, the doctor and the bundle.
"""

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import EngineError, ErrorCode
from .strict import from_plain, parse_json, to_plain

LOCK_SCHEMA = 1
LOCK_FILE = "engine-lock.json"
PLATFORMS = ("linux-x64", "windows-x64", "macos-arm64")
"""The platforms that PyTorch has wheels for. Names as Blender's manifests spell them."""
PYTHONS = ("3.11", "3.13")
"""Blender 4.2 to 5.0 have Python 3.11, 5.1 and 5.2 have 3.13."""
_WHEEL = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.+!]+(-[A-Za-z0-9_.]+){3}\.whl")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
_SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}


@dataclass(frozen=True)
class LockedWheel:
    """One wheel: file name, size in bytes, sha256 in hexadecimal, licence as the wheel says it."""

    name: str
    version: str
    file: str
    size: int
    sha256: str
    licence: str

    @property
    def local(self) -> bool:
        """Whether it is a local version, "2.13.0+cpu": the common package index takes none
        (version specifiers specification, "Local version identifiers")."""
        return "+" in self.version


@dataclass(frozen=True)
class WheelTarget:
    """The wheels of one platform and Python ("3.11"), in the order of the requirement file.

    elsewhere: pins ("torch==2.13.0") whose build without CUDA is not on the common package index
    for that target; an index that has it must be named.
    """

    platform: str
    python: str
    wheels: tuple[LockedWheel, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all wheels."""
        return sum(wheel.size for wheel in self.wheels)


@dataclass(frozen=True)
class WheelLock:
    """installer: pip's own wheel, which installs the others. targets: `target_name` -> wheels."""

    schema: int
    installer: LockedWheel
    targets: dict[str, WheelTarget]


def target_name(platform_name: str, python: str) -> str:
    """The key of a target, for instance linux-x64-cp311."""
    return f"{platform_name}-cp{python.replace('.', '')}"


def lock_of(installer: LockedWheel, targets: Iterable[WheelTarget]) -> WheelLock:
    """The lock of some targets."""
    named = {target_name(each.platform, each.python): each for each in targets}
    return WheelLock(LOCK_SCHEMA, installer, named)


def lock_text(lock: WheelLock) -> str:
    """The file's text, which `read_lock` reads."""
    return json.dumps(to_plain(lock), indent=1) + "\n"


def wheels_digest(target: WheelTarget) -> str:
    """sha256 over the hashes of a target's wheels: equal for equal packages, whichever list of
    packages (of a bundle, of the extension) names them."""
    return hashlib.sha256(
        "".join(sorted(wheel.sha256 for wheel in target.wheels)).encode()
    ).hexdigest()


def this_platform() -> str:
    """This machine in the words of `PLATFORMS`; for others, words of the same form."""
    machine = platform.machine().lower()
    system = _SYSTEMS.get(sys.platform, sys.platform)
    return f"{system}-{_MACHINES.get(machine, machine)}"


def read_lock(path: Path) -> WheelLock:
    """Read and check a lock. Raises EngineError(ENGINE_MISSING): the extension is not whole."""

    def fail(why: str) -> EngineError:
        return EngineError(
            ErrorCode.ENGINE_MISSING,
            f"{path.name}, the list of the engine's packages, is not usable: {why}.",
            "Install the extension again.",
        )

    try:
        text = path.read_bytes()
    except OSError as error:
        raise fail(error.strerror or "it cannot be read") from error
    lock = from_plain(WheelLock, parse_json(text, fail), "lock", fail)
    if lock.schema != LOCK_SCHEMA:
        raise fail(f"expected schema {LOCK_SCHEMA}, found {lock.schema}")
    for key, target in lock.targets.items():
        if key != target_name(target.platform, target.python):
            raise fail(f"{key} holds {target.platform}, Python {target.python}")
        for wheel in (lock.installer, *target.wheels):
            if not _WHEEL.fullmatch(wheel.file):
                raise fail(f"{wheel.file!r} is not the name of a wheel")
            if not _SHA256.fullmatch(wheel.sha256) or wheel.size <= 0:
                raise fail(f"{wheel.file} lacks its sha256 or its size")
    return lock
