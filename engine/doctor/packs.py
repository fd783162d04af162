"""The packs' files against the hashes that each pack states."""

from ..packs.registry import find_pack, is_shipped, list_packs
from ..protocol.doctor import DoctorRow, Fix, Health
from ..protocol.mend_packs import trouble_of


def check_packs() -> DoctorRow:
    """Every pack that is found. Raises EngineError without the default one."""
    find_pack()
    troubles = {folder: trouble_of(folder) for folder in list_packs()}
    wrong = {folder: trouble for folder, trouble in troubles.items() if trouble}
    if wrong:
        text = " ".join(f"{folder.name}: {trouble}" for folder, trouble in wrong.items())
        fix = Fix.EXTENSION if any(map(is_shipped, wrong)) else Fix.PACKS
        return DoctorRow("Packs", Health.PROBLEM, text, fix)
    names = ", ".join(folder.name for folder in troubles)
    return DoctorRow("Packs", Health.OK, f"{names}: every file has its hash")
