"""Losses of the fit: their values on cases known by hand, and their slopes."""

import pytest
import torch

from engine.fit.paper.losses import (
    HEAVY_LANDMARKS,
    HEAVY_WEIGHT,
    consistency_loss,
    even_light_loss,
    feature_loss,
    identity_loss,
    landmark_loss,
    landmark_weights,
    photometric_loss,
    prior_loss,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_photometric_loss_is_the_mean_length_over_the_weighted_pixels() -> None:
    render, target = torch.zeros(2, 2, 3), torch.zeros(2, 2, 3)
    target[0, 0] = torch.tensor([0.3, 0.0, 0.4])  # length 0.5
    target[1, 1] = 9.0  # where nothing counts
    weight = torch.tensor([[3.0, 1.0], [0.0, 0.0]])
    assert float(photometric_loss(render, target, weight)) == pytest.approx(0.5 * 3 / 4)
    assert float(photometric_loss(render, target, torch.zeros(2, 2))) == 0.0


def test_photometric_loss_has_a_finite_slope_where_pictures_agree() -> None:
    target = random(3, 3, 3)
    render = target.clone().requires_grad_(True)
    photometric_loss(render, target, torch.ones(3, 3)).backward()
    assert torch.equal(render.grad, torch.zeros_like(target))


@pytest.mark.parametrize("loss", [photometric_loss, landmark_loss])
def test_slopes_against_differences(loss) -> None:
    shape, weights = ((4, 5, 3), (4, 5)) if loss is photometric_loss else ((7, 2), (7,))
    a, b, weight = random(*shape).requires_grad_(True), random(*shape, seed=1), random(*weights)
    assert torch.autograd.gradcheck(lambda x: loss(x, b, weight), (a,))


def test_landmarks_of_nose_and_inner_mouth_weigh_more() -> None:
    target = torch.zeros(68, 2)
    weight = landmark_weights()
    moved = [target.clone(), target.clone()]
    moved[0][HEAVY_LANDMARKS[0]] = torch.tensor([3.0, 4.0])
    moved[1][0] = torch.tensor([3.0, 4.0])
    heavy, light = (float(landmark_loss(points, target, weight)) for points in moved)
    assert light == pytest.approx(25.0 / 68.0)
    assert heavy == pytest.approx(HEAVY_WEIGHT * light)


def test_identity_loss_sees_directions_only() -> None:
    a = torch.tensor([1.0, 0.0, 0.0])
    assert float(identity_loss(a, 7.0 * a)) == pytest.approx(0.0, abs=1e-6)
    assert float(identity_loss(a, torch.tensor([0.0, 2.0, 0.0]))) == pytest.approx(1.0)
    assert float(identity_loss(a, -a)) == pytest.approx(2.0)


def test_consistency_is_zero_for_one_face_and_counts_both_parts() -> None:
    face = random(16)
    assert float(consistency_loss(face.expand(3, -1), face)) == pytest.approx(0.0, abs=1e-9)
    across = torch.eye(3)[:2]  # views at right angles, the photo like the first
    # to the photo: mean of 0 and 1; among the views: 1
    assert float(consistency_loss(across, across[0])) == pytest.approx(0.5 * (0.5 + 1.0))
    assert float(consistency_loss(across[1:], across[0])) == pytest.approx(1.0)


def test_consistency_slope() -> None:
    views = random(3, 8).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: consistency_loss(x, random(8, seed=2)), (views,))


def test_priors() -> None:
    assert float(prior_loss(torch.tensor([1.0, -2.0]))) == 5.0
    light = random(9, 1).expand(9, 3)
    assert float(even_light_loss(light)) == pytest.approx(0.0)
    assert float(even_light_loss(light + torch.tensor([0.3, 0.0, -0.3]))) == pytest.approx(0.06)


def test_feature_loss_counts_only_the_region_on_each_scale() -> None:
    maps = [random(1, 4, 8, 8), random(1, 6, 4, 4, seed=1)]
    others = [x.clone() for x in maps]
    for x in others:
        x[..., x.shape[-1] // 2 :] += 1.0  # the right half differs
    left, right = torch.zeros(16, 16), torch.zeros(16, 16)
    left[:, :8], right[:, 8:] = 1.0, 1.0
    assert float(feature_loss(maps, others, left.double())) == pytest.approx(0.0)
    # one on each channel: 4 channels and 6
    assert float(feature_loss(maps, others, right.double())) == pytest.approx(10.0)
