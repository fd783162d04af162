"""Random heads of the skin sheet."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.evaluate.skin_sheet import IDENTITY_COUNT, IDENTITY_LIMIT, random_head, soft_light
from engine.fit.loaded import LoadedPack, load_pack
from engine.head.lighting import shade


@pytest.fixture(scope="module")
def loaded(default_pack: Path) -> LoadedPack:
    return load_pack(default_pack)


def test_random_heads_repeat_and_stay_within_the_prior(loaded: LoadedPack) -> None:
    first, second = (random_head(loaded, np.random.default_rng(4)) for _ in range(2))
    other = random_head(loaded, np.random.default_rng(5))
    assert torch.equal(first, second)
    head = loaded.head
    assert 1e-3 < float((first - other).norm(dim=-1).max())
    reach = IDENTITY_LIMIT * np.abs(head.identity[:IDENTITY_COUNT]).sum(axis=0)
    assert (np.abs(first.numpy() - head.mean) <= reach + 1e-6).all()


def test_the_light_of_a_sheet_is_white_and_dark_nowhere_in_front() -> None:
    around = torch.linspace(-1.0, 1.0, 21)
    x, y = torch.meshgrid(around, around, indexing="ij")
    front = torch.stack([x, y, torch.ones_like(x)], -1)
    shading = shade(front / front.norm(dim=-1, keepdim=True), soft_light())
    assert torch.allclose(shading[..., :1].expand_as(shading), shading)
    assert float(shading.min()) > 0.45 and float(shading.max()) < 1.25
