"""Names of expressions, parts and packs, as every program can keep them."""

import re
from collections.abc import Iterable

PACK_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Of a pack: the name of its folder, so no path."""
MOST_NAMES = 4096
"""Ours: a face rig of film has a thousand shapes; Blender takes minutes for tens of thousands."""
MOST_NAME_BYTES = 63
"""Of UTF-8: longer names of shape keys are cut by Blender 4 (MAX_NAME in its DNA)."""
RESERVED = "Basis"
"""What Blender calls the first shape key."""


def bad_name(names: Iterable[str]) -> str | None:
    """What is wrong with one of several names, in words; None when they will do."""
    names = tuple(names)
    if len(names) > MOST_NAMES:
        return f"{len(names)} names, at most {MOST_NAMES} are taken"
    if len(set(names)) != len(names):
        return "a repeated name"
    for name in names:
        if not name.isprintable() or not name.strip() or name == RESERVED:
            return f"the name {name[:60]!a}"  # a lone surrogate is not printable
        if len(name.encode()) > MOST_NAME_BYTES:
            return f"the name {name[:30]!a}..., longer than {MOST_NAME_BYTES} bytes"
    return None
