"""Dictionaries of arrays in a pickle file, read without unpickling.

A pickle file is a program: loading one runs whatever it names. Here nothing of it is ever called.
`pickletools` of the standard library lists its operations, and a small machine of our own carries
out those that build texts, numbers, tuples, dictionaries and numeric arrays; the few names that
numpy writes for arrays become values of `Name`, any other name or operation is refused. Memory is
bounded by the size of the file: an array must bring all its bytes along.
"""

import pickletools
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .pickle_values import (
    MAKES_OBJECTS,
    NAMES,
    OBJECT_NAMES,
    Array,
    Bag,
    Dtype,
    Made,
    Name,
    PickleRefused,
    filled_array,
    finish,
)

MOST_OPERATIONS = 10_000
PROTOCOLS = range(2, 6)
_NUMBER = re.compile(r"f[248]|[iu][1248]")
_FLAG = "b1"
"""numpy's true and false, which scipy keeps beside its matrices."""


@dataclass
class _Machine:
    """The stack, the stacks below marks, the memo, and the bytes that may still be made of text.

    objects: see `read_pickle_data`.
    """

    budget: int
    objects: bool
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


def read_pickle_data(data: bytes, objects: bool = False) -> Any:
    """The value of a pickle file of protocol 2 to 5: a dictionary (nested) with text keys.

    objects: arrays of chumpy and sparse matrices of scipy are taken too, as plain arrays, and lists
    and sets, as empty tuples: what is in them is left out.
    Arrays are read-only views into copies of the file's bytes, native or not in byte order.
    Raises PickleRefused with the reason; nothing in `data` is executed.
    """
    machine = _Machine(len(data), objects)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in names
            _run(machine, data)
    except (ValueError, IndexError, UnicodeError, OverflowError) as error:
        raise PickleRefused("it is cut off or not a pickle file") from error
    return finish(machine.pop(), {})


def _run(machine: _Machine, data: bytes) -> None:
    """All operations up to the end."""
    for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
        if count == 0 and (operation.name != "PROTO" or argument not in PROTOCOLS):
            raise PickleRefused("it is not a pickle file of protocol 2 to 5")
        if count > MOST_OPERATIONS:
            raise PickleRefused(f"it has more than {MOST_OPERATIONS} operations")
        if operation.name == "STOP":
            break
        _step(machine, operation.name, argument)


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
    elif name in _OBJECT_HANDLERS and machine.objects:
        _OBJECT_HANDLERS[name](machine, argument)
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
    machine.stack.append(_named(machine, module, name))


def _stack_global(machine: _Machine, argument: None) -> None:
    """STACK_GLOBAL: module and name from the stack."""
    name, module = machine.pop(), machine.pop()
    machine.stack.append(_named(machine, module, name))


def _named(machine: _Machine, module: Any, name: Any) -> Name:
    if not isinstance(module, str) or not isinstance(name, str):
        raise PickleRefused("it asks for something without a name")
    known = (NAMES | OBJECT_NAMES if machine.objects else NAMES).get((module, name))
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
        case Name.RECONSTRUCT, (Name.ARRAY, (0,), bytes() | str()):
            made: Any = Array()
        case Name.BUFFER, (
            bytes() | bytearray() as raw,
            Dtype() as kind,
            tuple() as shape,
            order,
        ):
            made = Array(filled_array(raw, kind, shape, order))
        case Name.SCALAR, (Dtype() as kind, bytes() | str() as raw):
            made = filled_array(_raw_bytes(machine, raw), kind, (), "C")[()]
        case Name.DTYPE, (str() as code, *_) if _NUMBER.fullmatch(code) or (
            machine.objects and code == _FLAG
        ):
            made = Dtype(code)
        case Name.DTYPE, (str() as code, *_):
            raise PickleRefused(f"it has an array of the type {code[:20]!r}, expected numbers")
        case Name.ENCODE, (str() as text, "latin1" | "latin-1"):
            made = _raw_bytes(machine, text)
        case Name.SET, () | (Bag(),):
            made = Bag()
        case _:
            raise PickleRefused("it makes something else than an array of numbers")
    machine.stack.append(made)


def _build(machine: _Machine, argument: None) -> None:
    """BUILD: the state of the array, the type or the object on the stack."""
    state = machine.pop()
    target = machine.stack[-1] if machine.stack else None
    match target, state:
        case Dtype(), (int(), "<" | ">" | "|" | "=" as order, None, None, None, *_):
            target.order = "|" if target.code.endswith("1") else order
        case Array(), (int(), tuple() as shape, Dtype() as kind, fortran, bytes() | str() as raw):
            order = "F" if fortran else "C"
            target.value = filled_array(_raw_bytes(machine, raw), kind, shape, order)
        case Made(state=None), dict():
            target.state = state
        case Array(), _:
            raise PickleRefused("it has an array of something else than plain numbers")
        case _:
            raise PickleRefused("it changes something else than an array of numbers")


def _new_object(machine: _Machine, argument: None) -> None:
    """NEWOBJ: an object without its state, never one made with arguments."""
    values, name = machine.pop(), machine.pop()
    if name not in MAKES_OBJECTS or values != ():
        raise PickleRefused("it makes something else than an array of numbers")
    machine.stack.append(Made(name))


def _fill_bag(machine: _Machine, items: list[Any]) -> None:
    """APPEND and its like: what they put in is left out."""
    if not machine.stack or not isinstance(machine.stack[-1], Bag):
        raise PickleRefused("it fills something else than a list")


def _raw_bytes(machine: _Machine, raw: bytes | str) -> bytes:
    """Bytes that may have been written as Latin-1 text, at most as many as the file has."""
    if isinstance(raw, bytes):
        return raw
    machine.budget -= len(raw)
    if machine.budget < 0:
        raise PickleRefused("it makes more bytes than it has")
    return raw.encode("latin-1")


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
_OBJECT_HANDLERS: dict[str, Callable[[_Machine, Any], None]] = {
    "EMPTY_LIST": lambda machine, argument: machine.stack.append(Bag()),
    "EMPTY_SET": lambda machine, argument: machine.stack.append(Bag()),
    "APPEND": lambda machine, argument: _fill_bag(machine, [machine.pop()]),
    "APPENDS": lambda machine, argument: _fill_bag(machine, machine.pop_mark()),
    "ADDITEMS": lambda machine, argument: _fill_bag(machine, machine.pop_mark()),
    "NEWOBJ": _new_object,
}
