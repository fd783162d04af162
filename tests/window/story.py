"""What an artist does, by mouse and keyboard. Run by test_window.py inside a real Blender.

    blender --factory-startup --enable-event-simulate --python story.py -- ZIP PHOTO PYTHON OUT

Writes OUT/facts.json as it goes and ends Blender in the middle of a job.
"""

import os
import signal
import sys
import time
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from hand import Hand, Steps, pause, show_tab, viewport, wait_until
from stage import JOB_SECONDS, MODULE, addon, clear, heads, note, play, reconstruct, session

ZIP, PHOTO, PYTHON, OUT = sys.argv[sys.argv.index("--") + 1 :]
CHIN = 8
"""Index among the 68 points of a face."""


def skin(root: bpy.types.Object) -> bpy.types.Object:
    return next(item for item in root.children if item.uvapm.role == "SKIN")


def vertices(root: bpy.types.Object) -> np.ndarray:
    basis = skin(root).data.shape_keys.key_blocks[0]
    values = np.empty(3 * len(basis.points), np.float32)
    basis.points.foreach_get("co", values)
    return values


def measure_stalls() -> list[float]:
    """Seconds of each of our own calls on the main thread while a job runs."""
    seconds: list[float] = []
    job = addon("operators.job").JobOperator
    plain = job.modal

    def timed(self, context, event):
        begun = time.perf_counter()
        try:
            return plain(self, context, event)
        finally:
            seconds.append(time.perf_counter() - begun)

    for each in (job, *job.__subclasses__()):
        each.modal = timed
    return seconds


def story(hand: Hand) -> Steps:
    yield from settle_in(hand)
    stalls = measure_stalls()
    yield from reconstruct(hand, PHOTO)
    note("reconstructed", stall=max(stalls), stalls=sorted(stalls)[-5:])
    yield from slide(hand)
    yield from pin(hand)
    yield from save_and_load()
    yield from export()
    yield from cancel(hand)
    yield from reload_scripts(hand)
    yield from quit_in_a_job(hand)


def settle_in(hand: Hand) -> Steps:
    yield from clear(hand)
    bpy.ops.extensions.package_install_files(
        filepath=ZIP, repo="user_default", enable_on_install=True
    )
    settings = bpy.context.preferences.addons[MODULE].preferences
    settings.engine_python = PYTHON
    settings.results_folder = str(Path(OUT, "results"))
    yield from show_tab(hand.window, "UVAPM")
    note("installed", blender=bpy.app.version_string)


def slide(hand: Hand) -> Steps:
    root = heads()[0]
    name, before = root.name, vertices(root)
    yield from hand.over_property(".value")
    yield from hand.drag(60)
    yield from pause(20)
    dragged = vertices(bpy.data.objects[name])
    yield from hand.move(viewport(hand.window).x + 300, viewport(hand.window).y + 300)
    yield from hand.tap("Z", ctrl=True)
    yield from pause(20)
    undone = vertices(bpy.data.objects[name])
    note(
        "slid",
        moved_mm=1e3 * float(np.abs(dragged - before).max()),
        undone_mm=1e3 * float(np.abs(undone - before).max()),
    )


def places(root: bpy.types.Object) -> np.ndarray:
    """Where the head has the 68 points of a face, pixels of the photo."""
    return addon("pins.draw").photo_places(root)[0]


def pin(hand: Hand) -> Steps:
    """The chin is dragged down in the photo and the head refitted; two steps of undo take it
    back."""
    area, name = viewport(hand.window), heads()[0].name
    region = next(each for each in area.regions if each.type == "WINDOW")
    over = {"window": hand.window, "area": area, "region": region}
    area.spaces.active.shading.type = "SOLID"  # without a graphics card the others take seconds
    with bpy.context.temp_override(**over):
        bpy.ops.uvapm.edit_landmarks("INVOKE_DEFAULT")
    yield from pause(20)
    root, draw = heads()[0], addon("pins.draw")
    before, folder = places(root)[CHIN], root.uvapm.result_folder
    x, y = draw.to_region(root, region, area.spaces.active.region_3d, draw.handles(root))[CHIN]
    yield from hand.move(region.x + x + 3, region.y + y - 2)
    yield from hand.drag(2, -24)
    yield from pause(10)
    yield from hand.tap("RET")
    yield from pause(10)
    pins = [(each.index, each.x, each.y) for each in bpy.data.objects[name].uvapm.pins]
    with bpy.context.temp_override(**over):
        bpy.ops.uvapm.refit("INVOKE_DEFAULT")
    runtime = addon("runtime").RUNTIME
    yield from wait_until(lambda: not session().busy and runtime.timer is None, JOB_SECONDS)
    yield from pause(10)
    missed = np.linalg.norm(places(bpy.data.objects[name])[CHIN] - pins[0][1:])
    same = len(heads()) == 1 and bpy.data.objects[name].uvapm.result_folder != folder
    yield from hand.tap("Z", ctrl=True)
    yield from pause(20)
    back = bpy.data.objects[name].uvapm.result_folder == folder
    note(
        "refitted to a pin",
        pins=pins,
        dragged=float(pins[0][2] - before[1]),
        missed=float(missed),
        in_place=same,
        refit_undone=back,
    )


def save_and_load() -> Steps:
    path = str(Path(OUT, "scene.blend"))
    bpy.ops.wm.save_as_mainfile(filepath=path)
    before = vertices(heads()[0])
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False)
    yield from pause(20)
    note("reloaded", same=bool(np.array_equal(vertices(heads()[0]), before)))


def export() -> Steps:
    bpy.context.view_layer.objects.active = skin(heads()[0])
    path = Path(OUT, "head.glb")
    bpy.ops.uvapm.export_head(filepath=str(path))
    yield from pause(4)
    note("exported", bytes=path.stat().st_size)


def cancel(hand: Hand) -> Steps:
    """Esc in a job, in which Blender refuses to reload scripts before."""
    count = len(heads())
    yield from show_tab(hand.window, "UVAPM")
    yield from hand.over_operator("uvapm.reconstruct")
    yield from hand.tap("LEFTMOUSE")
    yield from wait_until(lambda: session().busy, 20)
    engine = session()._process.pid
    os.kill(engine, signal.SIGSTOP)  # a warm engine is faster than a hand
    yield from hand.look_for("Reload Scripts")
    yield from hand.tap("RET")
    yield from pause(6)
    went_on = session().busy and session()._process.running()
    os.kill(engine, signal.SIGCONT)
    for _ in range(2):  # the first is for Blender's message, where that still shows
        begun = time.monotonic()
        if session().status.state.value == "running":
            yield from hand.tap("ESC")
            yield from pause(4)
    yield from wait_until(lambda: not session().busy, 20)
    seconds = time.monotonic() - begun
    yield from pause(20)
    note(
        "cancelled",
        job_went_on=went_on,
        cancel_seconds=seconds,
        cancel_state=session().status.state.value,
        heads_left=len(heads()) - count,
    )


def reload_scripts(hand: Hand) -> Steps:
    """The extension goes and comes back with a warm engine behind it."""
    yield from pause(10)
    engine = session()._process.pid
    yield from hand.look_for("Reload Scripts")
    yield from hand.tap("RET")
    yield from wait_until(lambda: not Path(f"/proc/{engine}").exists(), 20)
    yield from pause(20)
    yield from show_tab(hand.window, "UVAPM")
    note("scripts reloaded", heads_after=len(heads()))


def quit_in_a_job(hand: Hand) -> Steps:
    yield from pause(10)
    yield from hand.over_operator("uvapm.reconstruct")
    yield from hand.tap("LEFTMOUSE")
    yield from wait_until(lambda: session().busy, 20)
    note("quit in a job")
    bpy.ops.wm.quit_blender()


play(story)
