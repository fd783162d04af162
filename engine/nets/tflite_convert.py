"""Turn a .tflite file into named arrays and a small JSON graph (done once, when a pack is built).

The graph is a list of nodes that `tflite_graph.GraphNet` runs. Layout: where the file has NHWC
images the graph has NCHW; conv weights become (out, in / groups, h, w). Tensors behind a reshape
keep the file's layout. Padding is written out per side: "SAME" of TensorFlow depends on the size
and is not symmetric. Half floats stay half floats in the arrays; they are widened on loading.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from .tflite import Table, TfliteModel, TfliteOperator, read_tflite, refuse

GRAPH_SCHEMA = 1
ACTIVATIONS = {0: "", 1: "relu", 3: "relu6"}  # ActivationFunctionType of the schema
SAME_PADDING = 0  # Padding of the schema; 1 is VALID
TRANSPOSED_CONV = "Convolution2DTransposeBias"  # MediaPipe's custom operator

Node = dict[str, Any]


class _Builder:
    """Collects nodes and arrays while the operators are walked in order."""

    def __init__(self, model: TfliteModel) -> None:
        self.model = model
        self.arrays: dict[str, np.ndarray] = {}
        self.nodes: list[Node] = []
        self.constants = {
            index: tensor.value
            for index, tensor in enumerate(model.tensors)
            if tensor.value is not None
        }
        self.channels_last = set(model.inputs)  # 4-D tensors that the graph holds as NCHW

    def constant(self, index: int) -> np.ndarray:
        if index not in self.constants:
            raise refuse(f"'{self.model.tensors[index].name}' is not constant, but must be")
        return self.constants[index]

    def store(self, array: np.ndarray) -> str:
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(array)
        return name

    def shape(self, index: int) -> tuple[int, ...]:
        return self.model.tensors[index].shape


def _options(operator: TfliteOperator) -> Table:
    if operator.options is None:
        raise refuse(f"operator '{operator.kind}' carries no options")
    return operator.options


def _activation(options: Table, number: int) -> str:
    code = options.scalar(number, "b")
    if code not in ACTIVATIONS:
        raise refuse(f"the fused activation {code} is not supported")
    return ACTIVATIONS[code]


def _side_padding(size: int, kernel: int, stride: int, dilation: int, same: bool) -> list[int]:
    """Zeros before and after one axis; TensorFlow's rule for SAME (the odd one goes behind)."""
    if not same:
        return [0, 0]
    reach = (kernel - 1) * dilation + 1
    total = max(0, (-(-size // stride) - 1) * stride + reach - size)
    return [total // 2, total - total // 2]


def _window(
    builder: _Builder, operator: TfliteOperator, kernel: tuple[int, int], dilation_field: int | None
) -> Node:
    options = _options(operator)
    same = options.scalar(0, "b") == SAME_PADDING
    stride = [options.scalar(2, "i"), options.scalar(1, "i")]
    dilation = [1, 1]
    if dilation_field is not None:
        dilation = [
            options.scalar(dilation_field + 1, "i", 1),
            options.scalar(dilation_field, "i", 1),
        ]
    if min(stride + dilation) < 1:
        raise refuse("a window has a stride or dilation below 1")
    _, height, width, _ = builder.shape(operator.inputs[0])
    top = _side_padding(height, kernel[0], stride[0], dilation[0], same)
    left = _side_padding(width, kernel[1], stride[1], dilation[1], same)
    return {"stride": stride, "dilation": dilation, "padding": left + top}


def _convert_conv(builder: _Builder, operator: TfliteOperator) -> Node:
    depthwise = operator.kind == "depthwise_conv"
    weights = builder.constant(operator.inputs[1])
    channels = builder.shape(operator.inputs[0])[3]
    # OHWI -> OIHW; a depthwise kernel is stored as 1HWC -> C1HW
    weights = weights.transpose(3, 0, 1, 2) if depthwise else weights.transpose(0, 3, 1, 2)
    groups = channels if depthwise else 1
    if weights.shape[1] * groups != channels or weights.shape[0] % groups:
        raise refuse("a convolution's weights do not fit its input")
    window = _window(builder, operator, weights.shape[2:], 5 if depthwise else 4)
    node = {
        "op": "conv",
        "weight": builder.store(weights),
        "groups": groups,
        "activation": _activation(_options(operator), 4 if depthwise else 3),
        **window,
    }
    if len(operator.inputs) > 2:
        node["bias"] = builder.store(builder.constant(operator.inputs[2]))
    return node


def _convert_transposed_conv(builder: _Builder, operator: TfliteOperator) -> Node:
    if len(operator.custom_options) != 12:
        raise refuse("a transposed convolution carries unknown options")
    _, stride_width, stride_height = struct.unpack("<3i", operator.custom_options)
    weights = builder.constant(operator.inputs[1]).transpose(3, 0, 1, 2)  # OHWI -> IOHW
    # Where the kernel equals the stride, outputs do not overlap and both paddings agree.
    if weights.shape[2:] != (stride_height, stride_width):
        raise refuse("a transposed convolution's kernel differs from its stride")
    return {
        "op": "transposed_conv",
        "weight": builder.store(weights),
        "bias": builder.store(builder.constant(operator.inputs[2])),
        "stride": [stride_height, stride_width],
    }


def _convert_pool(builder: _Builder, operator: TfliteOperator) -> Node:
    options = _options(operator)
    kernel = (options.scalar(4, "i"), options.scalar(3, "i"))
    node = _window(builder, operator, kernel, None)
    if operator.kind == "average_pool" and any(node["padding"]):
        raise refuse("an average over padded windows is not supported")
    del node["dilation"]
    return {
        "op": operator.kind,
        "kernel": list(kernel),
        "activation": _activation(options, 5),
        **node,
    }


def _convert_pad(builder: _Builder, operator: TfliteOperator) -> Node:
    amounts = builder.constant(operator.inputs[1])
    if amounts.shape != (4, 2) or amounts[0].any() or amounts.min() < 0:
        raise refuse("a padding is not of a 4-D image")
    # torch wants the last axis first: of NCHW that is width, height, channels
    return {"op": "pad", "padding": [int(n) for axis in (2, 1, 3) for n in amounts[axis]]}


def _convert_reshape(builder: _Builder, operator: TfliteOperator) -> Node:
    source, target = operator.inputs[0], operator.outputs[0]
    shape = builder.shape(target)
    if shape[0] != 1 or len(shape) == 4:
        raise refuse("a reshape changes the batch or makes an image")
    return {
        "op": "reshape",
        "shape": list(shape[1:]),
        "from_image": source in builder.channels_last,
    }


def _convert_concat(builder: _Builder, operator: TfliteOperator) -> Node:
    axis = _options(operator).scalar(0, "i") % len(builder.shape(operator.inputs[0]))
    if all(index in builder.channels_last for index in operator.inputs):
        axis = [0, 2, 3, 1][axis]
    return {"op": "concat", "axis": axis}


def _convert_resize(builder: _Builder, operator: TfliteOperator) -> Node:
    options = _options(operator)
    if options.scalar(2, "b") or not options.scalar(3, "b"):
        raise refuse("only bilinear resizing with half-pixel centres is supported")
    return {"op": "resize", "size": [int(n) for n in builder.constant(operator.inputs[1])]}


def _convert_prelu(builder: _Builder, operator: TfliteOperator) -> Node:
    slope = builder.constant(operator.inputs[1])
    if slope.size != builder.shape(operator.inputs[0])[3]:
        raise refuse("a PReLU has slopes that differ within a channel")
    return {"op": "prelu", "weight": builder.store(slope.reshape(-1))}


def _convert_binary(builder: _Builder, operator: TfliteOperator) -> Node:
    return {"op": operator.kind, "activation": _activation(_options(operator), 0)}


def _convert_plain(builder: _Builder, operator: TfliteOperator) -> Node:
    return {"op": operator.kind}


# Operator -> (converter, how many of its inputs are computed tensors; None: all of them)
_CONVERTERS: dict[str, tuple[Callable[[_Builder, TfliteOperator], Node], int | None]] = {
    "conv": (_convert_conv, 1),
    "depthwise_conv": (_convert_conv, 1),
    TRANSPOSED_CONV: (_convert_transposed_conv, 1),
    "max_pool": (_convert_pool, 1),
    "average_pool": (_convert_pool, 1),
    "pad": (_convert_pad, 1),
    "reshape": (_convert_reshape, 1),
    "concat": (_convert_concat, None),
    "resize_bilinear": (_convert_resize, 1),
    "prelu": (_convert_prelu, 1),
    "add": (_convert_binary, 2),
    "multiply": (_convert_binary, 2),
    "relu": (_convert_plain, 1),
    "sigmoid": (_convert_plain, 1),
    "hard_swish": (_convert_plain, 1),
}


def _convert_operator(builder: _Builder, operator: TfliteOperator) -> None:
    if operator.kind == "dequantize":
        # float16 constants: the value is carried on as it is
        builder.constants[operator.outputs[0]] = builder.constant(operator.inputs[0])
        return
    if operator.kind not in _CONVERTERS:
        raise refuse(f"operator '{operator.kind}' is not supported")
    convert, count = _CONVERTERS[operator.kind]
    inputs = operator.inputs[:count]
    if not inputs or len(operator.outputs) != 1 or (count and len(inputs) != count):
        raise refuse(f"operator '{operator.kind}' has an unexpected number of inputs or outputs")
    if any(index in builder.constants for index in inputs):
        raise refuse(f"operator '{operator.kind}' works on constants")
    node = convert(builder, operator)
    output = operator.outputs[0]
    if len(builder.shape(output)) == 4:
        builder.channels_last.add(output)
    builder.nodes.append(
        {**node, "inputs": [f"t{index}" for index in inputs], "output": f"t{output}"}
    )


def convert_tflite(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Convert a .tflite file to what a pack stores.

    Args: data: the whole file.
    Returns: (arrays, graph): arrays by name (float16 or float32), and the JSON-ready graph
        {"schema", "input": {"name", "shape" [C, H, W]}, "outputs": [names], "nodes": [...]}.
    Raises: EngineError PACK_INVALID if the file is malformed or uses what we do not support.
    """
    model = read_tflite(data)
    if len(model.inputs) != 1:
        raise refuse(f"it has {len(model.inputs)} inputs where 1 was expected")
    shape = model.tensors[model.inputs[0]].shape
    if len(shape) != 4 or shape[0] != 1:
        raise refuse(f"its input has the shape {list(shape)}, expected one NHWC image")
    builder = _Builder(model)
    for operator in model.operators:
        try:
            _convert_operator(builder, operator)
        except (IndexError, ValueError) as error:  # too few inputs, or of the wrong rank
            raise refuse(f"operator '{operator.kind}' is malformed") from error
    graph = {
        "schema": GRAPH_SCHEMA,
        "input": {"name": f"t{model.inputs[0]}", "shape": [shape[3], shape[1], shape[2]]},
        "outputs": [f"t{index}" for index in model.outputs],
        "nodes": builder.nodes,
    }
    return builder.arrays, graph
