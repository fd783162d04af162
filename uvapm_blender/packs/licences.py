"""Under which terms a head is: those of the packs that it was made with."""

from ...engine.protocol.errors import EngineError
from ...engine.protocol.pack_manifest import PackPart, read_manifest
from ...engine.protocol.result_schema import ResultManifest
from .. import locations
from .shelf import licence_lines


def licences_of(result: ResultManifest) -> tuple[str, ...]:
    """One line a licence, with what it covers, of all packs of a result; none for a pack that is
    not here."""
    parts: list[PackPart] = []
    for info in (result.pack, result.albedo_pack, result.detail_pack):
        if info is None:
            continue
        try:
            manifest, sha256 = read_manifest(locations.pack_folder(info.id))
        except EngineError:
            continue  # the pack is gone
        parts += manifest.parts if sha256 == info.sha256 else ()
    return licence_lines(tuple(dict.fromkeys(parts)))
