"""What the `evaluate` commands on skin maps share: their maps and their detail model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .outputs import check_at_least

if TYPE_CHECKING:
    from ..nets.detail import DetailNet


@dataclass(frozen=True, eq=False)
class NamedDetail:
    """A detail model and the id and version of its pack."""

    net: "DetailNet"
    name: str


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
    return NamedDetail(DetailNet(pack.model), f"{pack.manifest.id} {pack.manifest.version}")
