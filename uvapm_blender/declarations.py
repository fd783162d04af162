"""Every id that Blender sees, in one file."""

from enum import StrEnum

BASE_PACKAGE = __package__.rpartition(".")[0]
"""Name under which Blender knows the extension, for example bl_ext.user_default.uvapm."""

CATEGORY = "UVAPM"
"""Tab of the sidebar."""

PROPERTY = "uvapm"
"""Name of our property group on objects and on the window manager."""


class Operators(StrEnum):
    """bl_idname of the operators."""

    RECONSTRUCT = "uvapm.reconstruct"
    CANCEL = "uvapm.cancel"
    REFIT = "uvapm.refit"
    WEAR = "uvapm.wear"
    IMPORT_PACK = "uvapm.import_pack"
    REMOVE_PACK = "uvapm.remove_pack"
    SET_ASIDE_PACKS = "uvapm.set_aside_packs"
    SET_PIN = "uvapm.set_pin"
    REMOVE_PIN = "uvapm.remove_pin"
    EDIT_LANDMARKS = "uvapm.edit_landmarks"
    IMPORT_RESULT = "uvapm.import_result"
    EXPORT_HEAD = "uvapm.export_head"
    SHOW_PHOTO = "uvapm.show_photo"
    REMOVE_HEAD = "uvapm.remove_head"
    CHOOSE_ENGINE = "uvapm.choose_engine"
    COPY_TEXT = "uvapm.copy_text"
    MARK_ASSET = "uvapm.mark_asset"
    RESET_SHAPE = "uvapm.reset_shape"
    RANDOMISE_SHAPE = "uvapm.randomise_shape"
    LOCK_SHAPE = "uvapm.lock_shape"
    LOOK_AGAIN = "uvapm.look_again"
    RESET_SKIN = "uvapm.reset_skin"
    RANDOMISE_SKIN = "uvapm.randomise_skin"
    LOCK_SKIN = "uvapm.lock_skin"
    LIGHT = "uvapm.light"
    LIGHT_FILE = "uvapm.light_file"
    TURNTABLE = "uvapm.turntable"
    CONTACT_SHEET = "uvapm.contact_sheet"
    STOP_PICTURES = "uvapm.stop_pictures"
    ADD_LOOK_TARGET = "uvapm.add_look_target"
    REMOVE_LOOK_TARGET = "uvapm.remove_look_target"
    CLOSE_LIDS = "uvapm.close_lids"
    SMOOTH_HEAD = "uvapm.smooth_head"
    RESET_DETAIL = "uvapm.reset_detail"
    FIND_RESULT = "uvapm.find_result"
    INSTALL_ENGINE = "uvapm.install_engine"
    REPAIR_ENGINE = "uvapm.repair_engine"
    UNINSTALL_ENGINE = "uvapm.uninstall_engine"
    CANCEL_INSTALL = "uvapm.cancel_install"
    AUTOMATIC_DEVICE = "uvapm.automatic_device"
    DOCTOR = "uvapm.doctor"


class Panels(StrEnum):
    """bl_idname of the panels and the file handler."""

    MAIN = "UVAPM_PT_main"
    WEAR = "UVAPM_PT_wear"
    HEAD = "UVAPM_PT_head"
    SHAPE = "UVAPM_PT_shape"
    EXPRESSION = "UVAPM_PT_expression"
    SKIN = "UVAPM_PT_skin"
    SKIN_COMPONENTS = "UVAPM_PT_skin_components"
    SURFACE = "UVAPM_PT_surface"
    EYES = "UVAPM_PT_eyes"
    DETAIL = "UVAPM_PT_detail"
    BANDS = "UVAPM_PT_bands"
    REGIONS = "UVAPM_PT_regions"
    DIRECTIONS = "UVAPM_PT_directions"
    LIGHT = "UVAPM_PT_light"
    PICTURES = "UVAPM_PT_pictures"
    CAMERA = "UVAPM_PT_camera"
    REFIT = "UVAPM_PT_refit"
    PINS = "UVAPM_PT_pins"
    REPORT = "UVAPM_PT_report"
    EXPORT = "UVAPM_PT_export"
    DROP_PHOTO = "UVAPM_FH_photo"


PHOTO_EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
