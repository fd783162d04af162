"""Run a graph made by `tflite_convert` as a plain torch module.

Images are NCHW float32. A 4-D output is NCHW as well; tensors behind a reshape have the layout of
the original file (for instance (N, 896, 16)). Every operation is differentiable.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..protocol.errors import EngineError, ErrorCode
from .tflite_convert import GRAPH_SCHEMA

Weights = Mapping[str, Tensor]
Node = Mapping[str, Any]


def _refuse(what: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"A network of the pack cannot be loaded: {what}.",
        "Build the pack again.",
    )


def _activate(x: Tensor, name: str) -> Tensor:
    if name == "relu":
        return functional.relu(x)
    if name == "relu6":
        return functional.relu6(x)
    return x


def _conv(node: Node, weights: Weights, x: Tensor) -> Tensor:
    left, right, top, bottom = node["padding"]
    padding = [top, left]
    if (left, top) != (right, bottom):
        x, padding = functional.pad(x, node["padding"]), [0, 0]
    bias = weights[node["bias"]] if "bias" in node else None
    x = functional.conv2d(
        x, weights[node["weight"]], bias, node["stride"], padding, node["dilation"], node["groups"]
    )
    return _activate(x, node["activation"])


def _transposed_conv(node: Node, weights: Weights, x: Tensor) -> Tensor:
    return functional.conv_transpose2d(
        x, weights[node["weight"]], weights[node["bias"]], node["stride"]
    )


def _max_pool(node: Node, weights: Weights, x: Tensor) -> Tensor:
    if any(node["padding"]):
        x = functional.pad(x, node["padding"], value=-torch.inf)
    return _activate(functional.max_pool2d(x, node["kernel"], node["stride"]), node["activation"])


def _average_pool(node: Node, weights: Weights, x: Tensor) -> Tensor:
    return _activate(functional.avg_pool2d(x, node["kernel"], node["stride"]), node["activation"])


def _pad(node: Node, weights: Weights, x: Tensor) -> Tensor:
    return functional.pad(x, node["padding"])


def _reshape(node: Node, weights: Weights, x: Tensor) -> Tensor:
    if node["from_image"]:
        x = x.permute(0, 2, 3, 1)
    return x.reshape(x.shape[0], *node["shape"])


def _resize(node: Node, weights: Weights, x: Tensor) -> Tensor:
    return functional.interpolate(x, node["size"], mode="bilinear", align_corners=False)


# Node kind -> function(node, weights, *inputs). The only operations a pack can ask for.
_OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "conv": _conv,
    "transposed_conv": _transposed_conv,
    "max_pool": _max_pool,
    "average_pool": _average_pool,
    "pad": _pad,
    "reshape": _reshape,
    "resize": _resize,
    "concat": lambda node, weights, *xs: torch.cat(xs, node["axis"]),
    "prelu": lambda node, weights, x: functional.prelu(x, weights[node["weight"]]),
    "add": lambda node, weights, a, b: _activate(a + b, node["activation"]),
    "multiply": lambda node, weights, a, b: _activate(a * b, node["activation"]),
    "relu": lambda node, weights, x: functional.relu(x),
    "sigmoid": lambda node, weights, x: torch.sigmoid(x),
    "hard_swish": lambda node, weights, x: functional.hardswish(x),
}


class GraphNet(nn.Module):
    """A converted network. Call it with images (N, C, H, W) float32; see `input_shape`."""

    def __init__(self, tensors: Mapping[str, Tensor], graph: Mapping[str, Any]) -> None:
        super().__init__()
        self.input_name: str = graph["input"]["name"]
        self.input_shape: tuple[int, int, int] = tuple(graph["input"]["shape"])
        self.outputs: list[str] = list(graph["outputs"])
        self.nodes: list[Node] = list(graph["nodes"])
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)
        self.last_use = _last_uses(self.nodes, self.outputs)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Run the network.

        Args: images: (N, C, H, W) float32 in the value range the network was trained with.
        Returns: the outputs in the file's order.
        """
        weights = dict(self.named_buffers())
        values = {self.input_name: images}
        for position, node in enumerate(self.nodes):
            inputs = [values[name] for name in node["inputs"]]
            values[node["output"]] = _OPERATIONS[node["op"]](node, weights, *inputs)
            for name in node["inputs"]:
                if self.last_use.get(name) == position:
                    values.pop(name, None)
        return tuple(values[name] for name in self.outputs)


def _last_uses(nodes: list[Node], outputs: list[str]) -> dict[str, int]:
    """Position of the last node that reads each value, so that it can be freed; outputs stay."""
    uses = {name: place for place, node in enumerate(nodes) for name in node["inputs"]}
    return {name: place for name, place in uses.items() if name not in outputs}


def _check_graph(tensors: Mapping[str, np.ndarray], graph: Mapping[str, Any]) -> None:
    if not isinstance(graph, Mapping) or graph.get("schema") != GRAPH_SCHEMA:
        raise _refuse(f"its graph is not of schema {GRAPH_SCHEMA}")
    try:
        known = {graph["input"]["name"]}
        for node in graph["nodes"]:
            if node["op"] not in _OPERATIONS:
                raise _refuse(f"it asks for the unknown operation '{node['op']}'")
            missing = [name for name in node["inputs"] if name not in known]
            missing += [
                node[key]
                for key in ("weight", "bias")
                if node.get(key, None) is not None and node[key] not in tensors
            ]
            if missing:
                raise _refuse(f"'{missing[0]}' is used but never made")
            known.add(node["output"])
        if not set(graph["outputs"]) <= known or len(graph["input"]["shape"]) != 3:
            raise _refuse("its outputs or its input shape are wrong")
    except (KeyError, TypeError) as error:
        raise _refuse(f"its graph lacks an entry ({error})") from error


def load_graph(tensors: Mapping[str, np.ndarray], graph: Mapping[str, Any]) -> GraphNet:
    """Rebuild a network from what `convert_tflite` returned.

    Args: tensors: arrays by name, float16 or float32; graph: the JSON graph.
    Returns: GraphNet in evaluation mode, float32, weights as buffers without gradients.
    Raises: EngineError PACK_INVALID if the graph asks for something unknown or misses arrays.
    """
    _check_graph(tensors, graph)
    floats = {
        name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in tensors.items()
    }
    return GraphNet(floats, graph).eval()
