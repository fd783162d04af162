"""The albedo PCA: known answers, its slow twin, and how well it carries new generated skins."""

import numpy as np
import pytest

from engine.protocol.albedo import decode_albedo, gather_texels, scatter_texels
from engine.protocol.errors import EngineError
from engine.protocol.safetensors import read_safetensors
from engine.skin.dataset import generate_maps
from engine.skin.layout import region_masks
from engine.train.albedo_pca import (
    AlbedoModel,
    build_albedo,
    encode_albedo,
    model_arrays,
    train_albedo_pca,
)

SHAPE = (12, 10)


def _mask() -> np.ndarray:
    mask = np.ones(SHAPE, np.uint8)
    mask[:3, :4] = 0
    return mask


def _low_rank_maps(count: int, rank: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((rank, *SHAPE, 3)) * 0.02
    patterns *= np.linspace(3.0, 1.0, rank)[:, None, None, None]
    weights = rng.standard_normal((count, rank))
    return (0.5 + np.tensordot(weights, patterns, 1)).astype(np.float32)


def _svd_twin(samples: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """The plain way: singular value decomposition of the centred (n, N) samples."""
    centred = samples - samples.mean(axis=0)
    _, lengths, rows = np.linalg.svd(centred, full_matrices=False)
    rows = rows[:components]
    signs = np.sign(rows[np.arange(components), np.abs(rows).argmax(axis=1)])
    return rows * signs[:, None], lengths[:components] / np.sqrt(len(samples) - 1)


@pytest.fixture(scope="module")
def low_rank() -> tuple[np.ndarray, AlbedoModel]:
    maps = _low_rank_maps(60, 4)
    return maps, train_albedo_pca(maps, _mask(), 4)


def test_low_rank_set_is_recovered(low_rank: tuple[np.ndarray, AlbedoModel]) -> None:
    maps, model = low_rank
    arrays = model_arrays(model)
    valid = _mask().astype(bool)
    for image in maps[:10]:
        decoded = decode_albedo(
            arrays["mean"], arrays["basis"], arrays["valid"], encode_albedo(model, image)
        )
        assert np.abs(decoded - image)[valid].max() < 2e-3  # float16 maps and basis


def test_equals_the_singular_value_twin(low_rank: tuple[np.ndarray, AlbedoModel]) -> None:
    maps, model = low_rank
    valid = _mask().astype(bool)
    for channel in range(3):
        samples = maps.astype(np.float16).astype(np.float64)[:, valid, channel]
        basis, sigma = _svd_twin(samples, 4)
        np.testing.assert_allclose(model.sigma[channel], sigma, rtol=1e-4)
        np.testing.assert_allclose(model.basis[channel], basis, atol=2e-4)


def test_rows_are_orthonormal_signed_and_ordered(low_rank: tuple[np.ndarray, AlbedoModel]) -> None:
    _, model = low_rank
    for basis, sigma in zip(model.basis, model.sigma, strict=True):
        np.testing.assert_allclose(basis @ basis.T, np.eye(4), atol=1e-5)
        assert np.all(basis[np.arange(4), np.abs(basis).argmax(axis=1)] > 0)
        assert np.all(np.diff(sigma) <= 0)


def test_coefficients_are_standard_deviations(low_rank: tuple[np.ndarray, AlbedoModel]) -> None:
    maps, model = low_rank
    scores = np.stack([encode_albedo(model, image) for image in maps])
    np.testing.assert_allclose(scores.std(axis=0, ddof=1), 1.0, atol=0.01)
    np.testing.assert_allclose(scores.mean(axis=0), 0.0, atol=0.01)


def test_covariance_finds_what_moves_together() -> None:
    rng = np.random.default_rng(1)
    tone = rng.standard_normal((400, 1, 1, 1)) * 0.1
    own = rng.standard_normal((400, *SHAPE, 3)) * 0.01
    model = train_albedo_pca((0.5 + tone + own).astype(np.float32), _mask(), 6)
    covariance = model.covariance
    np.testing.assert_allclose(np.diag(covariance), 1.0, atol=1e-5)
    np.testing.assert_allclose(covariance, covariance.T, atol=1e-6)
    assert np.linalg.eigvalsh(covariance.astype(np.float64)).min() > 0.01
    assert covariance[0, 6] > 0.85 and covariance[0, 12] > 0.85  # tone: first of each channel
    assert np.abs(covariance[1:6, 7:12]).mean() < 0.05  # chance


def test_too_few_maps_and_wrong_shapes_are_refused() -> None:
    with pytest.raises(EngineError, match="more than 5 maps"):
        train_albedo_pca(_low_rank_maps(5, 2), _mask(), 5)
    with pytest.raises(EngineError, match="shape"):
        train_albedo_pca(_low_rank_maps(5, 2)[:, :4], _mask(), 2)


def test_decoding_refuses_arrays_that_do_not_fit() -> None:
    mean, basis, valid = np.zeros((3, 5)), np.zeros((3, 2, 5)), np.ones((1, 5), np.uint8)
    assert decode_albedo(mean, basis, valid, np.zeros((3, 1))).shape == (1, 5, 3)
    for bad in (
        (mean[:, :4], basis, valid, np.zeros((3, 2))),
        (mean, basis[:, :, :4], valid, np.zeros((3, 2))),
        (mean, basis, valid, np.zeros((3, 3))),
        (mean, basis, valid, np.zeros((2, 2))),
        (mean, basis, valid * 0, np.zeros((3, 2))),
    ):
        with pytest.raises(EngineError, match="does not fit together"):
            decode_albedo(*bad)


def test_texels_round_trip_and_fill_the_outside() -> None:
    image = np.random.default_rng(0).uniform(size=(*SHAPE, 3)).astype(np.float32)
    texels = gather_texels(image, _mask())
    back = scatter_texels(texels, _mask())
    np.testing.assert_array_equal(back[_mask() > 0], image[_mask() > 0])
    np.testing.assert_allclose(back[0, 0], texels.mean(axis=1), rtol=1e-6)


def test_build_writes_the_file_of_the_pack(tmp_path) -> None:
    seen = []
    arrays, meta = build_albedo(
        tmp_path, 24, size=64, components=8, seed=2, report=lambda *a: seen.append(a), workers=1
    )
    assert seen[0] == (1, 24) and seen[-1] == (24, 24)
    stored = read_safetensors(tmp_path / "albedo.safetensors")
    texels = int(stored["valid"].sum())
    assert stored["mean"].shape == (3, texels) and stored["mean"].dtype == np.float32
    assert stored["basis"].shape == (3, 8, texels) and stored["basis"].dtype == np.float16
    assert stored["sigma"].shape == (3, 8) and stored["covariance"].shape == (24, 24)
    for name, array in arrays.items():
        np.testing.assert_array_equal(stored[name], array)
    assert meta["resolution"] == 64 and meta["components"] == 8 and meta["count"] == 24
    again, _ = build_albedo(None, 24, size=64, components=8, seed=2, workers=1)
    np.testing.assert_array_equal(arrays["basis"], again["basis"])


def test_new_skins_are_carried_well() -> None:
    """Quality floor on unseen people at a small size; the full figure is measured at build time."""
    valid = region_masks(64)["valid"]
    model = train_albedo_pca(generate_maps(110, 64, seed=0, workers=1), valid, 50)
    arrays = model_arrays(model)
    errors = []
    for image in generate_maps(8, 64, seed=77, workers=1):
        image = image.astype(np.float32)
        decoded = decode_albedo(arrays["mean"], arrays["basis"], valid, encode_albedo(model, image))
        errors.append(np.mean((decoded - image)[valid > 0] ** 2))
    assert -10.0 * np.log10(np.mean(errors)) > 34.0
