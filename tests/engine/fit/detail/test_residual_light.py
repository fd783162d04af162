"""What the fitted light missed does not stay in the photo's albedo; what is skin does."""

import numpy as np

from engine.fit.detail.residual_light import without_residual_light
from engine.fit.settings import ResidualLightSettings
from engine.protocol.conventions import linear_to_srgb, srgb_to_linear

SIZE = 128


def _skin() -> np.ndarray:
    return np.full((SIZE, SIZE, 3), (0.75, 0.55, 0.46), np.float32)


def _seen() -> np.ndarray:
    return np.ones((SIZE, SIZE), np.float32)


def test_a_slow_shade_goes_and_its_colour_with_it() -> None:
    shade = 1.0 + 0.3 * np.sin(np.linspace(0.0, 3.0, SIZE))[None, :, None] * [1.0, 0.8, 0.6]
    lit = linear_to_srgb(np.clip(srgb_to_linear(_skin()) * shade, 0.0, 1.0)).astype(np.float32)
    found = without_residual_light(lit, _skin(), _seen(), ResidualLightSettings())
    before, after = np.abs(lit - _skin()).mean(), np.abs(found - _skin()).mean()
    assert after < 0.15 * before


def test_a_mole_stays_and_the_edge_of_a_shadow_is_softened() -> None:
    settings = ResidualLightSettings()
    mole = _skin()
    mole[60:62, 60:62] *= 0.88
    found = without_residual_light(mole, _skin(), _seen(), settings)
    assert (found[61, 61] - found[90, 90]).mean() < 0.7 * (mole[61, 61] - mole[90, 90]).mean()
    shadow = _skin()
    shadow[:, 64:] *= 0.5
    found = without_residual_light(shadow, _skin(), _seen(), settings)
    assert np.abs(found - _skin()).mean() < 0.3 * np.abs(shadow - _skin()).mean()


def test_unseen_texels_do_not_count() -> None:
    photo, seen = _skin(), _seen()
    photo[:, 64:], seen[:, 64:] = 0.0, 0.0
    found = without_residual_light(photo, _skin(), seen, ResidualLightSettings())
    np.testing.assert_allclose(found[:, :56], _skin()[:, :56], atol=0.02)


def test_no_rim_shows_where_seen_skin_ends() -> None:
    skin = np.tile(_skin(), (4, 4, 1))
    photo, seen = skin.copy(), np.ones(skin.shape[:2], np.float32)
    photo[:, 253:], seen[:, 253:] = 0.0, 0.0
    found = without_residual_light(photo, skin, seen, ResidualLightSettings())
    np.testing.assert_allclose(found[:, :253], skin[:, :253], atol=0.01)
