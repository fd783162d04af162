"""The skin's sliders together: back to the fit, to the average, at random, locks."""

import bpy

from .. import ui_text
from ..declarations import PROPERTY, Operators
from ..scene.heads import head_of
from ..skin import change
from ..skin.model import MODELS
from ..skin.values import pack_key_of
from ..sliders import LOCKS, amount_property, another_seed, name_property, set_locks
from .head import poll_head

GROUPS = (
    ("ALL", "All", "Tone, directions and components"),
    ("TONE", "Tone", "Lighter, redder, yellower and even out, to 0"),
    ("DIRECTIONS", "Directions", "The directions of whole colours, to 0"),
    ("COMPONENTS", "Components", "The components of the channels"),
)
TARGETS = (
    ("FITTED", "As Fitted", "As the photo has it"),
    ("AVERAGE", "Average", "The average skin"),
)


class _SkinOperator:
    """Needs a head with skin sliders. Mixed into operators."""

    bl_options = {"REGISTER", "UNDO"}  # redo is cheap: some ten milliseconds

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head whose albedo can be decoded."""
        if not poll_head(cls, context):
            return False
        key = pack_key_of(head_of(context.active_object))
        if key is None:
            cls.poll_message_set(ui_text.NO_SKIN)
            return False
        if key in MODELS.problems:
            cls.poll_message_set(ui_text.error_text(MODELS.problems[key]))
            return False
        return True


class UVAPM_OT_reset_skin(_SkinOperator, bpy.types.Operator):
    """Set skin sliders back to the fit, or to the average. Locked ones stay"""

    bl_idname = Operators.RESET_SKIN
    bl_label = "Reset Skin"

    group: bpy.props.EnumProperty(name="Sliders", items=GROUPS, options={"SKIP_SAVE"})
    to: bpy.props.EnumProperty(name="To", items=TARGETS, options={"SKIP_SAVE"})
    name: name_property()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the sliders, then compose once."""
        root = head_of(context.active_object)
        change.reset(root, self.group, average=self.to == "AVERAGE", name=self.name)
        return {"FINISHED"}


class UVAPM_OT_randomise_skin(_SkinOperator, bpy.types.Operator):
    """Choose a skin at random, as likely as among people. Locked components stay"""

    bl_idname = Operators.RANDOMISE_SKIN
    bl_label = "Randomise Skin"

    seed: bpy.props.IntProperty(
        name="Seed", description="Another seed gives another skin", min=0, options={"SKIP_SAVE"}
    )
    amount: amount_property("0 leaves the skin as it is, 1 makes somebody else's")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Another skin at each click."""
        self.seed = another_seed()
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Draw, then compose once."""
        root = head_of(context.active_object)
        key = pack_key_of(root)
        skin_model = MODELS.load(key)
        if skin_model is None:
            self.report({"ERROR"}, ui_text.error_text(MODELS.problems[key]))
            return {"CANCELLED"}
        change.randomise(root, skin_model, self.seed, self.amount)
        return {"FINISHED"}


class UVAPM_OT_lock_skin(_SkinOperator, bpy.types.Operator):
    """Lock or unlock all components of the skin"""

    bl_idname = Operators.LOCK_SKIN
    bl_label = "Lock Skin Sliders"
    bl_options = {"UNDO"}

    action: bpy.props.EnumProperty(name="Action", items=LOCKS, options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the locks."""
        skin = getattr(head_of(context.active_object), PROPERTY).skin
        for items in (skin.components, skin.directions):
            set_locks(items, self.action)
        return {"FINISHED"}


CLASSES = (UVAPM_OT_reset_skin, UVAPM_OT_randomise_skin, UVAPM_OT_lock_skin)
