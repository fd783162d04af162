"""What the stories share: facts written as they go, and what every one of them does."""

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from hand import Hand, Steps, pause, wait_until

MODULE = "bl_ext.user_default.uvapm"
TICK = 0.05
JOB_SECONDS = 180.0
OUT = Path(sys.argv[-1])
FACTS: dict[str, object] = {"steps": []}


def note(step: str, **facts: object) -> None:
    FACTS["steps"].append(step)
    FACTS.update(facts)
    (OUT / "facts.json").write_text(json.dumps(FACTS, indent=1), encoding="utf-8")


def addon(name: str):
    return sys.modules[f"{MODULE}.uvapm_blender.{name}"]


def session():
    return addon("runtime").RUNTIME.session


def heads() -> list[bpy.types.Object]:
    return [item for item in bpy.context.scene.objects if item.uvapm.role == "ROOT"]


def clear(hand: Hand) -> Steps:
    """An empty scene, without the splash screen."""
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    yield from hand.move(hand.window.width // 2, hand.window.height // 2)
    yield from hand.tap("ESC")


def reconstruct(hand: Hand, photo: str) -> Steps:
    """The photo's path typed, the button clicked."""
    yield from hand.over_property("photo")
    yield from hand.fill(photo)
    note("photo typed", photo=bpy.context.window_manager.uvapm.photo)
    yield from hand.over_operator("uvapm.reconstruct")
    yield from hand.tap("LEFTMOUSE")
    yield from wait_until(lambda: session().busy, 20)
    note("job started")
    yield from wait_until(lambda: not session().busy, JOB_SECONDS)
    yield from wait_until(lambda: bool(heads()), 20)
    yield from pause(20)


def play(story: Callable[[Hand], Steps]) -> None:
    """Walk through a story from a timer; what goes wrong is noted and ends Blender."""
    steps = story(Hand(bpy.context.window_manager.windows[0]))

    def tick() -> float | None:
        try:
            next(steps)
        except StopIteration:
            return None
        except Exception:  # noqa: BLE001 the test shows it
            note("failed", error=traceback.format_exc())
            bpy.ops.wm.quit_blender()
            return None
        return TICK

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)
