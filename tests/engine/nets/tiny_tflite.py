"""Writes small .tflite files for tests: a flatbuffer writer without any sharing or sorting."""

import struct


class Ref:
    """A table, vector or string that is placed behind the table that points to it."""

    def __init__(self, data):
        self.data = data


def scalar(code, value):
    return struct.pack("<" + code, value)


def table(**fields):
    """fields: f0=..., f3=...: bytes (inline scalar), Ref (offset) of the field with that number."""
    return Ref({int(name[1:]): value for name, value in fields.items()})


def vector(items):
    return Ref(list(items))


def ints(values):
    return Ref(struct.pack(f"<I{len(values)}i", len(values), *values))


def blob(data):
    return Ref(struct.pack("<I", len(data)) + data)


def _write(out, ref):
    """Append ref at a place aligned to 4; returns its position."""
    out.extend(bytes(-len(out) % 4))
    if isinstance(ref.data, bytes):
        out.extend(ref.data)
        return len(out) - len(ref.data)
    if isinstance(ref.data, list):
        start = len(out)
        out.extend(struct.pack("<I", len(ref.data)) + bytes(4 * len(ref.data)))
        for index, item in enumerate(ref.data):
            place = start + 4 + 4 * index
            struct.pack_into("<I", out, place, _write(out, item) - place)
        return start
    count = max(ref.data, default=-1) + 1
    vtable = len(out)
    out.extend(bytes((4 + 2 * count + 3) // 4 * 4))
    start = len(out)
    out.extend(bytes(4 + 4 * count))
    struct.pack_into("<HH", out, vtable, 4 + 2 * count, 4 + 4 * count)
    struct.pack_into("<i", out, start, start - vtable)
    for number, value in ref.data.items():
        place = start + 4 + 4 * number
        struct.pack_into("<H", out, vtable + 4 + 2 * number, place - start)
        if isinstance(value, Ref):
            struct.pack_into("<I", out, place, _write(out, value) - place)
        else:
            out[place : place + len(value)] = value
    return start


def model(tensors, operators, inputs, outputs):
    """A .tflite file.

    tensors: (shape, type code, bytes or None); operators: (builtin code or custom name, input ids,
    output ids, options Ref or None, custom option bytes).
    """
    buffers = [table()]
    tables = []
    for number, (shape, kind, data) in enumerate(tensors):
        fields = {"f0": ints(shape), "f1": scalar("b", kind), "f3": blob(b"t%d" % number)}
        if data is not None:
            fields["f2"] = scalar("I", len(buffers))
            buffers.append(table(f0=blob(data)))
        tables.append(table(**fields))
    codes, nodes = [], []
    for number, (kind, sources, targets, options, custom) in enumerate(operators):
        if isinstance(kind, str):
            codes.append(table(f0=scalar("b", 32), f1=blob(kind.encode())))
        else:
            codes.append(table(f0=scalar("b", kind)))
        fields = {"f0": scalar("I", number), "f1": ints(sources), "f2": ints(targets)}
        fields |= {"f4": options} if options else {}
        fields |= {"f5": blob(custom)} if custom else {}
        nodes.append(table(**fields))
    graph = table(f0=vector(tables), f1=ints(inputs), f2=ints(outputs), f3=vector(nodes))
    root = table(f0=scalar("I", 3), f1=vector(codes), f2=vector([graph]), f4=vector(buffers))
    out = bytearray(b"\0\0\0\0TFL3")
    struct.pack_into("<I", out, 0, _write(out, root))
    return bytes(out)
