"""A head for the asset browser."""

import bpy

from .. import ui_text
from ..declarations import Operators
from ..scene.asset import collection_of, mark_asset
from ..scene.heads import head_of
from .head import poll_head


class UVAPM_OT_mark_asset(bpy.types.Operator):
    """Offer this head in the asset browser, with a preview and tags. Save the file in an asset
    library to use it in other files"""

    bl_idname = Operators.MARK_ASSET
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a head whose collection is no asset yet."""
        if not poll_head(cls, context):
            return False
        collection = collection_of(head_of(context.active_object))
        reason = ui_text.NO_COLLECTION if collection is None else ui_text.IS_ASSET
        if collection is None or collection.asset_data is not None:
            cls.poll_message_set(reason)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mark it."""
        root = head_of(context.active_object)
        collection = collection_of(root)
        mark_asset(root, collection)
        self.report({"INFO"}, f"{collection.name} is in the asset browser")
        return {"FINISHED"}


CLASSES = (UVAPM_OT_mark_asset,)
