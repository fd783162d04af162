"""Taking pictures one after another: what is done, what is next, what is left behind.

No reference to Blender data is kept: undo and loading a file would make it stale.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np

from ...engine.protocol.errors import EngineError, ErrorCode
from ..declarations import PROPERTY
from ..scene.images import read_file, save_picture
from . import shots, studio, video
from .environments import environments
from .shots import Shot


@dataclass(eq=False)
class Run:
    """label: for people. root, studio: names of the head and of our scene. shots: what is taken;
    done: how many are. target: the finished file or folder; work: folder of the pictures, removed
    at the end. rate: frames a second of a video, 0 for no video. rendering: file that Blender
    renders now. stop: the user wants no more.
    """

    label: str
    root: str
    studio: str
    shots: tuple[Shot, ...]
    target: Path
    work: Path
    size: int
    rate: float = 0.0
    sheet: bool = False
    done: int = 0
    rendering: Path | None = None
    stop: bool = False
    pictures: list[np.ndarray] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """Renders in all: the video is one more."""
        return len(self.shots) + (1 if self.rate else 0)


class Darkroom:
    """The one run of this Blender."""

    def __init__(self) -> None:
        self.run: Run | None = None

    def open_turntable(self, scene: bpy.types.Scene, root: bpy.types.Object, target: Path) -> None:
        """Get ready to turn the head. Raises EngineError."""
        wish = getattr(scene, PROPERTY)
        taken = shots.turntable_shots(wish.frames, wish.turns)
        rate = wish.frames / wish.seconds if wish.output == "VIDEO" else 0.0
        size = wish.size + wish.size % 2  # H.264 wants even sides
        self._open("Turntable", scene, root, target, taken, size)
        self.run.rate = rate

    def open_sheet(self, scene: bpy.types.Scene, root: bpy.types.Object, target: Path) -> None:
        """Get ready to show the head under every environment. Raises EngineError."""
        wish = getattr(scene, PROPERTY)
        taken = shots.sheet_shots(environments(), wish.angle)
        self._open("Contact sheet", scene, root, target, taken, wish.size)
        self.run.sheet = True

    def advance(self, mode: str) -> bool:
        """Take note of the last render and start the next. Returns whether there was a next.

        mode: "EXEC_DEFAULT" waits for the render, "INVOKE_DEFAULT" lets Blender do it beside.
        Raises EngineError; the run is over then.
        """
        run = self.run
        scene, root = bpy.data.scenes.get(run.studio), bpy.data.objects.get(run.root)
        if scene is None or root is None:
            raise EngineError(
                ErrorCode.CANCELLED,
                f"{run.label}: the head or its studio went away.",
                "It stops when the head is removed or the step before its start is undone.",
            )
        if run.rendering is not None and not self._note():
            run.stop = True
        if run.stop or run.done == run.steps:
            return False
        if run.done < len(run.shots):
            shot = run.shots[run.done]
            studio.pose(scene, root, shot)
            picture = run.work / f"{shot.name}.png"
            scene.render.filepath = str(picture)
            _render(mode, scene, picture, animation=False)
        else:
            picture = run.work / "video.mp4"
            frames = [run.work / f"{shot.name}.png" for shot in run.shots]
            cutting = video.open_cutting_room(frames, run.size, run.rate, picture)
            _render(mode, cutting, picture, animation=True)
        run.rendering = picture
        return True

    def finish(self) -> Path | None:
        """Put the result in its place; None when it was stopped. Raises EngineError.

        Either way nothing else is left, in the file and on the disk.
        """
        run = self.run
        try:
            if run is None or run.done < run.steps:
                return None
            if run.sheet:
                columns = shots.sheet_columns(len(run.pictures))
                save_picture(shots.contact_sheet(run.pictures, columns), run.target)
            elif run.rate:
                (run.work / "video.mp4").replace(run.target)
            else:
                run.work.replace(run.target)
            return run.target
        except OSError as error:
            raise _unwritable(run.target, error) from error
        finally:
            self.close()

    def close(self) -> None:
        """Stop, and leave nothing behind but what is finished."""
        if self.run is not None:
            shutil.rmtree(self.run.work, ignore_errors=True)
            self.run = None
        studio.close_studio()

    def _open(
        self,
        label: str,
        scene: bpy.types.Scene,
        root: bpy.types.Object,
        target: Path,
        taken: Sequence[Shot],
        size: int,
    ) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=".uvapm-", dir=target.parent))
        except OSError as error:
            raise _unwritable(target, error) from error
        turned = any(shot.light for shot in taken)
        samples = getattr(scene, PROPERTY).samples
        place = studio.open_studio(scene, root, size, samples, own_light=turned)
        self.run = Run(label, root.name, place.name, tuple(taken), target, work, size)

    def _note(self) -> bool:
        """Whether Blender wrote the picture that it was to render."""
        run = self.run
        picture, run.rendering = run.rendering, None
        if not picture.is_file():
            return False
        if run.sheet:
            run.pictures.append(read_file(picture))
        run.done += 1
        return True


DARKROOM = Darkroom()


def _render(mode: str, scene: bpy.types.Scene, picture: Path, animation: bool) -> None:
    """Raises EngineError when Blender reports an error."""
    view = bpy.context.preferences.view
    display, view.render_display_type = view.render_display_type, "NONE"  # no window of its own
    still = not animation
    try:
        bpy.ops.render.render(mode, animation=animation, write_still=still, scene=scene.name)
    except RuntimeError as error:
        what = f"Blender could not render {picture.name}: {error}".strip()
        raise EngineError(ErrorCode.BAD_OUTPUT, what, "Look at the render settings.") from error
    finally:
        view.render_display_type = display


def _unwritable(target: Path, error: OSError) -> EngineError:
    return EngineError(
        ErrorCode.BAD_OUTPUT,
        f"Cannot write {target}: {error.strerror}",
        "Choose another folder in Pictures.",
    )
