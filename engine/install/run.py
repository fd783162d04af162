"""The whole installation, step by step."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.install import EnvironmentMark, Installed, InstallStep
from ..protocol.wheel_lock import (
    LOCK_FILE,
    LockedWheel,
    WheelLock,
    WheelTarget,
    read_lock,
    target_name,
    this_platform,
)
from .environment import clean_environ, install, make, mark, try_out
from .wheels import fetch, find

ROOM = 5
"""Bytes on disk an installation takes for each byte of wheels, unpacked and compiled. Ours: 4.2
measured with torch 2.13 on Linux, and some to spare."""
Say = Callable[[InstallStep], None]


@dataclass(frozen=True)
class InstallOptions:
    """wheels: folder with the lock and, in a bundle, the wheels. target: the environment's
    folder. cache: where fetched wheels are kept until all is done. online: pip may fetch. index:
    one more package index, "" for none."""

    wheels: Path
    target: Path
    cache: Path
    online: bool
    index: str


def choose_target(lock: WheelLock, platform: str, python: str) -> WheelTarget:
    """The lock's wheels for a platform and a Python. Raises EngineError in words."""
    found = lock.targets.get(target_name(platform, python))
    if found is None:
        have = ", ".join(f"{t.platform} with Python {t.python}" for t in lock.targets.values())
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"There are wheels for {have}; this is {platform} with Python {python}.",
            "Choose another Python in the preferences, or get the bundle for this machine.",
        )
    return found


def this_python() -> str:
    """Version of the running Python as the lock has it, "3.11"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def install_engine(options: InstallOptions, say: Say) -> Installed:
    """Make the environment with the Python that runs this. Raises EngineError.

    An environment that is there goes first. A killed run leaves one without its mark, which does
    not count and goes at the next run; wheels fetched whole are kept.
    """
    lock = read_lock(options.wheels / LOCK_FILE)
    target = choose_target(lock, this_platform(), this_python())
    _check_room(options, target)
    environ = clean_environ(os.environ, options.online)
    pip, wheels = _gather(options, lock, target, environ, say)
    say(InstallStep("Making the environment", 0, 1))
    python = make(options.target)
    count = len(wheels)
    install(python, pip, wheels, environ, lambda n: say(InstallStep("Installing", n, count)))
    say(InstallStep("Trying it out", 0, 1))
    torch, device = try_out(python, environ)
    digest = hashlib.sha256((options.wheels / LOCK_FILE).read_bytes()).hexdigest()
    mark(options.target, EnvironmentMark(digest, sys.executable, torch, device))
    shutil.rmtree(options.cache, ignore_errors=True)
    return Installed(str(python), torch, device)


def _check_room(options: InstallOptions, target: WheelTarget) -> None:
    folder = options.target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} cannot be used: {error.strerror or error}.",
            "Look at the permissions of that folder.",
        ) from error
    need = ROOM * target.size
    if free < need:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The engine needs {need / 2**30:.1f} GB in {folder}; {free / 2**30:.1f} GB are free.",
            "Make room and try again.",
        )


def _gather(
    options: InstallOptions,
    lock: WheelLock,
    target: WheelTarget,
    environ: dict[str, str],
    say: Say,
) -> tuple[Path, list[Path]]:
    """pip's wheel and the others, all checked. Raises EngineError that names what lacks."""
    every = (lock.installer, *target.wheels)
    total = sum(wheel.size for wheel in every)
    folders = (options.wheels, options.cache)
    done = 0
    paths: list[Path] = []
    lacking: list[LockedWheel] = []
    for wheel in every:
        told = _teller("Looking at the packages", done, total, say)
        path = find(wheel, folders, told)
        if path is None and options.online and paths:
            told = _teller(f"Fetching {wheel.name}", done, total, say)
            path = fetch(wheel, paths[0], options.cache, options.index, environ, told)
        if path is None:
            lacking.append(wheel)
        else:
            paths.append(path)
        done += wheel.size
    if options.online and target.elsewhere and not lacking:
        raise _elsewhere(target)
    if lacking or target.elsewhere:
        raise _missing(lacking, target)
    return paths[0], paths[1:]


def _teller(text: str, before: int, total: int, say: Say) -> Callable[[int], None]:
    return lambda count: say(InstallStep(text, min(before + count, total), total))


def _missing(lacking: list[LockedWheel], target: WheelTarget) -> EngineError:
    names = [wheel.file for wheel in lacking] or list(target.elsewhere)
    more = f" and {len(names) - 1} others" if len(names) > 1 else ""
    return EngineError(
        ErrorCode.ENGINE_MISSING,
        f"Without a network these packages must lie in the extension: {names[0]}{more}.",
        "Install the bundle for this machine, or allow online access and install online.",
    )


def _elsewhere(target: WheelTarget) -> EngineError:
    return EngineError(
        ErrorCode.ENGINE_MISSING,
        f"{', '.join(target.elsewhere)} without CUDA is not on the common package index for "
        f"{target.platform} with Python {target.python}.",
        "Get the bundle for this machine, or use a Blender with another Python.",
    )
