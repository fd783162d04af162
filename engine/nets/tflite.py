"""A small, safe reader for .tflite files (flatbuffers), in plain Python and numpy.

Only the parts that a float network needs are read: tensors, constant buffers, operators and their
options. Every offset is checked against the file's length before it is followed, so a damaged or
hostile file ends in an EngineError and never in a read outside the data.

Source of the field numbers: the public TensorFlow Lite schema (schema.fbs, file identifier TFL3).
"""

import struct
from dataclasses import dataclass, field

import numpy as np

from ..protocol.errors import EngineError, ErrorCode

FILE_IDENTIFIER = b"TFL3"
MAX_ITEMS = 100_000  # ours: no list in a network of this kind comes near this length
# TensorType of the schema -> numpy dtype; other types are refused.
TENSOR_DTYPES = {0: np.dtype("<f4"), 1: np.dtype("<f2"), 2: np.dtype("<i4"), 4: np.dtype("<i8")}
CUSTOM_OPERATOR = 32  # BuiltinOperator.CUSTOM
# BuiltinOperator of the schema -> name; only what our networks use.
OPERATOR_NAMES = {
    0: "add",
    1: "average_pool",
    2: "concat",
    3: "conv",
    4: "depthwise_conv",
    6: "dequantize",
    14: "sigmoid",
    17: "max_pool",
    18: "multiply",
    19: "relu",
    22: "reshape",
    23: "resize_bilinear",
    34: "pad",
    54: "prelu",
    117: "hard_swish",
}


def refuse(what: str) -> EngineError:
    """Return the EngineError for a .tflite file that cannot be understood; `what` says why."""
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"This is not a .tflite network that can be converted: {what}.",
        "Use the exact package versions that the pack recipe names and build the pack again.",
    )


@dataclass(frozen=True)
class TfliteTensor:
    """One tensor: name, static shape, numpy dtype and its constant value (None if computed)."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    value: np.ndarray | None


@dataclass(frozen=True)
class TfliteOperator:
    """One operator: kind (a name of OPERATOR_NAMES or a custom code), tensor ids and options."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: "Table | None"
    custom_options: bytes


@dataclass(frozen=True)
class TfliteModel:
    """The only subgraph of a file: its tensors, operators in execution order, inputs, outputs."""

    tensors: tuple[TfliteTensor, ...]
    operators: tuple[TfliteOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """A flatbuffer table inside `data`; fields are read by their number in the schema."""

    data: bytes = field(repr=False)
    position: int
    fields: tuple[int, ...] = field(repr=False)  # offset of each field from position, 0 = absent

    def scalar(self, number: int, code: str, default: int = 0) -> int:
        """Return field `number` as the struct `code` (for instance 'b', 'i', 'I')."""
        place = self._place(number)
        return default if place is None else _unpack(self.data, place, code)

    def table(self, number: int) -> "Table | None":
        """Return the table that field `number` points to, or None where it is absent."""
        place = self._place(number)
        return None if place is None else read_table(self.data, _follow(self.data, place))

    def tables(self, number: int) -> "list[Table]":
        """Return the vector of tables of field `number` (empty where it is absent)."""
        start, count = self._vector(number, 4)
        return [
            read_table(self.data, _follow(self.data, start + 4 * index)) for index in range(count)
        ]

    def integers(self, number: int) -> tuple[int, ...]:
        """Return the vector of int32 of field `number` (empty where it is absent)."""
        start, count = self._vector(number, 4)
        return struct.unpack_from(f"<{count}i", self.data, start)

    def blob(self, number: int) -> bytes:
        """Return the bytes of field `number` (empty where it is absent); also for strings."""
        start, count = self._vector(number, 1)
        return self.data[start : start + count]

    def _place(self, number: int) -> int | None:
        offset = self.fields[number] if number < len(self.fields) else 0
        return self.position + offset if offset else None

    def _vector(self, number: int, item_size: int) -> tuple[int, int]:
        place = self._place(number)
        if place is None:
            return 0, 0
        start = _follow(self.data, place)
        count = _unpack(self.data, start, "I")
        if item_size > 1 and count > MAX_ITEMS:
            raise refuse(f"a list claims {count} entries")
        if start + 4 + count * item_size > len(self.data):
            raise refuse("a list reaches past the end of the file")
        return start + 4, count


def _unpack(data: bytes, place: int, code: str) -> int:
    if place < 0 or place + struct.calcsize("<" + code) > len(data):
        raise refuse("an offset points outside the file")
    return struct.unpack_from("<" + code, data, place)[0]


def _follow(data: bytes, place: int) -> int:
    offset = _unpack(data, place, "I")
    if offset == 0 or place + offset >= len(data):
        raise refuse("an offset points outside the file")
    return place + offset


def read_table(data: bytes, position: int) -> Table:
    """Return the flatbuffer table that starts at `position`; EngineError if it is malformed."""
    vtable = position - _unpack(data, position, "i")
    size = _unpack(data, vtable, "H")
    if size < 4 or size % 2 or vtable + size > len(data):
        raise refuse("a table's field list is malformed")
    return Table(data, position, struct.unpack_from(f"<{(size - 4) // 2}H", data, vtable + 4))


def _read_tensor(table: Table, buffers: list[Table]) -> TfliteTensor:
    name = table.blob(3).decode("utf-8", "replace")
    shape = table.integers(0)
    kind = table.scalar(1, "b")
    if kind not in TENSOR_DTYPES:
        raise refuse(f"tensor '{name}' has the unknown element type {kind}")
    if table.table(6) is not None:
        raise refuse(f"tensor '{name}' is stored in sparse form")
    if any(length < 1 for length in shape) or len(shape) > 5:
        raise refuse(f"tensor '{name}' has the shape {list(shape)}")
    buffer = table.scalar(2, "I")
    if buffer >= len(buffers):
        raise refuse(f"tensor '{name}' names a buffer that does not exist")
    raw = buffers[buffer].blob(0)
    dtype = TENSOR_DTYPES[kind]
    if not raw:
        return TfliteTensor(name, shape, dtype, None)
    if len(raw) != int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
        raise refuse(f"tensor '{name}' does not fill its shape {list(shape)}")
    return TfliteTensor(name, shape, dtype, np.frombuffer(raw, dtype).reshape(shape))


def _read_operator(table: Table, kinds: list[str], tensor_count: int) -> TfliteOperator:
    index = table.scalar(0, "I")
    if index >= len(kinds):
        raise refuse("an operator names a kind that does not exist")
    inputs, outputs = table.integers(1), table.integers(2)
    if any(not 0 <= tensor < tensor_count for tensor in inputs + outputs):
        raise refuse("an operator names a tensor that does not exist")
    return TfliteOperator(kinds[index], inputs, outputs, table.table(4), table.blob(5))


def _operator_kind(code: Table) -> str:
    # The schema moved the code from an int8 to an int32 field; readers take the larger one.
    number = max(code.scalar(0, "b"), code.scalar(3, "i"))
    if number == CUSTOM_OPERATOR:
        return code.blob(1).decode("utf-8", "replace")
    if number not in OPERATOR_NAMES:
        raise refuse(f"operator {number} is not supported")
    return OPERATOR_NAMES[number]


def read_tflite(data: bytes) -> TfliteModel:
    """Read a .tflite file.

    Args: data: the whole file.
    Returns: TfliteModel; shapes and layouts as in the file (images NHWC, conv weights OHWI).
    Raises: EngineError PACK_INVALID if the bytes are malformed, hold more than one
        subgraph, or use element types, sparse tensors or operators outside the lists above.
    """
    if len(data) < 8 or data[4:8] != FILE_IDENTIFIER:
        raise refuse("the file does not carry the mark TFL3")
    model = read_table(data, _follow(data, 0))
    subgraphs = model.tables(2)
    if len(subgraphs) != 1:
        raise refuse(f"it holds {len(subgraphs)} graphs where 1 was expected")
    graph = subgraphs[0]
    buffers = model.tables(4)
    tensors = tuple(_read_tensor(table, buffers) for table in graph.tables(0))
    kinds = [_operator_kind(code) for code in model.tables(1)]
    operators = tuple(_read_operator(table, kinds, len(tensors)) for table in graph.tables(3))
    inputs, outputs = graph.integers(1), graph.integers(2)
    if any(not 0 <= tensor < len(tensors) for tensor in inputs + outputs):
        raise refuse("the graph's inputs or outputs name a tensor that does not exist")
    return TfliteModel(tensors, operators, inputs, outputs)
