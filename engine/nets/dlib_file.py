"""Read dlib's public-domain face recognition network from its .dat file.

Only this one network is understood: a ResNet of 29 convolutions, 150x150 RGB -> 128 numbers. Its
layout is fixed, so the file is read against an expected sequence and anything else is refused. No
code in the file is run; there is none.

Sources of the format and the layout: dlib's serialisation (integers: one byte with the count of
magnitude bytes and the sign bit, then the magnitude, little endian; floats: mantissa and binary
exponent as two integers; tensors: version, 4 sizes, raw little-endian float32) and dlib's published
definition of the network. The ResNet: He et al. 2016, with dlib's stride-2 blocks whose shortcut is
a 2x2 average pool, padded with zero channels.
"""

from dataclasses import dataclass

import numpy as np

from ..protocol.errors import EngineError, ErrorCode

# (channels, halves the resolution) of each residual block, input side first
BLOCKS: tuple[tuple[int, bool], ...] = (
    *((32, False),) * 3,
    (64, True),
    *((64, False),) * 3,
    (128, True),
    *((128, False),) * 2,
    (256, True),
    *((256, False),) * 2,
    (256, True),
)
STEM_CHANNELS = 32
EMBEDDING_SIZE = 128
INPUT_SIZE = 150
MAX_TENSOR = 10_000_000  # ours: the largest tensor of this network has 589,824 values
ADD_LAYER, TAG_LAYER, INPUT_LAYER = 2, 1, 3  # version numbers of dlib's layer wrappers


def _refuse(what: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"This is not dlib's face recognition network (version 1): {what}.",
        "Use the exact package version that the pack recipe names and build the pack again.",
    )


class _Stream:
    """Reads dlib's basic types one after the other, never past the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self._place + count > len(self._data):
            raise _refuse("the file ends too early")
        self._place += count
        return self._data[self._place - count : self._place]

    def integer(self) -> int:
        control = self.take(1)[0]
        if not 1 <= control & 0x0F <= 8 or control & 0x70:
            raise _refuse("a number is malformed")
        value = int.from_bytes(self.take(control & 0x0F), "little")
        return -value if control & 0x80 else value

    def number(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > 1000:
            raise _refuse("a number is not finite")
        return float(mantissa) * 2.0**exponent

    def text(self) -> str:
        length = self.integer()
        if not 0 <= length <= 64:
            raise _refuse("a name is malformed")
        return self.take(length).decode("ascii", "replace")

    def flag(self) -> bool:
        character = self.take(1)
        if character not in (b"0", b"1"):
            raise _refuse("a flag is malformed")
        return character == b"1"

    def expect(self, *values: int) -> None:
        found = [self.integer() for _ in values]
        if found != list(values):
            raise _refuse(f"expected {list(values)}, found {found}")

    def expect_text(self, *allowed: str) -> str:
        found = self.text()
        if found not in allowed:
            raise _refuse(f"expected a layer '{allowed[0]}', found '{found}'")
        return found

    def tensor(self) -> np.ndarray:
        self.expect(2)
        sizes = [self.integer() for _ in range(4)]
        count = 1
        for size in sizes:
            count *= size
        if min(sizes) < 0 or count > MAX_TENSOR:
            raise _refuse(f"a tensor has the sizes {sizes}")
        return np.frombuffer(self.take(4 * count), dtype="<f4").reshape(sizes)

    def alias(self, *sizes: int) -> None:
        self.expect(1, *sizes)

    def finished(self) -> bool:
        return self._place == len(self._data)


@dataclass(frozen=True)
class _Conv:
    """What a convolution must look like."""

    inputs: int
    outputs: int
    kernel: int
    stride: int


def _wrapper_versions() -> list[int]:
    """Version numbers of the nested layer wrappers, outermost (the output) first."""
    versions = [ADD_LAYER] * 2  # fully connected, average over the image
    body = [ADD_LAYER] * 5 + [TAG_LAYER]  # affine, conv, relu, affine, conv, tag
    for _, halves in reversed(BLOCKS):
        # relu, sum; a halving block has pool, skip and tag on its shortcut
        versions += [ADD_LAYER] * 2
        versions += [ADD_LAYER, TAG_LAYER, TAG_LAYER, *body] if halves else body
    return [*versions, *[ADD_LAYER] * 3, INPUT_LAYER]  # pool, relu, affine, first conv


def _read_conv(stream: _Stream, expected: _Conv) -> tuple[np.ndarray, np.ndarray]:
    stream.expect_text("con_4")
    values = stream.tensor().reshape(-1)
    size, outputs, stride = expected.kernel, expected.outputs, expected.stride
    padding = size // 2 if stride == 1 else 0
    stream.expect(outputs, size, size, stride, stride, padding, padding)
    stream.alias(outputs, expected.inputs, size, size)
    stream.alias(1, outputs, 1, 1)
    for _ in range(4):  # learning rate and weight decay multipliers
        stream.number()
    if values.size != outputs * (expected.inputs * size * size + 1):
        raise _refuse("a convolution has the wrong number of weights")
    weight = values[:-outputs].reshape(outputs, expected.inputs, size, size)
    return weight, values[-outputs:]


def _read_affine(stream: _Stream, channels: int) -> tuple[np.ndarray, np.ndarray]:
    stream.expect_text("affine_")
    values = stream.tensor().reshape(-1)
    stream.alias(1, channels, 1, 1)
    stream.alias(1, channels, 1, 1)
    stream.expect(0)  # one factor per channel
    if values.size != 2 * channels:
        raise _refuse("an affine layer has the wrong number of values")
    return values[:channels], values[channels:]


def _read_pool(stream: _Stream, name: str, kernel: int, stride: int) -> None:
    stream.expect_text(name)
    stream.expect(kernel, kernel, stride, stride, 0, 0)
    _end_layer(stream)


def _end_layer(stream: _Stream, first: bool = False) -> None:
    """Skip what training left behind each layer: three flags, its gradients and last output."""
    for _ in range(3):
        stream.flag()
    for _ in range(3):
        stream.tensor()
    if first:
        stream.expect(1)  # images per sample


def _read_conv_affine(
    stream: _Stream, name: str, expected: _Conv, arrays: dict[str, np.ndarray], first: bool = False
) -> None:
    """Read a convolution and the affine layer behind it; store them as one convolution."""
    weight, bias = _read_conv(stream, expected)
    _end_layer(stream, first)
    gain, offset = _read_affine(stream, expected.outputs)
    _end_layer(stream)
    arrays[f"{name}.weight"] = weight * gain[:, None, None, None]
    arrays[f"{name}.bias"] = bias * gain + offset


def _read_relu(stream: _Stream) -> None:
    stream.expect_text("relu_")
    _end_layer(stream)


def _read_head(stream: _Stream, inputs: int) -> np.ndarray:
    """Read the fully connected layer without bias: (128, inputs)."""
    stream.expect_text("fc_2")
    stream.expect(EMBEDDING_SIZE, inputs)
    values = stream.tensor()
    stream.alias(inputs, EMBEDDING_SIZE, 1, 1)
    stream.alias(0, 0, 0, 0)
    stream.expect(1)  # no bias
    for _ in range(4):
        stream.number()
    _end_layer(stream)
    if values.shape[:2] != (inputs, EMBEDDING_SIZE) or values.size != inputs * EMBEDDING_SIZE:
        raise _refuse("the last layer has the wrong size")
    return values.reshape(inputs, EMBEDDING_SIZE).T


def _read_block(stream: _Stream, index: int, inputs: int, arrays: dict[str, np.ndarray]) -> None:
    channels, halves = BLOCKS[index]
    first = _Conv(inputs, channels, 3, 2 if halves else 1)
    _read_conv_affine(stream, f"block{index}.first", first, arrays)
    _read_relu(stream)
    second = _Conv(channels, channels, 3, 1)
    _read_conv_affine(stream, f"block{index}.second", second, arrays)
    if halves:
        _read_pool(stream, "avg_pool_2", 2, 2)
    stream.expect_text("add_prev_")
    _end_layer(stream)
    _read_relu(stream)


def read_dlib_face_net(data: bytes) -> dict[str, np.ndarray]:
    """Read dlib_face_recognition_resnet_model_v1.dat.

    Args: data: the whole file.
    Returns: float32 arrays: "mean" (3,) RGB in [0, 255]; "stem", "block{i}.first" and
        "block{i}.second" each with ".weight" (out, in, h, w) and ".bias" (out,), the affine layer
        behind each convolution folded in; "head.weight" (128, 256).
    Raises: EngineError PACK_INVALID if the bytes are not exactly this network.
    """
    stream, arrays = _Stream(data), {}
    stream.expect(1)
    stream.expect_text("loss_metric_2")
    for _ in range(2):  # margin and threshold of the training loss
        stream.number()
    stream.expect(*_wrapper_versions())
    stream.expect_text("input_rgb_image_sized")
    arrays["mean"] = np.array([stream.number() for _ in range(3)], dtype=np.float32)
    stream.expect(INPUT_SIZE, INPUT_SIZE)
    _read_conv_affine(stream, "stem", _Conv(3, STEM_CHANNELS, 7, 2), arrays, first=True)
    _read_relu(stream)
    _read_pool(stream, "max_pool_2", 3, 2)
    inputs = STEM_CHANNELS
    for index, (channels, _) in enumerate(BLOCKS):
        _read_block(stream, index, inputs, arrays)
        inputs = channels
    _read_pool(stream, "avg_pool_2", 0, 1)
    arrays["head.weight"] = _read_head(stream, inputs)
    if not stream.finished():
        raise _refuse("the file goes on after the network's end")
    return arrays
