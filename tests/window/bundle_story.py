"""The offline bundle in a window, by mouse and keyboard, from its installation to nothing left.
Run by test_bundle.py.

    blender --factory-startup --enable-event-simulate --python bundle_story.py -- \
        BUNDLE PHOTO SCREEN OUT

SCREEN: what Xvfb's screen shows, copied to OUT/shots at each step; "-" without.
"""

import os
import shutil
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from hand import (
    Hand,
    Steps,
    choose_file,
    in_region,
    in_sidebar,
    pause,
    show_tab,
    viewport,
    wait_until,
    window_of,
)
from stage import MODULE, addon, clear, heads, note, play, reconstruct

BUNDLE, PHOTO, SCREEN, OUT = sys.argv[sys.argv.index("--") + 1 :]
HOME = Path(os.environ["BLENDER_USER_RESOURCES"])
INSTALL_SECONDS = 600.0
COLUMNS = (0.2, 0.5, 0.8)
PATIENCE = 120.0


def shot(name: str) -> Steps:
    """What the screen shows now."""
    yield from pause(12)
    if SCREEN != "-":
        folder = Path(OUT, "shots")
        folder.mkdir(exist_ok=True)
        shutil.copy(SCREEN, folder / f"{name}.xwd")


def of_the_extension() -> list[str]:
    """Files of ours in Blender's own folders."""
    found = (path for path in HOME.rglob("*") if "uvapm" in str(path.relative_to(HOME)))
    return sorted(str(path.relative_to(HOME)) for path in found)


def installer():
    """How far the installer is."""
    return addon("install.runtime").ENGINE.installer.status


def installing() -> bool:
    """Packages are being unpacked."""
    status = installer()
    return status.step.text.startswith("Installing") and status.fraction > 0.05


def story(hand: Hand) -> Steps:
    yield from clear(hand)
    yield from install_extension(hand)
    yield from open_page(hand)
    yield from install_engine()
    yield from reconstruct(hand, PHOTO)
    note("reconstructed", heads=len(heads()))
    yield from shot("head")
    solid(hand)
    yield from light(hand)
    yield from export(hand)
    yield from uninstall_engine()
    yield from uninstall_extension()
    bpy.ops.wm.quit_blender()


def install_extension(hand: Hand) -> Steps:
    """Ctrl-comma, Install from Disk, the file browser."""
    yield from hand.tap("COMMA", ctrl=True)
    yield from wait_until(lambda: window_of("PREFERENCES") is not None, PATIENCE)
    bpy.context.preferences.active_section = "EXTENSIONS"
    window = window_of("PREFERENCES")
    with bpy.context.temp_override(window=window, area=window.screen.areas[0]):
        bpy.ops.extensions.package_install_files("INVOKE_DEFAULT", repo="user_default")
    yield from choose_file(Path(BUNDLE))
    yield from wait_until(lambda: MODULE in bpy.context.preferences.addons, PATIENCE)
    yield from shot("extension")
    note("extension installed", blender=bpy.app.version_string, online=bpy.app.online_access)


def open_page(hand: Hand) -> Steps:
    """From the sidebar to the engine in the preferences."""
    yield from show_tab(hand.window, "UVAPM")
    yield from shot("sidebar")
    yield from hand.over_operator("uvapm.choose_engine")
    yield from hand.tap("LEFTMOUSE")
    yield from pause(20)
    yield from shot("preferences")


def page():
    """The preferences."""
    return in_region(window_of("PREFERENCES"), "PREFERENCES", "WINDOW", (0.4, 0.15, 0.7))


def ask(operator: str, name: str) -> Steps:
    """Click a button of the preferences, look at its dialog, confirm it under the mouse."""
    hand = Hand(window_of("PREFERENCES"))
    yield from hand.over_operator(operator, page())
    yield from hand.tap("LEFTMOUSE")
    yield from shot(name)
    asked = not installer().busy
    yield from hand.tap("LEFTMOUSE")
    yield from pause(6)
    by = "mouse" if installer().busy else "return"
    if by == "return":
        yield from hand.tap("RET")
    yield from wait_until(lambda: installer().busy, PATIENCE)
    note(name, **{f"{name}_asked": asked, f"{name}_by": by})


def install_engine() -> Steps:
    begun = time.monotonic()
    yield from ask("uvapm.install_engine", "dialog")
    yield from wait_until(installing, INSTALL_SECONDS)
    yield from shot("progress")
    yield from wait_until(lambda: not installer().busy, INSTALL_SECONDS)
    yield from shot("installed")
    note(
        "engine installed",
        phase=installer().phase.value,
        said=addon("install.runtime").ENGINE.note,
        engine_seconds=round(time.monotonic() - begun, 1),
        engine_files=sum("engine-env" in name for name in of_the_extension()),
    )


def solid(hand: Hand) -> None:
    """Without a graphics card the other kinds of shading take seconds a redraw."""
    viewport(hand.window).spaces.active.shading.type = "SOLID"


def light(hand: Hand) -> Steps:
    """A tile that is not the photo's own light."""
    before = bpy.context.scene.world
    yield from hand.open_panel(addon("panels.relight").UVAPM_PT_light, "uvapm.show_photo")
    header = hand.x, hand.y
    tile = addon("relight.environments").environments()[2].id
    at = in_sidebar(hand.window, COLUMNS, hand.y)
    yield from hand.over_operator("uvapm.light", at, f"environment='{tile}'")
    yield from shot("tiles")
    yield from hand.tap("LEFTMOUSE")
    yield from pause(40)
    yield from shot("lit")
    after = bpy.context.scene.world
    solid(hand)
    yield from hand.move(*header)
    yield from hand.tap("LEFTMOUSE")  # fold it
    yield from pause(20)
    note("lit", tile=tile, relit=after is not None and after != before)


def export(hand: Hand) -> Steps:
    """The glTF button and its file browser."""
    path = Path(OUT, "head.glb")
    yield from hand.open_panel(addon("panels.head").UVAPM_PT_export, "uvapm.show_photo")
    at = in_sidebar(hand.window, COLUMNS, hand.y)
    yield from hand.over_operator("uvapm.export_head", at, "format='GLB'")
    yield from hand.tap("LEFTMOUSE")
    yield from wait_until(lambda: window_of("FILE_BROWSER") is not None, PATIENCE)
    yield from shot("export")
    yield from choose_file(path)
    yield from wait_until(path.is_file, PATIENCE)
    yield from pause(10)
    note("exported", bytes=path.stat().st_size)


def uninstall_engine() -> Steps:
    yield from ask("uvapm.uninstall_engine", "confirm")
    yield from wait_until(lambda: not installer().busy, PATIENCE)
    yield from shot("uninstalled")
    left = [name for name in of_the_extension() if "engine-env" in name or "engine-cache" in name]
    note("engine uninstalled", engine_left=left, goodbye=addon("install.runtime").ENGINE.note)


def uninstall_extension() -> Steps:
    """Blender's own operator, as in the menu beside the extension's name."""
    repositories = list(bpy.context.preferences.extensions.repos)
    number = next(i for i, each in enumerate(repositories) if each.module == "user_default")
    bpy.ops.extensions.package_uninstall(repo_index=number, pkg_id="uvapm")
    yield from pause(20)
    yield from shot("removed")
    enabled = MODULE in bpy.context.preferences.addons
    note("extension removed", left=of_the_extension(), enabled=enabled)


play(story)
