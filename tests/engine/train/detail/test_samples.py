"""Detail samples on disk: what they are, resuming, files that cannot be used."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from small_maps import COARSE, SIZE, write_albedo, write_maps

from engine.nets.fovea import map_matrices, resample
from engine.protocol.albedo import decode_albedo, encode_albedo
from engine.protocol.errors import Cancelled, EngineError
from engine.reporter import CancelToken, NullReporter
from engine.skin.layout import region_masks
from engine.train.detail.samples import build_samples, coarse_of, grid_weights, sample_weights


@pytest.fixture(scope="module")
def albedo(tmp_path_factory):
    return write_albedo(tmp_path_factory.mktemp("packs") / "small")


def _build(folder: Path, files, albedo, reporter=None):
    coarse = coarse_of(albedo.model)
    return build_samples(
        folder, files, coarse, albedo.sha, SIZE, 2, reporter or NullReporter(), check=False
    )


def test_detail_is_v_of_the_map_minus_v_of_its_coarse_albedo(tmp_path: Path, albedo) -> None:
    files = write_maps(tmp_path / "maps", 2)
    samples = _build(tmp_path / "samples", files, albedo)
    image = cv2.imread(str(files[1]))[..., ::-1].astype(np.float32) / 255.0
    small = image.reshape(COARSE, 2, COARSE, 2, 3).mean((1, 3))
    model = albedo.model
    coefficients = encode_albedo(model.mean, model.basis, model.valid, small)
    coarse = decode_albedo(model.mean, model.basis, model.valid, coefficients)
    coarse = cv2.resize(coarse.clip(0, 1), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    expected = image.max(2) - coarse.max(2)
    found = resample(samples.detail[1].astype(np.float32), map_matrices(SIZE))
    inside = cv2.erode(region_masks(SIZE)["face"], np.ones((5, 5))) > 0.99
    error = (found - expected)[inside]
    assert expected[inside].min() < -0.02 < 0.02 < expected[inside].max()
    assert np.sqrt((error**2).mean()) < 0.3 * expected[inside].std()
    assert np.corrcoef(found[inside], expected[inside])[0, 1] > 0.95
    assert samples.extremes[0] < -0.02 and samples.extremes[1] > 0.02


def test_a_cancelled_building_goes_on(tmp_path: Path, albedo) -> None:
    files = write_maps(tmp_path / "maps", 9)
    whole = _build(tmp_path / "whole", files, albedo)

    class CancelAt(NullReporter):
        def progress(self, step: int, total: int) -> None:
            if step == 4:
                self.token.cancel()
            super().progress(step, total)

    with pytest.raises(Cancelled):
        _build(tmp_path / "parts", files, albedo, CancelAt(CancelToken()))
    with (tmp_path / "parts" / "detail.f16").open("ab") as file:
        file.write(b"half a row")
    with (tmp_path / "parts" / "maps.jsonl").open("a") as file:
        file.write('["", 0.')
    parts = _build(tmp_path / "parts", files, albedo)
    np.testing.assert_array_equal(parts.detail, whole.detail)
    np.testing.assert_array_equal(parts.value, whole.value)
    assert parts.files == files


def test_other_maps_are_sampled_anew_with_a_warning(tmp_path: Path, albedo) -> None:
    _build(tmp_path / "samples", write_maps(tmp_path / "a", 2), albedo)
    reporter = NullReporter()
    files = write_maps(tmp_path / "b", 3, seed=1)
    assert len(_build(tmp_path / "samples", files, albedo, reporter)) == 3
    assert "anew" in reporter.warnings[0]


def test_bad_files_are_left_out_with_their_reason(tmp_path: Path, albedo) -> None:
    files = write_maps(tmp_path / "maps", 3)
    files[1].write_bytes(b"no picture")
    samples = _build(tmp_path / "samples", files, albedo)
    assert samples.files == (files[0], files[2]) and samples.detail.shape == (2, SIZE, SIZE)
    assert samples.left_out[0][0] == files[1] and "damaged" in samples.left_out[0][1]
    files[0].write_bytes(b"")
    with pytest.raises(EngineError, match="two skin maps"):
        _build(tmp_path / "samples", files, albedo)


def test_weights_count_the_face_most() -> None:
    weight = sample_weights(SIZE, 0.25)
    masks = region_masks(SIZE)
    assert weight[masks["valid"] == 0].max() == 0.0
    np.testing.assert_allclose(weight[masks["face"] == 1.0], 1.0)
    outside = (masks["valid"] > 0) & (masks["face"] == 0.0)
    np.testing.assert_allclose(weight[outside], 0.25)
    grid = grid_weights(SIZE, 0.25)
    assert grid.min() >= 0.0 and grid.max() <= 1.0
    assert grid.mean() > weight.mean()  # the grid enlarges the face
