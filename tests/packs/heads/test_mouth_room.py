"""A mouth bag makes room for lent teeth: its depth goes to the template's, its rim stays."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse

from engine.packs.heads.mouth_room import RIM, with_room
from engine.packs.heads.source import HeadSource
from engine.register.registration import Similarity

ROWS = 5
"""Rows of the strip: the first two are lip, the others go into the mouth, 10 mm apart."""


def _case(inner: bool, size: float = 2.0) -> tuple[HeadSource, Any, Any, Similarity]:
    """A strip of quads, two vertices a row, on a template that lies 30 mm lower and is `size`
    times as large once it is placed."""
    rows = np.repeat(np.arange(ROWS), 2)
    mean = np.column_stack([np.tile([0.0, 0.01], ROWS), 0.0 * rows, -0.01 * rows])
    corner = 2 * np.arange(ROWS - 1)[:, None]
    faces = (corner + [0, 1, 3, 2]).astype(np.int32)
    none = np.zeros((0, len(mean), 3), np.float32)
    part = np.zeros(len(faces), np.uint8)
    mean = mean.astype(np.float32)
    source = HeadSource("x", "1", (), mean, none, none, (), faces, part, ("skin",))
    place = Similarity(0.5, np.eye(3), np.array([0.0, -0.03, 0.0]))
    bag = inner * (np.arange(len(faces)) >= 1)
    match = SimpleNamespace(
        skin=part == 0,
        inner=bag.astype(bool),
        sockets=np.zeros(len(faces), bool),
        matched=np.ones(len(mean), bool),
        to_template=sparse.eye(len(mean), format="csr"),
    )
    return source, match, SimpleNamespace(mean=2.0 * size * mean), place


def test_the_depth_of_the_bag_goes_to_the_template_and_its_rim_stays() -> None:
    source, match, template, place = _case(True)
    before = source.mean.copy()
    moved = with_room(source, match, template, place).mean - before
    np.testing.assert_array_equal(source.mean, before)
    np.testing.assert_allclose(moved[:4], 0.0, atol=1e-9)  # lip, and the rim they share
    assert RIM < 0.02
    goal = 2.0 * before + [0.0, -0.03, 0.0]
    np.testing.assert_allclose(moved[6:], (goal - before)[6:], atol=1e-6)
    assert (-0.03 < moved[4:6, 1]).all() and (moved[4:6, 1] < -0.015).all()


@pytest.mark.parametrize(("inner", "size"), [(False, 2.0), (True, 1.05)])
def test_a_head_without_a_bag_or_with_a_roomy_one_stays(inner: bool, size: float) -> None:
    source, match, template, place = _case(inner, size)
    assert with_room(source, match, template, place) is source
