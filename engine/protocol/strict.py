"""Strict JSON <-> frozen dataclasses: no unknown keys, no missing keys, no coerced types.

One decoder for jobs, messages and result files. Supported field types: str, int, float, bool,
Enum, another dataclass, `X | None`, `tuple[X, ...]`, `dict[str, X]`. Fields with a default may
be left out. `int` is accepted for `float`; `bool` never counts as a number.
"""

import json
import math
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

Fail = Callable[[str], Exception]
"""Makes the exception for a plain-words complaint."""

MAX_SHOWN = 60


def parse_json(text: str | bytes, fail: Fail) -> object:
    """JSON text to Python values; NaN, infinities, repeated keys and deep nesting are refused."""

    def constant(name: str) -> float:
        raise ValueError(f"{name} is not a JSON number")

    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        mapping = dict(items)
        if len(mapping) != len(items):
            raise ValueError("a key is repeated")
        return mapping

    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(text, parse_constant=constant, object_pairs_hook=pairs)
    except UnicodeDecodeError as error:
        raise fail("it is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise fail(f"it is not JSON ({error})") from error


def shown(value: object) -> str:
    """`repr` of a value, cut to a length that fits in a message."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def to_plain(value: Any) -> object:
    """Dataclasses, enums and tuples to dicts, strings and lists (ready for `json.dumps`)."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def from_plain(kind: Any, value: object, where: str, fail: Fail) -> Any:
    """Plain JSON value to `kind`; `where` names the value in complaints made with `fail`."""
    if is_dataclass(kind):
        return _dataclass(kind, value, where, fail)
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional(kind, value, where, fail)
    if origin is tuple:
        items = _expect(list, value, where, fail)
        inner = typing.get_args(kind)[0]
        return tuple(
            from_plain(inner, item, f"{where}[{index}]", fail) for index, item in enumerate(items)
        )
    if origin is dict:
        mapping = _expect(dict, value, where, fail)
        inner = typing.get_args(kind)[1]
        return {
            key: from_plain(inner, item, f"{where}.{key}", fail) for key, item in mapping.items()
        }
    return _scalar(kind, value, where, fail)


def _expect(kind: type, value: object, where: str, fail: Fail) -> Any:
    if not isinstance(value, kind):
        word = {list: "a list", dict: "an object"}[kind]
        raise fail(f"{where} must be {word}, got {shown(value)}")
    return value


def _optional(kind: Any, value: object, where: str, fail: Fail) -> Any:
    if value is None:
        return None
    (inner,) = [each for each in typing.get_args(kind) if each is not types.NoneType]
    return from_plain(inner, value, where, fail)


def _scalar(kind: Any, value: object, where: str, fail: Fail) -> Any:
    if issubclass(kind, Enum):
        names = [member.value for member in kind]
        if value not in names:
            raise fail(f"{where} must be one of {', '.join(names)}, got {shown(value)}")
        return kind(value)
    if kind is float and type(value) in (int, float):
        try:
            number = float(typing.cast(float, value))
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    elif type(value) is kind:
        return value
    names = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}
    raise fail(f"{where} must be {names[kind]}, got {shown(value)}")


def _dataclass(kind: Any, value: object, where: str, fail: Fail) -> Any:
    mapping = _expect(dict, value, where, fail)
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(set(mapping) - set(known))
    if unknown:
        raise fail(f"{where} has the unknown key {shown(unknown[0])}")
    missing = [
        name
        for name, field in known.items()
        if name not in mapping and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise fail(f"{where} lacks {missing[0]!r}")
    hints = _hints(kind)
    return kind(
        **{
            name: from_plain(hints[name], item, f"{where}.{name}", fail)
            for name, item in mapping.items()
        }
    )
