"""Disk and memory."""

import ctypes
import os
import shutil
import sys
from pathlib import Path

from ..protocol.doctor import DoctorRow, Health

DISK = 2**30
"""Free bytes below which we warn. Ours: a result takes about 50 MB."""
MEMORY = 3 * 2**30
"""Bytes of memory below which we warn. Ours: a fit peaks at 1.5 GB (benchmarks/fit.txt), Blender
and the system want the same."""


def check_disk(folder: Path) -> DoctorRow:
    """Room for results."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GB are free in {folder}"
    if free < DISK:
        return DoctorRow("Disk", Health.PROBLEM, f"Only {text}. Make room.")
    return DoctorRow("Disk", Health.OK, text)


def check_memory() -> DoctorRow:
    """Memory of the machine."""
    total = memory_bytes()
    if total is None:
        return DoctorRow("Memory", Health.NOTE, "The system does not say how much there is")
    text = f"{total / 2**30:.1f} GB"
    if total < MEMORY:
        words = f"{text}: little for Blender and a fit. Close other programs; use smaller textures."
        return DoctorRow("Memory", Health.NOTE, words)
    return DoctorRow("Memory", Health.OK, text)


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of the Windows API (sysinfoapi.h)."""

    _fields_ = [
        ("length", ctypes.c_ulong),
        ("load", ctypes.c_ulong),
        *[(name, ctypes.c_ulonglong) for name in ("total", "a", "b", "c", "d", "e", "f")],
    ]


def memory_bytes() -> int | None:
    """Bytes of memory of this machine; None where the system does not tell."""
    try:
        if sys.platform == "win32":
            status = _MemoryStatus(ctypes.sizeof(_MemoryStatus))
            if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
                return None
            return int(status.total)
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
