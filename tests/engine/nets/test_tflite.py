"""The .tflite reader and converter on small files made here."""

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.nets.tflite import read_tflite
from engine.nets.tflite_convert import convert_tflite
from engine.nets.tflite_graph import load_graph
from engine.protocol.errors import EngineError, ErrorCode

_spec = importlib.util.spec_from_file_location(
    "tiny_tflite", Path(__file__).with_name("tiny_tflite.py")
)
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)

FLOAT, HALF, INT = 0, 1, 2
ADD, AVERAGE, CONCAT, CONV, DEPTHWISE, DEQUANTIZE, LOGISTIC = 0, 1, 2, 3, 4, 6, 14
MAX_POOL, RESHAPE, RESIZE, PAD, PRELU = 17, 22, 23, 34, 54
SAME, VALID = 0, 1


def window(padding, stride, activation_field, activation=0, extra=None):
    fields = {"f0": tiny.scalar("b", padding)}
    fields |= {"f1": tiny.scalar("i", stride), "f2": tiny.scalar("i", stride)}
    fields[f"f{activation_field}"] = tiny.scalar("b", activation)
    return tiny.table(**fields, **(extra or {}))


def conv_file(height, width, channels, outputs, kernel, stride, padding, random, depthwise=False):
    shape = (1, kernel, kernel, outputs) if depthwise else (outputs, kernel, kernel, channels)
    weight = random.standard_normal(shape).astype(np.float16)
    bias = random.standard_normal(outputs).astype(np.float32)
    out = [
        -(-length // stride) if padding == SAME else (length - kernel) // stride + 1
        for length in (height, width)
    ]
    tensors = [
        ((1, height, width, channels), FLOAT, None),
        (shape, HALF, weight.tobytes()),
        (shape, FLOAT, None),
        ((outputs,), FLOAT, bias.tobytes()),
        ((1, *out, outputs), FLOAT, None),
    ]
    options = window(padding, stride, 4 if depthwise else 3, activation=1)
    operators = [
        (DEQUANTIZE, [1], [2], None, b""),
        (DEPTHWISE if depthwise else CONV, [0, 2, 3], [4], options, b""),
    ]
    return tiny.model(tensors, operators, [0], [4]), weight.astype(np.float64), bias


def slow_conv(image, weight, bias, stride, padding, depthwise):
    """TensorFlow's convolution by its definition; image (H, W, C); ReLU at the end."""
    kernel = weight.shape[1]
    sizes = []
    padded = image
    for axis in range(2):
        length = image.shape[axis]
        if padding == SAME:
            size = -(-length // stride)
            total = max((size - 1) * stride + kernel - length, 0)
            amounts = [(0, 0)] * 3
            amounts[axis] = (total // 2, total - total // 2)
            padded = np.pad(padded, amounts)
        else:
            size = (length - kernel) // stride + 1
        sizes.append(size)
    outputs = weight.shape[3] if depthwise else weight.shape[0]
    result = np.zeros((*sizes, outputs))
    for y in range(sizes[0]):
        for x in range(sizes[1]):
            patch = padded[y * stride : y * stride + kernel, x * stride : x * stride + kernel]
            for channel in range(outputs):
                if depthwise:
                    value = (patch[..., channel] * weight[0, :, :, channel]).sum()
                else:
                    value = (patch * weight[channel]).sum()
                result[y, x, channel] = value + bias[channel]
    return np.maximum(result, 0)


def run(data, image):
    net = load_graph(*convert_tflite(data))
    outputs = net(torch.from_numpy(image.astype(np.float32).transpose(2, 0, 1)[None]))
    return [output.numpy() for output in outputs]


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize(("height", "width", "kernel", "stride"), [(7, 6, 3, 2), (5, 8, 2, 1)])
def test_convolution_agrees_with_its_definition(height, width, kernel, stride, padding, depthwise):
    random = np.random.default_rng(3)
    channels, outputs = (4, 4) if depthwise else (3, 5)
    data, weight, bias = conv_file(
        height, width, channels, outputs, kernel, stride, padding, random, depthwise
    )
    image = random.standard_normal((height, width, channels))
    expected = slow_conv(image, weight, bias, stride, padding, depthwise)
    (result,) = run(data, image)
    np.testing.assert_allclose(result[0].transpose(1, 2, 0), expected, atol=1e-5)


def test_pool_pad_prelu_and_reshape_keep_tensorflows_order():
    random = np.random.default_rng(4)
    slope = random.random((1, 1, 3)).astype(np.float32)
    amounts = np.array([[0, 0], [0, 0], [0, 0], [0, 1]], np.int32)
    tensors = [
        ((1, 5, 5, 3), FLOAT, None),
        ((1, 1, 3), FLOAT, slope.tobytes()),
        ((1, 5, 5, 3), FLOAT, None),
        ((1, 3, 3, 3), FLOAT, None),
        ((4, 2), INT, amounts.tobytes()),
        ((1, 3, 3, 4), FLOAT, None),
        ((1, 18, 2), FLOAT, None),
        ((1, 36, 2), FLOAT, None),
    ]
    kernel = {"f3": tiny.scalar("i", 2), "f4": tiny.scalar("i", 2)}
    operators = [
        (PRELU, [0, 1], [2], None, b""),
        (MAX_POOL, [2], [3], window(SAME, 2, 5, extra=kernel), b""),
        (PAD, [3, 4], [5], None, b""),
        (RESHAPE, [5], [6], None, b""),
        (CONCAT, [6, 6], [7], tiny.table(f0=tiny.scalar("i", 1)), b""),
    ]
    image = random.standard_normal((5, 5, 3)).astype(np.float32)
    expected = np.where(image < 0, image * slope, image)
    expected = np.pad(expected, [(0, 1), (0, 1), (0, 0)], constant_values=-np.inf)
    expected = expected.reshape(3, 2, 3, 2, 3).max((1, 3))
    expected = np.pad(expected, [(0, 0), (0, 0), (0, 1)]).reshape(18, 2)
    (result,) = run(tiny.model(tensors, operators, [0], [7]), image)
    np.testing.assert_allclose(result[0], np.concatenate([expected, expected]), atol=1e-6)


def test_transposed_convolution_spreads_each_pixel():
    random = np.random.default_rng(5)
    weight = random.standard_normal((1, 2, 2, 3)).astype(np.float32)
    tensors = [
        ((1, 4, 3, 3), FLOAT, None),
        (weight.shape, FLOAT, weight.tobytes()),
        ((1,), FLOAT, np.float32([0.5]).tobytes()),
        ((1, 8, 6, 1), FLOAT, None),
    ]
    custom = struct.pack("<3i", 1, 2, 2)
    operators = [("Convolution2DTransposeBias", [0, 1, 2], [3], None, custom)]
    image = random.standard_normal((4, 3, 3)).astype(np.float32)
    blocks = np.einsum("yxc,abc->yaxb", image, weight[0]) + 0.5
    (result,) = run(tiny.model(tensors, operators, [0], [3]), image)
    np.testing.assert_allclose(result[0, 0], blocks.reshape(8, 6), atol=1e-5)


SMALL = conv_file(4, 4, 1, 1, 3, 1, SAME, np.random.default_rng(0))[0]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_files_end_in_an_engine_error(data):
    damaged = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    try:
        load_graph(*convert_tflite(damaged))
    except EngineError as error:
        assert error.code is ErrorCode.PACK_INVALID


def test_every_cut_short_file_is_refused():
    end = max(place for place in range(len(SMALL)) if SMALL[place])
    for length in range(0, end, 7):
        with pytest.raises(EngineError):
            convert_tflite(SMALL[:length])


def test_unknown_operator_is_named():
    tensors = [((1, 2, 2, 1), FLOAT, None), ((1, 2, 2, 1), FLOAT, None)]
    with pytest.raises(EngineError, match="operator 99 "):
        read_tflite(tiny.model(tensors, [(99, [0], [1], None, b"")], [0], [1]))


def test_a_list_that_claims_too_much_is_refused():
    data = bytearray(SMALL)
    place = data.index(struct.pack("<I4i", 4, 1, 4, 4, 1))
    struct.pack_into("<I", data, place, 2**30)
    with pytest.raises(EngineError):
        read_tflite(bytes(data))


def test_graph_with_an_unknown_operation_is_refused():
    tensors, graph = convert_tflite(SMALL)
    graph["nodes"][0]["op"] = "shell"
    with pytest.raises(EngineError, match="shell"):
        load_graph(tensors, graph)


def test_graph_without_its_weights_is_refused():
    _, graph = convert_tflite(SMALL)
    with pytest.raises(EngineError):
        load_graph({}, graph)
