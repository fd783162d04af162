"""The coarse encoder: a skin map to albedo coefficients, with B_alb as its fixed decoder (UVAPM).

The network sees how a map differs from the mean map, and where the map has holes; it was shown
maps with holes and must say what the whole map is. For a whole map the exact projection of
`protocol/albedo.py` is never worse: it is the minimum of what the encoder is trained for.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..protocol.albedo import CHANNELS, gather_texels
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.encoder_pack import EncoderPack
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.pack_manifest import EncoderInfo
from .resnet import ResNet, ResNetShape

INPUTS = CHANNELS + 1
"""Three deviations and the coverage. Colours come first, as published weights want them."""
COUNTER = "num_batches_tracked"


class CoarseEncoder(nn.Module):
    """Pictures of `FixedDecoder.pictures` to coefficients, by a residual network."""

    def __init__(self, info: EncoderInfo, components: int) -> None:
        super().__init__()
        shape = ResNetShape(info.widths, info.blocks)
        self.components = components
        self.net = ResNet(shape, INPUTS, CHANNELS * components)

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, 4, S, S) to (n, 3, K) in standard deviations."""
        return self.net(pictures).reshape(-1, CHANNELS, self.components)


class FixedDecoder(nn.Module):
    """B_alb of an albedo model, as the decoder and for what the encoder sees. Nothing to learn.

    mean (3, N), basis (3, K, N) per standard deviation, index (N) places of the valid texels in a
    flattened (size, size) map. spread: rms deviation of the model's maps from their mean, the unit
    of the pictures.
    """

    mean: Tensor
    basis: Tensor
    index: Tensor

    def __init__(self, model: AlbedoModel) -> None:
        super().__init__()
        tables = {
            "mean": torch.from_numpy(np.ascontiguousarray(model.mean, np.float32)),
            "basis": torch.from_numpy(np.ascontiguousarray(model.basis, np.float32)),
            "index": torch.from_numpy(np.flatnonzero(model.valid)),
        }
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)
        self.size = len(model.valid)
        # Coefficients are unit normal: the variance of a texel is the sum of its squared rows.
        self.spread = max(float(np.sqrt((model.basis**2).sum(axis=1).mean())), 1e-6)

    def decode(self, coefficients: Tensor) -> Tensor:
        """(n, 3, K) to (n, 3, N) sRGB, not clipped; differentiable.

        The formula of `protocol.albedo.decode_texels`.
        """
        return self.mean + torch.einsum("nck,ckt->nct", coefficients, self.basis)

    def pictures(self, texels: Tensor, coverage: Tensor, side: int) -> Tensor:
        """What the network sees: (n, 4, side, side) float32.

        texels: (n, 3, N) sRGB. coverage: (n, N) in [0, 1], 0 in holes. Channels: the deviations
        from the mean map in units of `spread`, 0 where nothing is covered, then the coverage. They
        are reduced together, so a deviation at the edge of a hole is scaled like its coverage.
        """
        deviation = (texels - self.mean) * (coverage[:, None] / self.spread)
        values = torch.cat([deviation, coverage[:, None]], 1)
        flat = values.new_zeros(len(values), INPUTS, self.size * self.size)
        flat[:, :, self.index] = values
        image = flat.reshape(-1, INPUTS, self.size, self.size)
        if side == self.size:
            return image
        if self.size % side == 0:
            return functional.avg_pool2d(image, self.size // side)
        return functional.interpolate(image, (side, side), mode="bilinear", antialias=True)


class EncoderNet:
    """The coarse encoder of a pack, ready to use on the CPU."""

    def __init__(self, pack: EncoderPack) -> None:
        """Raises EngineError(PACK_INVALID) when the weights are not those of its network."""
        self.pack = pack
        self.decoder = FixedDecoder(pack.model)
        self._encoder = _load(pack).eval().requires_grad_(False)

    def encode(self, image: np.ndarray, coverage: np.ndarray) -> np.ndarray:
        """(3, K) float64 coefficients in standard deviations.

        image: (H, W, 3) float32 sRGB of the model's size; holes may hold anything finite.
        coverage: (H, W) in [0, 1], 0 in holes.
        """
        valid = self.pack.model.valid
        texels = torch.from_numpy(gather_texels(image, valid).astype(np.float32, copy=False))
        covered = torch.from_numpy(coverage[valid].astype(np.float32, copy=False))
        with torch.inference_mode():
            side = self.pack.info.input
            pictures = self.decoder.pictures(texels[None], covered[None], side)
            return self._encoder(pictures)[0].double().numpy()


def plain_weights(encoder: CoarseEncoder) -> dict[str, np.ndarray]:
    """The state dict as arrays without batch norm's counters: what a pack holds."""
    return {
        name: value.detach().cpu().float().numpy()
        for name, value in encoder.state_dict().items()
        if not name.endswith(COUNTER)
    }


def _load(pack: EncoderPack) -> CoarseEncoder:
    components = pack.model.basis.shape[1]
    with torch.device("meta"):  # shapes alone: a description may claim more than memory holds
        state = CoarseEncoder(pack.info, components).state_dict()
    wanted = {name: tuple(each.shape) for name, each in state.items() if not name.endswith(COUNTER)}
    for name in sorted(wanted.keys() ^ pack.net.keys()):
        raise _foreign(f"{name} is {'missing' if name in wanted else 'unknown'}")
    for name, shape in wanted.items():
        if pack.net[name].shape != shape:
            raise _foreign(f"{name} has the shape {pack.net[name].shape}, not {shape}")
    encoder = CoarseEncoder(pack.info, components)
    weights = {name: torch.from_numpy(array) for name, array in pack.net.items()}
    encoder.load_state_dict(weights, strict=False)
    return encoder


def _foreign(what: str) -> EngineError:
    return EngineError(
        ErrorCode.PACK_INVALID,
        f"The pack's coarse encoder is not the network that its pack.json describes: {what}.",
        "Train it again: python -m engine train encoder.",
    )
