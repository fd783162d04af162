"""A hand on mouse and keyboard inside a real Blender window.

Runs in Blender started with --enable-event-simulate. Widgets are found by hovering, as a person
would: no coordinate is written down, so a panel may change its layout. Every function is a
generator; each `yield` gives Blender the time to handle events and to redraw.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

Steps = Iterator[None]

STEP = 14
"""Pixels between two places that are hovered: less than the height of a button."""
HOVER = 4
"""Ticks until a hovered button knows it."""
WHEEL = 8
"""Turns of the wheel for the next page of a region that is higher than the window."""
PAGES = 6
HEADER = 28
"""Pixels from one folded panel's header to the next."""


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

    def fill(self, text: str) -> Steps:
        """Replace the text of the field under the mouse."""
        yield from pause(HOVER)
        for _ in range(2):
            yield from self.tap("LEFTMOUSE")
        yield from pause(HOVER)
        yield from self.tap("A", ctrl=True)
        yield from self.type(text)
        yield from self.tap("RET")
        yield from pause(HOVER)

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

    def over_property(self, path: str, at: "Place | None" = None) -> Steps:
        """Put the mouse on the widget of a property whose path ends so."""

        def is_it() -> bool:
            found = bpy.context.property
            return found is not None and found[1].endswith(path)

        yield from self._over(is_it, path, at)

    def over_operator(self, bl_idname: str, at: "Place | None" = None, words: str = "") -> Steps:
        """Put the mouse on the button of an operator; words: how its arguments begin."""

        def is_it() -> bool:
            if not bpy.ops.ui.copy_python_command_button.poll():
                return False
            bpy.ops.ui.copy_python_command_button()
            return bpy.context.window_manager.clipboard.startswith(f"bpy.ops.{bl_idname}({words}")

        yield from self._over(is_it, bl_idname, at)

    def open_panel(self, panel: type, above: str) -> Steps:
        """Open a panel of the sidebar by its header, and fold those between it and a button,
        above. A header tells no name: what is no button is clicked, and who is drawn then tells."""
        at, siblings = in_sidebar(self.window), _siblings(panel)
        yield from self.over_operator(above, at)
        with _watched(siblings) as drawn:
            yield from self._drawn(at, drawn)
            if panel in drawn:
                return
            y = self.y - HEADER // 2
            while (y := y - STEP) > at.region.y:
                yield from self.move(self.x, y)
                yield from pause(HOVER)
                with bpy.context.temp_override(**at.over()):
                    button = bpy.ops.ui.copy_python_command_button.poll()
                    if button or bpy.context.property is not None:
                        continue
                yield from self._drawn(at, drawn)
                before = set(drawn)
                yield from self._click_header(at, drawn)
                if panel in drawn:
                    return
                if drawn - before:
                    yield from self._click_header(at, drawn)
                if drawn != before or drawn - before:
                    y -= HEADER - STEP
        raise NotFound(panel.bl_label)

    def _click_header(self, at: "Place", drawn: set[type]) -> Steps:
        yield from self.tap("LEFTMOUSE")
        yield from pause(10)  # a panel unfolds for a moment, and two clicks are not one of two
        yield from self._drawn(at, drawn)

    def _drawn(self, at: "Place", drawn: set[type]) -> Steps:
        """Let the region be drawn, to see who is."""
        drawn.clear()
        at.region.tag_redraw()
        yield from pause(HOVER)

    def scroll_to_top(self, at: "Place") -> Steps:
        """Turn the wheel over a region until its first lines show."""
        yield from self.move(at.region.x + at.region.width / 2, at.region.y + 20)
        for _ in range(40):
            yield from self.tap("WHEELUPMOUSE")

    def _over(self, is_it: Callable[[], bool], name: str, at: "Place | None") -> Steps:
        """Down the region; further down with the wheel where it does not fit."""
        at = at or in_sidebar(self.window)
        for page in range(PAGES):
            for x, y in at.places():
                yield from self.move(x, y)
                yield from pause(HOVER)
                with bpy.context.temp_override(**at.over()):
                    if is_it():
                        return
            at = replace(at, below=None)
            if page == 0:
                yield from self.scroll_to_top(at)
            else:
                for _ in range(WHEEL):
                    yield from self.tap("WHEELDOWNMOUSE")
            yield from pause(HOVER)
        raise NotFound(name)


def choose_file(path: Path) -> Steps:
    """In the file browser's window: type the folder, type the name, click the button."""
    yield from wait_until(lambda: window_of("FILE_BROWSER") is not None, 20)
    yield from pause(20)
    window = window_of("FILE_BROWSER")
    hand, below = Hand(window), in_region(window, "FILE_BROWSER", "EXECUTE", (0.9,))
    above = in_region(window, "FILE_BROWSER", "UI").region
    yield from hand.move(above.x + 0.35 * above.width, above.y + above.height / 2)
    yield from hand.fill(f"{path.parent}/")
    line = below.region  # the folder's field may list folders still: the first click ends that
    yield from hand.move(line.x + 0.3 * line.width, line.y + line.height / 2)
    yield from hand.fill(path.name)
    yield from hand.over_operator("file.execute", below)
    yield from hand.tap("LEFTMOUSE")
    yield from wait_until(lambda: window_of("FILE_BROWSER") is None, 20)
    yield from pause(4)


def _siblings(panel: type) -> list[type]:
    """Panels with the same parent."""
    found = (getattr(bpy.types, name) for name in dir(bpy.types) if "_PT_" in name)
    parent = panel.bl_parent_id
    return [each for each in found if getattr(each, "bl_parent_id", "") == parent]


@contextmanager
def _watched(panels: list[type]) -> Iterator[set[type]]:
    """A set that gets each of the panels when it is drawn."""
    drawn: set[type] = set()
    plain = {each: each.draw for each in panels}

    def watch(panel: type) -> Callable[..., None]:
        def draw(self: bpy.types.Panel, context: bpy.types.Context) -> None:
            drawn.add(panel)
            plain[panel](self, context)

        return draw

    for each in panels:
        each.draw = watch(each)
    try:
        yield drawn
    finally:
        for each in panels:
            each.draw = plain[each]


@dataclass(frozen=True)
class Place:
    """Where a widget is looked for. across: columns that are hovered, parts of the width. below:
    where to begin, None for the top."""

    window: bpy.types.Window
    area: bpy.types.Area
    region: bpy.types.Region
    across: tuple[float, ...] = (0.45,)
    below: int | None = None

    def places(self) -> Iterator[tuple[float, float]]:
        """Pixels of the window, line by line from the top."""
        top = self.region.y + self.region.height - 5 if self.below is None else self.below
        for y in range(top, self.region.y, -STEP):
            for part in self.across:
                yield self.region.x + self.region.width * part, y

    def over(self) -> dict[str, object]:
        """For temp_override."""
        return {"window": self.window, "area": self.area, "region": self.region}


def in_sidebar(
    window: bpy.types.Window, across: tuple[float, ...] = (0.45,), below: int | None = None
) -> Place:
    """The viewport's sidebar."""
    area = viewport(window)
    return Place(window, area, sidebar(area), across, below)


def in_region(
    window: bpy.types.Window, kind: str, region: str, across: tuple[float, ...] = (0.45,)
) -> Place:
    """A region of the window's first editor of a kind."""
    area = next(each for each in window.screen.areas if each.type == kind)
    return Place(window, area, next(r for r in area.regions if r.type == region), across)


def window_of(kind: str) -> bpy.types.Window | None:
    """The window that shows only an editor of this kind: the preferences, a file browser."""
    found = bpy.context.window_manager.windows
    return next((w for w in found if [a.type for a in w.screen.areas] == [kind]), None)


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
