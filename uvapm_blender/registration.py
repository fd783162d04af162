"""Registers everything, in this order; errors propagate, nothing is registered halfway."""

import atexit

import bpy

from . import follow, locations, migrate, runtime
from .declarations import PROPERTY
from .detail import handlers, live
from .detail.properties import UVAPM_PG_detail
from .install import runtime as engines
from .match import wipe
from .match.properties import UVAPM_PG_match
from .operators import (
    asset,
    detail,
    engine,
    export_head,
    eyes,
    head,
    import_result,
    packs,
    pictures,
    pins,
    reconstruct,
    refit,
    relight,
    shape,
    skin,
    wear,
)
from .packs import properties as pack_properties
from .panels import detail as detail_panels
from .panels import eyes as eyes_panels
from .panels import head as head_panels
from .panels import main as main_panel
from .panels import match as match_panels
from .panels import preferences as preferences_page
from .panels import refit as refit_panels
from .panels import relight as relight_panels
from .panels import shape as shape_panels
from .panels import skin as skin_panels
from .panels import wear as wear_panels
from .pins import draw as pin_drawing
from .pins import properties as pin_properties
from .properties import UVAPM_PG_head, UVAPM_PG_session
from .relight import previews
from .relight import properties as relight_properties
from .rig import rest
from .shape import handlers as shape_handlers
from .shape import properties as shape_properties
from .skin import properties as skin_properties
from .wear import properties as wear_properties

CLASSES = (
    *preferences_page.CLASSES,
    UVAPM_PG_detail,
    UVAPM_PG_match,
    *pin_properties.CLASSES,
    *pack_properties.CLASSES,
    *wear_properties.CLASSES,
    *shape_properties.CLASSES,
    *skin_properties.CLASSES,
    UVAPM_PG_head,
    UVAPM_PG_session,
    *relight_properties.CLASSES,
    *relight.CLASSES,
    *pictures.CLASSES,
    reconstruct.UVAPM_OT_reconstruct,
    reconstruct.UVAPM_OT_cancel,
    refit.UVAPM_OT_refit,
    *pins.CLASSES,
    import_result.UVAPM_OT_import_result,
    export_head.UVAPM_OT_export_head,
    *packs.CLASSES,
    *wear.CLASSES,
    head.UVAPM_OT_show_photo,
    head.UVAPM_OT_remove_head,
    head.UVAPM_OT_choose_engine,
    head.UVAPM_OT_copy_text,
    *engine.CLASSES,
    *asset.CLASSES,
    *shape.CLASSES,
    *skin.CLASSES,
    *eyes.CLASSES,
    detail.UVAPM_OT_reset_detail,
    detail.UVAPM_OT_find_result,
    main_panel.UVAPM_PT_main,
    *wear_panels.CLASSES,
    head_panels.UVAPM_PT_head,
    *shape_panels.CLASSES,
    *skin_panels.CLASSES,
    detail_panels.UVAPM_PT_detail,
    detail_panels.UVAPM_PT_bands,
    detail_panels.UVAPM_PT_regions,
    detail_panels.UVAPM_PT_directions,
    *eyes_panels.CLASSES,
    *relight_panels.CLASSES,
    match_panels.UVAPM_PT_camera,
    *refit_panels.CLASSES,
    match_panels.UVAPM_PT_report,
    head_panels.UVAPM_PT_export,
    main_panel.UVAPM_FH_photo,
)


def register() -> None:
    """Classes, properties, handlers, the idle timer. On an error what was registered goes."""
    done: list[type] = []
    try:
        for each in CLASSES:
            bpy.utils.register_class(each)
            done.append(each)
    except Exception:
        for each in reversed(done):
            bpy.utils.unregister_class(each)
        raise
    setattr(bpy.types.Object, PROPERTY, bpy.props.PointerProperty(type=UVAPM_PG_head))
    scene_group = relight_properties.UVAPM_PG_scene
    setattr(bpy.types.Scene, PROPERTY, bpy.props.PointerProperty(type=scene_group))
    locations.own_packs()
    previews.open_shelf()
    pictures.add()
    setattr(bpy.types.WindowManager, PROPERTY, bpy.props.PointerProperty(type=UVAPM_PG_session))
    bpy.app.timers.register(runtime.idle_tick, first_interval=20.0, persistent=True)
    follow.add_handlers()
    migrate.add()
    handlers.add()
    shape_handlers.add()
    wipe.add()
    atexit.register(runtime.close)
    atexit.register(engines.close)


def unregister() -> None:
    """The reverse; ends the engine."""
    wipe.remove()
    packs.stop_following()
    engine.stop_following()
    rest.close()
    pin_drawing.stop()
    shape_handlers.remove()
    handlers.remove()
    migrate.remove()
    live.close()
    follow.remove_handlers()
    runtime.unwatch()
    runtime.close()
    atexit.unregister(runtime.close)
    atexit.unregister(engines.close)
    if bpy.app.timers.is_registered(runtime.idle_tick):
        bpy.app.timers.unregister(runtime.idle_tick)
    pictures.remove()
    previews.close_shelf()
    delattr(bpy.types.Scene, PROPERTY)
    delattr(bpy.types.WindowManager, PROPERTY)
    delattr(bpy.types.Object, PROPERTY)
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
