"""Stand-ins and enlarging for `evaluate uv`."""

import numpy as np
from scipy.fft import dctn, idctn

from engine.evaluate.uv_areas import flat_colour, lowest_dct, resample_mask, resample_valid


def test_dct_equals_scipy_cut_off() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((40, 30, 3))
    box = np.zeros((40, 30), bool)
    box[5:25, 4:20] = True
    part = image[5:25, 4:20]
    rows, columns = np.arange(20) / 20, np.arange(16) / 16
    order = np.argsort((rows[:, None] ** 2 + columns**2).ravel(), kind="stable")[:12]
    spectrum = dctn(part, axes=(0, 1), norm="ortho").reshape(-1, 3)
    kept = np.zeros_like(spectrum)
    kept[order] = spectrum[order]
    twin = idctn(kept.reshape(part.shape), axes=(0, 1), norm="ortho")
    np.testing.assert_allclose(lowest_dct(image, box, 12)[5:25, 4:20], twin, atol=1e-9)


def test_all_terms_give_the_box_back_and_one_its_mean() -> None:
    image = np.random.default_rng(1).random((12, 10, 3))
    box = np.ones((12, 10), bool)
    np.testing.assert_allclose(lowest_dct(image, box, 120), image, atol=1e-9)
    np.testing.assert_allclose(lowest_dct(image, box, 1), flat_colour(image, box), atol=1e-9)


def test_what_is_outside_has_no_part_in_an_enlarged_map() -> None:
    valid = np.zeros((16, 16), bool)
    valid[3:13, 2:12] = True
    image = np.where(valid[..., None], 0.4, np.random.default_rng(2).random((16, 16, 3)))
    large = resample_valid(image.astype(np.float32), valid, 64)
    inside = resample_mask(valid, 64)
    assert inside.sum() == 16 * valid.sum()
    np.testing.assert_allclose(large[inside], 0.4, atol=1e-5)
