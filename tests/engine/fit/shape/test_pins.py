"""Pins of a person against a net that saw something else."""

import numpy as np
import pytest

from engine.fit.loaded import LoadedPack, load_pack
from engine.fit.settings import ShapeSettings
from engine.fit.shape.pins import missed_pins, pinned_points, with_pins
from engine.fit.shape.stage import ShapeFit, fit_shapes
from engine.fit.shape.view import ShapeView, linearise, moved
from engine.protocol.conventions import FRONTAL_ROTATION
from engine.protocol.landmarks68 import Pin
from engine.reporter import NullReporter

SIZE, FOCAL, AWAY = (800, 600), 2000.0, np.array([0.01, -0.02, 1.2])
SETTINGS = ShapeSettings()
CHIN, NOSE, MOUTH = 8, 30, 48


@pytest.fixture(scope="module")
def loaded(default_pack) -> LoadedPack:
    return load_pack(default_pack)


@pytest.fixture(scope="module")
def view(loaded) -> ShapeView:
    """A frontal photo of the mean head, as a perfect net sees it."""
    camera = loaded.landmarks.mean @ FRONTAL_ROTATION.T + AWAY
    image = FOCAL * camera[:, :2] / camera[:, 2:] + np.array(SIZE) / 2
    depth = (camera[:, 2] - AWAY[2]) * FOCAL / AWAY[2]
    return ShapeView(np.column_stack([image, depth]), SIZE, FOCAL)


def fit(loaded, view, pins=(), start=None, held=frozenset()) -> ShapeFit:
    names = loaded.head.expression_names
    points = pinned_points(loaded.head, loaded.landmarks, pins)
    return fit_shapes(
        loaded.landmarks, names, [view], SETTINGS, NullReporter(), start, held, points
    )[0]


def places(loaded, found: ShapeFit) -> np.ndarray:
    """(68, 2) photo pixels."""
    every = [Pin(index, 0.0, 0.0) for index in range(68)]
    basis = pinned_points(loaded.head, loaded.landmarks, every).basis
    points = basis.mean + np.tensordot(found.identity, basis.identity, 1)
    points = points + np.tensordot(found.expression, basis.expression, 1)
    camera = points @ found.rotation.T + found.translation
    return FOCAL * camera[:, :2] / camera[:, 2:] + np.array(SIZE) / 2


@pytest.mark.parametrize(
    ("index", "step"), [(CHIN, (0.0, 0.1)), (NOSE, (0.0, 0.08)), (MOUTH, (-0.08, 0.0))]
)
def test_the_head_follows_a_pin_and_stays_elsewhere(loaded, view, index, step) -> None:
    before = fit(loaded, view)
    there, eyes = places(loaded, before), before.outer_eye_pixels
    target = there[index] + np.array(step) * eyes
    after = places(loaded, fit(loaded, view, (Pin(index, *map(float, target)),)))
    assert np.linalg.norm(after[index] - target) < 0.1 * np.linalg.norm(target - there[index])
    others = np.linalg.norm(np.delete(after - there, index, axis=0), axis=1)
    assert others.mean() < 0.012 * eyes


def test_pins_hold_from_any_start(loaded, view) -> None:
    x, y = places(loaded, fit(loaded, view))[CHIN] + (0.0, 15.0)
    pins = (Pin(CHIN, float(x), float(y)),)
    fresh = fit(loaded, view, pins)
    again = fit(loaded, view, pins, (fresh,))
    np.testing.assert_allclose(places(loaded, again), places(loaded, fresh), atol=0.5)


def test_a_pin_that_a_lock_keeps_the_head_from_is_told(loaded, view) -> None:
    before = fit(loaded, view)
    x, y = places(loaded, before)[NOSE] + (30.0, 0.0)
    pins = (Pin(NOSE, float(x), float(y)),)
    held = frozenset({"identity", "expression", "pose"})
    after = fit(loaded, view, pins, (before,), held)
    np.testing.assert_array_equal(after.identity, before.identity)
    points = pinned_points(loaded.head, loaded.landmarks, pins)
    (sentence,) = missed_pins(points, view, after.identity, after.state, 0.02)
    assert "'Nose tip' is 30 pixels away" in sentence
    assert not missed_pins(points, view, after.identity, after.state, 0.5)


def test_derivatives_of_pins_are_those_of_their_residuals(loaded, view) -> None:
    rng, found = np.random.default_rng(0), fit(loaded, view)
    basis, k = loaded.landmarks, len(found.identity)
    points = pinned_points(loaded.head, basis, (Pin(CHIN, 380.0, 420.0), Pin(NOSE, 410.0, 310.0)))
    spread = np.full((len(basis.mean), 3), 0.01)

    def pinned(identity, own):
        part = linearise(basis, view, identity, own, spread, 1500.0, 2.0)
        return with_pins(part, points, basis, view, identity, own, 1500.0, 0.003)

    here = pinned(found.identity, found.state)
    assert here.residual.shape == (470, 3) and here.jacobian.shape[:2] == (470, 3)
    step = rng.normal(size=here.jacobian.shape[2]) * 1e-5
    step[k : k + len(found.expression)] = np.abs(step[k : k + len(found.expression)])
    there = pinned(found.identity + step[:k], moved(found.state, step[k:]))
    change = (there.residual - here.residual)[-2:]
    np.testing.assert_allclose(change, (here.jacobian @ step)[-2:], rtol=1e-2, atol=1e-5)
