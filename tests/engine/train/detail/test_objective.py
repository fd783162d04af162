"""The losses of the detail VAE against numpy, and what each of them asks for."""

import numpy as np
import pytest
import torch

from engine.evaluate.image_metrics import ssim_map
from engine.nets.detail_vae import DetailVae
from engine.protocol.detail_pack import DetailInfo
from engine.train.detail.critic import PatchCritic
from engine.train.detail.objective import (
    DetailBatch,
    ObjectiveSettings,
    critic_active,
    critic_loss,
    generator_loss,
    kl_divergence,
    structure_map,
    weighted_mean,
)
from engine.train.detail.perceptual import layer_distance

INFO = DetailInfo(64, 4, 4, (4, 8, 8), 1, 2)


def batch(size: int = 64) -> DetailBatch:
    generator = torch.Generator().manual_seed(1)
    shape = (2, 1, size, size)
    return DetailBatch(
        0.02 * torch.randn(shape, generator=generator),
        torch.full(shape, 0.6),
        torch.rand(shape, generator=generator),
    )


def small_vae() -> DetailVae:
    torch.manual_seed(0)
    vae = DetailVae(INFO)
    vae.start_linear(0.02 * torch.randn(300, 16, 16))
    return vae


def test_kl_is_that_of_two_gaussians() -> None:
    mean, log_variance = torch.tensor([0.7]), torch.tensor([-0.4])
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    found = kl_divergence(mean.reshape(1, 1, 1, 1), log_variance.reshape(1, 1, 1, 1))
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_structure_is_the_contrast_and_structure_part_of_ssim() -> None:
    rng = np.random.default_rng(2)
    a = rng.random((32, 32)).astype(np.float32)
    # equal local means make the luminance term 1, and leave what the loss has
    b = a + 0.05 * (np.indices((32, 32)).sum(0) % 2 * 2 - 1).astype(np.float32)
    pictures = (np.repeat(x[..., None], 3, -1) for x in (a, b))
    expected = ssim_map(*pictures, np.ones((32, 32), bool))[8:-8, 8:-8, 0]
    tensors = (torch.from_numpy(x)[None, None] for x in (a, b))
    found = structure_map(*tensors)[0, 0, 8:-8, 8:-8].numpy()
    assert found == pytest.approx(expected, abs=1e-3)


def test_terms_are_what_they_say() -> None:
    vae, crops = small_vae(), batch()
    settings = ObjectiveSettings(critic_start=100)
    loss, found, terms = generator_loss(
        vae, PatchCritic(4), None, crops, settings, 0, torch.Generator().manual_seed(3)
    )
    error = ((found.detach() - crops.detail) / vae.scale) ** 2
    expected = float((error * crops.weight).sum() / crops.weight.sum())
    assert terms["squared"] == pytest.approx(expected, rel=1e-5)
    assert set(terms) == {"squared", "structure", "kl"}
    total = sum(getattr(settings, name) * value for name, value in terms.items())
    assert float(loss.detach()) == pytest.approx(total, rel=1e-5)


def test_texels_that_do_not_count_change_nothing() -> None:
    mean = weighted_mean(torch.tensor([[1.0, 100.0]]), torch.tensor([[1.0, 0.0]]))
    assert float(mean) == 1.0
    assert float(weighted_mean(torch.ones(2), torch.zeros(2))) == 0.0


def test_the_critic_joins_at_its_step() -> None:
    settings = ObjectiveSettings(critic_start=50, critic_warm=10)
    assert [critic_active(settings, step) for step in (39, 40, 50)] == [False, True, True]
    for step, expected in ((49, False), (50, True)):
        random = torch.Generator().manual_seed(0)
        terms = generator_loss(small_vae(), PatchCritic(4), None, batch(), settings, step, random)[
            2
        ]
        assert ("critic" in terms) == expected


def test_the_critic_learns_to_tell_blur_from_grain() -> None:
    torch.manual_seed(0)
    critic, crops = PatchCritic(8), batch()
    blurred = torch.nn.functional.avg_pool2d(crops.detail, 5, 1, 2)
    scale = torch.tensor(0.02)
    optimiser = torch.optim.Adam(critic.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = critic_loss(critic, crops, blurred, scale)[0]
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(2.0, abs=0.2)
    assert losses[-1] < 0.5


def test_the_critic_sees_nothing_of_texels_outside() -> None:
    torch.manual_seed(0)
    critic, crops = PatchCritic(4), batch()
    weight = crops.weight.clone()
    weight[..., 32:] = 0.0
    other = crops.detail.clone()
    other[..., 32:] = 5.0
    scale = torch.tensor(0.02)
    batches = [DetailBatch(detail, crops.value, weight) for detail in (crops.detail, other)]
    with torch.no_grad():
        losses = [float(critic_loss(critic, one, crops.detail, scale)[0]) for one in batches]
    assert losses[0] == losses[1]


def test_layer_distance_ignores_contrast_of_features() -> None:
    a = torch.rand(1, 8, 4, 4) + 0.1
    assert float(layer_distance(a, 3.0 * a).max()) < 1e-6
    assert float(layer_distance(a, a.flip(1)).mean()) > 0.01
