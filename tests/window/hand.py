"""A hand on mouse and keyboard inside a real Blender window.

Runs in Blender started with --enable-event-simulate. Widgets are found by hovering, as a person
would: no coordinate is written down, so a panel may change its layout. Every function is a
generator; each `yield` gives Blender the time to handle events and to redraw.
"""

import time
from collections.abc import Callable, Iterator

import bpy

Steps = Iterator[None]

STEP = 14
"""Pixels between two places that are hovered: less than the height of a button."""
HOVER = 4
"""Ticks until a hovered button knows it."""


class NotFound(Exception):
    """No such widget under the mouse anywhere in the region."""


class Hand:
    """window: the only one. x, y: where the mouse is, pixels from the lower left."""

    def __init__(self, window: bpy.types.Window) -> None:
        self.window, self.x, self.y = window, 0, 0

    def event(self, kind: str, value: str = "NOTHING", **more: object) -> None:
        """One event where the mouse is."""
        self.window.event_simulate(type=kind, value=value, x=int(self.x), y=int(self.y), **more)

    def move(self, x: float, y: float) -> Steps:
        """Go there."""
        self.x, self.y = int(x), int(y)
        self.event("MOUSEMOVE")
        yield

    def tap(self, key: str, **more: object) -> Steps:
        """Press and release a key or a mouse button."""
        for value in ("PRESS", "RELEASE"):
            self.event(key, value, **(more if value == "PRESS" or "unicode" not in more else {}))
            yield

    def type(self, text: str) -> Steps:
        """Letters into the field that has the focus."""
        for letter in text:
            yield from self.tap("A", unicode=letter)

    def drag(self, dx: int, dy: int = 0, steps: int = 6) -> Steps:
        """Pull what is under the mouse to the side (and up), and let go."""
        self.event("LEFTMOUSE", "PRESS")
        yield
        for _ in range(steps):
            yield from self.move(self.x + dx / steps, self.y + dy / steps)
        self.event("LEFTMOUSE", "RELEASE")
        yield

    def look_for(self, words: str) -> Steps:
        """The operator search over the viewport: F3, words; Return would run what is found."""
        area = viewport(self.window)
        yield from self.move(area.x + area.width // 3, area.y + area.height // 2)
        yield from self.tap("F3")
        yield from pause(6)
        yield from self.type(words)
        yield from pause(6)

    def over_property(self, path: str) -> Steps:
        """Put the mouse on the widget of a property whose path ends so."""

        def is_it() -> bool:
            found = bpy.context.property
            return found is not None and found[1].endswith(path)

        yield from self._over(is_it, path)

    def over_operator(self, bl_idname: str) -> Steps:
        """Put the mouse on the button of an operator."""

        def is_it() -> bool:
            if not bpy.ops.ui.copy_python_command_button.poll():
                return False
            bpy.ops.ui.copy_python_command_button()
            return bpy.context.window_manager.clipboard.startswith(f"bpy.ops.{bl_idname}(")

        yield from self._over(is_it, bl_idname)

    def _over(self, is_it: Callable[[], bool], name: str) -> Steps:
        area = viewport(self.window)
        region = sidebar(area)
        x = region.x + int(region.width * 0.45)
        for y in range(region.y + region.height - 5, region.y, -STEP):
            yield from self.move(x, y)
            yield from pause(HOVER)
            with bpy.context.temp_override(window=self.window, area=area, region=region):
                if is_it():
                    return
        raise NotFound(name)


def pause(ticks: int) -> Steps:
    """Let Blender work."""
    for _ in range(ticks):
        yield


def wait_until(holds: Callable[[], bool], seconds: float) -> Steps:
    """Until something holds; TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(holds.__doc__ or "waited too long")
        yield


def viewport(window: bpy.types.Window) -> bpy.types.Area:
    """The 3D viewport."""
    return next(area for area in window.screen.areas if area.type == "VIEW_3D")


def sidebar(area: bpy.types.Area) -> bpy.types.Region:
    """Its sidebar."""
    return next(region for region in area.regions if region.type == "UI")


def show_tab(window: bpy.types.Window, category: str) -> Steps:
    """Open the sidebar at a tab; it can be chosen only after it was drawn."""
    area = viewport(window)
    area.spaces.active.show_region_ui = True
    yield from pause(10)
    sidebar(area).active_panel_category = category
    area.tag_redraw()
    yield from pause(10)
