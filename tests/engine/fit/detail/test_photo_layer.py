"""The photo layer restores what was seen, mirrors tone only, and never moves the rest."""

import cv2
import numpy as np

from engine.fit.detail.photo_layer import COMPLETED, MIRRORED, SEEN, PhotoLayer, blend, photo_layer
from engine.fit.settings import PhotoLayerSettings
from engine.protocol.conventions import mirror_texels

SIZE = 128
WHOLE = np.ones((SIZE, SIZE), dtype=np.float32)
MOLE = (slice(60, 64), slice(28, 32))


def scene() -> tuple[np.ndarray, np.ndarray]:
    """What lies below and the true albedo: the same with a dark mole on the image's left half."""
    below = np.full((SIZE, SIZE, 3), 0.6, dtype=np.float32)
    truth = below.copy()
    truth[MOLE] -= 0.3
    return below, truth


def run(below: np.ndarray, truth: np.ndarray, seen: np.ndarray, mask=WHOLE) -> PhotoLayer:
    return photo_layer(truth, below, seen, mask, WHOLE.astype(bool), PhotoLayerSettings())


def left_half() -> np.ndarray:
    seen = WHOLE.copy()
    seen[:, SIZE // 2 :] = 0.0
    return seen


def test_a_mole_that_was_seen_is_kept() -> None:
    below, truth = scene()
    fit = run(below, truth, WHOLE)
    assert np.abs(fit.albedo - truth).max() < 0.03
    assert (fit.origin == np.float32(SEEN)).all()
    np.testing.assert_allclose(fit.albedo, below + fit.layer, atol=1e-6)


def test_a_mole_is_not_mirrored() -> None:
    below, truth = scene()
    fit = run(below, truth, left_half())
    assert fit.albedo[MOLE].mean() < 0.4
    assert mirror_texels(fit.albedo)[MOLE].mean() > 0.57
    assert fit.origin[60, 5] == np.float32(SEEN)
    assert fit.origin[60, SIZE - 6] == np.float32(MIRRORED)


def test_the_tone_of_the_seen_side_is_mirrored_without_a_seam() -> None:
    below, _ = scene()
    fit = run(below, below + np.float32(0.1), left_half())
    assert mirror_texels(fit.layer)[40:90, 20:50].mean() > 0.07
    across = fit.layer[64].mean(axis=-1)
    assert np.abs(np.diff(across)).max() < 0.01


def test_what_neither_side_saw_stays_as_it_is() -> None:
    below, truth = scene()
    fit = run(below, truth, 0.0 * WHOLE)
    np.testing.assert_allclose(fit.albedo, below, atol=1e-6)
    assert (fit.origin == np.float32(COMPLETED)).all()


def test_inputs_are_not_changed() -> None:
    below, truth = scene()
    before, seen = below.copy(), WHOLE.copy()
    run(below, truth, seen)
    np.testing.assert_array_equal(below, before)
    np.testing.assert_array_equal(seen, WHOLE)


def slow_blend(layers: list[np.ndarray], weights: list[np.ndarray], levels: int) -> np.ndarray:
    """The slow twin, Burt & Adelson's blend level by level, with the layer of zeros in it."""

    def average(parts: list[np.ndarray]) -> np.ndarray:
        total = sum(weights) + 1e-8
        return sum(w[..., None] * x for x, w in zip(parts, weights, strict=True)) / total[..., None]

    if levels == 0:
        return average(layers)
    size = layers[0].shape[1::-1]
    lows = [cv2.pyrDown(weight) for weight in weights]
    small = [
        cv2.pyrDown(x * w[..., None]) / (low[..., None] + 1e-6)
        for x, w, low in zip(layers, weights, lows, strict=True)
    ]
    fine = [x - cv2.pyrUp(low, dstsize=size) for x, low in zip(layers, small, strict=True)]
    return average(fine) + cv2.pyrUp(slow_blend(small, lows, levels - 1), dstsize=size)


def test_the_fast_blend_equals_its_slow_twin() -> None:
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(SIZE, SIZE, 3)).astype(np.float32) for _ in range(2)]
    weights = [rng.uniform(size=(SIZE, SIZE)).astype(np.float32) for _ in range(3)]
    weights[0][:, :40] = 0.0
    twin = slow_blend([*layers, np.zeros_like(layers[0])], weights, 3)
    np.testing.assert_allclose(blend(layers, weights, 3), twin, atol=1e-5)
