"""Arrays are read from pickle files; nothing that a pickle file could do is done."""

import builtins
import collections
import io
import os
import pickle
import struct
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.packs.uvapm.pickle_data import PickleRefused, read_pickle_data

PROTOCOLS = (2, 3, 4, 5)


def refusal(data: bytes) -> str:
    with pytest.raises(PickleRefused) as caught:
        read_pickle_data(data)
    return str(caught.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "f2", "i4", "u1"])
def test_arrays_survive(protocol, kind):
    rng = np.random.default_rng(0)
    base = (rng.random((6, 5)) * 200).astype(kind)
    table = {
        "base": base,
        "turned": np.asfortranarray(base),
        "part": base[::2, 1:3],
        "empty": base[:0],
        "inner": {"same": base, "flag": True, "name": "ä", "none": None},
        "number": np.float64(2.5),
        "count": 300,
    }
    if protocol == 2:  # it writes no bytes as a call of bytes()
        del table["empty"]
    found = read_pickle_data(pickle.dumps(table, protocol))
    for name in table.keys() & {"base", "turned", "part", "empty"}:
        assert np.array_equal(found[name], table[name]) and found[name].dtype == table[name].dtype
    assert np.array_equal(found["inner"].pop("same"), base)
    assert found["inner"] == {"flag": True, "name": "ä", "none": None}
    assert found["number"] == 2.5 and found["count"] == 300


@pytest.mark.parametrize("protocol", (2, 4))
def test_both_generations_of_numpy_names(protocol):
    data = pickle.dumps({"a": np.arange(3.0)}, protocol)
    old, new = b"numpy.core.multiarray", b"numpy._core.multiarray"
    if old not in data:
        old, new = new, old
    if protocol == 2:  # the name ends with its line
        other = data.replace(old, new)
    else:  # the name's length comes before it, and frames count bytes
        text = data.replace(bytes([len(old)]) + old, bytes([len(new)]) + new)
        length = struct.unpack("<Q", text[3:11])[0] + len(new) - len(old)
        other = text[:3] + struct.pack("<Q", length) + text[11:]
    assert read_pickle_data(other)["a"].tolist() == [0, 1, 2]
    assert pickle.dumps({"a": np.arange(3.0)}, protocol) == data


def test_the_files_of_python_2():
    """Text of one byte a character, bytes as such text, a type that is named by it."""
    rows = b"\x00\x00\x80?\x00\x00\x00@"
    data = (
        b"\x80\x02}U\x01rcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        b"K\x00\x85U\x01b\x87R(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + b"U\x08" + rows + b"tbs."
    )
    assert pickle.loads(data, encoding="latin1")["r"].tolist() == [1.0, 2.0]
    assert read_pickle_data(data)["r"].tolist() == [1.0, 2.0]


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class State:
    """Pickles as an object whose state is set."""

    def __init__(self):
        self.value = 1


def dangers(mark: Path):
    """Values whose loading would make the file `mark` or run something; and what is named."""
    touch = f"open({str(mark)!r}, 'w').close()"
    return {
        "os.system": (Call(os.system, f"touch {mark}"), "system"),
        "eval": (Call(eval, touch), "eval"),
        "exec": (Call(exec, touch), "exec"),
        "open": (Call(open, str(mark), "w"), "open"),
        "import": (Call(builtins.__import__, "os"), "__import__"),
        "getattr": (Call(getattr, "text", "upper"), "getattr"),
        "subprocess": (Call(subprocess.call, ["touch", str(mark)]), "call"),
        "function itself": (os.system, "system"),
        "class": (State(), "State"),
        "ordered": (collections.OrderedDict(a=1), "OrderedDict"),
        "numpy file": (Call(np.load, str(mark)), "load"),
        "numpy function": (Call(np.save, str(mark), 1), "save"),
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "where", ["bare", "value", "nested", "beside arrays", "in an array", "in a tuple"]
)
def test_nothing_is_executed(protocol, where, tmp_path):
    mark = tmp_path / "executed"
    for name, (danger, named) in dangers(mark).items():
        array = np.zeros(2)
        objects = np.empty(1, dtype=object)
        objects[0] = danger
        value = {
            "bare": danger,
            "value": {"r": danger},
            "nested": {"r": {"base": {"deep": danger}}},
            "beside arrays": {"r": {"mean": array, "base": array, "x": danger}},
            "in an array": {"r": {"base": objects}},
            "in a tuple": {"r": ((1, danger), array)},
        }[where]
        text = refusal(pickle.dumps(value, protocol))
        assert not mark.exists(), name
        if where != "in an array":
            assert named in text or name == "class", (name, text)
        else:
            assert "'O8'" in text


def test_these_dangers_are_real(tmp_path):
    """The usual way of loading does run them, so the tests above mean something."""
    mark = tmp_path / "executed"
    data = pickle.dumps({"r": dangers(mark)["exec"][0]}, 4)
    refusal(data)
    assert not mark.exists()
    pickle.loads(data)
    assert mark.exists()


def test_calls_of_permitted_names_with_other_arguments():
    """The few names that are known do nothing but what numpy writes."""
    encode = b"c_codecs\nencode\n"
    attempts = [
        b"\x80\x02cnumpy\nndarray\n\x8c\x04eval\x85R.",
        b"\x80\x02cnumpy\ndtype\n}\x85R.",
        b"\x80\x02" + encode + b"X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85U\x01b\x87R.",
        b"\x80\x02cnumpy.core.multiarray\nscalar\nK\x01K\x02\x86R.",
        b"\x80\x02cnumpy\nndarray\n.",
        b"\x80\x02}cnumpy\nndarray\nX\x01\x00\x00\x00as.",
        b"\x80\x02}}b.",
        b"\x80\x02cnumpy\ndtype\n)\x81.",
        b"\x80\x02cnumpy\nload\n.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.__new\x93.",
    ]
    for data in attempts:
        refusal(data)


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, 1], dtype=object),
        np.array(["text"]),
        np.array([b"bytes"]),
        np.zeros(2, [("x", "f4")]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, "c16"),
        np.ma.zeros(2),
    ],
    ids=["object", "text", "bytes", "record", "date", "complex", "masked"],
)
def test_only_arrays_of_real_numbers(array):
    for protocol in PROTOCOLS:
        assert refusal(pickle.dumps({"r": array}, protocol))


def array_pickle(shape: tuple[int, ...], raw: bytes) -> bytes:
    """A pickle of an array that claims `shape`."""
    good = pickle.dumps(np.frombuffer(raw, np.uint8), 2)
    claimed = pickle.dumps(shape, 2)[2:-1].replace(b"q\x00", b"")
    plain = pickle.dumps((len(raw),), 2)[2:-1].replace(b"q\x00", b"")
    start = good.index(plain)
    return good[:start] + claimed + good[start + len(plain) :]


def test_memory_is_bounded_by_the_file():
    bombs = {
        "shape": array_pickle((10**6, 10**6), b"12345678"),
        "many": array_pickle((2**31, 2**31, 2**31), b"12345678"),
        "zero": array_pickle((0, 10**30), b"12345678"),
        "negative": array_pickle((-1, -8), b"12345678"),
        "reconstruct": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        b"J\xff\xff\xff\x7f\x85U\x01b\x87R.",
        "bytearray8": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"a.",
        "bytes8": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"a.",
        "text8": b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"a.",
        "memo": b"\x80\x02]r\xff\xff\xff\xff.",
        "text to bytes": b"\x80\x02c_codecs\nencode\nq\x00X\x40\x42\x0f\x00"
        + b"a" * 10**6
        + b"q\x01"
        b"X\x06\x00\x00\x00latin1q\x02" + b"h\x00h\x01h\x02\x86R" * 500 + b".",
        "shared": doubled_dictionaries(),
        "cycle": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
        "operations": b"\x80\x02" + b"N0" * 20_000 + b".",
    }
    tracemalloc.start()
    try:
        for name, data in bombs.items():
            tracemalloc.reset_peak()
            if name == "shared":
                read_pickle_data(data)
            else:
                refusal(data)
            assert tracemalloc.get_traced_memory()[1] < 20 * 2**20 + 4 * len(data), name
    finally:
        tracemalloc.stop()


def doubled_dictionaries() -> bytes:
    """Eight levels of dictionaries, each naming the one below 40 times."""
    data = b"\x80\x02}q\x00"
    for level in range(7):
        entries = b"".join(b"X\x02\x00\x00\x00%02dh%c" % (k, level) for k in range(40))
        data += b"}(" + entries + b"uq" + bytes([level + 1])
    return data + b"."


def test_array_claims_are_checked_both_ways():
    assert read_pickle_data(array_pickle((2, 4), b"12345678")).shape == (2, 4)
    for shape in ((7,), (9,), (3, 3), (2,) * 9):
        assert "shape" in refusal(array_pickle(shape, b"12345678"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80",
        b"\x80\x04",
        b"\x80\x06N.",
        b"(lp0\n.",
        b"PK\x03\x04",
        b"\x80\x02N",
        b"N.",
    ],
)
def test_other_files(data):
    assert refusal(data)


def test_older_protocols_are_refused():
    for protocol in (0, 1):
        assert "protocol 2 to 5" in refusal(pickle.dumps({"a": 1}, protocol))


class WithPersistentIds(pickle.Pickler):
    """Writes floats as references to something outside the file."""

    def persistent_id(self, value):
        return "id" if isinstance(value, float) else None


def test_buffers_outside_the_file_are_refused():
    kept: list[pickle.PickleBuffer] = []
    refusal(pickle.dumps({"a": np.zeros(3)}, 5, buffer_callback=kept.append))
    persistent = io.BytesIO()
    WithPersistentIds(persistent, 4).dump({"a": 1.5})
    refusal(persistent.getvalue())


GOOD = pickle.dumps({"r": {"mean": np.zeros((2, 1), np.float32)}}, 4)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
@example(b"\x80\x02", 0, b"")
def test_any_bytes_are_read_or_refused(noise, place, change):
    """No other exception, whatever the bytes."""
    for data in (b"\x80\x04" + noise, GOOD[:place] + change + GOOD[place + len(change) :]):
        try:
            read_pickle_data(data)
        except PickleRefused:
            pass
