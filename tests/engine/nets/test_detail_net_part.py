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


def test_part_of_the_encoding_equals_the_whole_inside() -> None:
    net = tiny_net()
    detail = 0.05 * torch.randn(512, 512, generator=torch.Generator().manual_seed(2))
    whole = net.encode(detail)
    torch.testing.assert_close(net.encode_part(detail, slice(0, 32), slice(0, 32)), whole)
    part = net.encode_part(detail, slice(4, 28), slice(6, 30))
    torch.testing.assert_close(part[:, 8:24, 10:26], whole[:, 8:24, 10:26], atol=1e-4, rtol=1e-3)
    assert not part[:, :4].any() and not part[:, :, 30:].any()


def test_cells_gather_what_lies_in_them_and_spread_over_it() -> None:
    net = tiny_net()
    cells = np.zeros((32, 32), np.float32)
    cells[10:20, 12:18] = 1.0
    texels = net.spread(cells)
    assert texels.max() < 1.3 and (texels > 0.5).any()
    back = net.gather((texels > 0.5).astype(np.float32))
    assert back[11:19, 13:17].min() > 0.5 * back.max()
    outside = back.copy()
    outside[9:21, 11:19] = 0.0
    assert np.abs(outside).max() < 0.05 * back.max()
    np.testing.assert_allclose(back.sum(), (texels > 0.5).sum(), rtol=0.05)
