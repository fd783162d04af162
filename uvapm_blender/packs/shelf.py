"""The packs that are here, as far as their pack.json tells: for lists and choices. No bpy."""

from dataclasses import dataclass
from pathlib import Path

from ...engine.protocol.errors import EngineError
from ...engine.protocol.pack_manifest import PACK_JSON, PackPart, read_manifest
from .. import locations

DEFAULT_PACK = "default"


@dataclass(frozen=True)
class ShelfPack:
    """id: of its folder, which the engine finds it by. head, albedo, detail: which models it
    holds. expressions: how many. parts: with licences and origins. problem: why it cannot be used,
    "" for none. own: it lies in the user's folder, so that it can be removed."""

    id: str
    version: str
    folder: Path
    head: bool = False
    albedo: bool = False
    detail: bool = False
    expressions: int = 0
    parts: tuple[PackPart, ...] = ()
    problem: str = ""
    own: bool = False

    @property
    def models(self) -> str:
        """What it holds, in words."""
        held = {"head": self.head, "albedo": self.albedo, "detail": self.detail}
        return ", ".join(name for name, here in held.items() if here) or "not usable"


def read_shelf(folders: tuple[Path, ...], own: Path | None) -> tuple[ShelfPack, ...]:
    """Packs in some folders, the first of an id hides later ones, as in the engine's search;
    the default pack first, then by id. own: the user's folder, among them."""
    found: dict[str, ShelfPack] = {}
    for parent in folders:
        for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
            if not folder.name.startswith(".") and (folder / PACK_JSON).is_file():
                if folder.name not in found:
                    found[folder.name] = _read(folder, parent == own)
    return tuple(sorted(found.values(), key=lambda pack: (pack.id != DEFAULT_PACK, pack.id)))


def _read(folder: Path, own: bool) -> ShelfPack:
    try:
        manifest, _ = read_manifest(folder)
    except EngineError as error:
        return ShelfPack(folder.name, "", folder, problem=error.message, own=own)
    return ShelfPack(
        id=folder.name,
        version=manifest.version,
        folder=folder,
        head=manifest.head is not None,
        albedo=manifest.albedo is not None,
        detail=manifest.detail is not None,
        expressions=0 if manifest.head is None else len(manifest.head.expression_names),
        parts=manifest.parts,
        own=own,
    )


def licence_lines(parts: tuple[PackPart, ...]) -> tuple[str, ...]:
    """One line a licence, with the parts that it covers, in the order of the pack."""
    names: dict[str, list[str]] = {}
    for part in parts:
        names.setdefault(part.licence, []).append(part.name)
    return tuple(f"{licence}: {', '.join(covered)}" for licence, covered in names.items())


class Shelf:
    """What `read_shelf` found, until one of the folders changes."""

    def __init__(self) -> None:
        self._packs: tuple[ShelfPack, ...] = ()
        self._key: object = None

    def packs(self) -> tuple[ShelfPack, ...]:
        """All packs. Looks at the folders' times only, unless one is another than before."""
        folders = locations.pack_folders()
        key = tuple((folder, _changed(folder)) for folder in folders)
        if key != self._key:
            self._packs, self._key = read_shelf(folders, locations.own_packs()), key
        return self._packs

    def forget(self) -> None:
        """Read everything again at the next look."""
        self._key = None

    def find(self, id: str) -> ShelfPack | None:
        """The pack of this id."""
        return next((pack for pack in self.packs() if pack.id == id), None)


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


SHELF = Shelf()
