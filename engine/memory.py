"""How the C library keeps memory: big arrays come and go all through a fit.

By default glibc hands each large array back to the kernel and asks for it again, page by page, and
gives every thread a store of its own. A fit then spends a tenth of its time on page faults, for
which its two threads wait for each other, and holds a fifth more memory (measured).
"""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Parameters of mallopt (glibc's malloc.h)."""
_NEVER = 2**31 - 1
"""Bytes of free memory above which some goes back to the kernel."""
_LARGEST_KEPT = 2**30
"""Bytes; only larger blocks are mapped by themselves. Ours: above any array of a fit."""


def keep_freed_memory() -> bool:
    """Let this process reuse the memory of arrays that it freed, in one store for all threads.

    Call it before large arrays are made. Does nothing, and says so, where there is no glibc: other
    systems' allocators are left alone.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    pairs = ((_MMAP_THRESHOLD, _LARGEST_KEPT), (_TRIM_THRESHOLD, _NEVER), (_ARENA_MAX, 1))
    return all([bool(mallopt(parameter, value)) for parameter, value in pairs])
