"""Regional statistics of maps whose figures are known."""

import cv2
import numpy as np

from engine.skin.colorimetry import srgb_to_lab
from engine.skin.layout import region_masks
from engine.skin.statistics import BANDS, measure_maps, statistics_table

SIZE = 256
FULL = np.ones((SIZE, SIZE), np.float32)


def _flat(colour: tuple[float, float, float]) -> np.ndarray:
    return np.broadcast_to(np.float32(colour), (SIZE, SIZE, 3)).copy()


def test_even_maps_have_their_colour_everywhere_and_no_contrast() -> None:
    light, dark = _flat((0.8, 0.65, 0.55)), _flat((0.4, 0.3, 0.25))
    result = measure_maps([(light, FULL), (dark, FULL)], SIZE)
    expected = srgb_to_lab(np.stack([light[0, 0], dark[0, 0]]))
    assert result.count == 2
    for region in result.regions:
        np.testing.assert_allclose(region.lab, expected.mean(axis=0), atol=0.01)
        np.testing.assert_allclose(region.spread, expected.std(axis=0), atol=0.01)
        np.testing.assert_allclose(region.to_cheeks, 0.0, atol=1e-3)
    assert result.angles[0] < 0.0 < result.angles[1]
    assert all(np.nanmax(values) < 1e-3 for values in result.bands.values())


def test_a_darker_region_and_uncovered_texels_show_where_they_are() -> None:
    image = _flat((0.7, 0.55, 0.45))
    image[region_masks(SIZE)["neck"] > 0.3] *= 0.8
    coverage = FULL.copy()
    coverage[region_masks(SIZE)["scalp"] > 0.0] = 0.0
    regions = {r.name: r for r in measure_maps([(image, coverage)], SIZE).regions}
    assert regions["neck"].to_cheeks[0] < -8.0
    assert abs(regions["forehead"].to_cheeks[0]) < 0.1
    assert regions["scalp"].count == 0 and np.isnan(regions["scalp"].lab[0])


def test_contrast_is_found_in_its_octave() -> None:
    noise = np.random.default_rng(0).standard_normal((SIZE, SIZE)).astype(np.float32)
    # Blobs of about 16 reference pixels.
    noise = cv2.GaussianBlur(noise, (0, 0), 2.0)
    image = _flat((0.6, 0.5, 0.4)) * (1.0 + 0.05 * noise / noise.std())[..., None]
    bands = measure_maps([(image.astype(np.float32), FULL)], SIZE).bands["forehead"]
    assert BANDS[int(np.nanargmax(bands))] in (8.0, 16.0)
    assert np.nanmax(bands) > 1.0


def test_the_table_is_for_people() -> None:
    maps = [(_flat((shade, 0.8 * shade, 0.7 * shade)), FULL) for shade in (0.3, 0.5, 0.8)]
    text = statistics_table(measure_maps(maps, SIZE))
    assert "forehead" in text and "3 maps" in text and max(map(len, text.split("\n"))) < 120
