"""The regressor's net: alignment against its twin, what comes out, and its file."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.head.numerics import align_similarity
from engine.nets.regressor import (
    Regressor,
    RegressorInfo,
    RegressorNet,
    align,
    inputs_of,
    normal_nll,
)
from engine.nets.regressor_file import knows_head, read_regressor, write_regressor
from engine.protocol.errors import EngineError
from engine.protocol.safetensors import read_safetensors, write_safetensors

INFO = RegressorInfo(identity=4, expression=3, hidden=8)


def _points(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(0.0, 0.05, (468, 3)), rng.uniform(0.1, 1.0, 468)


def _random_net() -> RegressorNet:
    torch.manual_seed(1)
    net = RegressorNet(INFO)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return net.eval()


def _regressor() -> Regressor:
    mean, weight = _points(np.random.default_rng(0))
    modes = np.random.default_rng(1).normal(0.0, 1e-3, (4, 468, 3))
    return Regressor(_random_net(), mean, weight, modes)


def test_many_alignments_are_those_one_by_one() -> None:
    rng = np.random.default_rng(2)
    mean, weight = _points(rng)
    sets = np.stack([mean * [1.0, -1.0, -1.0] * s + rng.normal(0, 0.01, (468, 3)) for s in (1, 90)])
    found = align(sets, mean, weight)
    for number, points in enumerate(sets):
        scale, rotation, shift = align_similarity(mean, points, weight)
        assert np.isclose(found.scale[number], scale)
        assert np.allclose(found.rotation[number], rotation)
        assert np.allclose(found.shift[number], shift)
    back = found.back(mean + found.offset) + found.shift[:, None]
    assert np.allclose(back, sets)


def test_turned_and_enlarged_points_look_the_same_to_the_net() -> None:
    rng = np.random.default_rng(3)
    mean, weight = _points(rng)
    points = mean + rng.normal(0.0, 0.002, mean.shape)
    angle = 0.4
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    both = align(np.stack([points, 3.0 * points @ turn.T + 7.0]), mean, weight)
    seen = inputs_of(both)
    assert np.allclose(seen[0, :-9], seen[1, :-9], atol=1e-4)
    assert not np.allclose(seen[0, -9:], seen[1, -9:], atol=0.1)


def test_likelihood_is_that_of_the_normal_distribution() -> None:
    mean, log, truth = torch.tensor([0.3]), torch.tensor([-0.7]), torch.tensor([1.1])
    normal = torch.distributions.Normal(mean, log.exp())
    constant = 0.5 * np.log(2.0 * np.pi)
    assert torch.allclose(normal_nll(mean, log, truth), -normal.log_prob(truth) - constant)


def test_what_is_dropped_is_not_seen() -> None:
    net = _random_net()
    one, two = torch.randn(1, 128), torch.randn(1, 1413)
    alone = torch.tensor([[1.0, 0.0]])
    assert torch.equal(net(one, two, alone), net(one, two + 1.0, alone))
    assert not torch.equal(net(one, two), net(one, two + 1.0))
    assert torch.equal(net(one, two), net(one, two, torch.ones(1, 2)))


def test_a_file_comes_back_as_it_was_and_is_small(tmp_path: Path) -> None:
    path = tmp_path / "regressor.safetensors"
    regressor = _regressor()
    write_regressor(path, regressor)
    found = read_regressor(path)
    assert found.net.info == INFO
    mean = regressor.mean
    seen = (mean * 900.0, np.full(128, 0.1, np.float32))
    one, two = regressor.read(*seen)[0], found.read(*seen)[0]
    assert np.allclose(one.identity, two.identity, atol=0.02)
    assert np.allclose(one.points_sigma, two.points_sigma, rtol=0.05)
    assert (two.identity_sigma > 0.0).all()
    assert knows_head(found, regressor.modes)
    assert not knows_head(found, regressor.modes[::-1])
    default = sum(p.numel() for p in RegressorNet(RegressorInfo()).parameters())
    assert 2 * default < 8e6


@pytest.mark.parametrize("broken", ["mean", "net.mean.bias", "net.straight.weight", "modes"])
def test_a_file_with_something_missing_is_refused(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "regressor.safetensors"
    write_regressor(path, _regressor())
    arrays = read_safetensors(path)
    del arrays[broken]
    write_safetensors(path, arrays)
    with pytest.raises(EngineError, match=r"regressor\.safetensors is not a regressor"):
        read_regressor(path)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "regressor.safetensors"
    write_regressor(path, _regressor())
    arrays = read_safetensors(path)
    arrays["mean"][0, 0] = np.nan
    write_safetensors(path, arrays)
    with pytest.raises(EngineError, match="finite"):
        read_regressor(path)
