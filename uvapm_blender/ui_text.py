"""Words that the user reads, except names and tooltips of single properties, and what is said of
the engine (install/words.py)."""

import textwrap
from collections.abc import Collection, Sequence
from pathlib import Path

from ..engine.protocol.edits import Edits
from ..engine.protocol.errors import EngineError, ErrorCode

DEVICES = {
    "auto": ("Automatic", "A graphics card when PyTorch finds one, else the processor"),
    "cpu": ("Processor", "Works everywhere"),
    "cuda": ("NVIDIA graphics card", "Needs a PyTorch with CUDA"),
    "mps": ("Apple graphics", "Needs a Mac with Apple silicon"),
}
"""Name and description of each device of a job."""

STAGES = {
    "photo": "Reading the photo",
    "prepare": "Reading the photo",
    "shape": "Fitting the shape",
    "albedo": "Solving light and albedo",
    "detail": "Adding photo detail",
    "result": "Writing the result",
    "write": "Writing the result",
    "register": "Finding the face on the mesh",
    "maps": "Baking the textures",
    "shapes": "Carrying the expressions over",
}
STARTING = "Starting the engine"
CANCELLING = "Cancelling"
RUNNING_HINT = "UVAPM is reconstructing a head. Esc: cancel"
BUILDING_HINT = "UVAPM is building the head. Esc: cancel"

CANCELLED = "Reconstruction cancelled"
STOPPED = "The reconstruction was stopped: the extension was disabled or reloaded."
START_AGAIN = "Start it again."
BUSY = "The engine is busy"
WEARING_HINT = "UVAPM is fitting a head to a mesh. Esc: cancel"
WEARING_CANCELLED = "Cancelled, the mesh stays as it was"
NO_WEARER = "Select a mesh of your own, a human head"
NO_WORN_HEAD = "Reconstruct a head. Several heads: select one, then shift-click the mesh"
CHOOSE_FILES = "Choose Files..."
IMPORT_CANCELLED = "Import cancelled, nothing was kept"
NOT_OWN = "This pack came with the extension"
NONE_BAD = "None of your own packs is damaged; one in another folder must be replaced there"
INSTALL_AGAIN = (
    "Extensions, menu at the top right, Install from Disk: choose the extension's zip again. It "
    "brings the default pack. Your heads, results and own packs stay."
)
NO_EYES = "This head has no eyes"
NO_LIDS = "This head has no blinks, or its lids were remodelled"
NO_TARGET = "This head has no look target"
NO_HEAD = "Select a head made by UVAPM"
NO_PINS = "This head has no landmark pins"
NO_CAMERA = "The camera of this head's photo was removed"
NO_VIEWPORT = "Only in a 3D viewport"
PINS_DONE = "Landmarks Edited"
PINS_HINT = (
    "Drag a point   Tab: next   Arrows: move it (Shift: far)   X: remove its pin   "
    "Space: photo or head   Enter, Esc: done"
)
KEEP = "Keep as it is now:"
OBJECT_MODE = "Switch to Object Mode"
EDITING = "Leave Edit or Sculpt Mode first"
NO_SHAPE = "This head has no shape sliders: its result folder was not found"
NO_SKIN = "This head has no skin sliders: its result folder was not found"
NO_EXPRESSIONS = "This head has no expressions"
NOTHING_FOUND = "Nothing found"
NO_COLLECTION = "The parts of this head are not in one collection"
IS_ASSET = "This head is an asset already"
NOTHING_RUNS = "No reconstruction is running"
NO_HDRI = "Choose an .hdr or .exr file"
TAKING_PICTURES = "Pictures are being taken"
NO_PICTURES = "No pictures are being taken"
PICTURES_HINT = "UVAPM is taking pictures of a head. Esc: stop"
PICTURES_STOPPED = "Pictures stopped, nothing was kept"
NO_DETAIL = "This head was fitted without a detail model"
PACK_COMMAND = "python -m engine packs build default"
PACK_ADVICE = "In the extension's folder, with the engine's Python, run:"

INSTALLER_BUSY = "The engine is being installed or examined"
WAIT = "Wait until that is done."

ENGINE_MISSING = (ErrorCode.ENGINE_MISSING,)
PACK_TROUBLE = (ErrorCode.PACK_MISSING, ErrorCode.PACK_INVALID)


def stage_text(stage: str) -> str:
    """What the engine does in a stage; an unknown stage shows its own name."""
    return STAGES.get(stage, stage.replace("_", " ").capitalize()) or STARTING


def built(name: str, warnings: int) -> str:
    """Report after a head was added."""
    if not warnings:
        return f"{name}: head added"
    return f"{name}: head added, with {_warnings(warnings)}"


def _warnings(count: int) -> str:
    return f"{count} warning{'s' if count > 1 else ''}"


def taking(label: str, done: int, steps: int) -> str:
    """How far the pictures are."""
    return f"{label}: {done} of {steps}"


def pictures_done(label: str, target: Path) -> str:
    """Report after pictures were taken."""
    return f"{label} written: {target}"


def light_with(label: str) -> str:
    """Tooltip of an environment."""
    return f"Light the scene with: {label}. Rotation and strength stay as they were last"


def who_wears(mesh: str, head: str) -> str:
    """What the button will do."""
    return f"{mesh} wears {head}"


def wears(mesh: str, head: str, keys: int, textures: bool) -> str:
    """Report afterwards."""
    parts = [f"{keys} shape keys"] if keys else []
    parts += ["textures"] if textures else []
    return f"{mesh} wears {head}: {', '.join(parts)}"


def imported(id: str, warnings: Sequence[str]) -> str:
    """Report after a pack was imported."""
    return ". ".join((f"{id}: pack imported", *warnings))


def moved_aside(folders: list[Path]) -> str:
    """Report after packs were moved."""
    names = ", ".join(folder.name for folder in folders)
    return f"{names}: moved to {folders[0].parent}. Import again what you need."


def removed(id: str) -> str:
    """Report after a pack was removed."""
    return f"{id}: pack removed"


def refitted(name: str, warnings: int) -> str:
    """Report after a head was fitted again."""
    return f"{name}: refitted" + (f", with {_warnings(warnings)}" if warnings else "")


EDITED = {"identity": "shape", "expression": "expression", "albedo": "skin colour"}


def not_locked(edits: Edits | None, locks: Collection[str]) -> str:
    """End of that report: sliders that were moved and not locked, so that the photo won."""
    names = [
        word
        for name, word in EDITED.items()
        if getattr(edits, name, None) is not None and name not in locks
    ]
    if not names:
        return ""
    return f". Fitted anew, as it was not locked: {', '.join(names)}"


def more(count: int) -> str:
    """Under a list that shows only some."""
    return f"and {count} more"


def pins_left(count: int) -> str:
    """Report after landmarks were edited."""
    if not count:
        return "No landmark is pinned"
    return f"{count} landmark{'s' if count > 1 else ''} pinned: Refit follows"


def show_all(shown: bool, few: int, count: int) -> str:
    """Button that shows all sliders, or the first few again."""
    return f"First {few} Only" if shown else f"Show All {count}"


def another_model(name: str) -> str:
    """Report after a refit whose meshes do not match the head's."""
    return f"{name}: added beside the head, whose meshes were remodelled"


def decoding(ready: bool, busy: bool) -> str:
    """What the engine does about a direction."""
    if not ready:
        return STARTING
    return "Waiting for the reconstruction" if busy else "Working on the directions"


def error_text(error: EngineError) -> str:
    """One line for a report."""
    return " ".join(str(error).split())


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most `columns` characters, for labels, which do not wrap by themselves."""
    return textwrap.wrap(text, max(columns, 16)) or [""]
