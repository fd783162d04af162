"""Varied crops: pure functions of their number, general, and true to signs."""

import numpy as np
import pytest

from engine.train.detail.augment import (
    Crop,
    CropSource,
    blob_mask,
    mix,
    random_batch,
    random_crop,
    tone_field,
)
from engine.train.detail.settings import AugmentSettings

SIDE, CROP = 128, 64
PLAIN = AugmentSettings(
    strength=(1.0, 1.0), zoom_share=0.0, mix_share=0.0, tone_share=0.0, flip=False
)


def _source(settings: AugmentSettings, weight: np.ndarray | None = None) -> CropSource:
    rng = np.random.default_rng(0)
    detail = (0.05 * rng.standard_normal((3, SIDE, SIDE))).astype(np.float16)
    value = rng.integers(0, 256, (3, SIDE, SIDE), np.uint8)
    weight = np.ones((SIDE, SIDE), np.float32) if weight is None else weight
    return CropSource(detail, value, weight, range(2), CROP, settings)


def _crops(source: CropSource, count: int = 40) -> list[Crop]:
    return [random_crop(source, 0, step, 0) for step in range(count)]


def test_a_crop_depends_on_its_number_alone() -> None:
    source = _source(AugmentSettings())
    first = random_crop(source, 7, 3, 5)
    random_crop(source, 7, 3, 6)
    again = random_crop(_source(AugmentSettings()), 7, 3, 5)
    for name in ("detail", "value", "weight"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.detail, random_crop(source, 8, 3, 5).detail)


def test_two_processes_share_a_step_as_one_does() -> None:
    source = _source(AugmentSettings())
    whole = random_batch(source, 0, 1, 0, 4)
    halves = [random_batch(source, 0, 1, first, 2) for first in (0, 2)]
    for index in range(3):
        joined = np.concatenate([half[index] for half in halves])
        np.testing.assert_array_equal(whole[index], joined)
        assert whole[index].shape == (4, 1, CROP, CROP) and whole[index].dtype == np.float32


def test_plain_crops_are_windows_between_cells() -> None:
    source = _source(PLAIN)
    for crop in _crops(source, 10):
        places = [
            (person, row, column)
            for person in range(3)
            for row in range(0, SIDE - CROP + 1, 16)
            for column in range(0, SIDE - CROP + 1, 16)
            if np.array_equal(
                source.detail[person, row : row + CROP, column : column + CROP], crop.detail
            )
        ]
        assert len(places) == 1 and places[0][0] < 2  # the third is held out


def test_mirrored_crops_are_mirrored_as_a_whole() -> None:
    source = _source(AugmentSettings(**{**vars(PLAIN), "flip": True}))
    mirrored = 0
    for crop in _crops(source):
        windows = np.lib.stride_tricks.sliding_window_view(source.detail, (CROP, CROP), (1, 2))
        flipped = windows[:, ::16, ::16, :, ::-1].astype(np.float32)
        mirrored += bool((flipped == crop.detail).all((-1, -2)).any())
    assert 10 < mirrored < 30


def test_strengths_and_zooms_stay_in_their_ranges() -> None:
    strong = _source(AugmentSettings(**{**vars(PLAIN), "strength": (0.5, 1.6)}))
    sizes = np.array([crop.detail.std() for crop in _crops(strong)]) / 0.05
    assert sizes.min() > 0.45 and sizes.max() < 1.7 and sizes.std() > 0.2
    columns = np.mgrid[:SIDE, :SIDE][1].astype(np.float32)
    zoomed = _source(AugmentSettings(**{**vars(PLAIN), "zoom_share": 1.0}))
    ramp = CropSource(
        np.stack([columns / SIDE] * 3).astype(np.float16),
        zoomed.value,
        zoomed.weight,
        range(2),
        CROP,
        zoomed.settings,
    )
    middle = [crop.detail[CROP // 2, 16:48] for crop in _crops(ramp)]
    slopes = np.array([np.diff(line).mean() for line in middle]) * SIDE
    assert 1 / 1.25 < slopes.min() < slopes.max() < 1 / 0.82 and slopes.std() > 0.05


def test_outside_the_map_nothing_counts() -> None:
    source = _source(AugmentSettings(zoom=(0.5, 0.5), zoom_share=1.0))
    crops = _crops(source)
    assert min(crop.weight.min() for crop in crops) == 0.0
    assert all(crop.weight.max() <= 1.0 and crop.weight.min() >= 0.0 for crop in crops)


def test_places_have_skin() -> None:
    weight = np.zeros((SIDE, SIDE), np.float32)
    weight[:40, :40] = 1.0
    source = _source(PLAIN, weight)
    assert 0 < len(source.places) < 25
    assert all(crop.weight.mean() >= 0.35 for crop in _crops(source))


def test_a_mix_keeps_both_signs_and_the_first_ones_tone() -> None:
    ones = np.ones((CROP, CROP), np.float32)
    mask = blob_mask(np.random.default_rng(1), CROP)
    assert mask.min() == 0.0 and mask.max() == 1.0
    mixed = mix(Crop(0.1 * ones, 0.5 * ones, ones), Crop(-0.2 * ones, ones, 0.5 * ones), mask)
    np.testing.assert_allclose(mixed.detail[mask == 1.0], 0.1)
    np.testing.assert_allclose(mixed.detail[mask == 0.0], -0.2)
    np.testing.assert_allclose(mixed.value, 0.5)


def test_tone_is_smooth_and_small() -> None:
    fields = [tone_field(np.random.default_rng(i), 256, 0.003, 0.7) for i in range(20)]
    sizes = [field.std() for field in fields]
    assert 0.002 < np.median(sizes) < 0.02
    steps = np.mean([np.abs(np.diff(field, axis=1)).mean() for field in fields])
    assert steps < 0.3 * np.mean(sizes)


@pytest.mark.parametrize("values", [{"strength": (2.0, 1.0)}, {"zoom": (0.0, 1.0)}, {"tone": 2.0}])
def test_settings_out_of_range(values: dict) -> None:
    from engine.protocol.errors import EngineError

    with pytest.raises(EngineError):
        AugmentSettings(**values)
