"""Fetch the pinned wheels of one platform and Python, and read what they say of themselves.

Runs in the project's environment: `packaging` reads requirement lines as pip does.
"""

import email
import hashlib
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from engine.packaging.problems import SetupError
from engine.protocol.wheel_lock import LockedWheel, target_name

_MANYLINUX = tuple(f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1))
PIP_PLATFORMS = {
    "linux-x64": (*_MANYLINUX, "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_14_0_arm64",),
}
"""What pip calls the platforms; the oldest macOS and glibc that PyTorch's wheels run on."""
_MARKERS = {
    "linux-x64": ("linux", "Linux", "x86_64", "posix"),
    "windows-x64": ("win32", "Windows", "AMD64", "nt"),
    "macos-arm64": ("darwin", "Darwin", "arm64", "posix"),
}
_LONGEST_LICENCE = 100


@dataclass(frozen=True)
class Target:
    """A platform of `PIP_PLATFORMS` and a Python, "3.11"."""

    platform: str
    python: str

    @property
    def name(self) -> str:
        """Its key in the lock."""
        return target_name(self.platform, self.python)

    @property
    def markers(self) -> dict[str, str]:
        """The environment that requirement markers ask about (PEP 508), there."""
        system, name, machine, os_name = _MARKERS[self.platform]
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "platform_python_implementation": "CPython",
            "sys_platform": system,
            "platform_system": name,
            "platform_machine": machine,
            "os_name": os_name,
            "extra": "",
        }


@dataclass(frozen=True)
class WheelFile:
    """A wheel on disk and its METADATA."""

    path: Path
    metadata: Message


def pins(requirements: str, target: Target) -> tuple[Requirement, ...]:
    """The lines of a requirement file that count for a target, in order."""
    lines = (line.split("#")[0].strip() for line in requirements.splitlines())
    wanted = (Requirement(line) for line in lines if line)
    return tuple(pin for pin in wanted if pin.marker is None or pin.marker.evaluate(target.markers))


def fetch(
    pip: Sequence[str], wanted: Sequence[Requirement], target: Target, folder: Path, index: str
) -> tuple[dict[str, WheelFile], tuple[str, ...]]:
    """Wheels of the pins, by canonical name, and the pins that have none for the target.

    pip: the command that runs it. folder: keeps them; what is there is not fetched again.
    index: one more package index, "" for none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [*download_command(pip, target, folder, index), "--no-deps"]
    whole = [f"{pin.name}{pin.specifier}" for pin in wanted]
    missing = []
    if subprocess.run([*command, *whole], capture_output=True).returncode:
        for one in whole:
            if subprocess.run([*command, one], capture_output=True).returncode:
                missing.append(one)
    return _wheels_for(wanted, folder), tuple(missing)


def download_command(pip: Sequence[str], target: Target, folder: Path, index: str) -> list[str]:
    """pip's command line, without the pins, that fetches wheels of a target into `folder`."""
    command = [*pip, "download", "--quiet", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", target.python]
    for name in PIP_PLATFORMS[target.platform]:
        command += ["--platform", name]
    command += ["--dest", str(folder), "--find-links", str(folder)]
    return command + (["--extra-index-url", index] if index else [])


def wheels_in(folder: Path) -> dict[str, WheelFile]:
    """All wheels of a folder by canonical name, the newest version of each."""
    names = {parse_wheel_filename(path.name)[0] for path in folder.glob("*.whl")}
    return _wheels_for([Requirement(name) for name in sorted(names)], folder)


def _wheels_for(wanted: Sequence[Requirement], folder: Path) -> dict[str, WheelFile]:
    """Of each pin the wheel in `folder`; the one with a local version (2.13.0+cpu) wins."""
    found: dict[str, tuple[Version, WheelFile]] = {}
    names = {canonicalize_name(pin.name): pin for pin in wanted}
    for path in sorted(folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        pin = names.get(name)
        if pin is None or not pin.specifier.contains(version, prereleases=True):
            continue
        if name not in found or found[name][0] < version:
            found[name] = version, WheelFile(path, _metadata(path))
    return {name: entry[1] for name, entry in found.items()}


def _metadata(path: Path) -> Message:
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.count("/") == 1 and n.endswith("/METADATA"))
        return email.message_from_bytes(archive.read(name))


def gaps(wheels: Mapping[str, WheelFile], target: Target) -> tuple[str, ...]:
    """What the wheels ask for there and no pin gives, in words; nothing when they are whole."""
    versions = {name: Version(wheel.metadata["Version"]) for name, wheel in wheels.items()}
    out = []
    for name, wheel in wheels.items():
        for line in wheel.metadata.get_all("Requires-Dist", []):
            need = Requirement(line)
            if need.marker is not None and not need.marker.evaluate(target.markers):
                continue
            there = versions.get(canonicalize_name(need.name))
            if there is None or there not in need.specifier:
                out.append(f"{name} asks for {need.name}{need.specifier}, pinned is {there}")
    return tuple(out)


def needs_cuda(wheel: WheelFile, target: Target) -> bool:
    """Whether a wheel of torch asks for NVIDIA's packages on the target."""
    needs = (Requirement(line) for line in wheel.metadata.get_all("Requires-Dist", []))
    return any(
        need.name.startswith(("nvidia-", "cuda-"))
        for need in needs
        if need.marker is None or need.marker.evaluate(target.markers)
    )


def locked(wheel: WheelFile) -> LockedWheel:
    """The facts about a wheel that the lock keeps."""
    data = wheel.path.read_bytes()
    return LockedWheel(
        canonicalize_name(str(wheel.metadata["Name"])),
        str(wheel.metadata["Version"]),
        wheel.path.name,
        len(data),
        hashlib.sha256(data).hexdigest(),
        licence_of(wheel.metadata),
    )


def licence_of(metadata: Message) -> str:
    """The licence in the wheel's own words: its SPDX expression, else its trove classifiers, else
    a short licence field. Raises SetupError when it names none."""
    expression = str(metadata.get("License-Expression", "")).strip()
    if expression:
        return expression
    classifiers = [
        str(line).rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier", [])
        if str(line).startswith("License ::")
    ]
    text = str(metadata.get("License", "")).strip().splitlines()
    short = text[0] if text and len(text[0]) <= _LONGEST_LICENCE else ""
    found = ", ".join(classifiers) or short
    if not found:
        raise SetupError(f"The wheel of {metadata['Name']} names no licence.", "")
    return found
