"""The pins of a head as plain values."""

import bpy

from ...engine.protocol.landmarks68 import Pin, check_inside
from ..declarations import PROPERTY


def pins_of(root: bpy.types.Object) -> tuple[Pin, ...]:
    """The pins of a head, in the order in which they were made."""
    return tuple(Pin(each.index, each.x, each.y) for each in getattr(root, PROPERTY).pins)


def pin_at(root: bpy.types.Object, index: int) -> Pin | None:
    """The pin of a point, None where it has none."""
    return next((pin for pin in pins_of(root) if pin.index == index), None)


def set_pin(root: bpy.types.Object, pin: Pin) -> None:
    """Make a pin, or move the point's own. Raises EngineError(BAD_SETTINGS) outside the photo."""
    head = getattr(root, PROPERTY)
    check_inside((pin,), *head.resolution)
    item = next((each for each in head.pins if each.index == pin.index), None)
    item = head.pins.add() if item is None else item
    item.index, item.x, item.y = pin.index, pin.x, pin.y


def remove_pin(root: bpy.types.Object, index: int) -> bool:
    """Take a point's pin away. False when it has none."""
    pins = getattr(root, PROPERTY).pins
    for number, pin in enumerate(pins):
        if pin.index == index:
            pins.remove(number)
            return True
    return False
