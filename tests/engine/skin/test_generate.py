"""Generated skins: repeatable, over the whole tone range, with features where they belong."""

import dataclasses
from functools import lru_cache

import cv2
import numpy as np
import pytest

from engine.protocol.errors import EngineError
from engine.skin.colorimetry import individual_typology_angle, srgb_to_lab
from engine.skin.dataset import generate_maps, skin_of
from engine.skin.generate import generate_skin
from engine.skin.layout import region_masks
from engine.skin.parameters import SkinParameters
from engine.skin.sampling import sample_parameters

PLAIN = SkinParameters(melanin=0.03, hair_eumelanin=4.0, moles=0, blemishes=0.0)


def _skin(parameters: SkinParameters, size: int = 256, seed: int = 0) -> np.ndarray:
    return generate_skin(parameters, size, np.random.default_rng(seed))


def _region(image: np.ndarray, name: str, above: float = 0.8) -> np.ndarray:
    """Median Lab of a region."""
    return srgb_to_lab(np.median(image[region_masks(len(image))[name] > above], axis=0))


@lru_cache(maxsize=1)
def _set() -> list[tuple[SkinParameters, np.ndarray]]:
    return [skin_of(3, index, 128) for index in range(40)]


def test_same_seed_same_map_other_seed_other_map() -> None:
    first, again, other = _skin(PLAIN), _skin(PLAIN), _skin(PLAIN, seed=1)
    assert first.shape == (256, 256, 3) and first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 1e-3


def test_generation_leaves_masks_and_parameters_alone() -> None:
    before = {k: v.sum() for k, v in region_masks(256).items()}
    _skin(PLAIN)
    assert before == {k: v.sum() for k, v in region_masks(256).items()}


def test_small_map_is_the_large_map_reduced() -> None:
    parameters = dataclasses.replace(PLAIN, freckles=0.5, moles=8, beard_cover=0.6, sex="male")
    large = cv2.resize(_skin(parameters, 512), (256, 256), interpolation=cv2.INTER_AREA)
    difference = np.abs(large - _skin(parameters, 256))[region_masks(256)["face"] > 0.5]
    assert difference.mean() < 0.012
    assert np.quantile(difference, 0.99) < 0.08


def test_values_are_in_range_and_finite() -> None:
    for _, image in _set():
        assert np.isfinite(image).all() and image.min() >= 0.0 and image.max() <= 1.0


def test_set_covers_the_human_tone_range() -> None:
    angles = np.array(
        [
            individual_typology_angle(np.median(image[region_masks(128)["forehead"] > 0.8], axis=0))
            for _, image in _set()
        ]
    )
    assert angles.min() < -50.0 and angles.max() > 55.0
    counts, _ = np.histogram(angles, [-90, -30, 10, 28, 41, 55, 90])
    assert counts.min() >= 1  # every class of Chardon et al. occurs
    thirds, _ = np.histogram(angles, [-75, -30, 15, 60])
    assert thirds.min() >= 8  # spread evenly: 13 each, but for chance


def test_tone_is_monotone_in_melanin() -> None:
    tones = np.geomspace(0.005, 0.9, 6)
    angles = [
        individual_typology_angle(
            np.median(
                _skin(dataclasses.replace(PLAIN, melanin=float(m)), 128)[
                    region_masks(128)["forehead"] > 0.8
                ],
                axis=0,
            )
        )
        for m in tones
    ]
    assert np.all(np.diff(angles) < 0)
    assert angles[0] > 60.0 and angles[-1] < -50.0


def test_sides_are_alike_but_not_mirrored() -> None:
    image = _skin(PLAIN)
    face = region_masks(256)["face"] > 0.9
    flipped = image[:, ::-1]
    assert np.abs(image - flipped)[face].mean() > 2e-3
    left = cv2.GaussianBlur(image, (0, 0), 2.0)[face][:, 1]
    right = cv2.GaussianBlur(flipped, (0, 0), 2.0)[face][:, 1]
    assert np.corrcoef(left, right)[0, 1] > 0.9


def test_back_seam_has_no_edge() -> None:
    image = _skin(dataclasses.replace(PLAIN, hair_cover=0.0, mottling=1.0))
    left, right = image[100:250, 3], image[100:250, -4]  # both sides of the back of the head
    assert np.abs(left - right).max() < 0.02


@pytest.mark.parametrize("melanin", [0.008, 0.03, 0.12])
def test_lips_cheeks_and_ears_are_redder(melanin: float) -> None:
    image = _skin(dataclasses.replace(PLAIN, melanin=melanin, flush=0.6))
    forehead, cheeks = _region(image, "forehead"), _region(image, "cheeks", 0.7)
    more = 4.0 if melanin < 0.1 else 2.0  # the darker the skin, the nearer its lips to it
    assert _region(image, "lip_lower")[1] > cheeks[1] + more
    assert _region(image, "lip_upper")[1] > cheeks[1] + 0.7 * more
    assert cheeks[1] > forehead[1] + 0.8
    assert _region(image, "ears")[1] > forehead[1] + 1.0


def test_brows_scalp_and_nostrils_are_dark() -> None:
    image = _skin(PLAIN)
    forehead = _region(image, "forehead")[0]
    assert _region(image, "brows")[0] < forehead - 15.0
    assert _region(image, "scalp", 0.99)[0] < forehead - 25.0
    assert _region(image, "nostrils")[0] < forehead - 25.0
    assert _region(image, "lid_upper")[0] < forehead - 1.0


def test_beard_darkens_the_beard_area_only() -> None:
    bare = dataclasses.replace(PLAIN, sex="male")
    bearded = dataclasses.replace(bare, beard_cover=0.9, beard_length=0.6)
    change = (_skin(bare) - _skin(bearded)).mean(axis=2)
    masks = region_masks(256)
    assert change[masks["beard"] > 0.9].mean() > 0.08
    assert np.abs(change[masks["forehead"] > 0.5]).max() < 1e-6


@pytest.mark.parametrize(
    ("name", "less", "more", "region"),
    [
        ("freckles", 0.0, 1.0, "cheeks"),
        ("eye_pigment", 0.0, 1.0, "lid_upper"),
        ("lip_pigment", 0.0, 1.0, "lip_upper"),
        ("brow_density", 0.2, 1.0, "brows"),
        ("hair_cover", 0.3, 1.0, "scalp"),
        ("beard_shadow", 0.0, 0.8, "beard"),
        ("eye_shadow", 0.0, 1.0, "lid_upper"),
    ],
)
def test_parameters_darken_their_region(name: str, less: float, more: float, region: str) -> None:
    images = [_skin(dataclasses.replace(PLAIN, **{name: value})) for value in (less, more)]
    light, dark = (_region(image, region)[0] for image in images)
    assert dark < light - 0.3


def test_maps_do_not_depend_on_the_number_of_processes() -> None:
    alone = list(generate_maps(6, 64, seed=5, workers=1))
    shared = list(generate_maps(6, 64, seed=5, workers=2))
    np.testing.assert_array_equal(np.stack(alone), np.stack(shared))


def test_sampled_parameters_repeat_and_are_valid() -> None:
    for seed in range(300):
        first = sample_parameters(np.random.default_rng(seed))
        assert first == sample_parameters(np.random.default_rng(seed))
        if first.sex == "female":
            assert first.beard_cover == 0.0


@pytest.mark.parametrize(
    "change", [{"melanin": 5.0}, {"flush": -0.1}, {"sex": "x"}, {"age": float("nan")}]
)
def test_parameters_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(EngineError, match=next(iter(change))):
        dataclasses.replace(PLAIN, **change)


def test_odd_size_and_count_are_refused() -> None:
    with pytest.raises(EngineError):
        _skin(PLAIN, size=250)
    with pytest.raises(EngineError):
        next(generate_maps(0, 64, seed=0))
