"""Bands, regions and strengths of a detail map, beside slow and obvious twins."""

from dataclasses import fields

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol import detail_layers
from engine.protocol.detail import add_detail
from engine.protocol.detail_layers import (
    BANDS,
    DetailStrengths,
    compose_albedo,
    compose_detail,
    split_detail,
)
from engine.protocol.detail_regions import REGIONS, beard_mask, region_weights
from engine.protocol.errors import EngineError
from engine.protocol.resample import resample
from engine.skin.layout import region_masks

NAMES = [field.name for field in fields(DetailStrengths)]


@pytest.fixture(scope="module")
def detail() -> np.ndarray:
    noise = np.random.default_rng(4).normal(size=(512, 512))
    return (0.05 * noise + cv2.GaussianBlur(noise, (0, 0), 6)).astype(np.float32)


@pytest.fixture(scope="module")
def layers(detail):
    return split_detail(detail)


def slow_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(image.astype(np.float64), reach, mode="edge")
    for axis in (0, 1):
        padded = np.apply_along_axis(np.convolve, axis, padded, kernel / kernel.sum(), "valid")
    return padded


def slow_compose(detail: np.ndarray, strengths: DetailStrengths) -> np.ndarray:
    """Every band and region for itself, in float64."""
    coarse = slow_blur(detail, 2.0 / 0.7)
    smooth = slow_blur(detail, 0.6 / 0.7)
    beard = beard_mask()
    bands = {
        "coarse_wrinkles": coarse,
        "fine_wrinkles": (1 - beard) * (smooth - coarse),
        "pores": (1 - beard) * (detail - smooth),
        "stubble": beard * (detail - coarse),
    }
    whole = sum(getattr(strengths, name) * band for name, band in bands.items())
    weights = dict(zip(REGIONS, region_weights(), strict=True))
    return strengths.strength * sum(getattr(strengths, r) * w * whole for r, w in weights.items())


def test_the_bands_sum_to_the_map(detail, layers) -> None:
    np.testing.assert_allclose(layers.bands.sum(0), detail, atol=1e-6)


def test_unchanged_strengths_give_the_map_to_the_last_bit(detail, layers) -> None:
    assert np.array_equal(compose_detail(layers, DetailStrengths()), detail)


@pytest.mark.parametrize(
    "strengths",
    [
        DetailStrengths(0.0),
        DetailStrengths(1.5, 0.2, 1.9, 0.0, 2.0, 0.3, 1.4, 0.0, 1.7),
        *(DetailStrengths(**{name: 2.0}) for name in (*BANDS, *REGIONS)),
    ],
)
def test_fast_as_the_slow_twin(detail, layers, strengths) -> None:
    np.testing.assert_allclose(
        compose_detail(layers, strengths), slow_compose(detail, strengths), atol=2e-6
    )


def line(width: float) -> np.ndarray:
    """A dark vertical line, as wide as told in millimetres, through the forehead."""
    x = (np.arange(512) - 255.5) * detail_layers.TEXEL_MILLIMETRES
    return np.tile(-np.exp(-0.5 * (x / (width / 2.355)) ** 2), (512, 1)).astype(np.float32)


@pytest.mark.parametrize(("width", "band"), [(5.0, 0), (1.6, 1)])
def test_lines_go_to_the_band_of_their_width(width, band) -> None:
    strength = np.abs(split_detail(line(width)).bands[:, 100]).max(-1)
    assert strength.argmax() == band


def test_a_single_texel_is_a_pore_on_the_cheek_and_stubble_on_the_chin() -> None:
    for row, column, name in [(235, 170, "pores"), (345, 256, "stubble")]:
        dot = np.zeros((512, 512), np.float32)
        dot[row, column] = -1.0
        strength = np.abs(split_detail(dot).bands[:, row, column])
        assert BANDS[strength.argmax()] == name and strength.max() > 0.7


def test_regions_are_soft_symmetric_and_sum_to_one() -> None:
    weights = region_weights()
    assert weights.min() >= 0 and not weights.flags.writeable
    np.testing.assert_allclose(weights.sum(0), 1.0, atol=1e-6)
    np.testing.assert_allclose(weights, weights[:, :, ::-1], atol=1e-6)
    assert np.abs(np.diff(weights, axis=1)).max() < 0.2, "a slider would draw an edge"


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ("forehead", "forehead"), ("eye_surround", "eyes"), ("brows", "eyes"), ("cheeks", "cheeks"),
        ("nose_tip", "cheeks"), ("lips", "mouth_and_beard"), ("moustache", "mouth_and_beard"),
        ("chin_beard", "mouth_and_beard"), ("jaw_beard", "mouth_and_beard"),
        ("neck", "mouth_and_beard"), ("crown_front", "forehead"),
    ],
)  # fmt: skip
def test_regions_lie_where_the_layout_has_them(place, region) -> None:
    mask = region_masks(512)[place] > 0.8
    shares = region_weights()[:, mask].mean(-1)
    assert REGIONS[shares.argmax()] == region and shares.max() > 0.7


def test_the_beard_covers_the_layouts_beard_and_no_lips() -> None:
    layout, beard = region_masks(512), beard_mask()
    for name in ("moustache", "chin_beard", "jaw_beard"):
        inside = (layout[name] > 0.9) & (layout["lips"] < 0.1)
        assert beard[inside].mean() > 0.85, name
    for name in ("lips", "cheeks", "forehead", "neck", "ears", "eye_surround"):
        mask = layout[name] > 0.95
        assert np.median(beard[mask]) < 0.2, name


@pytest.mark.parametrize("size", [256, 512, 1024])
@pytest.mark.parametrize("planar", [True, False])
def test_albedo_is_the_formula_enlarged_and_clipped(detail, size, planar) -> None:
    random = np.random.default_rng(0)
    coarse = random.random((3, size, size), dtype=np.float32)
    photo = random.normal(0, 0.3, (3, size, size)).astype(np.float32)
    coarse, photo = np.moveaxis(coarse, 0, -1), np.moveaxis(photo, 0, -1)
    if not planar:
        coarse, photo = coarse.copy("C"), photo.copy("C")
    method = cv2.INTER_CUBIC if size > 512 else cv2.INTER_AREA
    large = cv2.resize(detail, (size, size), interpolation=method)
    for share in (0.0, 0.5, 1.0):
        expected = np.clip(add_detail(coarse, large) + share * photo, 0, 1)
        got = compose_albedo(coarse, detail, photo, share)
        np.testing.assert_allclose(got, expected, atol=2e-5)
        assert got.dtype == np.float32


@pytest.mark.parametrize("shape", [(256, 256), (512, 511), (512, 512, 1)])
def test_a_map_of_another_size_is_refused(shape) -> None:
    with pytest.raises(EngineError, match="512 x 512"):
        split_detail(np.zeros(shape, np.float32))


def test_a_map_that_is_not_finite_is_refused() -> None:
    with pytest.raises(EngineError, match="finite"):
        split_detail(np.full((512, 512), np.nan, np.float32))


@given(name=st.sampled_from(NAMES), value=st.sampled_from([-0.01, 2.01, float("nan"), 1e300]))
@settings(max_examples=40)
def test_strengths_out_of_range_are_refused(name, value) -> None:
    with pytest.raises(EngineError, match=name):
        DetailStrengths(**{name: value})


@pytest.mark.parametrize(("old", "new"), [(64, 256), (64, 64), (64, 16)])
def test_resampling_is_opencvs(old, new) -> None:
    image = np.random.default_rng(1).normal(size=(old, old)).astype(np.float32)
    method = cv2.INTER_CUBIC if new > old else cv2.INTER_AREA
    expected = cv2.resize(image, (new, new), interpolation=method)
    np.testing.assert_allclose(resample(image, new), expected, atol=2e-6)


@pytest.mark.parametrize(("shape", "size"), [((64, 64), 96), ((64, 64), 192), ((64, 32), 64)])
def test_odd_sizes_are_refused(shape, size) -> None:
    with pytest.raises(EngineError, match="power of two"):
        resample(np.zeros(shape), size)
