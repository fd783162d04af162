"""`evaluate uv`: known maps give known figures; what is not covered has no say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.evaluate.uv import MapOutcome, Ways, evaluate_pack
from engine.evaluate.uv_features import FeatureNet, feature_distance
from engine.evaluate.uv_report import summarise
from engine.protocol.albedo_pack import AlbedoPack
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.reporter import NullReporter
from engine.skin.layout import region_masks
from tests.engine.evaluate.conftest import SIZE, SKIN, write_map

Maker = Callable[[int, int], np.ndarray]


def _measure(pack: AlbedoPack, *paths: Path) -> tuple[MapOutcome, ...]:
    return evaluate_pack(pack, [(path, path.name) for path in paths], Ways(), NullReporter()).maps


def test_a_map_of_the_model_comes_back(pack: AlbedoPack, span_map: Maker, tmp_path: Path) -> None:
    for seed in range(3):
        one = _measure(pack, write_map(tmp_path / f"{seed}.png", span_map(seed, SIZE)))[0]
        for sizes in one.figures["coarse"].values():
            assert sizes["own"] == sizes["full"]  # the file has the model's size
            assert sizes["own"].mse < 0.2  # rounding to 8 bits is 1/12, the int8 basis the rest
            assert sizes["own"].ssim > 0.99
        assert one.angles["coarse"]["map"] == pytest.approx(one.original_angles, abs=0.2)
        assert one.baselines["flat"]["map"].mse > 10.0


def test_an_error_the_model_cannot_follow_is_measured_exactly(
    pack: AlbedoPack, tmp_path: Path
) -> None:
    """A checkerboard of 8 grey levels has nothing in common with smooth waves."""
    sign = 1.0 - 2.0 * (np.indices((SIZE, SIZE)).sum(0) % 2)
    grey = np.rint(SKIN * 255.0) / 255.0
    image = grey + (8.0 / 255.0) * sign[..., None]
    one = _measure(pack, write_map(tmp_path / "board.png", image))[0]
    for sizes in one.figures["coarse"].values():
        assert sizes["own"].mse == pytest.approx(64.0, rel=0.02)
        assert sizes["own"].psnr == pytest.approx(10 * np.log10(255**2 / 64.0), abs=0.1)


def test_detail_finer_than_the_model_counts_only_at_full_size(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    side = 2 * SIZE
    sign = 1.0 - 2.0 * (np.indices((side, side)).sum(0) % 2)
    image = span_map(1, side) + (10.0 / 255.0) * sign[..., None]
    one = _measure(pack, write_map(tmp_path / "fine.png", image))[0]
    assert one.side == side
    figures = one.figures["coarse"]["map"]
    assert figures["own"].mse < 1.0
    assert figures["full"].mse == pytest.approx(100.0, rel=0.05)


def test_uncovered_texels_have_no_say(pack: AlbedoPack, span_map: Maker, tmp_path: Path) -> None:
    image = span_map(2, 2 * SIZE)
    alpha = np.ones(image.shape[:2])
    alpha[: SIZE // 2] = 0.0
    spoilt = np.where(alpha[..., None] > 0, image, 0.0)
    plain, other = (
        _measure(pack, write_map(tmp_path / f"{name}.png", pixels, alpha))[0]
        for name, pixels in (("plain", image), ("spoilt", spoilt))
    )
    assert plain.figures == other.figures
    assert plain.baselines == other.baselines
    assert plain.figures["coarse"]["map"]["own"].mse < 0.2


def test_the_face_alone_is_carried_at_least_as_well(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    image = span_map(3, SIZE) + 0.1 * region_masks(SIZE)["scalp"][..., None]
    image = image + 0.02 * rng.standard_normal(image.shape)
    figures = _measure(pack, write_map(tmp_path / "hair.png", image))[0].figures["coarse"]
    assert figures["face_alone"]["own"].mse < figures["face"]["own"].mse < figures["map"]["own"].mse


def test_unusable_maps_are_left_out_with_the_reason(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    good = write_map(tmp_path / "good.png", span_map(0, SIZE))
    faceless = np.zeros((SIZE, SIZE))
    faceless[50:] = 1.0
    hole = write_map(tmp_path / "hole.png", span_map(0, SIZE), faceless)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    reporter = NullReporter()
    paths = [(path, path.name) for path in (broken, good, hole)]
    outcome = evaluate_pack(pack, paths, Ways(), reporter)
    assert [one.name for one in outcome.maps] == ["good.png"]
    assert [name for name, _ in outcome.left_out] == ["broken.png", "hole.png"]
    assert "half of the face" in outcome.left_out[1][1]
    assert len(reporter.warnings) == 2
    with pytest.raises(EngineError, match="None of the 1 maps") as caught:
        evaluate_pack(pack, paths[:1], Ways(), reporter)
    assert caught.value.code == ErrorCode.BAD_INPUT


def test_cancelling_ends_it(pack: AlbedoPack, tmp_path: Path, span_map: Maker) -> None:
    path = write_map(tmp_path / "map.png", span_map(0, SIZE))
    reporter = NullReporter()
    reporter.token.cancel()
    with pytest.raises(Cancelled):
        evaluate_pack(pack, [(path, "map.png")], Ways(), reporter)


def test_the_summary_tells_both_kinds_of_psnr(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    paths = [write_map(tmp_path / f"{i}.png", span_map(i, SIZE)) for i in range(3)]
    flats = [one.baselines["flat"]["map"] for one in _measure(pack, *paths)]
    summary = summarise(flats)
    assert summary.mse == pytest.approx(np.mean([f.mse for f in flats]))
    assert summary.psnr == pytest.approx(np.mean([f.psnr for f in flats]))
    assert summary.psnr_of_mean_mse == pytest.approx(10 * np.log10(255**2 / summary.mse))
    assert summary.psnr_of_mean_mse < summary.psnr
    assert summary.least_psnr == min(f.psnr for f in flats)


def test_features_see_the_same_where_the_map_is_not_covered(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    image = span_map(2, SIZE)
    alpha = np.ones(image.shape[:2])
    alpha[:10] = 0.0
    path = write_map(tmp_path / "map.png", image, alpha)
    net = FeatureNet("mean", lambda picture: picture.mean((0, 1)), 2, 3)
    ways = Ways(nets=(net,))
    outcome = evaluate_pack(pack, [(path, "a"), (path, "b")], ways, NullReporter())
    found = [one.features["coarse"]["mean"] for one in outcome.maps]
    np.testing.assert_allclose(*found[0], atol=1e-3)
    distance = feature_distance(net, found)
    assert distance.distance == pytest.approx(0.0, abs=1e-5)
    assert "2 maps" in distance.note


def test_too_few_maps_for_a_distance_are_said_so() -> None:
    net = FeatureNet("small", lambda picture: picture, 4, 10)
    found = feature_distance(net, [(np.zeros(2), np.zeros(2))] * 3)
    assert (found.distance, found.maps) == (None, 3)
    assert "at least 4" in found.note
