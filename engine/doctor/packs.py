"""The packs' files against the hashes that each pack states."""

from ..packs.registry import DEFAULT_PACK, find_pack, list_packs
from ..protocol.doctor import DoctorRow, Fix, Health
from ..protocol.errors import EngineError
from ..protocol.pack_manifest import check_files, read_manifest


def check_packs() -> DoctorRow:
    """Every pack that is found, the default one first of all. Raises EngineError without it."""
    find_pack()
    names, wrong = [], []
    for folder in list_packs():
        try:
            manifest, _ = read_manifest(folder)
            check_files(folder, manifest)
            names.append(folder.name)
        except EngineError as error:
            wrong.append((folder.name, error.message))
    if wrong:
        text = " ".join(f"{name}: {message}" for name, message in wrong)
        fix = Fix.EXTENSION if wrong[0][0] == DEFAULT_PACK else Fix.PACKS
        return DoctorRow("Packs", Health.PROBLEM, text, fix)
    return DoctorRow("Packs", Health.OK, f"{', '.join(names)}: every file has its hash")
