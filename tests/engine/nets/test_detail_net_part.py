"""Decoding a part of the latent's cells gives that part of the whole."""

import numpy as np
import torch

from engine.nets.detail import DetailNet
from engine.nets.detail_vae import DetailVae
from engine.protocol.detail_pack import DetailModel
from engine.protocol.pack_manifest import DetailInfo

SHAPE = (4, 32, 32)


def tiny_net() -> DetailNet:
    info = DetailInfo(
        size=512, latent_channels=4, latent_size=32, widths=(8, 8, 8), blocks=1, directions=2
    )
    torch.manual_seed(0)
    vae = DetailVae(info)
    net = {name: tensor.detach().numpy() for name, tensor in vae.state_dict().items()}
    rng = np.random.default_rng(0)
    mean, ones = rng.normal(size=SHAPE).astype("f4"), np.ones(SHAPE, np.float32)
    directions = np.zeros((2, *SHAPE), np.float32)
    return DetailNet(DetailModel(info, net, mean, 0.5 * ones, directions, ones))


def test_part_equals_the_whole_inside_and_carries_gradients() -> None:
    net = tiny_net()
    alpha = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1), requires_grad=True)
    whole = net.decode(alpha).detach()
    torch.testing.assert_close(net.decode_part(alpha, slice(0, 32), slice(0, 32)), whole)
    part = net.decode_part(alpha, slice(4, 28), slice(6, 30))
    middle = (slice(200, 300), slice(220, 300))
    torch.testing.assert_close(part[middle].detach(), whole[middle], atol=1e-5, rtol=1e-4)
    assert part[:20].abs().max() < 1e-6
    part.sum().backward()
    assert (alpha.grad[:, 4:28, 6:30] != 0.0).all()
    assert (alpha.grad[:, :4] == 0.0).all()
