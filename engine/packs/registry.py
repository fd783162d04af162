"""Where packs are: an explicit folder, $UVAPM_PACKS, then `packs/` beside the engine."""

import os
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.pack_manifest import PACK_JSON, read_manifest

PACKS_VARIABLE = "UVAPM_PACKS"
DEFAULT_PACK = "default"


def project_packs() -> Path:
    """`packs/` in the folder that holds the engine."""
    return Path(__file__).resolve().parents[2] / "packs"


def is_shipped(folder: Path) -> bool:
    """Whether this is the folder of the default pack that came with the engine."""
    return folder.resolve() == project_packs() / DEFAULT_PACK


def search_path(explicit: Path | None = None) -> tuple[Path, ...]:
    """Folders that may hold packs, the first wins. $UVAPM_PACKS may name several folders."""
    folders = [] if explicit is None else [Path(explicit)]
    variable = os.environ.get(PACKS_VARIABLE, "")
    folders += [Path(folder) for folder in variable.split(os.pathsep) if folder]
    return tuple(dict.fromkeys([*folders, project_packs()]))


def list_packs(explicit: Path | None = None) -> tuple[Path, ...]:
    """Folders of all packs on the search path, by id; the first of an id hides later ones."""
    found: dict[str, Path] = {}
    for folder in search_path(explicit):
        if folder.is_dir():
            for pack in sorted(folder.iterdir()):
                if not pack.name.startswith(".") and (pack / PACK_JSON).is_file():
                    found.setdefault(pack.name, pack)
    return tuple(found[name] for name in sorted(found))


def head_packs(explicit: Path | None = None) -> tuple[Path, ...]:
    """`list_packs` without the packs that have no head; broken ones stay in."""
    return tuple(folder for folder in list_packs(explicit) if not _is_headless(folder))


def _is_headless(folder: Path) -> bool:
    try:
        return read_manifest(folder)[0].head is None
    except EngineError:
        return False


def find_pack(id: str = DEFAULT_PACK, explicit: Path | None = None) -> Path:
    """Folder of the pack with this id; a path to a pack folder is accepted as it is,
    but a plain name is an id first.

    Raises PACK_MISSING with the folders that were searched.
    """
    direct = Path(id)
    if len(direct.parts) > 1 and (direct / PACK_JSON).is_file():
        return direct
    for pack in list_packs(explicit):
        if pack.name == id:
            return pack
    if (direct / PACK_JSON).is_file():
        return direct
    places = ", ".join(str(folder) for folder in search_path(explicit))
    raise EngineError(
        ErrorCode.PACK_MISSING,
        f"There is no pack {id!r} in {places}.",
        f"Build it once: python -m engine packs build {DEFAULT_PACK}"
        if id == DEFAULT_PACK
        else "List what there is: python -m engine packs list",
    )


def build_folder(explicit: Path | None = None) -> Path:
    """Folder into which a pack is built: the first of the search path."""
    return search_path(explicit)[0]
