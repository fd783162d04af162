"""Albedo coefficients to maps and back, against slow twins."""

import numpy as np
import pytest

from engine.protocol.albedo import (
    decode_albedo,
    encode_albedo,
    gather_texels,
    prepare_encoder,
    scatter_texels,
)
from engine.protocol.errors import EngineError, ErrorCode

SIZE, COMPONENTS = 24, 7


@pytest.fixture(scope="module")
def model():
    """mean, basis, valid of a random model with islands and holes; the rows are not orthogonal."""
    rng = np.random.default_rng(4)
    valid = rng.random((SIZE, SIZE)) < 0.6
    valid[3:9] = True
    valid[:, -1] = False
    valid[5, -1] = True
    count = int(valid.sum())
    mean = rng.uniform(0.3, 0.7, (3, count)).astype(np.float32)
    spread = np.geomspace(0.1, 0.001, COMPONENTS)[:, None]
    basis = (rng.standard_normal((3, COMPONENTS, count)) * spread).astype(np.float32)
    return mean, basis, valid


def slow_decode(mean, basis, valid, coefficients):
    """Texel by texel."""
    image = np.empty((*valid.shape, 3))
    texels = mean.astype(np.float64).copy()
    for channel in range(3):
        for k, value in enumerate(coefficients[channel]):
            texels[channel] += value * basis[channel, k].astype(np.float64)
    image[:] = texels.mean(axis=1)
    n = 0
    for row in range(valid.shape[0]):
        for column in range(valid.shape[1]):
            if valid[row, column]:
                image[row, column] = texels[:, n]
                n += 1
    return image


def slow_encode(mean, basis, valid, image, weights, ridge):
    """Stacked least squares; the ridge as K more observations of 0."""
    root = np.sqrt(weights[valid])
    out = []
    for channel in range(3):
        offset = image[valid][:, channel] - mean[channel]
        rows = np.concatenate(
            [basis[channel].T * root[:, None], np.sqrt(ridge) * np.eye(len(basis[channel]))]
        )
        right = np.concatenate([offset * root, np.zeros(len(basis[channel]))])
        out.append(np.linalg.lstsq(rows.astype(np.float64), right, rcond=None)[0])
    return np.stack(out)


@pytest.mark.parametrize("used", [0, 3, COMPONENTS])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_decode_equals_its_twin(model, used, kind):
    mean, basis, valid = model
    coefficients = np.random.default_rng(used).standard_normal((3, used))
    for mask in (valid, valid.astype(np.uint8)):
        image = decode_albedo(mean, basis.astype(kind), mask, coefficients)
        assert image.dtype == np.float32 and image.shape == (SIZE, SIZE, 3)
        twin = slow_decode(mean, basis.astype(kind), valid, coefficients)
        np.testing.assert_allclose(image, twin, atol=1e-5)


def test_decoding_changes_nothing(model):
    mean, basis, valid = (array.copy() for array in model)
    decode_albedo(mean, basis, valid, np.ones((3, COMPONENTS)))
    for array, before in zip((mean, basis, valid), model, strict=True):
        assert np.array_equal(array, before)


@pytest.mark.parametrize("fill", ["one", "all"])
def test_scatter_and_gather_are_inverse(fill):
    valid = np.full((5, 4), fill == "all")
    valid[2, 1] = True
    texels = np.random.default_rng(0).random((3, int(valid.sum()))).astype(np.float32)
    image = scatter_texels(texels, valid)
    assert np.array_equal(gather_texels(image, valid), texels)
    np.testing.assert_allclose(image[0, 0], texels[:, 0] if fill == "all" else texels.mean(axis=1))


def test_encode_finds_what_was_decoded(model):
    truth = np.random.default_rng(1).standard_normal((3, COMPONENTS))
    found = encode_albedo(*model, decode_albedo(*model, truth))
    np.testing.assert_allclose(found, truth, atol=2e-4)


@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_encode_equals_its_twin(model, ridge):
    rng = np.random.default_rng(2)
    image = rng.random((SIZE, SIZE, 3))
    weights = rng.random((SIZE, SIZE)) * (rng.random((SIZE, SIZE)) < 0.8)
    found = encode_albedo(*model, image, weights, ridge)
    twin = slow_encode(*model, image, weights, ridge)
    np.testing.assert_allclose(found, twin, rtol=1e-6, atol=1e-8)
    encoder = prepare_encoder(*model, weights, ridge)
    assert np.array_equal(encoder.encode(image), found)


def test_no_closer_map_exists(model):
    valid = model[2]
    rng = np.random.default_rng(3)
    image, weights = rng.random((SIZE, SIZE, 3)), rng.random((SIZE, SIZE))

    def error(coefficients):
        difference = gather_texels(decode_albedo(*model, coefficients) - image, valid)
        return float((difference**2 * weights[valid]).sum())

    found = encode_albedo(*model, image, weights)
    for _ in range(20):
        step = rng.standard_normal(found.shape) * 0.05
        assert error(found + step) > error(found)


def test_texels_of_weight_0_do_not_count(model):
    image = np.random.default_rng(5).random((SIZE, SIZE, 3))
    weights = np.ones((SIZE, SIZE))
    weights[:10] = 0.0
    dirty = image.copy()
    dirty[:10] = 1e3
    assert np.array_equal(
        encode_albedo(*model, image, weights), encode_albedo(*model, dirty, weights)
    )


def test_what_is_not_seen_stays_0(model):
    mean, basis, valid = model
    apart = basis.copy()
    rows = np.nonzero(valid)[0]
    apart[:, 2, rows < 12] = 0.0
    weights = np.zeros((SIZE, SIZE))
    weights[:12] = 1.0
    found = encode_albedo(
        mean, apart, valid, np.random.default_rng(6).random((SIZE, SIZE, 3)), weights
    )
    assert np.abs(found[:, 2]).max() < 1e-10
    assert np.isfinite(found).all() and np.abs(found[:, 0]).max() > 0.0
    nothing = encode_albedo(*model, np.ones((SIZE, SIZE, 3)), np.zeros((SIZE, SIZE)))
    assert not nothing.any()


def test_ridge_pulls_towards_the_mean(model):
    image = np.random.default_rng(7).random((SIZE, SIZE, 3))
    lengths = [np.linalg.norm(encode_albedo(*model, image, None, ridge)) for ridge in (0, 0.1, 10)]
    assert lengths[0] > lengths[1] > lengths[2]


def test_shapes_that_do_not_fit_are_told(model):
    mean, basis, valid = model
    image, good = np.ones((SIZE, SIZE, 3)), np.zeros((3, COMPONENTS))
    broken = [
        lambda: decode_albedo(mean[:, 1:], basis, valid, good),
        lambda: decode_albedo(mean, basis[:, :, 1:], valid, good),
        lambda: decode_albedo(mean, basis, ~valid, good),
        lambda: decode_albedo(mean, basis, valid, good[0]),
        lambda: decode_albedo(mean, basis, valid, np.zeros((3, COMPONENTS + 1))),
        lambda: encode_albedo(mean, basis, valid, image[1:]),
        lambda: encode_albedo(mean, basis, valid, image[..., 0]),
        lambda: encode_albedo(mean, basis, valid, image, np.ones((3, 3))),
    ]
    for call in broken:
        with pytest.raises(EngineError) as caught:
            call()
        assert caught.value.code is ErrorCode.PACK_INVALID
    for weights, ridge in (
        (-np.ones(valid.shape), 0.0),
        (None, -1.0),
        (None, np.nan),
        (np.full(valid.shape, np.inf), 0.0),
    ):
        with pytest.raises(EngineError) as caught:
            encode_albedo(*model, image, weights, ridge)
        assert caught.value.code is ErrorCode.BAD_SETTINGS
