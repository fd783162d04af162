"""Shade inside the mouth in the engine's own pictures."""

import numpy as np
import pytest
import torch

from engine.fit.loaded import LoadedPack, load_pack, skin_atlas, uv_mask
from engine.fit.seen.mouth import shade_lining, shade_teeth

SIZE = 256


@pytest.fixture(scope="module")
def loaded(default_pack) -> LoadedPack:
    return load_pack(default_pack)


def test_the_lining_is_dark_and_all_other_skin_as_it_was(loaded):
    skin = torch.full((SIZE, SIZE, 3), 0.5)
    shaded = shade_lining(skin, loaded)
    assert (skin == 0.5).all()
    mouth, valid = uv_mask(loaded.head, ("mouth",), SIZE), skin_atlas(loaded, SIZE).valid.numpy()
    light = shaded[..., 0].numpy() / 0.5
    assert (light[valid & (mouth == 0.0)] == 1.0).all()
    inside = light[valid & (mouth == 1.0)]
    assert inside.min() < 0.1 and np.median(inside) < 0.3
    assert inside.max() > 0.9, "the lips' inner side is as light as the lips"


def test_teeth_are_darker_at_the_back_and_in_the_lower_jaw():
    shade = shade_teeth(torch.ones(64, 128, 3))[..., 0]
    height, width = shade.shape
    upper, lower = shade[height // 2 - 1], shade[-1]
    middle = width // 2
    assert upper[middle] > 0.9 and upper[0] < 0.2 and torch.equal(upper, upper.flip(0))
    assert lower[middle] < 0.6 * upper[middle]
    assert shade[0, middle] < upper[middle], "gums lie in the lip's shade"
