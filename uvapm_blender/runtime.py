"""The one engine session of this Blender, and what the sidebar shows about it.

No reference to Blender data is kept here: undo and loading a file would make it stale.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..engine.protocol.edits import Edits, write_edits
from ..engine.protocol.errors import EngineError, ErrorCode
from ..engine.protocol.job import FINE_SIZES, TEXTURE_SIZES, FitJob
from ..engine.protocol.landmarks68 import Pin
from ..engine.protocol.png import png_size
from ..engine.protocol.result_schema import ResultManifest
from . import locations, ui_text
from .building import Building
from .engine_client.launch import Launch, choose_python, engine_launch
from .engine_client.session import EngineSession
from .install.runtime import ENGINE
from .packs.choice import OWN, chosen_pack
from .preferences import preferences
from .reading import Reading

HEAD, PACKS, WEAR = "head", "packs", "wear"
"""Parts of the interface that show what became of a job."""


@dataclass
class Runtime:
    """session: runs jobs. error: why the last job or build failed, for the part `place` of the
    interface. log: end of the engine's log that belongs to it. note: how the last import ended.
    timer: wakes the running operator.
    reading: a finished result that a second thread checks. building: what it becomes.
    scratch: a temporary folder for what a job reads.
    """

    session: EngineSession = field(default_factory=EngineSession)
    error: EngineError | None = None
    log: str = ""
    place: str = HEAD
    note: str = ""
    timer: bpy.types.Timer | None = None
    reading: Reading[object] | None = None
    building: Building | None = None
    scratch: "tempfile.TemporaryDirectory[str] | None" = None

    def forget_error(self) -> None:
        """Before a new attempt."""
        self.error, self.log, self.place, self.note = None, "", HEAD, ""

    def keep_edits(self, edits: Edits) -> Path:
        """Write them for the engine, over those of the job before. Removed by `close`."""
        path = self.scratch_folder() / "edits.safetensors"
        write_edits(path, edits)
        return path

    def scratch_folder(self) -> Path:
        """A temporary folder for what a job reads. Removed by `close`."""
        if self.scratch is None:
            self.scratch = tempfile.TemporaryDirectory(prefix="uvapm-")
        return Path(self.scratch.name)

    def keep_error(self, error: EngineError, log: str = "", place: str = HEAD) -> None:
        """Remember why it failed until the next attempt."""
        self.error, self.log, self.place = error, log, place


RUNTIME = Runtime()


def make_launch(context: bpy.types.Context) -> Launch:
    """How to start the engine as the preferences say. Raises EngineError(ENGINE_MISSING)."""
    if ENGINE.installer.status.busy:
        raise EngineError(ErrorCode.ENGINE_MISSING, ui_text.INSTALLER_BUSY, ui_text.WAIT)
    chosen = bpy.path.abspath(preferences(context).engine_python)
    python = choose_python(chosen, locations.managed_environment(), locations.ROOT)
    return engine_launch(python, locations.ROOT, locations.engine_environment())


def start_job(context: bpy.types.Context, photos: Sequence[Path]) -> None:
    """Send photos of one person to the engine. Raises EngineError."""
    settings = preferences(context)
    output = locations.new_result_folder(photos[0], settings.results_folder)
    paths = tuple(map(str, photos))
    device = settings.device.lower()
    albedo, detail = (None if id == OWN else id for id in map(chosen_pack, ("albedo", "detail")))
    job = FitJob(
        photos=paths,
        output=str(output),
        pack=chosen_pack("head"),
        device=device,
        albedo=albedo,
        detail=detail,
        files="blender",
    )
    RUNTIME.session.start(make_launch(context), job)


def start_refit(
    context: bpy.types.Context,
    photos: Sequence[Path],
    folder: Path,
    manifest: ResultManifest,
    locks: Sequence[str],
    pins: Sequence[Pin],
    edits: Edits | None,
) -> None:
    """Fit the result in `folder` again to its photos, with `locks` held at `edits`, to `pins`.

    Raises EngineError.
    """
    settings = preferences(context)
    output = locations.new_result_folder(photos[0], settings.results_folder)
    job = FitJob(
        photos=tuple(map(str, photos)),
        output=str(output),
        pack=manifest.pack.id,
        device=settings.device.lower(),
        seed=manifest.seed,
        face=manifest.photo.face,
        texture_size=_side(folder / "maps/albedo.png", TEXTURE_SIZES),
        fine_size=_side(folder / "maps/normal.png", FINE_SIZES),
        albedo=manifest.albedo_pack.id if manifest.albedo_pack else None,
        detail=manifest.detail_pack.id if manifest.detail_pack else None,
        start=str(folder),
        locks=tuple(locks),
        pins=tuple(pins),
        edits=None if edits is None else str(RUNTIME.keep_edits(edits)),
        files="blender",
    )
    RUNTIME.session.start(make_launch(context), job)


def _side(picture: Path, sizes: Sequence[int]) -> int:
    """The one of `sizes` that is nearest to a map's width. Raises EngineError."""
    width = png_size(picture)[0]
    return min(sizes, key=lambda size: abs(size - width))


def idle_tick() -> float:
    """Timer: closes an engine that nobody used for a while. Returns seconds to the next look."""
    if not RUNTIME.session.busy:
        RUNTIME.session.pump()
        RUNTIME.session.close_if_idle(preferences(bpy.context).idle_minutes * 60)
    return 20.0


def watch(context: bpy.types.Context, interval: float, hint: str) -> None:
    """Wake the modal operator every `interval` seconds, with a hint in the status line."""
    RUNTIME.timer = context.window_manager.event_timer_add(interval, window=context.window)
    context.workspace.status_text_set(hint)


def unwatch() -> None:
    """Take timer and hint away. Works without the operator: disabling the extension drops it."""
    if RUNTIME.timer is None:
        return
    for manager in bpy.data.window_managers:
        manager.event_timer_remove(RUNTIME.timer)
    for workspace in bpy.data.workspaces:
        workspace.status_text_set(None)
    RUNTIME.timer = None


def redraw(context: bpy.types.Context) -> None:
    """Show the new state in every sidebar; without this a finished job leaves a grey button."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()


def stop_job() -> None:
    """End the running job, wherever it is; the interface is free then. For the outside: the
    operator that followed it may be gone."""
    unwatch()
    RUNTIME.reading = None
    building, RUNTIME.building = RUNTIME.building, None
    if building is not None:
        building.drop()
    RUNTIME.session.close()


def close() -> None:
    """End the engine, whatever it does. A job that it ends is told in the sidebar, which comes
    back where the extension is only reloaded."""
    if RUNTIME.session.busy or RUNTIME.reading is not None or RUNTIME.building is not None:
        RUNTIME.keep_error(EngineError(ErrorCode.CANCELLED, ui_text.STOPPED, ui_text.START_AGAIN))
    stop_job()
    if RUNTIME.scratch is not None:
        RUNTIME.scratch.cleanup()
        RUNTIME.scratch = None
