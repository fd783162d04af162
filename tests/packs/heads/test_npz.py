"""Arrays of .npz files, and what is none."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from engine.packs.heads.files.npz import parse_npz
from engine.protocol.errors import EngineError

TABLE = {
    "real": np.linspace(0, 1, 6).reshape(2, 3),
    "turned": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "names": np.array(["a", "ä"]),
    "empty": np.zeros((0, 3), np.float32),
    "one": np.array("3.0"),
    "big": np.arange(4, dtype=">i4"),
}


def packed(arrays, writer=np.savez):
    out = io.BytesIO()
    writer(out, **arrays)
    return out.getvalue()


def member(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", data)
    return out.getvalue()


def npy(header: str, raw: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + raw


@pytest.mark.parametrize("writer", [np.savez, np.savez_compressed])
def test_arrays_survive(writer):
    found = parse_npz(packed(TABLE, writer), "x.npz", list(TABLE))
    for key, array in TABLE.items():
        np.testing.assert_array_equal(found[key], array)
        assert found[key].dtype == array.dtype


def test_optional_arrays():
    data = packed({"a": np.arange(2), "b": np.array([{}], dtype=object)})
    assert set(parse_npz(data, "x.npz", ["a"], ["b", "c"])) == {"a"}
    with pytest.raises(EngineError, match=r"x\.npz, b: expected numbers"):
        parse_npz(data, "x.npz", ["b"])
    with pytest.raises(EngineError, match="the file holds a, b"):
        parse_npz(data, "x.npz", ["c"])


HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': %s}"
DAMAGED = {
    "no zip": b"words",
    "no npy": member(b"words"),
    "cut": packed(TABLE)[:200],
    "more than it holds": member(npy(HEADER % "(10000000000,)", b"12345678")),
    "negative": member(npy(HEADER % "(-1, -8)", b"12345678")),
    "less than it holds": member(npy(HEADER % "(1,)", b"1234567812345678")),
    "code": member(npy("__import__('os').system('true')")),
    "records": member(
        npy("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}", b"8" * 8)
    ),
    "a bomb": member(npy(HEADER % "(1, 4)", b"\0" * 50_000_000)),
}


@pytest.mark.parametrize("rule", DAMAGED)
def test_damaged_files_are_refused_in_little_memory(rule):
    data = DAMAGED[rule]
    tracemalloc.start()
    try:
        with pytest.raises(EngineError, match=r"x\.npz"):
            parse_npz(data, "x.npz", ["a"])
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_a_garbled_member_is_told():
    data = bytearray(packed({"a": np.arange(100)}))
    data[300] ^= 255
    with pytest.raises(EngineError, match="damaged"):
        parse_npz(bytes(data), "x.npz", ["a"])
