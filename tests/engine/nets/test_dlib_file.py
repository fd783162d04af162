"""The reader of dlib's network file, on a file written here with random weights."""

import struct

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.nets.dlib_file import BLOCKS, read_dlib_face_net
from engine.nets.identity import IdentityNet
from engine.protocol.errors import EngineError


class Writer:
    """dlib's serialisation, as far as this network needs it."""

    def __init__(self):
        self.parts = []

    def integers(self, *values):
        for value in values:
            size = max(1, (abs(value).bit_length() + 7) // 8)
            control = size | (0x80 if value < 0 else 0)
            self.parts.append(bytes([control]) + abs(value).to_bytes(size, "little"))

    def number(self, value):
        mantissa, exponent = np.frexp(value)
        self.integers(int(mantissa * 2**24), int(exponent) - 24)

    def text(self, text):
        self.integers(len(text))
        self.parts.append(text.encode())

    def tensor(self, array, shape):
        self.integers(2, *shape)
        self.parts.append(np.asarray(array, "<f4").tobytes())

    def end(self, first=False):
        self.parts.append(b"110")
        for _ in range(3):
            self.tensor(np.zeros(0), (0, 0, 0, 0))
        if first:
            self.integers(1)

    def conv(self, weight, bias, stride, first=False):
        outputs, inputs, size, _ = weight.shape
        padding = size // 2 if stride == 1 else 0
        self.text("con_4")
        self.tensor(np.concatenate([weight.ravel(), bias]), (weight.size + outputs, 1, 1, 1))
        self.integers(outputs, size, size, stride, stride, padding, padding)
        self.integers(1, outputs, inputs, size, size, 1, 1, outputs, 1, 1)
        for value in (1.0, 1.0, 1.0, 0.0):
            self.number(value)
        self.end(first)

    def affine(self, gain, offset):
        channels = len(gain)
        self.text("affine_")
        self.tensor(np.concatenate([gain, offset]), (1, 2 * channels, 1, 1))
        self.integers(1, 1, channels, 1, 1, 1, 1, channels, 1, 1, 0)
        self.end()

    def pool(self, name, size, stride):
        self.text(name)
        self.integers(size, size, stride, stride, 0, 0)
        self.end()

    def plain(self, name):
        self.text(name)
        self.end()


@pytest.fixture(scope="module")
def made():
    """(file, layers): layers in order as (weight, bias, gain, offset), then the last matrix."""
    random = np.random.default_rng(1)
    writer, layers = Writer(), []

    def conv_affine(inputs, outputs, size, stride, first=False):
        spread = np.sqrt(2 / (inputs * size * size))
        weight = (random.standard_normal((outputs, inputs, size, size)) * spread).astype(np.float32)
        rest = [random.standard_normal(outputs).astype(np.float32) * 0.1 for _ in range(3)]
        layers.append((weight, rest[0], rest[1] + 1, rest[2]))
        writer.conv(weight, rest[0], stride, first)
        writer.affine(rest[1] + 1, rest[2])

    body = "222221"
    chain = "22" + "".join(
        "22" + ("211" if halves else "") + body for _, halves in reversed(BLOCKS)
    )
    writer.integers(1)
    writer.text("loss_metric_2")
    writer.number(0.04)
    writer.number(0.6)
    writer.integers(*(int(version) for version in chain + "2223"))
    writer.text("input_rgb_image_sized")
    for value in (120.0, 110.0, 100.0):
        writer.number(value)
    writer.integers(150, 150)
    conv_affine(3, 32, 7, 2, first=True)
    writer.plain("relu_")
    writer.pool("max_pool_2", 3, 2)
    inputs = 32
    for channels, halves in BLOCKS:
        conv_affine(inputs, channels, 3, 2 if halves else 1)
        writer.plain("relu_")
        conv_affine(channels, channels, 3, 1)
        if halves:
            writer.pool("avg_pool_2", 2, 2)
        writer.plain("add_prev_")
        writer.plain("relu_")
        inputs = channels
    writer.pool("avg_pool_2", 0, 1)
    head = random.standard_normal((256, 128)).astype(np.float32) / 16
    writer.text("fc_2")
    writer.integers(128, 256)
    writer.tensor(head, (256, 128, 1, 1))
    writer.integers(1, 256, 128, 1, 1, 1, 0, 0, 0, 0, 1)
    for value in (1.0, 1.0, 1.0, 0.0):
        writer.number(value)
    writer.end()
    return b"".join(writer.parts), layers, head


def slow_net(chips, layers, head):
    """The network layer by layer with the affine layers apart, written out."""

    def conv_affine(x, layer, stride, padding):
        weight, bias, gain, offset = (torch.from_numpy(part) for part in layer)
        x = functional.conv2d(x, weight, bias, stride, padding)
        return x * gain[None, :, None, None] + offset[None, :, None, None]

    mean = torch.tensor([120.0, 110.0, 100.0])[None, :, None, None]
    rest = iter(layers)
    x = functional.relu(conv_affine((chips * 255 - mean) / 256, next(rest), 2, 0))
    x = functional.max_pool2d(x, 3, 2)
    for _, halves in BLOCKS:
        y = functional.relu(conv_affine(x, next(rest), 2 if halves else 1, 0 if halves else 1))
        y = conv_affine(y, next(rest), 1, 1)
        shortcut = functional.avg_pool2d(x, 2) if halves else x
        total = torch.zeros([max(pair) for pair in zip(y.shape, shortcut.shape, strict=True)])
        total[:, : y.shape[1], : y.shape[2], : y.shape[3]] += y
        total[:, : shortcut.shape[1], : shortcut.shape[2], : shortcut.shape[3]] += shortcut
        x = functional.relu(total)
    return x.mean((2, 3)) @ torch.from_numpy(head)


def test_read_network_computes_what_was_written(made):
    data, layers, head = made
    net = IdentityNet(read_dlib_face_net(data))
    chips = torch.rand(2, 3, 150, 150, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = slow_net(chips, layers, head)
        torch.testing.assert_close(net(chips), expected, atol=1e-4, rtol=1e-3)
    assert expected.std() > 0.01


def test_cut_or_changed_files_are_refused(made):
    data, _, _ = made
    for length in (0, 1, 20, 300, len(data) - 1):
        with pytest.raises(EngineError):
            read_dlib_face_net(data[:length])
    with pytest.raises(EngineError):
        read_dlib_face_net(data + b"\x01\x00")
    for place in range(0, 350, 5):
        damaged = bytearray(data)
        damaged[place] ^= 0x55
        try:
            read_dlib_face_net(bytes(damaged))
        except EngineError:
            continue


def test_a_tensor_that_claims_too_much_is_refused(made):
    data, _, _ = made
    size = struct.pack("<BH", 2, 4736)  # values of the first convolution
    huge = b"\x08" + (2**62).to_bytes(8, "little")
    with pytest.raises(EngineError):
        read_dlib_face_net(data.replace(size, huge, 1))


def test_identity_net_without_a_weight_is_refused(made):
    tensors = read_dlib_face_net(made[0])
    del tensors["block3.first.bias"]
    with pytest.raises(EngineError, match="block3"):
        IdentityNet(tensors)
