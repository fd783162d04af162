"""The installer and the doctor of this Blender, and what its preferences say about the engine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import bpy

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.install import CACHE
from ...engine.protocol.wheel_lock import LOCK_FILE, WheelLock, read_lock, this_platform
from .. import locations
from ..engine_client.launch import doctor_launch, installer_launch
from ..preferences import preferences
from .plan import InstallPlan, blenders_python, index_address, make_plan
from .session import Run, hear_doctor, hear_installer
from .state import EngineState, engine_state

WHEELS = "wheels"
TICK = 0.2
HEADLESS_TICK = 0.05
"""Seconds between two looks at a child."""


@dataclass
class EngineRuntime:
    """installer, doctor: their runs. note: how the last one ended."""

    installer: Run = field(default_factory=lambda: Run(hear_installer))
    doctor: Run = field(default_factory=lambda: Run(hear_doctor))
    note: str = ""

    @property
    def busy(self) -> bool:
        """While the environment changes or is looked at."""
        return self.installer.status.busy or self.doctor.status.busy


ENGINE = EngineRuntime()


def wheels_folder() -> Path:
    """Where the lock is and, in a bundle, the wheels."""
    return locations.ROOT / WHEELS


@lru_cache(maxsize=1)
def _lock(path: Path, changed: int) -> WheelLock:
    return read_lock(path)


def current_lock() -> WheelLock:
    """What this version of the extension wants. Raises EngineError."""
    path = wheels_folder() / LOCK_FILE
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _lock(path, changed)


def current_plan() -> InstallPlan:
    """What an installation would do here. Raises EngineError."""
    target = locations.managed_environment()
    cache = target.with_name(CACHE) if target is not None else None
    return make_plan(
        current_lock(), wheels_folder(), this_platform(), blenders_python(), cache=cache
    )


def current_state(context: bpy.types.Context) -> EngineState:
    """How it stands with the engine."""
    try:
        lock = current_lock()
    except EngineError:
        lock = None
    chosen = bpy.path.abspath(preferences(context).engine_python)
    return engine_state(chosen, locations.managed_environment(), locations.ROOT, lock)


def start_install(context: bpy.types.Context, repair: bool) -> None:
    """Begin. Raises EngineError. What lacks is fetched only with Blender's online access."""
    plan = current_plan()
    options = ["--repair"] if repair else []
    if bpy.app.online_access and plan.download:
        options.append("--online")
        index = index_address(preferences(context).torch_index)
        options += ["--index", index] if index else []
    _start(plan.python.path, options)


def start_removal() -> None:
    """Begin to take the environment away. Raises EngineError."""
    _start(blenders_python().path, ["--remove"])


def _start(python: Path, options: Sequence[str]) -> None:
    target = locations.managed_environment()
    if target is None:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            "Only the installed extension has a folder for the engine.",
            "Install the extension's zip, or choose a Python that has PyTorch.",
        )
    words = ["--wheels", str(wheels_folder()), "--target", str(target)]
    words += ["--cache", str(target.with_name(CACHE)), *options]
    environ = locations.engine_environment()
    ENGINE.note = ""
    ENGINE.installer.start(installer_launch(python, locations.ROOT, environ, words))


def start_doctor(context: bpy.types.Context) -> None:
    """Begin, with the engine's Python or, where there is none, Blender's. Raises EngineError."""
    python = current_state(context).python or blenders_python().path
    environ = locations.engine_environment()
    ENGINE.note = ""
    ENGINE.doctor.start(doctor_launch(python, locations.ROOT, environ))


def wait_for(run: Run) -> None:
    """Until it has ended; for a Blender without windows. Ctrl-C ends it."""
    try:
        while run.status.busy:
            run.pump()
            time.sleep(HEADLESS_TICK)
    except KeyboardInterrupt:
        run.close()


def close() -> None:
    """End both, whatever they do."""
    for run in (ENGINE.installer, ENGINE.doctor):
        run.close()
