"""LPIPS against a slow twin that reads like the paper; files that are no LPIPS weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.protocol.errors import EngineError
from engine.protocol.safetensors import write_safetensors
from engine.train.detail.lpips import LpipsDistance, expected_shapes, read_lpips


def _weights(alex: bool) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    table = {}
    for name, shape in expected_shapes(alex).items():
        fan = max(1, int(np.prod(shape[1:])))
        table[name] = (rng.standard_normal(shape) / np.sqrt(fan)).astype(np.float32)
        if name.startswith("lin"):
            table[name] = np.abs(table[name])
    table["scaling_layer.shift"][:] = 0.03
    table["scaling_layer.scale"][:] = 0.45
    return table


def _twin_alex(w: dict[str, np.ndarray], a: np.ndarray, b: np.ndarray) -> list[torch.Tensor]:
    """Per layer: the map of equation 1 for one pair of (S, S) pictures."""
    t = {name: torch.from_numpy(array) for name, array in w.items()}
    features = []
    for picture in (a, b):
        x = torch.from_numpy(np.stack([picture] * 3))[None] * 2 - 1
        x = (x - t["scaling_layer.shift"]) / t["scaling_layer.scale"]
        x = functional.relu(
            functional.conv2d(x, t["net.slice1.0.weight"], t["net.slice1.0.bias"], 4, 2)
        )
        found = [x]
        for part, index, pool in ((2, 3, True), (3, 6, True), (4, 8, False), (5, 10, False)):
            x = functional.max_pool2d(x, 3, 2) if pool else x
            name = f"net.slice{part}.{index}"
            x = functional.relu(
                functional.conv2d(x, t[name + ".weight"], t[name + ".bias"], padding="same")
            )
            found.append(x)
        features.append([f / f.norm(dim=1, keepdim=True) for f in found])
    return [
        (t[f"lin{k}.model.1.weight"] * (one - two) ** 2).sum(1, keepdim=True)
        for k, (one, two) in enumerate(zip(*features, strict=True))
    ]


def test_it_is_equation_one() -> None:
    weights = _weights(alex=True)
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0.1, 0.9, (2, 128, 128)).astype(np.float32)
    found = LpipsDistance(weights)(*(torch.from_numpy(x)[None, None] for x in (a, b)))
    layers = _twin_alex(weights, a, b)
    expected = sum(functional.interpolate(layer, size=(32, 32), mode="area") for layer in layers)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("alex", [True, False])
def test_equal_pictures_are_at_no_distance(alex: bool, tmp_path: Path) -> None:
    write_safetensors(tmp_path / "lpips.safetensors", _weights(alex))
    net = read_lpips(tmp_path / "lpips.safetensors")
    a = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    b = (1.0 - a).requires_grad_()
    assert net(a, a).abs().max() == 0.0
    distance = net(a, b)
    assert distance.shape == (1, 1, 16, 16) and distance.min() >= 0.0 and distance.mean() > 0.0
    distance.mean().backward()
    assert b.grad is not None and b.grad.isfinite().all() and b.grad.abs().max() > 0.0


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "lpips.safetensors"
    path.write_bytes(b"no weights")
    with pytest.raises(EngineError, match="LPIPS weights cannot be used"):
        read_lpips(path)
    weights = _weights(alex=True)
    del weights["lin3.model.1.weight"]
    write_safetensors(path, weights)
    with pytest.raises(EngineError, match="lin3"):
        read_lpips(path)
