"""Versions of the two contracts between Blender and the engine, and of the product."""

import tomllib
from functools import cache
from pathlib import Path

PROTOCOL_VERSION = 5
"""Messages between the add-on and the worker (`messages.py`). 2: a job may name an albedo pack.
3: decode and decoded; a job may name a detail pack and the size of the fine maps.
4: a job may start from a result with parts held, and name landmarks, rasterizer and preset.
5: jobs of several kinds: fit, wear, import, register."""

RESULT_SCHEMA = 4
"""Layout of a result directory (`result.py`). 2: result.json may name an albedo pack. 3: detail
of the model apart from the photo layer, normal and roughness maps. 4: maps of confidence and of
baked light, and the residual over the photo."""

UNKNOWN_VERSION = "0.0.0"
MANIFEST = Path(__file__).resolve().parents[2] / "blender_manifest.toml"


@cache
def engine_version() -> str:
    """Version of the product from `blender_manifest.toml`, its only source; "0.0.0" without one."""
    try:
        manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return UNKNOWN_VERSION
    return str(manifest.get("version", UNKNOWN_VERSION))


def protocol_compatible(protocol: int) -> bool:
    """True when a worker that says hello with `protocol` can be used.

    Equal numbers only: add-on and engine come in one archive, so a difference means that an
    older engine is still running or another folder is on the path.
    """
    return protocol == PROTOCOL_VERSION


def schema_compatible(schema: int) -> bool:
    """True when a result directory of that schema can be read.

    Ours only: an older one lacks maps, and is made again from its photo.
    """
    return schema == RESULT_SCHEMA
