"""The one engine session of this Blender, and what the sidebar shows about it.

No reference to Blender data is kept here: undo and loading a file would make it stale.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..engine.protocol.errors import EngineError
from ..engine.protocol.job import FitJob
from . import locations
from .engine_client.launch import Launch, choose_python, engine_launch
from .engine_client.session import EngineSession
from .preferences import preferences


@dataclass
class Runtime:
    """session: runs jobs. error: why the last job or build failed, for the sidebar.
    log: end of the engine's log that belongs to it.
    """

    session: EngineSession = field(default_factory=EngineSession)
    error: EngineError | None = None
    log: str = ""

    def forget_error(self) -> None:
        """Before a new attempt."""
        self.error, self.log = None, ""

    def keep_error(self, error: EngineError, log: str = "") -> None:
        """Remember why it failed until the next attempt."""
        self.error, self.log = error, log


RUNTIME = Runtime()


def make_launch(context: bpy.types.Context) -> Launch:
    """How to start the engine as the preferences say. Raises EngineError(ENGINE_MISSING)."""
    chosen = bpy.path.abspath(preferences(context).engine_python)
    python = choose_python(chosen, locations.managed_environment(), locations.ROOT)
    return engine_launch(python, locations.ROOT, os.environ)


def start_job(context: bpy.types.Context, photo: Path) -> None:
    """Send a photo to the engine. Raises EngineError."""
    settings = preferences(context)
    output = locations.new_result_folder(photo, settings.results_folder)
    job = FitJob(photos=(str(photo),), output=str(output), device=settings.device.lower())
    RUNTIME.session.start(make_launch(context), job)


def idle_tick() -> float:
    """Timer: closes an engine that nobody used for a while. Returns seconds to the next look."""
    if not RUNTIME.session.busy:
        RUNTIME.session.pump()
        RUNTIME.session.close_if_idle(preferences(bpy.context).idle_minutes * 60)
    return 20.0


def close() -> None:
    """End the engine, whatever it does."""
    RUNTIME.session.close()
