"""Files that are no safetensors: each is refused in words, and before memory is spent."""

import json

import numpy as np
import pytest

from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.safetensors import read_safetensors, write_safetensors

TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def refusal(path):
    with pytest.raises(EngineError) as caught:
        read_safetensors(path)
    assert caught.value.code is ErrorCode.PACK_INVALID
    return caught.value.message


def write_raw(path, header, body=b"\0" * 8):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


BROKEN = {
    "no JSON": (b"{ not json", "not JSON"),
    "a list": (b"[]", "not a JSON object"),
    "no dtype": ({"a": {"shape": [2], "data_offsets": [0, 8]}}, "no dtype"),
    "a list as dtype": ({"a": {**TENSOR, "dtype": ["F32"]}}, "unknown dtype"),
    "a long name": ({"a" * 10_000: TENSOR}, "has a name of 10000 characters"),
    "dtype": ({"a": {**TENSOR, "dtype": "F7"}}, "unknown dtype"),
    "shape of words": ({"a": {**TENSOR, "shape": ["2"]}}, "malformed"),
    "negative shape": ({"a": {**TENSOR, "shape": [-2]}}, "malformed"),
    "past the end": ({"a": {**TENSOR, "shape": [4], "data_offsets": [0, 16]}}, "fit"),
    "shape of another size": ({"a": {**TENSOR, "shape": [3]}}, "fit"),
    "backwards": ({"a": {**TENSOR, "data_offsets": [8, 0]}}, "fit"),
    "absurd": ({"a": {**TENSOR, "shape": [2**60, 2**60]}}, "impossible"),
    "empty and absurd": (
        {"a": {**TENSOR, "shape": [0, 2**80], "data_offsets": [0, 0]}},
        "impossible",
    ),
    "many dimensions": ({"a": {**TENSOR, "shape": [1] * 70 + [2]}}, "impossible"),
    "the same bytes twice": ({"a": TENSOR, "b": TENSOR}, "overlap"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_header(tmp_path, rule):
    header, words = BROKEN[rule]
    assert words in refusal(write_raw(tmp_path / "x.safetensors", header))


def test_files_that_are_something_else(tmp_path):
    path = tmp_path / "x.safetensors"
    assert "cannot be read" in refusal(path)
    for data in (b"", b"PK\3\4", b"\x80\x04\x95" + b"\xff" * 40, b"\xff" * 100):
        path.write_bytes(data)
        refusal(path)
    write_safetensors(path, {"a": np.arange(6.0).reshape(2, 3), "b": np.float16(0.5)[None]})
    whole = path.read_bytes()
    for cut in (4, 12, len(whole) - 1):
        path.write_bytes(whole[:cut])
        refusal(path)
    path.write_bytes(whole)
    assert read_safetensors(path)["a"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_scalars_and_empty_arrays_survive(tmp_path):
    arrays = {"scalar": np.array(0.5, np.float16), "empty": np.zeros((0, 3), np.int32)}
    write_safetensors(tmp_path / "x.safetensors", arrays)
    found = read_safetensors(tmp_path / "x.safetensors")
    assert found["scalar"].shape == () and found["scalar"] == 0.5
    assert found["empty"].shape == (0, 3)
