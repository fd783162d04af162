"""Exposure, mirror and holes."""

import numpy as np
import pytest

from engine.protocol.conventions import linear_to_srgb, mirror_texels, srgb_to_linear
from engine.protocol.errors import EngineError
from engine.train.encoder.augment import draw_coverage, exposure_tables, mirror_index, vary
from engine.train.encoder.samples import Samples, make_samples, split_rows
from engine.train.encoder.settings import AugmentSettings, EncoderSettings

from .conftest import TinyMaps

PLAIN = AugmentSettings(flip=0.0, exposure=0.0, tint=0.0, whole=1.0)


def test_exposure_is_a_gain_on_linear_light() -> None:
    tables = exposure_tables(np.random.default_rng(0), AugmentSettings(exposure=0.5, tint=0.1))
    light, was = srgb_to_linear(tables), srgb_to_linear(np.arange(256) / 255.0)
    for channel in range(3):
        gain = light[channel, 40] / was[40]
        expected = linear_to_srgb(np.clip(gain * was, 0.0, 1.0))
        np.testing.assert_allclose(tables[channel], expected, atol=1e-5)
    assert len({float(table[40]) for table in tables}) == 3


def test_no_variation_gives_the_map_itself(tiny_maps: TinyMaps) -> None:
    texels = tiny_maps.texels[0]
    same = vary(texels, mirror_index(tiny_maps.model.valid), np.random.default_rng(0), PLAIN)
    np.testing.assert_allclose(same, texels / np.float32(255.0), atol=1e-6)


def test_mirror_is_that_of_the_whole_map(tiny_maps: TinyMaps) -> None:
    valid, texels = tiny_maps.model.valid, tiny_maps.texels[0]
    image = np.zeros((*valid.shape, 3), np.uint8)
    image[valid] = texels.T
    index = mirror_index(valid)
    np.testing.assert_array_equal(texels[:, index], mirror_texels(image)[valid].T)


def test_an_asymmetric_layout_is_not_mirrored(tiny_maps: TinyMaps) -> None:
    valid = tiny_maps.model.valid.copy()
    valid[16, 5] = False
    assert mirror_index(valid) is None
    settings = AugmentSettings(flip=1.0, exposure=0.0, tint=0.0)
    texels = tiny_maps.texels[0]
    same = vary(texels, None, np.random.default_rng(0), settings)
    np.testing.assert_allclose(same, texels / np.float32(255.0), atol=1e-6)


def test_holes_leave_enough_and_differ() -> None:
    random = np.random.default_rng(4)
    shares = [draw_coverage(64, random).mean() for _ in range(200)]
    assert 0.1 < min(shares) and max(shares) < 1.0
    assert 0.4 < np.mean(shares) < 0.9 and np.std(shares) > 0.05


def _samples(maps: TinyMaps, settings: AugmentSettings, batch: int) -> Samples:
    return make_samples(maps.as_set(), np.arange(90), maps.model.valid, settings, batch, 7)


def test_batches_are_pure_and_an_epoch_takes_every_map_once(tiny_maps: TinyMaps) -> None:
    samples = _samples(tiny_maps, AugmentSettings(), 6)
    first, second = samples.draw(4, 0, 1), samples.draw(4, 0, 1)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], samples.draw(5, 0, 1)[0])
    plain = _samples(tiny_maps, PLAIN, 6)
    drawn = np.concatenate([plain.draw(step, rank, 3)[0] for step in range(5) for rank in range(3)])
    assert len({texels.tobytes() for texels in drawn}) == 90


def test_held_maps_are_apart_from_the_others() -> None:
    rows, held = split_rows(50, 8)
    assert len(held) == len(set(held)) == 8 and len(rows) == 42
    assert not set(rows) & set(held) and held.min() < 7 and held.max() > 42
    with pytest.raises(EngineError, match="held back"):
        split_rows(20, 8)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: AugmentSettings(flip=1.2),
        lambda: AugmentSettings(exposure=float("nan")),
        lambda: EncoderSettings(batch=1),
        lambda: EncoderSettings(learning_rate=0.0),
        lambda: EncoderSettings(pull=-1.0),
    ],
)
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(EngineError):
        wrong()
