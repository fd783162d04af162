"""Shape and expression sliders together: back to the fit, to the average, at random, locks."""

import bpy

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
from ..sliders import LOCKS, amount_property, another_seed, name_property, set_locks
from .head import poll_head

KINDS = (
    ("SHAPE", "Shape", "The components of the shape"),
    ("EXPRESSION", "Expression", "The expressions"),
)
TARGETS = (
    ("FITTED", "As Fitted", "As the photo has it"),
    ("AVERAGE", "Average", "The average head; no expression"),
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
    name: name_property()

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
    amount: amount_property("0 leaves the head as it is, 1 makes somebody else")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Another head at each click."""
        self.seed = another_seed()
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
        items = shape.expressions if self.kind == "EXPRESSION" else shape.components
        set_locks(items, self.action)
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
