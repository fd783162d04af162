"""Networks of Deep3D's kind (Deng et al. 2019) that read a head model's coefficients off a photo,
as FFHQ-UV trained one for HiFi3D++: 1,049 outputs. Their weights come from the user.

A ResNet-50 with a linear layer for each group of outputs, stored as 1 x 1 convolutions:
identity, expression (behind a ReLU in FFHQ-UV's), texture, angles 3, light 27, translation 2 + 1.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..protocol.errors import EngineError, ErrorCode
from .resnet import EXPANSION, ResNet, ResNetShape

SIDE = 224
"""Pixels a side of what the network sees."""
FIXED = (3, 27, 2, 1)
"""Outputs of the groups behind identity, expression and texture."""
MOST_OUTPUTS = 4096
MOST_BYTES = 1 << 30
_STATE, _TRUNK, _HEADS = "net_recon", "backbone.", "final_layers."
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, eq=False)
class Deep3DCoefficients:
    """What the network says of a photo, in its own conventions (see `fit/shape/start_net.py`).

    identity (K,) and texture in standard deviations, expression (E,); angle (3,) radians;
    translation (3,) decimetres; light (3, 9) by channel, without the ambient 0.8 that is added.
    """

    identity: np.ndarray
    expression: np.ndarray
    texture: np.ndarray
    angle: np.ndarray
    light: np.ndarray
    translation: np.ndarray


@dataclass(frozen=True, eq=False)
class Deep3DNet:
    """A network with its weights. groups: outputs of its seven groups; positive: whether the
    expression comes through a ReLU; name: of its file."""

    net: ResNet
    groups: tuple[int, ...]
    positive: bool
    name: str

    def read(self, picture: np.ndarray) -> Deep3DCoefficients:
        """Coefficients of a picture (224, 224, 3), sRGB in [0, 1], aligned as it was trained."""
        image = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32))
        with torch.inference_mode():
            out = self.net(image[None])[0].double().numpy()
        parts = np.split(out, np.cumsum(self.groups)[:-1])
        expression = np.maximum(parts[1], 0.0) if self.positive else parts[1]
        light = parts[4].reshape(3, 9)
        move = np.concatenate(parts[5:])
        return Deep3DCoefficients(parts[0], expression, parts[2], parts[3], light, move)


def read_deep3d(path: Path, shape: ResNetShape | None = None) -> Deep3DNet:
    """The network of a checkpoint (.pth) with the table `net_recon`, or of that table alone.

    shape: of its trunk, ResNet-50 unless another is given.
    Only tensors are read from the file, never code. Raises EngineError(BAD_INPUT) when the file
    cannot be read, or a weight is missing, unknown, of another shape or not finite.
    """
    path, shape = Path(path), shape or ResNetShape()
    state = _state(path)
    trunk = {
        key.removeprefix(_TRUNK): value
        for key, value in state.items()
        if key.startswith(_TRUNK) and not key.endswith(_COUNTER)
    }
    heads, positive = _heads(path, state, EXPANSION * shape.widths[-1])
    trunk["fc.weight"] = torch.cat([weight for weight, _ in heads])
    trunk["fc.bias"] = torch.cat([bias for _, bias in heads])
    groups = tuple(len(bias) for _, bias in heads)
    with torch.device("meta"):  # shapes alone, before anything is made
        wanted = ResNet(shape, 3, sum(groups)).state_dict()
    wanted = {key: value for key, value in wanted.items() if not key.endswith(_COUNTER)}
    for key in sorted(wanted.keys() ^ trunk.keys()):
        raise _bad(path, f"{_TRUNK}{key} is {'missing' if key in wanted else 'unknown'}")
    for key, value in trunk.items():
        if value.shape != wanted[key].shape:
            shapes = f"{tuple(wanted[key].shape)}, got {tuple(value.shape)}"
            raise _bad(path, f"{_TRUNK}{key} must have the shape {shapes}")
        if not bool(torch.isfinite(value).all()):
            raise _bad(path, f"{_TRUNK}{key} has values that are not finite")
    net = ResNet(shape, 3, sum(groups))
    net.load_state_dict({key: value.float() for key, value in trunk.items()}, strict=False)
    return Deep3DNet(net.eval().requires_grad_(False), groups, positive, path.name)


def _state(path: Path) -> dict[str, Tensor]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _bad(path, f"it has more than {MOST_BYTES >> 20} MB")
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except EngineError:
        raise
    except OSError as error:
        raise _bad(path, error.strerror or "it cannot be read") from error
    except Exception as error:  # damaged files raise many kinds, even pickle's own
        raise _bad(path, "it is damaged, or holds more than plain tensors") from error
    state = loaded.get(_STATE, loaded) if isinstance(loaded, dict) else loaded
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise _bad(path, f"it holds no table of tensors named {_STATE}")
    return {key.removeprefix("module."): value for key, value in state.items()}


def _heads(
    path: Path, state: dict[str, Tensor], features: int
) -> tuple[list[tuple[Tensor, Tensor]], bool]:
    """Weight (n, features) and bias (n,) of each group, and whether the expression has a ReLU."""
    positive = f"{_HEADS}1.0.weight" in state
    heads = []
    for number in range(3 + len(FIXED)):
        name = f"{_HEADS}{number}" + (".0" if positive and number == 1 else "")
        weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
        if weight is None or bias is None:
            raise _bad(path, f"{name}.weight or its bias is missing")
        count = FIXED[number - 3] if number >= 3 else len(bias)
        shape = (count, features, 1, 1)
        if tuple(weight.shape) != shape or tuple(bias.shape) != (count,):
            shapes = f"{shape}, got {tuple(weight.shape)}"
            raise _bad(path, f"{name}.weight must have the shape {shapes}")
        heads.append((weight[:, :, 0, 0], bias))
    if sum(len(bias) for _, bias in heads) > MOST_OUTPUTS:
        raise _bad(path, f"it has more than {MOST_OUTPUTS} outputs")
    return heads, positive


def _bad(path: Path, why: str) -> EngineError:
    return EngineError(
        ErrorCode.BAD_INPUT,
        f"{path.name} is no network that tells head coefficients: {why}.",
        "Give a checkpoint of Deep3D's kind, such as FFHQ-UV's for HiFi3D++ (names such as "
        "backbone.layer4.2.conv3.weight and final_layers.0.weight).",
    )
