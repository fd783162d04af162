"""Stage 1 recovers known identity, expression and pose from their own projections."""

import numpy as np
import pytest

from engine.fit.settings import ShapeSettings, shape_settings
from engine.fit.shape.landmark_basis import LandmarkBasis
from engine.fit.shape.stage import ShapeFit, fit_shape, fit_shapes
from engine.fit.shape.view import (
    LIDS,
    LIPS,
    OUTER_EYE_CORNERS,
    IdentityBelief,
    ShapeView,
    ViewState,
    landmark_spread,
    linearise,
    moved,
)
from engine.head.numerics import align_similarity
from engine.protocol.conventions import FRONTAL_ROTATION
from engine.reporter import NullReporter

SIZE = (640, 480)
NAMES = tuple(f"expression{i}" for i in range(5)) + ("eyeLookUpLeft",)


def face_basis(seed: int = 0) -> LandmarkBasis:
    """A face-like half ellipsoid of 468 points with smooth random modes."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-0.065, 0.065, 468), rng.uniform(-0.09, 0.09, 468)
    x[list(OUTER_EYE_CORNERS)], y[list(OUTER_EYE_CORNERS)] = (-0.045, 0.045), (0.03, 0.03)
    depth = 0.07 * np.sqrt(np.maximum(1 - (x / 0.075) ** 2 - (y / 0.11) ** 2, 0.02))
    mean = np.column_stack([x, y, depth])
    normals = mean / np.array([0.075**2, 0.11**2, 0.07**2])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)

    def modes(count: int, size: float) -> np.ndarray:
        waves = rng.normal(size=(count, 3, 2)) * 30.0
        phase = rng.uniform(0, 6.28, (count, 3))
        wave = np.einsum("lx,kax->kla", mean[:, :2], waves) + phase[:, None]
        return size * np.sin(wave)

    return LandmarkBasis(mean, modes(8, 0.002), modes(6, 0.008), normals, np.ones(468))


def rotation(yaw: float, pitch: float) -> np.ndarray:
    """Model to camera, degrees."""
    a, b = np.radians([yaw, pitch])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return FRONTAL_ROTATION @ nod @ turn


def photograph(basis, identity, expression, r, translation, focal):
    """Landmarks in pixels with the depth scale the mesh net uses."""
    points = basis.mean + np.tensordot(identity, basis.identity, 1)
    points = points + np.tensordot(expression, basis.expression, 1)
    camera = points @ r.T + translation
    image = focal * camera[:, :2] / camera[:, 2:] + np.array(SIZE) / 2
    depth = (camera[:, 2] - translation[2]) * focal / translation[2]
    return np.column_stack([image, depth])


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (25, -10), (-40, 15)])
def test_known_head_is_recovered(yaw: float, pitch: float) -> None:
    basis = face_basis()
    identity = np.array([1.0, -0.5, 0.8, 0.0, -1.2, 0.3, 0.6, -0.2])
    expression = np.array([0.6, 0.0, 0.3, 0.0, 0.1, 0.0])
    r, translation = rotation(yaw, pitch), np.array([0.03, -0.02, 1.1])
    seen = photograph(basis, identity, expression, r, translation, 1500.0)
    settings = ShapeSettings(landmark_sigma=0.001, depth_sigma=0.01)
    fit = fit_shape(basis, NAMES, ShapeView(seen, SIZE, 1500.0), settings, NullReporter())
    assert fit.relative_error < 2e-3
    np.testing.assert_allclose(fit.rotation, r, atol=5e-3)
    np.testing.assert_allclose(fit.translation, translation, atol=2e-2)
    np.testing.assert_allclose(fit.identity, identity, atol=0.25)
    np.testing.assert_allclose(fit.expression, expression, atol=0.1)


def test_unobservable_expressions_stay_at_zero() -> None:
    basis = face_basis()
    seen = photograph(
        basis, np.zeros(8), np.eye(6)[5] * 0.8, rotation(0, 0), np.array([0, 0, 1.0]), 1400.0
    )
    fit = fit_shape(basis, NAMES, ShapeView(seen, SIZE, 1400.0), ShapeSettings(), NullReporter())
    assert abs(fit.expression[5]) < 1e-3


def test_weights_stay_in_range_and_outliers_do_not_pull() -> None:
    basis = face_basis()
    identity = np.array([0.5, 0.5, -0.5, 0, 0, 0, 0, 0])
    clean = photograph(basis, identity, np.zeros(6), rotation(10, 0), np.array([0, 0, 1.0]), 1400.0)
    dirty = clean.copy()
    dirty[5:25, :2] += 60.0
    one = fit_shape(basis, NAMES, ShapeView(clean, SIZE, 1400.0), ShapeSettings(), NullReporter())
    two = fit_shape(basis, NAMES, ShapeView(dirty, SIZE, 1400.0), ShapeSettings(), NullReporter())
    assert ((two.expression >= 0) & (two.expression <= 1)).all()
    assert np.abs(one.identity - two.identity).max() < 0.6
    np.testing.assert_allclose(one.rotation, two.rotation, atol=0.05)


def test_unknown_focal_length_puts_the_head_at_portrait_distance() -> None:
    basis = face_basis()
    seen = photograph(
        basis, np.zeros(8), np.zeros(6), rotation(0, 0), np.array([0, 0, 1.2]), 1600.0
    )
    fit = fit_shape(basis, NAMES, ShapeView(seen, SIZE, None), ShapeSettings(), NullReporter())
    assert fit.translation[2] == pytest.approx(ShapeSettings().subject_distance, rel=0.05)
    assert fit.intrinsics[0, 0] == pytest.approx(1600.0, rel=0.05)


def test_similarity_is_recovered() -> None:
    rng = np.random.default_rng(3)
    source = rng.normal(size=(30, 3))
    r = rotation(30, 20)
    scale, turned, shift = align_similarity(
        source, 2.5 * source @ r.T + [1, 2, 3], rng.uniform(0.1, 1, 30)
    )
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(turned, r, atol=1e-9)
    np.testing.assert_allclose(shift, [1, 2, 3], atol=1e-9)


def two_photos(
    basis: LandmarkBasis, seed: int = 0
) -> tuple[np.ndarray, tuple[ShapeView, ShapeView]]:
    """An identity, photographed from two sides with two expressions."""
    identity = np.array([1.0, -0.5, 0.8, 0.0, -1.2, 0.3, 0.6, -0.2])
    views = []
    for yaw, expression, focal in ((-25, 0.6, 1400.0), (30, 0.0, 1100.0)):
        weights = np.array([expression, 0.1, 0.3, 0.0, 0.0, 0.0])
        place = np.array([0.02, 0.01, 1.1])
        seen = photograph(basis, identity, weights, rotation(yaw, 5), place, focal)
        noise = np.random.default_rng((seed, yaw + 90)).normal(0.0, 3.0, seen.shape)
        views.append(ShapeView(seen + noise * np.array([1.0, 1.0, 3.0]), SIZE, focal))
    return identity, tuple(views)


def test_two_photos_share_the_identity_and_are_better_than_one() -> None:
    basis, settings = face_basis(), ShapeSettings(landmark_sigma=0.03, depth_sigma=0.1)
    together, alone = [], []
    for seed in range(4):
        identity, views = two_photos(basis, seed)
        both = fit_shapes(basis, NAMES, views, settings, NullReporter())
        assert both[0].identity is both[1].identity
        assert both[0].expression[0] > both[1].expression[0] + 0.3
        together.append(np.linalg.norm(both[0].identity - identity))
        for view in views:
            fit = fit_shape(basis, NAMES, view, settings, NullReporter())
            alone.append(np.linalg.norm(fit.identity - identity))
    assert np.mean(together) < 0.9 * np.mean(alone)


@pytest.mark.parametrize("held", ["identity", "expression", "pose"])
def test_what_is_held_stays_to_the_bit(held: str) -> None:
    basis, settings = face_basis(), ShapeSettings()
    _, views = two_photos(basis)
    start = fit_shapes(basis, NAMES, views, settings, NullReporter())
    other = ShapeSettings(landmark_sigma=0.01)
    after = fit_shapes(basis, NAMES, views, other, NullReporter(), start, frozenset({held}))
    groups = {
        "identity": ("identity",),
        "expression": ("expression",),
        "pose": ("rotation", "translation", "intrinsics"),
    }
    for one, two in zip(start, after, strict=True):
        for group, fields in groups.items():
            for field in fields:
                same = np.array_equal(getattr(one, field), getattr(two, field))
                assert same == (group == held) or field == "intrinsics"


def test_nothing_moves_when_all_is_held() -> None:
    basis, everything = face_basis(), frozenset({"identity", "expression", "pose"})
    _, views = two_photos(basis)
    start = fit_shapes(basis, NAMES, views, ShapeSettings(), NullReporter())
    after = fit_shapes(
        basis, NAMES, views[::-1], ShapeSettings(), NullReporter(), start, everything
    )
    np.testing.assert_array_equal(after[0].rotation, start[0].rotation)
    assert after[0].relative_error > start[0].relative_error


def test_wrong_starts_are_refused() -> None:
    basis = face_basis()
    _, views = two_photos(basis)
    start = fit_shapes(basis, NAMES, views, ShapeSettings(), NullReporter())
    for photos, begin, held in (
        ((), None, ()),
        (views, start[:1], ()),
        (views, None, ("pose",)),
        (views, start, ("light",)),
    ):
        with pytest.raises(ValueError):
            fit_shapes(
                basis, NAMES, photos, ShapeSettings(), NullReporter(), begin, frozenset(held)
            )


def test_derivatives_are_those_of_the_residuals() -> None:
    basis, settings = face_basis(), ShapeSettings()
    identity, views = two_photos(basis)
    state = ViewState(np.full(6, 0.4), rotation(-20, 8), np.array([0.01, -0.02, 1.2]), 1350.0)
    spread = landmark_spread(basis, settings)
    found = linearise(basis, views[0], identity, state, spread, 900.0, 2.0)
    step = 1e-6
    for parameter in range(found.jacobian.shape[2]):
        ends = []
        for sign in (1.0, -1.0):
            delta = np.zeros(found.jacobian.shape[2])
            delta[parameter] = sign * step
            new = moved(state, delta[8:])
            ends.append(
                linearise(basis, views[0], identity + delta[:8], new, spread, 900.0, 2.0).residual
            )
        slope = (ends[0] - ends[1]) / (2.0 * step)
        np.testing.assert_allclose(found.jacobian[..., parameter], slope, atol=1e-4)


def test_beliefs_take_the_place_of_the_prior_and_are_averaged() -> None:
    basis = face_basis()
    seen = photograph(basis, np.zeros(8), np.zeros(6), rotation(0, 0), np.array([0, 0, 1.2]), 1600)
    deaf = ShapeSettings(landmark_sigma=50.0, depth_sigma=50.0, fine_sigma=0.0)
    mean, sigma = np.linspace(-1.0, 1.0, 8), np.full(8, 0.5)
    one = ShapeView(seen, SIZE, 1600.0, None, IdentityBelief.independent(mean, sigma))
    weak = ShapeView(seen, SIZE, 1600.0, None, IdentityBelief.independent(np.zeros(8), 2.0 * sigma))
    silent = ShapeView(seen, SIZE, 1600.0)
    for views, wanted in (((one, silent), mean), ((one, weak), 0.8 * mean), ((silent,), 0.0)):
        found = fit_shapes(basis, NAMES, views, deaf, NullReporter())[0].identity
        np.testing.assert_allclose(found, np.broadcast_to(wanted, 8), atol=1e-2)


def test_a_head_brings_settings_where_nobody_chose() -> None:
    suited = {"depth_sigma": 0.3, "landmark_sigma": 0.1}
    assert shape_settings(ShapeSettings(), suited) == ShapeSettings(0.1, 0.3)
    chosen = ShapeSettings(landmark_sigma=0.5)
    assert shape_settings(chosen, suited) == ShapeSettings(0.5, 0.3)
    assert shape_settings(chosen, {}) == chosen


def test_last_round_moves_points_across_the_view_and_hardly_along_it() -> None:
    basis = face_basis()
    identity = np.array([1.0, -0.5, 0.8, 0.0, -1.2, 0.3, 0.6, -0.2])
    place = np.array([0, 0, 1.1])
    seen = photograph(basis, identity, np.eye(6)[1] * 0.7, rotation(0, 0), place, 1500.0)
    seen[:, 2] *= 1.3
    view = ShapeView(seen, SIZE, 1500.0)
    rough = fit_shape(basis, NAMES, view, ShapeSettings(fine_sigma=0.0), NullReporter())
    fine = fit_shape(basis, NAMES, view, ShapeSettings(), NullReporter())
    assert fine.residual.mean() < 0.7 * rough.residual.mean()
    assert fine.residual[list(LIDS + LIPS)].mean() < fine.residual.mean()

    def depth(fit: ShapeFit) -> np.ndarray:
        points = basis.mean + np.tensordot(fit.identity, basis.identity, 1)
        points = points + np.tensordot(fit.expression, basis.expression, 1)
        along = points @ fit.rotation[2]
        return along - along.mean()

    assert np.abs(depth(fine) - depth(rough)).mean() < 0.0007
