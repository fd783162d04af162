"""Tone controls: exact in colour, least in Mahalanobis length, nothing when nothing is asked."""

import numpy as np
import pytest

from engine.protocol.albedo import decode_albedo, scatter_texels
from engine.protocol.albedo_pack import AlbedoModel
from engine.protocol.albedo_tone import (
    ToneChange,
    changed_coefficients,
    draw_coefficients,
    people_covariance,
    prepare_tone,
    skin_colour,
)
from engine.protocol.colour import srgb_to_lab

SIZE, K = 64, 6


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    valid = np.ones((SIZE, SIZE), bool)
    valid[:, :3] = False
    count = int(valid.sum())
    basis = np.linalg.qr(rng.normal(size=(count, 3 * K)))[0].T.reshape(3, K, count)
    basis[:, 0] = 1.0 / np.sqrt(count)  # the first moves all texels
    sigma = np.linspace(4.0, 0.5, K) * np.ones((3, 1))
    alike = 0.7 * np.ones((3, 3)) + 0.3 * np.eye(3)
    factor = np.linalg.cholesky(0.9 * np.kron(alike, np.eye(K)) + 0.1 * np.eye(3 * K))
    mean = np.array([0.6, 0.45, 0.38])[:, None] * np.ones(count)
    basis = (basis * sigma[..., None]).astype(np.float32)
    covariance = (factor @ factor.T).astype(np.float32)
    return AlbedoModel(mean.astype(np.float32), basis, sigma.astype(np.float32), valid, covariance)


@pytest.fixture(scope="module")
def tone(model):
    return prepare_tone(model, 5)


NOTHING = np.zeros(0)


def test_the_mean_skin_colour_moves_exactly_as_asked(tone):
    start = 0.3 * np.random.default_rng(1).normal(size=(3, K))
    before = srgb_to_lab(skin_colour(tone, start))
    change = ToneChange(lighter=6.0, redder=3.0, yellower=-2.0)
    after = changed_coefficients(tone, start, NOTHING, change)
    np.testing.assert_allclose(
        srgb_to_lab(skin_colour(tone, after)) - before, [6, 3, -2], atol=0.02
    )


def test_the_colour_is_that_of_the_decoded_map(model, tone):
    start = 0.3 * np.random.default_rng(1).normal(size=(3, K))
    image = decode_albedo(model.mean, model.basis, model.valid, start)
    flat = decode_albedo(model.mean, 0.0 * model.basis, model.valid, start)
    assert np.ptp(flat[model.valid], axis=0).max() < 1e-6
    # only the component that moves all texels alike changes the colour wherever it is measured
    own = skin_colour(tone, start) - tone.colour
    everywhere = (image - flat)[model.valid].mean(0)
    np.testing.assert_allclose(own, everywhere, atol=0.05)


def test_no_other_change_to_this_colour_is_more_probable(model, tone):
    start = np.zeros((3, K))
    after = changed_coefficients(tone, start, NOTHING, ToneChange(lighter=8.0)).reshape(-1)
    inverse = np.linalg.pinv(people_covariance(model.covariance), 1e-6, hermitian=True)
    least = after @ inverse @ after
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = tone.root @ rng.normal(size=3 * K)
        other -= tone.gain @ (tone.response @ other)  # the colour stays
        assert (after + other) @ inverse @ (after + other) > least


def test_nothing_asked_nothing_changes(tone):
    start = np.random.default_rng(2).normal(size=(3, K))
    assert np.array_equal(changed_coefficients(tone, start, np.zeros(5), ToneChange()), start)


def test_evening_out_keeps_the_colour_and_comes_to_an_end(tone):
    start = 0.3 * np.random.default_rng(2).normal(size=(3, K))
    even = changed_coefficients(tone, start, NOTHING, ToneChange(even=1.0))
    np.testing.assert_allclose(skin_colour(tone, even), skin_colour(tone, start), atol=1e-9)
    again = changed_coefficients(tone, even, NOTHING, ToneChange(even=1.0))
    np.testing.assert_allclose(again, even, atol=1e-9)
    half = changed_coefficients(tone, start, NOTHING, ToneChange(even=0.5))
    np.testing.assert_allclose(half, (start + even) / 2, atol=1e-9)


def test_directions_are_the_covariance_of_maps(model):
    whole = prepare_tone(model, 3 * K).directions
    np.testing.assert_allclose(whole @ whole.T, people_covariance(model.covariance), atol=1e-6)
    power = [((d.reshape(3, K) * model.sigma) ** 2).sum() for d in whole.T]
    np.testing.assert_allclose(power, sorted(power, reverse=True))


def test_draws_have_the_priors_spread_and_respect_locks(model, tone):
    locked = np.zeros((3, K), bool)
    locked[:, 0] = True
    now = np.full((3, K), 0.8)
    draws = np.stack([draw_coefficients(tone, now, locked, seed, 1.0) for seed in range(3000)])
    assert np.array_equal(draws[:, locked], np.full((3000, 3), 0.8))
    free = ~locked.reshape(-1)
    covariance = people_covariance(model.covariance)
    known = covariance[np.ix_(~free, ~free)]
    cross = covariance[np.ix_(free, ~free)] @ np.linalg.inv(known)
    flat = draws.reshape(3000, -1)[:, free]
    np.testing.assert_allclose(flat.mean(0), cross @ np.full(3, 0.8), atol=0.08)
    expected = covariance[np.ix_(free, free)] - cross @ covariance[np.ix_(~free, free)]
    np.testing.assert_allclose(np.cov(flat.T), expected, atol=0.12)


def test_a_small_amount_is_a_small_step_and_a_seed_repeats(tone):
    now, none = np.full((3, K), 0.5), np.zeros((3, K), bool)
    assert np.array_equal(draw_coefficients(tone, now, none, 1, 0.0), now)
    one, same = (draw_coefficients(tone, now, none, 7, 0.3) for _ in range(2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, draw_coefficients(tone, now, none, 8, 0.3))


def test_a_model_of_any_size_is_measured_on_forehead_and_cheeks():
    """A map whose chin alone is green has the colour of the rest."""
    side = 48
    image = np.full((side, side, 3), [0.6, 0.45, 0.38])
    image[int(side * 0.62) :] = [0, 1, 0]
    valid = np.ones((side, side), bool)
    mean = image.reshape(-1, 3).T.astype(np.float32)
    assert np.allclose(scatter_texels(mean, valid), image)
    basis, unit = np.zeros((3, 1, side * side), np.float32), np.eye(3, dtype=np.float32)
    tone = prepare_tone(AlbedoModel(mean, basis, np.ones((3, 1)), valid, unit), 1)
    np.testing.assert_allclose(tone.colour, [0.6, 0.45, 0.38], atol=0.02)


def test_shrinkage_is_taken_out():
    alike = 0.7 * np.ones((3, 3)) + 0.3 * np.eye(3)
    alike[0, 2] = alike[2, 0] = alike[0, 1] * alike[1, 2] - 0.3 * 0.7  # least eigenvalue near 0
    flat = np.linalg.eigvalsh(alike)[0]
    shrunk = 0.9 * (alike - flat * np.eye(3)) / (1 - flat) + 0.1 * np.eye(3)
    np.testing.assert_allclose(
        people_covariance(shrunk), (alike - flat * np.eye(3)) / (1 - flat), atol=1e-9
    )
    assert np.allclose(people_covariance(np.eye(4, dtype=np.float32)), np.eye(4))
