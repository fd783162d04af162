"""Dictionaries of arrays in a pickle file, read without unpickling.

A pickle file is a program: loading one runs whatever it names. Here nothing of it is ever called.
`pickletools` of the standard library lists its operations, and a small machine of our own carries
out those that build texts, numbers, tuples, dictionaries and numeric arrays; the few names that
numpy writes for arrays become values of `_Name`, any other name or operation is refused. Memory is
bounded by the size of the file: an array must bring all its bytes along.
"""

import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from math import prod
from typing import Any

import numpy as np

MOST_OPERATIONS = 10_000
MOST_DIMENSIONS = 8
MOST_NESTED = 8
PROTOCOLS = range(2, 6)
_NUMBER = re.compile(r"f[248]|[iu][1248]")
_RECONSTRUCT_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_BUFFER_MODULES = ("numpy.core.numeric", "numpy._core.numeric")


class PickleRefused(Exception):
    """The file holds something else than dictionaries of numeric arrays; the text says what."""


class _Name(Enum):
    """What a name in the file stands for here."""

    ARRAY = "numpy.ndarray"
    DTYPE = "numpy.dtype"
    RECONSTRUCT = "an empty array, filled by the next BUILD (numpy, protocols 2 to 4)"
    BUFFER = "an array from its bytes (numpy, protocol 5)"
    SCALAR = "one number (numpy)"
    ENCODE = "bytes written as text (Python 3, protocol 2)"


_NAMES = {
    ("numpy", "ndarray"): _Name.ARRAY,
    ("numpy", "dtype"): _Name.DTYPE,
    **{(module, "_reconstruct"): _Name.RECONSTRUCT for module in _RECONSTRUCT_MODULES},
    **{(module, "scalar"): _Name.SCALAR for module in _RECONSTRUCT_MODULES},
    **{(module, "_frombuffer"): _Name.BUFFER for module in _BUFFER_MODULES},
    ("_codecs", "encode"): _Name.ENCODE,
}


@dataclass
class _Dtype:
    """A numpy type that is being built: "f4", then its byte order."""

    code: str
    order: str = "<"

    def made(self) -> np.dtype:
        return np.dtype(self.order + self.code)


@dataclass
class _Array:
    """An array that is being built."""

    value: np.ndarray | None = None


@dataclass
class _Machine:
    """The stack, the stacks below marks, the memo, and the bytes that may still be made of text."""

    budget: int
    stack: list[Any] = field(default_factory=list)
    below: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def pop(self) -> Any:
        if not self.stack:
            raise PickleRefused("it takes a value that is not there")
        return self.stack.pop()

    def pop_mark(self) -> list[Any]:
        if not self.below:
            raise PickleRefused("it closes a group that was not opened")
        items, self.stack = self.stack, self.below.pop()
        return items


def read_pickle_data(data: bytes) -> Any:
    """The value of a pickle file of protocol 2 to 5: a dictionary (nested) with text keys.

    Arrays are read-only views into copies of the file's bytes, native or not in byte order.
    Raises PickleRefused with the reason; nothing in `data` is executed.
    """
    machine = _Machine(budget=len(data))
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
            if count == 0 and (operation.name != "PROTO" or argument not in PROTOCOLS):
                raise PickleRefused("it is not a pickle file of protocol 2 to 5")
            if count > MOST_OPERATIONS:
                raise PickleRefused(f"it has more than {MOST_OPERATIONS} operations")
            if operation.name == "STOP":
                break
            _step(machine, operation.name, argument)
    except (ValueError, IndexError, UnicodeError, OverflowError) as error:
        raise PickleRefused("it is cut off or not a pickle file") from error
    return _finish(machine.pop(), {}, 0)


def _finish(value: Any, done: dict[int, dict[str, Any]], depth: int) -> Any:
    """`value` with finished arrays. done: dictionaries met before, so that each is copied once."""
    if depth > MOST_NESTED:
        raise PickleRefused("its dictionaries are nested too deeply")
    if isinstance(value, dict):
        if id(value) not in done:
            copy = {key: _finish(item, done, depth + 1) for key, item in value.items()}
            done[id(value)] = copy
        return done[id(value)]
    if isinstance(value, _Array):
        if value.value is None:
            raise PickleRefused("an array in it has no values")
        return value.value
    if isinstance(value, _Name | _Dtype):
        raise PickleRefused("it holds a name instead of numbers")
    return value


def _step(machine: _Machine, name: str, argument: Any) -> None:
    """One operation."""
    stack = machine.stack
    if name in _PUSH_ARGUMENT:
        stack.append(argument)
    elif name in _CONSTANTS:
        stack.append(_CONSTANTS[name]())
    elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
        value = machine.pop()
        stack.append(value)
        machine.memo[len(machine.memo) if name == "MEMOIZE" else argument] = value
    elif name in ("BINGET", "LONG_BINGET"):
        if argument not in machine.memo:
            raise PickleRefused("it recalls a value that was not kept")
        stack.append(machine.memo[argument])
    elif name == "MARK":
        machine.below.append(stack)
        machine.stack = []
    elif name in _HANDLERS:
        _HANDLERS[name](machine, argument)
    elif name not in ("PROTO", "FRAME"):
        raise PickleRefused(f"it uses the operation {name}, which plain numbers do not need")


_PUSH_ARGUMENT = frozenset(
    "BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINSTRING "
    "SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
}


def _global(machine: _Machine, argument: str) -> None:
    """GLOBAL: "module name" in the operation itself."""
    module, _, name = argument.partition(" ")
    machine.stack.append(_named(module, name))


def _stack_global(machine: _Machine, argument: None) -> None:
    """STACK_GLOBAL: module and name from the stack."""
    name, module = machine.pop(), machine.pop()
    machine.stack.append(_named(module, name))


def _named(module: Any, name: Any) -> _Name:
    if not isinstance(module, str) or not isinstance(name, str):
        raise PickleRefused("it asks for something without a name")
    known = _NAMES.get((module, name))
    if known is None:
        shown = f"{module}.{name}".encode("unicode_escape").decode()[:80]
        raise PickleRefused(f"it asks for {shown}, which a table of numbers does not need")
    return known


def _tuple(machine: _Machine, count: int) -> None:
    items = [machine.pop() for _ in range(count)]
    machine.stack.append(tuple(reversed(items)))


def _marked_tuple(machine: _Machine, argument: None) -> None:
    items = machine.pop_mark()
    machine.stack.append(tuple(items))


def _set_items(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1] if machine.stack else None
    keys = items[::2]
    if not isinstance(target, dict) or len(items) % 2 or not all(type(k) is str for k in keys):
        raise PickleRefused("it fills something else than a dictionary with text keys")
    target.update(zip(keys, items[1::2], strict=True))


def _set_item(machine: _Machine, argument: None) -> None:
    value, key = machine.pop(), machine.pop()
    _set_items(machine, [key, value])


def _set_marked_items(machine: _Machine, argument: None) -> None:
    items = machine.pop_mark()
    _set_items(machine, items)


def _reduce(machine: _Machine, argument: None) -> None:
    """REDUCE: what numpy calls to make an array, a type or bytes; nothing is called here."""
    values, name = machine.pop(), machine.pop()
    match name, values:
        case _Name.RECONSTRUCT, (_Name.ARRAY, (0,), bytes() | str()):
            made: Any = _Array()
        case _Name.BUFFER, (
            bytes() | bytearray() as raw,
            _Dtype() as kind,
            tuple() as shape,
            order,
        ):
            made = _Array(_array(raw, kind, shape, order))
        case _Name.SCALAR, (_Dtype() as kind, bytes() | str() as raw):
            made = _array(_raw_bytes(machine, raw), kind, (), "C")[()]
        case _Name.DTYPE, (str() as code, *_) if _NUMBER.fullmatch(code):
            made = _Dtype(code)
        case _Name.DTYPE, (str() as code, *_):
            raise PickleRefused(f"it has an array of the type {code[:20]!r}, expected numbers")
        case _Name.ENCODE, (str() as text, "latin1" | "latin-1"):
            made = _raw_bytes(machine, text)
        case _:
            raise PickleRefused("it makes something else than an array of numbers")
    machine.stack.append(made)


def _build(machine: _Machine, argument: None) -> None:
    """BUILD: the state of the array or the type on the stack."""
    state = machine.pop()
    target = machine.stack[-1] if machine.stack else None
    match target, state:
        case _Dtype(), (int(), "<" | ">" | "|" | "=" as order, None, None, None, *_):
            target.order = "|" if target.code.endswith("1") else order
        case _Array(), (int(), tuple() as shape, _Dtype() as kind, fortran, bytes() | str() as raw):
            order = "F" if fortran else "C"
            target.value = _array(_raw_bytes(machine, raw), kind, shape, order)
        case _Array(), _:
            raise PickleRefused("it has an array of something else than plain numbers")
        case _:
            raise PickleRefused("it changes something else than an array of numbers")


def _raw_bytes(machine: _Machine, raw: bytes | str) -> bytes:
    """Bytes that may have been written as Latin-1 text, at most as many as the file has."""
    if isinstance(raw, bytes):
        return raw
    machine.budget -= len(raw)
    if machine.budget < 0:
        raise PickleRefused("it makes more bytes than it has")
    return raw.encode("latin-1")


def _array(raw: bytes | bytearray, kind: _Dtype, shape: tuple, order: Any) -> np.ndarray:
    sizes_fit = len(shape) <= MOST_DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)
    if not sizes_fit or order not in ("C", "F"):
        raise PickleRefused("it has an array with a shape that is none")
    dtype = kind.made()
    if prod(shape) * dtype.itemsize != len(raw):
        found = f"{len(raw)} bytes for shape {shape}"
        raise PickleRefused(f"it has an array that does not fit its values: {found}"[:200])
    values = np.frombuffer(raw, dtype).reshape(shape, order=order)
    values.flags.writeable = False
    return values


_HANDLERS: dict[str, Callable[[_Machine, Any], None]] = {
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "TUPLE": _marked_tuple,
    "TUPLE1": lambda machine, argument: _tuple(machine, 1),
    "TUPLE2": lambda machine, argument: _tuple(machine, 2),
    "TUPLE3": lambda machine, argument: _tuple(machine, 3),
    "SETITEM": _set_item,
    "SETITEMS": _set_marked_items,
    "REDUCE": _reduce,
    "BUILD": _build,
}
