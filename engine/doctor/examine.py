"""The rows, one after the other; a check that fails in a new way is a row too."""

from collections.abc import Callable, Iterator
from pathlib import Path

from ..failure import explain
from ..protocol.doctor import DoctorRow, Fix, Health
from ..protocol.errors import EngineError, ErrorCode
from .computing import check_device, check_networks, check_picture
from .machine import check_disk, check_memory
from .packages import check_files, check_packages, check_python, the_lock
from .packs import check_packs

_FIXES = {
    ErrorCode.ENGINE_MISSING: Fix.INSTALL,
    ErrorCode.PACK_MISSING: Fix.EXTENSION,
    ErrorCode.PACK_INVALID: Fix.EXTENSION,
}


def examine(environment: Path, results: Path) -> Iterator[DoctorRow]:
    """Look at everything. environment: folder of the Python that runs this; results: a folder on
    the disk that results go to."""
    checks: tuple[tuple[str, Callable[[], DoctorRow]], ...] = (
        ("Python", lambda: check_python(the_lock())),
        ("Packages", lambda: check_packages(the_lock())),
        ("Package files", lambda: check_files(the_lock(), environment)),
        ("Device", check_device),
        ("Packs", check_packs),
        ("Networks", check_networks),
        ("Trial picture", check_picture),
        ("Disk", lambda: check_disk(results)),
        ("Memory", check_memory),
    )
    for name, check in checks:
        try:
            yield check()
        except Exception as error:  # noqa: BLE001 whatever it is, the other rows count too
            yield _trouble(name, explain(error))


def _trouble(name: str, error: EngineError) -> DoctorRow:
    text = error.message if error.code is ErrorCode.ENGINE_MISSING else str(error)
    return DoctorRow(name, Health.PROBLEM, text, _FIXES.get(error.code, Fix.NONE))
