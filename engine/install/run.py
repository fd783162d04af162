"""The whole installation, step by step."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import Cancelled, EngineError, ErrorCode
from ..protocol.install import MARK, EnvironmentMark, Installed, InstallLine, InstallStep, Removed
from ..protocol.wheel_lock import (
    LOCK_FILE,
    LockedWheel,
    WheelLock,
    WheelTarget,
    read_lock,
    target_name,
    this_platform,
    wheels_digest,
)
from .alone import alone_on, lock_path
from .environment import clean_environ, install, interpreter, make, mark, runs, try_out
from .folders import delete_put_away, make_own, put_away, refuse_foreign, remove_own
from .records import damages
from .stop import Stop
from .wheels import fetch, find, unpacked

ROOM = 4
"""Bytes on disk an installation takes for each byte of wheels, unpacked and partly compiled. Ours:
3.3 measured with torch 2.13 on Linux, and some to spare."""
SCRATCH = "tmp"
Say = Callable[[InstallLine], None]


@dataclass(frozen=True)
class InstallOptions:
    """wheels: folder with the lock and, in a bundle, the wheels. target: the environment's
    folder. cache: where fetched wheels are kept until all is done. online: pip may fetch. index:
    one more package index, "" for none. repair: keep what is whole of an environment."""

    wheels: Path
    target: Path
    cache: Path
    online: bool = False
    index: str = ""
    repair: bool = False


@dataclass(frozen=True)
class _Work:
    """What all steps need."""

    options: InstallOptions
    lock: WheelLock
    target: WheelTarget
    environ: dict[str, str]
    say: Say
    stop: Stop


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


def install_engine(options: InstallOptions, say: Say, stop: Stop) -> Installed:
    """Make the environment with the Python that runs this. Raises EngineError, Cancelled.

    An environment that is there stays until all wheels are gathered, then goes. A killed run
    leaves one without its mark, which does not count and goes at the next run; what was fetched
    is kept for it, also half a wheel. A cancelled run leaves that and no environment; files of
    the one that it made are deleted by the next run of any kind.
    """

    def heard(step: InstallLine) -> None:
        stop.check()
        say(step)

    lock = read_lock(options.wheels / LOCK_FILE)
    target = choose_target(lock, this_platform(), this_python())
    with _writable(options.target.parent), alone_on(options.target):
        make_own(options.cache)
        scratch = options.cache / SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        environ = clean_environ(os.environ, scratch, options.online)
        work = _Work(options, lock, target, environ, heard, stop)
        try:
            for folder in (options.target, options.cache):
                _delete(folder, heard, stop)  # what an earlier removal left
            installed = _mended(work) if options.repair else None
            installed = installed or _filled(work, target.wheels, anew=True)
        except EngineError as error:
            if error.code is not ErrorCode.CANCELLED:  # then at once: the next run deletes it
                shutil.rmtree(scratch, ignore_errors=True)
            raise
        with suppress(EngineError):  # a file in use: the engine is there all the same
            remove_own(options.cache)
    return installed


def remove_engine(options: InstallOptions, say: Say, stop: Stop) -> None:
    """Take the environment and all that was fetched away. Raises EngineError, Cancelled.

    It is gone at once, which `Removed` says; then its files are deleted. What a cancelled or
    killed deletion leaves, the next run of any kind deletes.
    """
    folders = (options.target, options.cache)
    with _writable(options.target.parent), alone_on(options.target):
        for folder in folders:
            refuse_foreign(folder)
        for folder in folders:
            put_away(folder)
        say(Removed())
        for folder in folders:
            _delete(folder, say, stop)
    lock_path(options.target).unlink(missing_ok=True)


def _delete(folder: Path, say: Say, stop: Stop) -> None:
    """Delete what was put away of a folder, a line a hundredth."""
    last = 0

    def told(done: int, total: int) -> None:
        nonlocal last
        if done == total or (done - last) * 100 >= total:
            last = done
            say(InstallStep("Deleting files", done, total))

    delete_put_away(folder, stop, told)


def _mended(work: _Work) -> Installed | None:
    """Put right what is wrong with an environment; None where it must be made anew."""
    folder = work.options.target
    if not runs(folder, work.target.python, work.environ, work.stop):
        return None
    work.say(InstallStep("Looking for damage", 0, 0))
    damaged = [damage.wheel for damage in damages(folder, work.target.wheels)]
    try:
        return _filled(work, damaged, anew=False)
    except Cancelled:
        raise
    except EngineError:
        return None


def _filled(work: _Work, wanted: Sequence[LockedWheel], anew: bool) -> Installed:
    """Gather wheels, put them into the environment, try and mark it."""
    folder, say = work.options.target, work.say
    _check_room(work.options, wanted)
    pip, paths = _gather(work, wanted)
    try:
        say(InstallStep("Making the environment", 0, 0))
        if anew:
            put_away(folder)
            _delete(folder, say, work.stop)
            make(folder)
        (folder / MARK).unlink(missing_ok=True)
        total, done = sum(wheel.size for wheel in wanted), 0
        for wheel, path in zip(wanted, paths, strict=True):
            say(InstallStep(f"Installing {wheel.name}", done, total))
            install(interpreter(folder), pip, path, work.environ, work.stop)
            done += wheel.size
        say(InstallStep("Trying it out", done, total))
        torch, device = try_out(interpreter(folder), work.environ, work.stop)
        target = target_name(work.target.platform, work.target.python)
        found = EnvironmentMark(wheels_digest(work.target), target, sys.executable, torch, device)
        mark(folder, found)
    except Cancelled:
        put_away(folder)  # without its mark it is of no use; deleting it may take a minute
        raise
    return Installed(str(interpreter(folder)), torch, device)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Turn a folder's refusal into words."""
    try:
        yield
    except PermissionError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} cannot be written: {error.strerror}.",
            "Look at the permissions of that folder.",
        ) from error


def _check_room(options: InstallOptions, wanted: Sequence[LockedWheel]) -> None:
    folder = options.target.parent
    size = sum(wheel.size for wheel in wanted)
    folders = (options.wheels, options.cache)
    here = sum(w.size for w in wanted if any((folder / w.file).is_file() for folder in folders))
    need, free = ROOM * size + (size - here), shutil.disk_usage(folder).free
    if free < need:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The engine needs {need / 2**30:.1f} GB in {folder}; {free / 2**30:.1f} GB are free.",
            "Make room and try again.",
        )


def _gather(work: _Work, wanted: Sequence[LockedWheel]) -> tuple[Path, list[Path]]:
    """pip, unpacked, and the wheels, all checked. Raises EngineError that names what lacks."""
    options, target = work.options, work.target
    scratch = options.cache / SCRATCH
    if options.online and target.elsewhere:
        raise _elsewhere(target)
    every = (work.lock.installer, *wanted)
    total = sum(wheel.size for wheel in every)
    done = 0
    paths: list[Path] = []
    lacking: list[LockedWheel] = []
    for wheel in every:
        told = _teller("Looking at the packages", done, total, work.say)
        path = find(wheel, (options.wheels, options.cache), told)
        if path is None and options.online:
            told = _teller(f"Fetching {wheel.name}", done, total, work.say)
            told(0)
            pip = unpacked(paths[0], scratch) if paths else None
            path = fetch(wheel, pip, options.cache, options.index, work.environ, work.stop, told)
        if path is None:
            lacking.append(wheel)
        else:
            paths.append(path)
        done += wheel.size
    if lacking or target.elsewhere:
        raise _missing(lacking, target)
    return unpacked(paths[0], scratch), paths[1:]


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
