"""The loss against the plain numpy formulas, and what its gradient reaches."""

import numpy as np
import pytest
import torch

from engine.nets.coarse_encoder import CoarseEncoder, FixedDecoder
from engine.protocol.albedo import decode_albedo, encode_albedo, gather_texels
from engine.train.encoder.objective import ExactProjection, encoder_loss, weighted_error

from .conftest import TINY, TinyMaps


def _weights(maps: TinyMaps) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.1, 1.0, maps.model.valid.shape)


def test_decode_and_projection_are_those_of_protocol_albedo(tiny_maps: TinyMaps) -> None:
    model, weights = tiny_maps.model, _weights(tiny_maps)
    decoder = FixedDecoder(model)
    noise = np.random.default_rng(2).uniform(0.0, 1.0, (32, 32, 3)).astype(np.float32)
    exact = encode_albedo(model.mean, model.basis, model.valid, noise, weights)
    texels = torch.from_numpy(gather_texels(noise, model.valid))[None]
    found = ExactProjection(model, weights)(decoder, texels)
    np.testing.assert_allclose(found[0].numpy(), exact, atol=2e-5)
    image = decode_albedo(model.mean, model.basis, model.valid, exact)
    decoded = decoder.decode(torch.from_numpy(exact[None]).float())
    np.testing.assert_allclose(decoded[0].numpy(), gather_texels(image, model.valid), atol=1e-5)


def test_loss_and_gradient_against_plain_formulas(tiny_maps: TinyMaps) -> None:
    model, weights, pull = tiny_maps.model, _weights(tiny_maps), 0.3
    decoder, projection = FixedDecoder(model), ExactProjection(model, weights)
    texels = torch.from_numpy(tiny_maps.texels[:4] / np.float32(255.0))
    found = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = encoder_loss(decoder, projection, found, texels, pull)
    loss.total.backward()

    share = weights[model.valid] / weights[model.valid].mean()
    variance = (model.basis.astype(np.float64) ** 2).sum(axis=1).mean()
    error, gradient, distance = 0.0, np.zeros(found.shape), np.zeros(found.shape)
    for i in range(4):
        image = np.zeros((32, 32, 3), np.float32)
        image[model.valid] = texels[i].numpy().T
        exact = encode_albedo(model.mean, model.basis, model.valid, image, weights)
        distance[i] = found[i].detach().numpy() - exact
        for c in range(3):
            values = model.mean[c] + found[i, c].detach().numpy() @ model.basis[c]
            rest = (values - texels[i, c].numpy()) * share
            count = variance * 4 * 3 * len(rest)
            error += float((rest * (values - texels[i, c].numpy())).sum()) / count
            gradient[i, c] = 2.0 * model.basis[c] @ rest / count
    gradient += pull * 2.0 * distance / distance.size
    assert loss.error.item() == pytest.approx(error, rel=1e-4)
    assert loss.coefficients.item() == pytest.approx((distance**2).mean(), rel=1e-4)
    assert loss.total.item() == pytest.approx(error + pull * (distance**2).mean(), rel=1e-4)
    np.testing.assert_allclose(found.grad.numpy(), gradient, rtol=1e-3, atol=1e-6)


def test_nothing_comes_below_the_exact_projection(tiny_maps: TinyMaps) -> None:
    decoder = FixedDecoder(tiny_maps.model)
    projection = ExactProjection(tiny_maps.model, _weights(tiny_maps))
    random = torch.Generator().manual_seed(3)
    texels = torch.rand(3, 3, tiny_maps.texels.shape[2], generator=random)
    exact = projection(decoder, texels)
    least = float(weighted_error(decoder, projection.weight, exact, texels))
    for _ in range(20):
        other = exact + 0.02 * torch.randn(exact.shape, generator=random)
        assert float(weighted_error(decoder, projection.weight, other, texels)) > least


def test_the_decoder_is_fixed(tiny_maps: TinyMaps) -> None:
    """The encoder gets a gradient through B_alb; B_alb and the mean get none and have no state."""
    decoder = FixedDecoder(tiny_maps.model)
    projection = ExactProjection(tiny_maps.model, None)
    encoder = CoarseEncoder(TINY, 2)
    texels = torch.from_numpy(tiny_maps.texels[:8] / np.float32(255.0))
    pictures = decoder.pictures(texels, torch.ones(8, texels.shape[2]), 32)
    encoder_loss(decoder, projection, encoder(pictures), texels, 0.0).total.backward()
    assert all(p.grad is not None for p in encoder.parameters())
    assert float(encoder.net.fc.weight.grad.abs().max()) > 0.0
    assert not list(decoder.parameters()) and not decoder.state_dict()
    assert not any(b.requires_grad for b in (*decoder.buffers(), *projection.buffers()))


@pytest.mark.parametrize("side", [16, 20, 32])
def test_pictures_hide_what_holes_hold(tiny_maps: TinyMaps, side: int) -> None:
    decoder = FixedDecoder(tiny_maps.model)
    texels = torch.from_numpy(tiny_maps.texels[:1] / np.float32(255.0))
    coverage = torch.ones(1, texels.shape[2])
    coverage[:, :200] = 0.0
    changed = texels.clone()
    changed[:, :, :200] = 0.9
    first = decoder.pictures(texels, coverage, side)
    assert first.shape == (1, 4, side, side)
    assert torch.equal(first, decoder.pictures(changed, coverage, side))
    assert not torch.equal(first, decoder.pictures(texels, torch.ones_like(coverage), side))
    mean_map = decoder.mean[None]
    assert decoder.pictures(mean_map, coverage, side)[:, :3].abs().max() == 0.0
