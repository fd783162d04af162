"""Soft zones, drift and features: people differ, sides agree, nothing moves where it must not."""

import dataclasses

import numpy as np
import pytest

from engine.skin.drift import DRIFT_BOX, displacement, drifted
from engine.skin.features import (
    EYE_BOX,
    MOUTH_BOX,
    NOSTRIL_BOX,
    lash_lines,
    mouth_line,
    nostrils,
)
from engine.skin.layout import landmarks_68, region_masks
from engine.skin.noise import Streams, box_slices, field
from engine.skin.parameters import SkinParameters
from engine.skin.pigment import make_table
from engine.skin.zones import zone_pigments

PLAIN = SkinParameters()


def test_displacement_is_smooth_and_a_few_pixels() -> None:
    shifts = np.stack([displacement(PLAIN, Streams(seed)) for seed in range(40)])
    column, row = (landmarks_68()[[21, 31, 39, 48]] / 8.0).astype(int).T
    spread = shifts[:, :, row, column].std(axis=0)
    assert 1.0 < spread.min() and spread.max() < 7.0
    # Neighbouring cells are 8 reference pixels apart: a step of 8 would be a fold.
    assert max(np.abs(np.diff(shifts, axis=axis)).max() for axis in (2, 3)) < 6.0


def test_drift_moves_the_box_only_and_not_its_input() -> None:
    planes = np.random.default_rng(0).random((3, 256, 256), dtype=np.float32)
    before = planes.copy()
    moved = drifted(planes, PLAIN, Streams(1))
    np.testing.assert_array_equal(planes, before)
    rows, columns = box_slices(DRIFT_BOX, 256)
    change = np.abs(moved - planes).max(axis=0)
    assert change[rows, columns].mean() > 0.01
    change[rows, columns] = 0.0
    assert change.max() == 0.0
    # It fades out: the rim of the box stays as it is.
    np.testing.assert_allclose(
        moved[:, rows.start, columns], planes[:, rows.start, columns], atol=0.05
    )


def test_no_drift_is_the_same_map() -> None:
    planes = np.zeros((3, 64, 64), np.float32)
    assert drifted(planes, dataclasses.replace(PLAIN, drift=0.0), Streams(1)) is planes


def test_zones_darken_sockets_and_redden_ears_at_every_tone() -> None:
    m = region_masks(256)
    for melanin in (0.008, 0.05, 0.4):
        p = dataclasses.replace(PLAIN, melanin=melanin, relief=0.0, lid_depth=0.6)
        table = make_table(p.pheomelanin)
        brown, red, shade = zone_pigments(p, Streams(0), 256, table)
        if melanin > 0.01:  # in very light skin blood does it
            assert brown[m["lid_upper"] > 0.9].mean() > brown[m["cheeks"] > 0.7].mean()
        assert red[m["ears"] > 0.9].mean() > red[m["neck"] > 0.9].mean()
        assert shade[m["lid_upper"] > 0.9].mean() < -0.02
        assert np.abs(shade[m["scalp"] > 0.99]).max() < 0.1


def test_zones_of_two_people_differ_and_their_sides_agree() -> None:
    table = make_table(PLAIN.pheomelanin)
    first, second = (zone_pigments(PLAIN, Streams(s), 256, table)[2] for s in (1, 2))
    face = region_masks(256)["face"] > 0.9
    assert np.abs(first - second)[face].mean() > 0.01
    assert np.corrcoef(first[face], first[:, ::-1][face])[0, 1] > 0.8


@pytest.mark.parametrize(
    ("draw", "box", "name"),
    [
        (lash_lines, EYE_BOX, "lash_line"),
        (mouth_line, MOUTH_BOX, "mouth_line"),
        (nostrils, NOSTRIL_BOX, "nostril_depth"),
    ],
)
def test_features_fit_their_box_and_differ_between_people(draw, box, name: str) -> None:
    strong = dataclasses.replace(PLAIN, **{name: 1.0})
    shown = np.stack([draw(strong, Streams(seed), 1024) for seed in range(8)])
    assert shown.min() >= 0.0 and 0.6 < shown.max() <= 1.0
    edges = (shown[:, 0], shown[:, -1], shown[:, :, 0], shown[:, :, -1])
    assert max(edge.max() for edge in edges) < 0.05, "cut off by its box"
    assert np.abs(shown[0] - shown[1]).max() > 0.2
    assert draw(dataclasses.replace(PLAIN, **{name: 0.0}), Streams(0), 256).max() < 0.2
    small = draw(strong, Streams(0), 256)
    assert small.shape == tuple(s.stop - s.start for s in box_slices(box, 256))
    np.testing.assert_allclose(small.mean(), shown[0].mean(), rtol=0.02)


def test_field_in_a_box_is_the_whole_field_cut() -> None:
    octaves = {8: 0.5, 32: 0.5, 128: 0.5}
    box = (256, 384, 768, 832)
    whole = field(Streams(3), "x", 256, octaves, share=0.5)
    part = field(Streams(3), "x", 256, octaves, share=0.5, box=box)
    rows, columns = box_slices(box, 256)
    inner = slice(24, -24)
    change = np.abs(part - whole[rows, columns])[inner, inner]
    assert change.mean() < 0.03 and change.max() < 0.25  # blotches are wider than the margin
    assert 0.6 < whole.std() < 1.2
