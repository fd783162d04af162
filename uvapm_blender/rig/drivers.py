"""Drivers that run where Python expressions may not: plain arithmetic of a few variables."""

from collections.abc import Mapping
from dataclasses import dataclass

import bpy


@dataclass(frozen=True)
class Source:
    """What a variable reads: a property by its path, or (`turn`) a rotation of an object.

    kind: OBJECT or KEY; block: the data-block; path: RNA path; turn: "", "ROT_X", "ROT_Z", the
    rotation against the parent with constraints in it.
    """

    kind: str
    block: bpy.types.ID
    path: str = ""
    turn: str = ""


def key_path(name: str) -> str:
    """RNA path of a shape key's value, from its Key data-block."""
    return f'key_blocks["{bpy.utils.escape_identifier(name)}"].value'


def drive(
    key: bpy.types.ShapeKey, expression: str, sources: Mapping[str, Source]
) -> bpy.types.Driver:
    """Drive a shape key's value anew. expression: arithmetic of the variables' names."""
    key.driver_remove("value")
    driver = key.driver_add("value").driver
    driver.type = "SCRIPTED"
    for name, source in sources.items():
        variable = driver.variables.new()
        variable.name = name
        if source.turn:
            variable.type = "TRANSFORMS"
            target = variable.targets[0]
            target.transform_type, target.transform_space = source.turn, "LOCAL_SPACE"
            target.rotation_mode = "XYZ"
        else:
            target = variable.targets[0]
            target.id_type = source.kind
            target.data_path = source.path
        target.id = source.block
    driver.expression = expression
    return driver
