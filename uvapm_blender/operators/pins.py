"""Pins: one by one for scripts, and by mouse and keyboard over the photo."""

import bpy
import numpy as np
from bpy_extras.view3d_utils import region_2d_to_vector_3d

from ...engine.protocol.errors import EngineError
from ...engine.protocol.landmarks68 import LANDMARK_NAMES, Pin
from .. import ui_text
from ..declarations import PROPERTY, Operators
from ..pins import draw, frame
from ..pins.draw import EDITING
from ..pins.photo_plane import photo_camera
from ..pins.points import embedding_of
from ..pins.values import pin_at, pins_of, remove_pin, set_pin
from ..runtime import redraw
from ..scene.build import match_photo
from ..scene.heads import head_of
from .head import poll_head

REACH = 14.0
"""Pixels at scale 1 within which the mouse takes hold of a point."""
STEPS = {"LEFT_ARROW": (-1, 0), "RIGHT_ARROW": (1, 0), "UP_ARROW": (0, -1), "DOWN_ARROW": (0, 1)}
FAR_STEP = 10
"""Pixels of the photo that an arrow key moves a pin by with Shift held."""
LAST = len(LANDMARK_NAMES) - 1


class UVAPM_OT_set_pin(bpy.types.Operator):
    """Put a point of the face in its place in the photo. The next refit follows it"""

    bl_idname = Operators.SET_PIN
    bl_label = "Set Landmark Pin"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(name="Point", description="0 to 67", min=0, max=LAST)
    x: bpy.props.FloatProperty(name="X", description="Pixels from the photo's left edge")
    y: bpy.props.FloatProperty(name="Y", description="Pixels from the photo's top edge")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return poll_head(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set it."""
        try:
            set_pin(head_of(context.active_object), Pin(self.index, self.x, self.y))
        except EngineError as error:
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        redraw(context)
        return {"FINISHED"}


class UVAPM_OT_remove_pin(bpy.types.Operator):
    """Let the fit find this point again by itself"""

    bl_idname = Operators.REMOVE_PIN
    bl_label = "Remove Landmark Pin"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(
        name="Point", description="0 to 67, or -1 for all", min=-1, max=LAST, default=-1
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head with a pin."""
        if not poll_head(cls, context):
            return False
        if not getattr(head_of(context.active_object), PROPERTY).pins:
            cls.poll_message_set(ui_text.NO_PINS)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it, or all."""
        root = head_of(context.active_object)
        if self.index < 0:
            getattr(root, PROPERTY).pins.clear()
        elif not remove_pin(root, self.index):
            return {"CANCELLED"}
        redraw(context)
        return {"FINISHED"}


class UVAPM_OT_edit_landmarks(bpy.types.Operator):
    """Drag points of the face to their places in the photo; Refit then follows them.
    Mouse: drag. Tab: next point. Arrows: move. X: remove the pin. Space: photo or head.
    Enter, Esc: done"""

    bl_idname = Operators.EDIT_LANDMARKS
    bl_label = "Edit Landmarks"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head with its photo's camera, in a viewport."""
        if not poll_head(cls, context):
            return False
        if photo_camera(head_of(context.active_object)) is None:
            cls.poll_message_set(ui_text.NO_CAMERA)
            return False
        if context.area is None or context.area.type != "VIEW_3D":
            cls.poll_message_set(ui_text.NO_VIEWPORT)
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Look through the photo's camera, with the photo in front."""
        root = head_of(context.active_object)
        try:
            embedding_of(root)
        except EngineError as error:
            self.report({"ERROR"}, ui_text.error_text(error))
            return {"CANCELLED"}
        match_photo(root, context.scene)
        frame.look_at_face(root, context.area, context.space_data.region_3d)
        match = getattr(root, PROPERTY).match
        self.before = match.photo, match.opacity
        match.photo, match.opacity = "FRONT", 1.0
        bpy.ops.ed.undo_push(message=self.bl_label)  # undoing the first pin must not hide the photo
        draw.start(root, context.area)
        context.workspace.status_text_set(ui_text.PINS_HINT)
        context.window_manager.modal_handler_add(self)
        context.area.tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """What is not ours goes on to Blender: zoom, undo, the sidebar."""
        root = bpy.data.objects.get(EDITING.root)
        if root is None or context.area is None or EDITING.handle is None:
            return self._leave(context, root)
        answer = {"PASS_THROUGH"}
        if event.type == "MOUSEMOVE":
            answer = self._move(context, event, root)
        elif event.type == "LEFTMOUSE":
            answer = self._press(context, event, root)
        elif event.value == "PRESS":
            answer = self._key(context, event, root)
        context.area.tag_redraw()
        return answer

    def cancel(self, context: bpy.types.Context) -> None:
        """A file is loaded or the window closes."""
        draw.stop()

    # --- mouse -------------------------------------------------------------------------------

    def _move(
        self, context: bpy.types.Context, event: bpy.types.Event, root: bpy.types.Object
    ) -> set[str]:
        region, mouse = _window(context), _mouse(context, event)
        if EDITING.dragged is not None:
            EDITING.dragged = _photo_place(context, root, region, mouse)
            return {"RUNNING_MODAL"}
        EDITING.chosen = _nearest(context, root, mouse)
        return {"PASS_THROUGH"}

    def _press(
        self, context: bpy.types.Context, event: bpy.types.Event, root: bpy.types.Object
    ) -> set[str]:
        mouse, region = _mouse(context, event), _window(context)
        if event.value == "RELEASE" and EDITING.dragged is not None:
            place, EDITING.dragged = EDITING.dragged, None
            if not np.array_equal(mouse, self.pressed):
                _set(context, root, EDITING.chosen, place)
            return {"RUNNING_MODAL"}
        if event.value != "PRESS" or not _over_picture(context, event):
            return {"PASS_THROUGH"}
        EDITING.chosen = _nearest(context, root, mouse)
        if EDITING.chosen is None:
            return {"PASS_THROUGH"}
        self.pressed = mouse
        EDITING.dragged = _photo_place(context, root, region, mouse)
        return {"RUNNING_MODAL"}

    # --- keyboard ----------------------------------------------------------------------------

    def _key(
        self, context: bpy.types.Context, event: bpy.types.Event, root: bpy.types.Object
    ) -> set[str]:
        kind, chosen = event.type, EDITING.chosen
        if kind == "ESC" and EDITING.dragged is not None:
            EDITING.dragged = None
        elif kind in {"ESC", "RET", "NUMPAD_ENTER"}:
            return self._leave(context, root)
        elif kind == "TAB":
            step = -1 if event.shift else 1
            EDITING.chosen = 0 if chosen is None else (chosen + step) % len(LANDMARK_NAMES)
        elif kind in STEPS and chosen is not None:
            length = FAR_STEP if event.shift else 1
            place = draw.handles(root)[chosen] + length * np.array(STEPS[kind])
            _set(context, root, chosen, place)
        elif kind in {"X", "DEL", "BACK_SPACE"} and chosen is not None:
            if pin_at(root, chosen) is not None:
                bpy.ops.uvapm.remove_pin("EXEC_DEFAULT", True, index=chosen)
        elif kind == "SPACE":
            match = getattr(root, PROPERTY).match
            match.photo = "BEHIND" if match.photo == "FRONT" else "FRONT"
        else:
            return {"PASS_THROUGH"}
        return {"RUNNING_MODAL"}

    def _leave(self, context: bpy.types.Context, root: bpy.types.Object | None) -> set[str]:
        draw.stop()
        context.workspace.status_text_set(None)
        if root is not None:
            match = getattr(root, PROPERTY).match
            match.photo, match.opacity = self.before
            bpy.ops.ed.undo_push(message=ui_text.PINS_DONE)
            self.report({"INFO"}, ui_text.pins_left(len(pins_of(root))))
        redraw(context)
        return {"FINISHED"}


CLASSES = (UVAPM_OT_set_pin, UVAPM_OT_remove_pin, UVAPM_OT_edit_landmarks)


def _window(context: bpy.types.Context) -> bpy.types.Region:
    """The viewport's picture; the operator may come from the sidebar."""
    return next(region for region in context.area.regions if region.type == "WINDOW")


def _mouse(context: bpy.types.Context, event: bpy.types.Event) -> np.ndarray:
    region = _window(context)
    return np.array([event.mouse_x - region.x, event.mouse_y - region.y], dtype=np.float64)


def _over_picture(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether the mouse is over the picture and not over a bar or sidebar that lies on it."""
    for region in context.area.regions:
        across = region.x <= event.mouse_x < region.x + region.width
        within = across and region.y <= event.mouse_y < region.y + region.height
        if within and region.type != "WINDOW" and region.width > 1 and region.height > 1:
            return False
    region = _window(context)
    inside = _mouse(context, event)
    return bool((inside >= 0).all() and inside[0] < region.width and inside[1] < region.height)


def _nearest(context: bpy.types.Context, root: bpy.types.Object, mouse: np.ndarray) -> int | None:
    """The point that the mouse takes hold of."""
    region, view = _window(context), context.space_data.region_3d
    places = draw.to_region(root, region, view, draw.handles(root))
    distance = np.nan_to_num(np.linalg.norm(places - mouse, axis=1), nan=np.inf)
    near = int(np.argmin(distance))
    reach = REACH * context.preferences.system.ui_scale
    return near if distance[near] <= reach else None


def _photo_place(
    context: bpy.types.Context,
    root: bpy.types.Object,
    region: bpy.types.Region,
    mouse: np.ndarray,
) -> np.ndarray:
    """(2,) pixels of the photo under the mouse, inside the photo."""
    view = context.space_data.region_3d
    ray = np.array(region_2d_to_vector_3d(region, view, mouse.tolist()))
    camera = photo_camera(root)
    place = camera.to_photo((camera.pose[:3, 3] + ray)[None])[0]
    return np.clip(place, 0.0, getattr(root, PROPERTY).resolution)


def _set(context: bpy.types.Context, root: bpy.types.Object, index: int, place: np.ndarray) -> None:
    """As one step of undo."""
    x, y = np.clip(place, 0.0, getattr(root, PROPERTY).resolution)
    with context.temp_override(active_object=root, object=root):
        bpy.ops.uvapm.set_pin("EXEC_DEFAULT", True, index=index, x=float(x), y=float(y))
