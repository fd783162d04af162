"""Folds, wrinkles and marks: in their places, as strong as asked for, alike on both sides."""

import dataclasses
from functools import lru_cache

import cv2
import numpy as np
import pytest

from engine.skin.ageing import sample_ageing
from engine.skin.layout import mirror_curve, region_masks, smooth_curve
from engine.skin.marks import mark_pigments
from engine.skin.noise import Streams
from engine.skin.parameters import SkinParameters
from engine.skin.splat import splat
from engine.skin.wrinkle_curves import ACROSS, FAMILIES, Family
from engine.skin.wrinkles import CREASE_BOX, crease_box, crease_depth, draw_creases

AMOUNTS = sorted({family.amount for family in FAMILIES.values()})
SMOOTH = dataclasses.replace(
    SkinParameters(moles=0, blemishes=0.0, pores=0.0, flush=0.0), **dict.fromkeys(AMOUNTS, 0.0)
)
REACH = 20
"""Reference pixels beside the rails that wander, side lines and soft edges may cover."""


def _depth(size: int = 512, seed: int = 0, **amounts: float) -> np.ndarray:
    return crease_depth(dataclasses.replace(SMOOTH, **amounts), Streams(seed), size)


def _full(size: int, seed: int = 0) -> np.ndarray:
    return _depth(size, seed, **dict.fromkeys(AMOUNTS, 1.0))


def _area(families: list[Family], size: int) -> np.ndarray:
    """True within REACH of the area that the rails of some families enclose."""
    mask = np.zeros((1024, 1024), np.uint8)
    for family in families:
        for low, high in zip(family.rails[:-1], family.rails[1:], strict=True):
            outline = np.concatenate(
                [smooth_curve(low, closed=False), smooth_curve(high, closed=False)[::-1]]
            )
            for side in (outline, mirror_curve([tuple(p) for p in outline])):
                cv2.fillPoly(mask, [np.rint(side).astype(np.int32)], 1)
                if family.kind == ACROSS:  # halves that meet at the mid-line
                    cv2.polylines(mask, [np.rint(side).astype(np.int32)], True, 1, 2)
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH + 1,) * 2))
    return cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST)[crease_box(size)] > 0


@pytest.mark.parametrize("amount", AMOUNTS)
def test_each_structure_shows_in_its_place_and_only_there(amount: str) -> None:
    depth = _depth(**{amount: 1.0})
    here = _area([f for f in FAMILIES.values() if f.amount == amount], 512)
    assert np.abs(depth[here]).max() > 0.01
    assert np.abs(depth[~here]).max() < 0.003


@pytest.mark.parametrize("amount", AMOUNTS)
def test_structures_grow_with_their_amount(amount: str) -> None:
    totals = [np.abs(_depth(256, **{amount: a})).sum() for a in (0.0, 0.2, 0.5, 1.0)]
    assert totals[0] == 0.0
    assert np.all(np.diff(totals) > 0.0)


def test_lines_never_reach_the_edge_of_their_box() -> None:
    left, top, right, bottom = CREASE_BOX
    assert (right - left) % 64 == 0 and (bottom - top) % 64 == 0
    rim = np.ones_like(_full(512), dtype=bool)
    rim[2:-2, 2:-2] = False
    assert max(np.abs(_full(512, seed)[rim]).max() for seed in range(4)) < 1e-3


def test_one_structure_leaves_the_others_as_they_are() -> None:
    both = _depth(forehead_lines=0.7, neck_lines=0.4)
    apart = _depth(forehead_lines=0.7) + _depth(neck_lines=0.4)
    np.testing.assert_allclose(both, apart, atol=1e-5)


def test_equal_streams_give_equal_lines() -> None:
    np.testing.assert_array_equal(_full(256), _full(256))
    assert np.abs(_full(256) - _full(256, seed=1)).mean() > 1e-3


def test_small_map_is_the_large_map_reduced() -> None:
    large, small = _full(1024), _full(256)
    reduced = cv2.resize(large, small.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced - small).mean() < 0.15 * np.abs(small).mean()
    assert np.corrcoef(reduced.ravel(), small.ravel())[0, 1] > 0.98


def test_sides_are_alike_but_not_mirrored() -> None:
    names = ("crows_feet", "under_eye_lines", "nasolabial_folds", "eye_bags", "fine_lines")
    depth = _depth(256, **dict.fromkeys(names, 0.8))
    flipped = depth[:, ::-1]
    assert np.abs(depth - flipped).mean() > 0.3 * np.abs(depth).mean()
    soft, softer = (cv2.GaussianBlur(d, (0, 0), 4.0).ravel() for d in (depth, flipped))
    assert np.corrcoef(soft, softer)[0, 1] > 0.8
    assert 0.6 < depth[:, :96].sum() / depth[:, 96:].sum() < 1.6


def test_folds_are_not_baked_light() -> None:
    """Lines darken; only the philtrum's edges are paler, and a little."""
    depth = np.stack([_full(512, seed) for seed in range(3)])
    assert depth.min() > -0.06
    core = np.quantile(_depth(1024, nasolabial_folds=1.0), 0.9995)
    assert 0.05 < core < 0.3


def test_drawn_creases_darken_as_asked_and_a_little_redder() -> None:
    parameters = dataclasses.replace(SMOOTH, nasolabial_folds=1.0, crows_feet=0.5)
    planes = np.full((3, 256, 256), 0.5, np.float32)
    draw_creases(planes, parameters, Streams(0))
    depth = crease_depth(parameters, Streams(0), 256)
    red, green, blue = 1.0 - planes[(slice(None), *crease_box(256))] / 0.5
    np.testing.assert_allclose(green, depth, atol=1e-6)
    core = depth > 0.03
    assert core.any() and np.all(red[core] < green[core]) and np.all(green[core] < blue[core])


def test_lid_crease_moves_with_its_height() -> None:
    rows = []
    for height in (-1.0, 1.0):
        depth = _depth(lid_crease=1.0, lid_crease_height=height)
        rows.append((depth.sum(axis=1) * np.arange(len(depth))).sum() / depth.sum())
    assert rows[1] < rows[0] - 3.0


@lru_cache(maxsize=1)
def _sampled() -> dict[float, dict[str, float]]:
    """Mean amounts of 200 persons by age."""
    means = {}
    for age in (20.0, 45.0, 75.0):
        rng, old = np.random.default_rng(0), (age - 18.0) / 64.0
        people = [sample_ageing(rng, old, male=i % 2 == 0) for i in range(200)]
        means[age] = {name: float(np.mean([p[name] for p in people])) for name in people[0]}
    return means


@pytest.mark.parametrize(
    "name",
    [
        "forehead_lines", "frown_lines", "bunny_lines", "crows_feet", "under_eye_lines",
        "nasolabial_folds", "marionette_lines", "upper_lip_lines", "neck_lines", "fine_lines",
        "eye_bags", "tear_troughs", "broken_veins",
    ],
)  # fmt: skip
def test_sampled_amounts_grow_with_age(name: str) -> None:
    young, middle, old = (_sampled()[age][name] for age in (20.0, 45.0, 75.0))
    assert young < 0.12
    assert young < middle < old and old > 0.4


def test_some_lids_have_no_crease() -> None:
    rng = np.random.default_rng(0)
    creases = [sample_ageing(rng, 0.2, male=False)["lid_crease"] for _ in range(200)]
    assert 0.05 < np.mean(np.array(creases) == 0.0) < 0.3


def _marks(size: int, gain: float = 1.0, **amounts: float) -> tuple[np.ndarray, np.ndarray]:
    return mark_pigments(dataclasses.replace(SMOOTH, **amounts), Streams(3), size, gain)


def test_no_marks_without_amounts() -> None:
    for field in _marks(512):
        assert np.abs(field).max() == 0.0


@pytest.mark.parametrize(
    ("amounts", "field", "region", "elsewhere"),
    [
        ({"broken_veins": 1.0}, 1, "face", "forehead"),
        ({"blemishes": 1.0}, 1, "face", "scalp"),
        ({"scars": 1.0}, 0, "face", "scalp"),
        ({"pores": 1.0}, 0, "nose", "eye_surround"),
        ({"flush": 1.0}, 1, "cheeks", "eye_surround"),
        ({"moles": 60}, 0, "main", "lips"),
    ],
)
def test_marks_show_in_their_region(
    amounts: dict[str, float], field: int, region: str, elsewhere: str
) -> None:
    strength = np.abs(_marks(512, **amounts)[field])
    masks = region_masks(512)
    here = strength[masks[region] > 0.7].mean()
    assert here > 2e-4
    assert strength[masks[elsewhere] > 0.95].mean() < 0.2 * here


def test_marks_of_a_small_map_are_the_large_ones_reduced() -> None:
    amounts = {"broken_veins": 0.8, "blemishes": 0.5, "scars": 0.5, "moles": 30}
    for large, small in zip(_marks(1024, **amounts), _marks(256, **amounts), strict=True):
        reduced = cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA)
        assert np.corrcoef(reduced.ravel(), small.ravel())[0, 1] > 0.95
        assert reduced.sum() == pytest.approx(small.sum(), rel=0.02)


def test_splat_keeps_the_volume_and_the_width() -> None:
    for sigma in (0.3, 1.0, 2.5, 6.0):
        drawn = splat((64, 64), np.array([[31.7, 33.2]]), np.array([2.0]), sigma)
        assert drawn.sum() == pytest.approx(2.0, rel=0.01)
        x = np.arange(64) + 0.5
        mean = (drawn.sum(axis=0) * x).sum() / 2.0
        assert mean == pytest.approx(31.7, abs=0.1)
        spread = np.sqrt((drawn.sum(axis=0) * (x - mean) ** 2).sum() / 2.0)
        assert spread == pytest.approx(max(sigma, 0.42), rel=0.15)


def test_splat_leaves_out_dots_that_lie_outside() -> None:
    drawn = splat((8, 8), np.array([[-5.0, 2.0], [40.0, 3.0]]), np.array([1.0, 1.0]), 0.3)
    assert drawn.sum() == 0.0


def test_grain_runs_with_the_tension_lines() -> None:
    """Across on the forehead; down and outwards on the cheeks, so mirrored on both sides."""
    depth = crease_depth(dataclasses.replace(SMOOTH, pores=1.0), Streams(0), 1024)

    def likeness(left: int, top: int, shift: tuple[int, int]) -> float:
        part = depth[top - CREASE_BOX[1] :, left - CREASE_BOX[0] :][:90, :90]
        other = np.roll(part, shift, axis=(0, 1))[2:-2, 2:-2]
        return float(np.corrcoef(part[2:-2, 2:-2].ravel(), other.ravel())[0, 1])

    assert likeness(467, 190, (0, 1)) > likeness(467, 190, (1, 0)) + 0.3
    right_cheek, left_cheek = 310, 1024 - 310 - 90
    for left, outwards in ((right_cheek, -1), (left_cheek, 1)):
        assert likeness(left, 470, (1, outwards)) > likeness(left, 470, (1, -outwards)) + 0.1


def test_grain_is_even_and_absent_from_small_maps() -> None:
    depth = crease_depth(dataclasses.replace(SMOOTH, pores=1.0), Streams(0), 1024)
    assert abs(depth.mean()) < 1e-4
    assert 0.003 < depth[100:200, 300:500].std() < 0.02
    assert not crease_depth(dataclasses.replace(SMOOTH, pores=1.0), Streams(0), 256).any()


def test_speckle_of_flushed_skin_keeps_its_mean() -> None:
    blood = _marks(512, flush=1.0)[1]
    cheeks = blood[region_masks(512)["cheeks"] > 0.5]
    assert abs(cheeks.mean()) < 0.2 * cheeks.std()
