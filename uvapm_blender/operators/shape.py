"""Shape and expression sliders together: back to the fit, to the average, at random, locks."""

import bpy
import numpy as np

from .. import ui_text
from ..declarations import PROPERTY, Operators
from ..detail import live
from ..runtime import redraw
from ..scene.heads import head_of
from ..shape import change
from ..shape.apply import is_busy
from ..shape.cache import CACHE
from ..shape.values import keys_of
from ..skin.model import MODELS
from .head import poll_head

KINDS = (
    ("SHAPE", "Shape", "The components of the shape"),
    ("EXPRESSION", "Expression", "The expressions"),
)
TARGETS = (
    ("FITTED", "As Fitted", "As the photo has it"),
    ("AVERAGE", "Average", "The average head; no expression"),
)
LOCKS = (
    ("LOCK", "Lock All", "All sliders stay as they are"),
    ("UNLOCK", "Unlock All", "All sliders may change"),
    ("INVERT", "Invert Locks", "What was locked is free, and the other way round"),
)


class _ShapeOperator:
    """Needs a head that can be changed now. Mixed into operators."""

    bl_options = {"REGISTER", "UNDO"}  # redo is cheap: some ten milliseconds

    kind: bpy.props.EnumProperty(name="Sliders", items=KINDS, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head, none of whose meshes is being edited."""
        if not poll_head(cls, context):
            return False
        if is_busy(head_of(context.active_object)):
            cls.poll_message_set(ui_text.EDITING)
            return False
        return True

    def usable(self, root: bpy.types.Object) -> bool:
        """True when the sliders of `kind` work; else the reason is reported."""
        if self.kind == "EXPRESSION":
            reason = "" if keys_of(root) else ui_text.NO_EXPRESSIONS
        else:
            CACHE.look(root)
            problem = CACHE.problem(root)
            known = len(getattr(root, PROPERTY).shape.components)
            reason = ui_text.error_text(problem) if problem else "" if known else ui_text.NO_SHAPE
        if reason:
            self.report({"ERROR"}, reason)
        return not reason


class UVAPM_OT_reset_shape(_ShapeOperator, bpy.types.Operator):
    """Set shape or expression sliders back to the fit, or to the average. Locked ones stay"""

    bl_idname = Operators.RESET_SHAPE
    bl_label = "Reset Shape"

    to: bpy.props.EnumProperty(name="To", items=TARGETS, options={"SKIP_SAVE"})
    name: bpy.props.StringProperty(
        name="Only", description="One slider by its name; empty: all", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the sliders, then move the meshes once."""
        root = head_of(context.active_object)
        if not self.usable(root):
            return {"CANCELLED"}
        reset = change.reset_expression if self.kind == "EXPRESSION" else change.reset_identity
        reset(root, average=self.to == "AVERAGE", name=self.name)
        return {"FINISHED"}


class UVAPM_OT_randomise_shape(_ShapeOperator, bpy.types.Operator):
    """Choose shape or expression sliders at random, as likely as among people. Locked ones stay"""

    bl_idname = Operators.RANDOMISE_SHAPE
    bl_label = "Randomise Shape"

    seed: bpy.props.IntProperty(
        name="Seed", description="Another seed gives another head", min=0, options={"SKIP_SAVE"}
    )
    amount: bpy.props.FloatProperty(
        name="Amount",
        description="0 leaves the head as it is, 1 makes somebody else",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Another head at each click."""
        self.seed = int(np.random.default_rng().integers(2**31 - 1))
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Draw, then move the meshes once."""
        root = head_of(context.active_object)
        if not self.usable(root):
            return {"CANCELLED"}
        expression = self.kind == "EXPRESSION"
        draw = change.randomise_expression if expression else change.randomise_identity
        draw(root, self.seed, self.amount)
        return {"FINISHED"}


class UVAPM_OT_lock_shape(_ShapeOperator, bpy.types.Operator):
    """Lock or unlock all shape or expression sliders"""

    bl_idname = Operators.LOCK_SHAPE
    bl_label = "Lock Sliders"
    bl_options = {"UNDO"}

    action: bpy.props.EnumProperty(name="Action", items=LOCKS, options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the locks."""
        shape = getattr(head_of(context.active_object), PROPERTY).shape
        for item in shape.expressions if self.kind == "EXPRESSION" else shape.components:
            item.locked = self.action == "LOCK" or (
                self.action == "INVERT" and not item.locked
            )  # fmt: skip
        return {"FINISHED"}


class UVAPM_OT_look_again(bpy.types.Operator):
    """Look for this head's pack again"""

    bl_idname = Operators.LOOK_AGAIN
    bl_label = "Look Again"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head."""
        return poll_head(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget what was missing, and look."""
        root = head_of(context.active_object)
        CACHE.clear()
        CACHE.look(root)
        change.apply_identity(root)
        MODELS.forget_problems()
        live.refresh(root)
        redraw(context)
        return {"FINISHED"}


CLASSES = (
    UVAPM_OT_reset_shape,
    UVAPM_OT_randomise_shape,
    UVAPM_OT_lock_shape,
    UVAPM_OT_look_again,
)
