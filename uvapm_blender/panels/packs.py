"""Packs: the list and the import in the preferences, the choice in the sidebar."""

import bpy

from ...engine.protocol.head_kinds import HEAD, head_kind
from .. import locations, ui_text
from ..declarations import PROPERTY, Operators
from ..packs.choice import MODELS, has_choice
from ..packs.shelf import SHELF, ShelfPack, licence_lines
from ..runtime import PACKS, RUNTIME
from .lines import columns_of, draw_error, draw_lines, draw_progress


def draw_choice(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Menus of packs, where there is something to choose."""
    packs = getattr(context.window_manager, PROPERTY).packs
    column = layout.column(align=True)
    column.use_property_split = True
    column.use_property_decorate = False
    for model in MODELS:
        if has_choice(model):
            column.prop(packs, model)


def draw_packs(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What is here with its licences, then the import."""
    header, body = layout.panel("UVAPM_preferences_packs")
    header.label(text="Packs")
    if body is not None:
        for pack in SHELF.packs():
            _draw_pack(body, pack, columns_of(context))
        folder = locations.own_packs()
        if folder is not None:
            body.operator("wm.path_open", text="Open My Packs", icon="FILE_FOLDER").filepath = str(
                folder
            )
    header, body = layout.panel("UVAPM_preferences_import")
    header.label(text="Import a Pack")
    if body is not None:
        _draw_import(body, context)


def _draw_pack(layout: bpy.types.UILayout, pack: ShelfPack, columns: int) -> None:
    box = layout.box()
    row = box.row()
    row.label(text=f"{pack.id} {pack.version}", icon="USER" if pack.head else "TEXTURE")
    row.label(text=pack.models)
    if pack.own:
        row.operator(Operators.REMOVE_PACK, text="", icon="TRASH", emboss=False).id = pack.id
    if pack.problem:
        draw_lines(box, pack.problem, columns, "ERROR")
    column = box.column(align=True)
    for line in licence_lines(pack.parts):
        draw_lines(column, line, columns)


def _draw_import(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    packs, columns = getattr(context.window_manager, PROPERTY).packs, columns_of(context)
    info = head_kind(packs.kind)
    column = layout.column()
    column.use_property_split = True
    column.enabled = not RUNTIME.session.busy
    column.prop(packs, "kind")
    draw_lines(layout, f"Give {info.files}.", columns, "FILE_FOLDER")
    column = layout.column()
    column.use_property_split = True
    column.enabled = not RUNTIME.session.busy
    for name in ("extra", "pack_name", *(("expressions",) if info.makes == HEAD else ())):
        column.prop(packs, name)
    draw_lines(layout, info.licence_note, columns, "INFO")
    row = layout.row()
    row.prop(packs, "accepted")
    button = row.row()
    button.enabled = packs.accepted
    imported = button.operator(Operators.IMPORT_PACK, text=ui_text.CHOOSE_FILES, icon="IMPORT")
    imported.kind, imported.accept_licence = packs.kind, packs.accepted
    imported.expressions = packs.expressions
    imported.pack_name, imported.extra = packs.pack_name, packs.extra
    if RUNTIME.session.busy:
        draw_progress(layout, RUNTIME.session.status)
    elif RUNTIME.error is not None and RUNTIME.place == PACKS:
        draw_error(layout, RUNTIME.error, RUNTIME.log, columns)
    elif RUNTIME.note:
        draw_lines(layout, RUNTIME.note, columns, "CHECKMARK")
