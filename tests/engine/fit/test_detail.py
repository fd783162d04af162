"""Stage 3: the layer restores what was seen, mirrors what was not, and never moves the rest."""

import numpy as np
import pytest

from engine.fit.detail import COMPLETED, MIRRORED, SEEN, fit_detail
from engine.fit.settings import AlbedoSettings, DetailSettings
from engine.fit.texels import TexelObservation
from engine.protocol.conventions import ambient_light, mirror_texels, srgb_to_linear

SIZE = 64


def observe(albedo: np.ndarray, visible: np.ndarray) -> TexelObservation:
    """A flat face under white light of shading 1, seen from the front."""
    normal = np.zeros((SIZE, SIZE, 3))
    normal[..., 2] = 1.0
    ones = np.ones((SIZE, SIZE))
    return TexelObservation(normal, normal, srgb_to_linear(albedo), ones, visible, ones)


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Coarse albedo and the true one: the same with a dark mole on the image's left half."""
    coarse = np.full((SIZE, SIZE, 3), 0.6, dtype=np.float32)
    truth = coarse.copy()
    truth[28:34, 12:18] -= 0.3
    return coarse, truth


def run(coarse, truth, visible, mask=None):
    whole = np.ones((SIZE, SIZE), dtype=np.float32)
    return fit_detail(
        coarse,
        ambient_light(),
        observe(truth, visible),
        whole if mask is None else mask,
        whole,
        whole.astype(bool),
        AlbedoSettings(),
        DetailSettings(),
    )


def test_a_mole_that_was_seen_is_kept() -> None:
    coarse, truth = scene()
    fit = run(coarse, truth, np.ones((SIZE, SIZE), bool))
    assert np.abs(fit.albedo - truth).max() < 0.03
    assert (fit.origin == np.float32(SEEN)).all()
    np.testing.assert_allclose(fit.albedo, coarse + fit.layer, atol=1e-6)


def test_unseen_half_is_completed_from_the_mirror_side() -> None:
    coarse, truth = scene()
    visible = np.ones((SIZE, SIZE), bool)
    visible[:, SIZE // 2 :] = False
    fit = run(coarse, truth, visible)
    mirrored_mole = mirror_texels(fit.albedo)[29:33, 13:17]
    assert mirrored_mole.mean() < 0.5
    assert fit.origin[30, 5] == np.float32(SEEN)
    assert fit.origin[30, SIZE - 6] == np.float32(MIRRORED)


def test_what_neither_side_saw_stays_coarse() -> None:
    coarse, truth = scene()
    visible = np.zeros((SIZE, SIZE), bool)
    fit = run(coarse, truth, visible)
    np.testing.assert_allclose(fit.albedo, coarse, atol=1e-6)
    assert (fit.origin == np.float32(COMPLETED)).all()


def test_masked_texels_are_not_written() -> None:
    coarse, truth = scene()
    mask = np.ones((SIZE, SIZE), dtype=np.float32)
    mask[20:42, 4:26] = 0.0
    mask = np.minimum(mask, mirror_texels(mask))
    fit = run(coarse, truth, np.ones((SIZE, SIZE), bool), mask)
    assert np.abs(fit.albedo[28:34, 12:18] - 0.6).max() < 0.1


def test_inputs_are_not_changed() -> None:
    coarse, truth = scene()
    before = coarse.copy()
    run(coarse, truth, np.ones((SIZE, SIZE), bool))
    np.testing.assert_array_equal(coarse, before)


@pytest.mark.parametrize("shade", [0.4, 1.6])
def test_light_is_divided_out(shade: float) -> None:
    coarse, truth = scene()
    seen = observe(truth, np.ones((SIZE, SIZE), bool))
    lit = TexelObservation(
        seen.position, seen.normal, seen.colour * shade, seen.facing, seen.visible, seen.person
    )
    whole = np.ones((SIZE, SIZE), dtype=np.float32)
    fit = fit_detail(
        coarse,
        ambient_light(shade),
        lit,
        whole,
        whole,
        whole.astype(bool),
        AlbedoSettings(),
        DetailSettings(),
    )
    assert np.abs(fit.albedo - truth).max() < 0.03
