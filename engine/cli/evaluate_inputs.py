"""What the `evaluate` commands share: the pack they fit with, skin maps, the detail model."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EngineError, ErrorCode
from .outputs import check_at_least

if TYPE_CHECKING:
    from ..fit.loaded import LoadedPack
    from ..nets.detail import DetailNet


@dataclass(frozen=True, eq=False)
class NamedDetail:
    """A detail model; name: id and version of its pack, sha: sha256 of its pack.json."""

    net: "DetailNet"
    name: str
    sha: str


def fitting_pack(pack: str, no_detail: bool) -> "LoadedPack":
    """The head pack to fit with, without its detail model when the stage is left out.

    Raises EngineError.
    """
    from ..fit.pipeline import Session

    loaded = Session().pack(pack)
    return replace(loaded, detail=None) if no_detail else loaded


def named_maps(folder: Path, limit: int | None) -> list[tuple[Path, str]]:
    """The first `limit` map files of a folder with their names inside it.

    Raises EngineError (BAD_INPUT, BAD_SETTINGS).
    """
    from ..train.maps import list_maps

    check_at_least(1, limit=limit)
    return [(path, path.relative_to(folder).as_posix()) for path in list_maps(folder)[:limit]]


def read_detail(detail: str | None, folder: Path) -> NamedDetail | None:
    """The detail model of the pack `detail` (id or folder), else of the pack in `folder`.

    None when the latter has none. Raises EngineError(PACK_MISSING, PACK_INVALID).
    """
    from ..packs.registry import find_pack
    from ..protocol.detail_pack import read_detail_pack
    from ..protocol.pack_manifest import read_manifest

    if detail is None and read_manifest(folder)[0].detail is None:
        return None
    from ..nets.detail import DetailNet

    pack = read_detail_pack(folder if detail is None else find_pack(detail))
    name = f"{pack.manifest.id} {pack.manifest.version}"
    return NamedDetail(DetailNet(pack.model), name, pack.sha)


def need_detail(detail: str | None, folder: Path) -> NamedDetail:
    """`read_detail`, but without a model raises EngineError(BAD_SETTINGS)."""
    found = read_detail(detail, folder)
    if found is None:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"This needs a detail model, and the pack {folder.name} has none.",
            "Name one with --detail.",
        )
    return found
