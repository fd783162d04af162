"""Identity embedding: dlib's public-domain face recognition ResNet as a torch module.

128 numbers per face; two photos of one person lie close. It serves as a loss and as a similarity
figure, not as proof of who somebody is. Measured on 43 photos with the alignment below: photos of
one person are 0.27 to 0.47 apart (cosine 0.94 or more), of different persons 0.55 or more, 95 % of
these pairs above 0.68 (cosine below 0.92 in 99 %).

Sources: network and chip alignment as published with dlib (five-point template, padding 0.25,
150x150 pixels; mean colour in the file, division by 256); residual blocks He et al. 2016.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..protocol.conventions import BYTE_MAX
from ..protocol.errors import EngineError, ErrorCode
from .crop import check_photo, resample, to_batch
from .dlib_file import BLOCKS, EMBEDDING_SIZE, INPUT_SIZE, STEM_CHANNELS

PADDING = 0.25
DIVISOR = 256.0
"""The network's mean colour and divisor are in byte values; photos are in [0, 1]."""
# dlib's five-point template in units of the face box: left eye outer and inner corner, right eye
# outer and inner corner (the subject's sides), base of the nose.
TEMPLATE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
MESH_POINTS = (263, 362, 33, 133, 2)
"""The same five points among the 468 landmarks."""


class IdentityNet(nn.Module):
    """dlib's ResNet with the affine layers folded in. `forward` takes chips in [0, 1]."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        """tensors: as `read_dlib_face_net` returns them; EngineError PACK_INVALID otherwise."""
        super().__init__()
        for name, shape in _expected_shapes().items():
            if name not in tensors or tensors[name].shape != shape:
                raise EngineError(
                    ErrorCode.PACK_INVALID,
                    f"The identity network of the pack lacks '{name}' of shape {shape}.",
                    "Build the pack again.",
                )
            value = torch.from_numpy(np.array(tensors[name], dtype=np.float32))
            self.register_buffer(name.replace(".", "_"), value)

    def _conv(self, x: Tensor, name: str, stride: int, padding: int) -> Tensor:
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        return functional.conv2d(x, weight, bias, stride, padding)

    def forward(self, chips: Tensor) -> Tensor:
        """Embed aligned chips.

        Args: chips: (N, 3, 150, 150) float32 RGB, sRGB-encoded, [0, 1], see `chip_matrix`.
        Returns: (N, 128) embeddings, not normalised. Differentiable.
        """
        return self.features(chips, len(BLOCKS))[-1].mean((2, 3)) @ self.head_weight.T

    def features(self, pictures: Tensor, count: int) -> list[Tensor]:
        """Outputs of the stem and of the first `count` blocks, (N, C, h, w) each.

        pictures: (N, 3, H, W) float32 RGB, sRGB-encoded, [0, 1], of any size. Differentiable.
        """
        x = (pictures * BYTE_MAX - self.mean[:, None, None]) / DIVISOR
        x = functional.relu(self._conv(x, "stem", 2, 0))
        outputs = [x]
        x = functional.max_pool2d(x, 3, 2)
        for index, (_, halves) in enumerate(BLOCKS[:count]):
            shortcut = functional.avg_pool2d(x, 2, 2) if halves else x
            stride, padding = (2, 0) if halves else (1, 1)
            x = functional.relu(self._conv(x, f"block{index}_first", stride, padding))
            x = self._conv(x, f"block{index}_second", 1, 1)
            x = functional.relu(_padded_sum(x, shortcut))
            outputs.append(x)
        return outputs


def _expected_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (3,),
        "stem.weight": (STEM_CHANNELS, 3, 7, 7),
        "stem.bias": (STEM_CHANNELS,),
    }
    inputs = STEM_CHANNELS
    for index, (channels, _) in enumerate(BLOCKS):
        shapes[f"block{index}.first.weight"] = (channels, inputs, 3, 3)
        shapes[f"block{index}.second.weight"] = (channels, channels, 3, 3)
        shapes[f"block{index}.first.bias"] = shapes[f"block{index}.second.bias"] = (channels,)
        inputs = channels
    return shapes | {"head.weight": (EMBEDDING_SIZE, inputs)}


def _padded_sum(a: Tensor, b: Tensor) -> Tensor:
    """Sum of two images where channels, rows or columns that one lacks count as zero (dlib)."""
    size = [max(first, second) for first, second in zip(a.shape[1:], b.shape[1:], strict=True)]
    return _grow(a, size) + _grow(b, size)


def _grow(x: Tensor, size: list[int]) -> Tensor:
    channels, rows, columns = (want - have for want, have in zip(size, x.shape[1:], strict=True))
    return functional.pad(x, (0, columns, 0, rows, 0, channels))


def chip_matrix(points: np.ndarray) -> np.ndarray:
    """Similarity map of the aligned chip of a face.

    Args: points: (468, 2+) landmarks in photo pixels.
    Returns: (2, 3) float64, see `similarity_matrix`.
    """
    return similarity_matrix(points[list(MESH_POINTS), :2])


def similarity_matrix(five: np.ndarray) -> np.ndarray:
    """Similarity map of the aligned chip from the five points of the template.

    Args: five: (5, 2) photo pixels in the order of TEMPLATE.
    Returns: (2, 3) float64 map from chip coordinates (150x150) to photo coordinates: the best
        similarity of the template to the points, see `align`.
    """
    return align((TEMPLATE + PADDING) / (2 * PADDING + 1) * INPUT_SIZE, five)


def align(template: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(2, 3) float64 similarity that carries a template (n, 2) to points (n, 2) best.

    Least squares (Umeyama 1991, eq. 40-42, in 2-D as one complex division).
    """
    source = template @ np.array([1, 1j])
    target = points @ np.array([1, 1j])
    centered = source - source.mean()
    factor = (centered.conj() @ (target - target.mean())) / (centered.conj() @ centered).real
    offset = target.mean() - factor * source.mean()
    return np.array(
        [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    )


def face_chip(photo: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The aligned chip (150, 150, 3) float32 of a photo (H, W, 3) and its 468 landmarks."""
    return resample(photo, chip_matrix(points), INPUT_SIZE)


def embed(net: IdentityNet, photo: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Identity embedding of one face.

    Args: net; photo: (H, W, 3) float32 RGB, sRGB-encoded, [0, 1]; points: (468, 2+) photo pixels.
    Returns: (128,) float32.
    Raises: EngineError BAD_INPUT if the photo is not of that form.
    """
    check_photo(photo)
    with torch.no_grad():
        return net(to_batch([face_chip(photo, points)]))[0].numpy()


def identity_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Euclidean distance of two embeddings (128,); dlib calls below 0.6 the same person."""
    return float(np.linalg.norm(np.asarray(a, np.float64) - np.asarray(b, np.float64)))


def identity_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of two embeddings (128,), in [-1, 1]."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
