"""The trained model beside scikit-learn's PCA: exact, randomised, weighted, interrupted."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from made_maps import SIZE, low_rank_maps, write_maps
from sklearn.decomposition import PCA

from engine.protocol.albedo import decode_albedo
from engine.protocol.errors import Cancelled, EngineError
from engine.reporter import NullReporter
from engine.skin.layout import region_masks
from engine.train.albedo_pca import TrainedAlbedo, train_albedo
from engine.train.plan import make_plan
from engine.train.settings import TrainSettings
from engine.train.texels import named_weights

COUNT, COMPONENTS = 150, 12
VALID = region_masks(SIZE)["valid"] > 0


def _settings(**changes: object) -> TrainSettings:
    given = {"components": COMPONENTS, "check_layout": False, "workers": 1, **changes}
    return TrainSettings(**given)


def _train(files: tuple[Path, ...], work: Path, weights: str = "uniform", **changes: object):
    settings = _settings(**changes)
    return train_albedo(files, SIZE, settings, NullReporter(), work, named_weights(weights, SIZE))


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, tuple[Path, ...]]:
    """A spectrum that falls slowly behind the components, as that of skin does."""
    maps = low_rank_maps(COUNT, 30, noise=0.02)
    return maps, write_maps(tmp_path_factory.mktemp("maps"), maps)


@pytest.mark.parametrize("weights", ["uniform", "face"])
@pytest.mark.parametrize("exact", [True, False])
def test_equals_scikit_learn(noisy, tmp_path: Path, weights: str, exact: bool) -> None:
    maps, files = noisy
    trained = _train(files, tmp_path / "work", weights, exact_limit=COUNT if exact else 0)
    assert trained.exact == exact and trained.count == COUNT and not trained.left_out
    assert trained.passes == (0 if exact else 2)
    named = named_weights(weights, SIZE)
    weight = np.ones(VALID.sum()) if named is None else named[VALID].astype(np.float64)
    root = np.sqrt(weight / weight.mean())
    for channel in range(3):
        samples = maps[:, VALID, channel] / 255.0
        twin = PCA(COMPONENTS, svd_solver="full").fit(samples * root)
        rows = trained.model.basis[channel].astype(np.float64) * root
        variance = np.sum(rows**2, axis=1)
        np.testing.assert_allclose(variance, twin.explained_variance_, rtol=1e-3)
        shares = trained.explained[channel], twin.explained_variance_ratio_.sum()
        assert shares[0] == pytest.approx(shares[1], rel=1e-3)
        cosines = np.linalg.svd(rows / np.sqrt(variance)[:, None] @ twin.components_.T)[1]
        assert cosines.min() > np.cos(np.deg2rad(0.5))
        np.testing.assert_allclose(trained.model.mean[channel], samples.mean(axis=0), atol=1e-6)


def test_sample_start_alone_is_improved_by_the_passes(
    noisy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first block from few maps is far off; power passes over all of them mend it."""
    maps, files = noisy
    monkeypatch.setattr("engine.train.plan.SAMPLE_PER_WIDTH", 1)
    trained = _train(files, tmp_path / "work", exact_limit=0, oversampling=6, passes=3)
    twin = PCA(COMPONENTS, svd_solver="full").fit(maps[:, VALID, 0] / 255.0)
    variance = np.sum(trained.model.basis[0].astype(np.float64) ** 2, axis=1)
    assert variance.sum() == pytest.approx(twin.explained_variance_.sum(), rel=1e-3)


def test_low_rank_sets_are_recovered(tmp_path: Path) -> None:
    maps = low_rank_maps(60, 5)
    files = write_maps(tmp_path / "maps", maps)
    for limit in (2000, 0):
        model = _train(files, tmp_path / "work", components=6, exact_limit=limit).model
        texels = maps[:, VALID].astype(np.float64).transpose(0, 2, 1) / 255.0
        centred = texels - model.mean
        unit = model.basis / np.maximum(model.sigma, 1e-6)[:, :, None]
        scores = np.einsum("ckn,mcn->mck", unit, centred)
        rest = centred - np.einsum("mck,ckn->mcn", scores, unit)
        assert np.sqrt(np.mean(rest**2)) < 0.4 / 255.0  # the rounding of the files


def test_fewer_directions_than_components_asked_for_stay_finite(tmp_path: Path) -> None:
    """Two grey levels in all: one direction; the other components are nothing, not rubbish."""
    maps = np.stack([np.full((SIZE, SIZE, 3), 60 + 3 * i, np.uint8) for i in range(20)])
    files = write_maps(tmp_path / "maps", maps)
    for limit in (2000, 0):
        model = _train(files, tmp_path / "work", components=4, exact_limit=limit).model
        assert all(np.all(np.isfinite(array)) for array in (model.basis, model.covariance))
        assert np.all(model.sigma[:, 1:] < 1e-4 * model.sigma[:, :1])
        decoded = decode_albedo(model.mean, model.basis, model.valid, np.ones((3, 4)))
        step = np.std(maps[:, 0, 0, 0] / 255.0, ddof=1)
        np.testing.assert_allclose(decoded[VALID], maps.mean() / 255.0 + step, atol=1e-4)


def test_rows_are_signed_and_ordered(noisy, tmp_path: Path) -> None:
    model = _train(noisy[1], tmp_path / "work").model
    assert np.all(model.basis.max(axis=2) >= -model.basis.min(axis=2))
    assert np.all(np.diff(model.sigma, axis=1) <= 0)
    lengths = np.linalg.norm(model.basis.astype(np.float64), axis=2)
    np.testing.assert_allclose(model.sigma, lengths, rtol=1e-5)
    assert model.valid.dtype == bool and np.array_equal(model.valid, VALID)


@pytest.mark.parametrize("exact_limit", [2000, 0])
def test_covariance_finds_what_moves_together(tmp_path: Path, exact_limit: int) -> None:
    rng = np.random.default_rng(1)
    tone = rng.standard_normal((400, 1, 1, 1)) * 0.1
    own = np.stack([cv2.resize(rng.standard_normal((8, 8, 3)), (SIZE, SIZE)) for _ in range(400)])
    maps = np.rint(255.0 * (0.5 + tone + 0.02 * own).clip(0, 1)).astype(np.uint8)
    files = write_maps(tmp_path / "maps", maps)
    covariance = _train(
        files, tmp_path / "work", components=6, exact_limit=exact_limit
    ).model.covariance
    np.testing.assert_allclose(np.diag(covariance), 1.0, atol=1e-5)
    np.testing.assert_allclose(covariance, covariance.T, atol=1e-6)
    assert np.linalg.eigvalsh(covariance.astype(np.float64)).min() > 0.01
    assert covariance[0, 6] > 0.85 and covariance[0, 12] > 0.85  # tone: first of each channel
    assert np.abs(covariance[1:6, 7:12]).mean() < 0.05  # chance


def _same(first: TrainedAlbedo, second: TrainedAlbedo, tolerance: float) -> None:
    for name in ("mean", "basis", "sigma", "covariance"):
        one, other = getattr(first.model, name), getattr(second.model, name)
        np.testing.assert_allclose(one, other, atol=tolerance * np.abs(one).max())


def test_channels_one_after_another_give_the_same(
    noisy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What little memory does: a pass per channel, small batches, nothing cached on disk."""
    whole = _train(noisy[1], tmp_path / "work", exact_limit=0)

    def tight(*arguments: object):
        plan = make_plan(*arguments)
        return type(plan)(plan.width, plan.exact, plan.sample, ((0,), (1,), (2,)), 7, 5)

    monkeypatch.setattr("engine.train.albedo_pca.make_plan", tight)
    split = _train(noisy[1], tmp_path / "work", exact_limit=0, cache_gb=0.0)
    assert split.passes == 6
    _same(whole, split, 1e-4)


class _Stops(NullReporter):
    """Cancels at a given report of progress."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def progress(self, step: int, total: int) -> None:
        self.left -= 1
        if self.left <= 0:
            self.token.cancel()
        super().progress(step, total)


@pytest.mark.parametrize("cache_gb", [16.0, 0.0])
def test_a_stopped_training_goes_on_with_the_same_result(
    noisy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache_gb: float
) -> None:
    """Stopped again and again, at every kind of step and inside them."""

    def small(*arguments: object):
        plan = make_plan(*arguments)
        return type(plan)(plan.width, False, 60, plan.groups, 16, 16)

    monkeypatch.setattr("engine.train.albedo_pca.make_plan", small)
    settings = _settings(checkpoint_seconds=0.0, cache_gb=cache_gb)
    whole = train_albedo(noisy[1], SIZE, settings, NullReporter(), tmp_path / "whole")
    stops = 0
    for _ in range(60):
        try:
            broken = train_albedo(noisy[1], SIZE, settings, _Stops(90), tmp_path / "broken")
            break
        except Cancelled:
            stops += 1
            assert (tmp_path / "broken").is_dir()
    assert stops >= 5
    _same(whole, broken, 1e-6)
    assert not (tmp_path / "broken").exists()


def test_other_settings_or_files_start_anew(noisy, tmp_path: Path) -> None:
    files = noisy[1]
    with pytest.raises(Cancelled):
        train_albedo(files, SIZE, _settings(), _Stops(200), tmp_path / "work")
    left = (tmp_path / "work" / "maps.jsonl").read_text()
    assert left
    second = _Stops(2)
    with pytest.raises(Cancelled):
        train_albedo(files[1:], SIZE, _settings(), second, tmp_path / "work")
    assert "starts anew" in second.warnings[0]
    assert len((tmp_path / "work" / "maps.jsonl").read_text()) < len(left)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(EngineError, match="holds something else"):
        train_albedo(files, SIZE, _settings(), NullReporter(), tmp_path / "other")


def test_bad_files_are_left_out_and_listed(noisy, tmp_path: Path) -> None:
    maps, _ = noisy
    folder = tmp_path / "maps"
    files = list(write_maps(folder, maps[:30]))
    again = cv2.imencode(".bmp", maps[3][..., ::-1])[1].tobytes()
    bad = {
        "z_cut.png": files[0].read_bytes()[:500],
        "z_twin.bmp": again,
        "z_wide.png": cv2.imencode(".png", np.zeros((64, 128, 3), np.uint8))[1].tobytes(),
    }
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    trained = _train((*files, *(folder / name for name in bad)), tmp_path / "work")
    clean = _train(tuple(files), tmp_path / "work")
    assert {item.file.name: item.reason for item in trained.left_out}.keys() == bad.keys()
    reasons = " ".join(item.reason for item in trained.left_out)
    for words in ("damaged", "z_twin.bmp shows the same picture as ", "maps/00003.png", "128 x 64"):
        assert words in reasons
    _same(trained, clean, 0.0)


def test_other_layouts_and_holes_are_left_out(tmp_path: Path) -> None:
    from engine.skin.dataset import generate_maps

    skins = [
        np.rint(255.0 * m.astype(np.float32)).clip(0, 255).astype(np.uint8)
        for m in generate_maps(8, 128, 0, 1)
    ]
    files = write_maps(
        tmp_path / "maps", np.stack([*skins, skins[0][::-1], skins[1][:, :64].repeat(2, 1)])
    )
    holes = np.dstack([skins[2], np.where(np.arange(128) < 40, 0, 255)[:, None].repeat(128, 1)])
    holed = tmp_path / "maps" / "holes.png"
    holed.write_bytes(cv2.imencode(".png", holes.astype(np.uint8))[1].tobytes())
    trained = _train((*files, holed), tmp_path / "work", components=3, check_layout=True)
    assert trained.count == 8
    reasons = {item.file.name: item.reason for item in trained.left_out}
    assert "no skin map in the FFHQ-UV layout" in reasons["00008.png"]
    assert "no skin map in the FFHQ-UV layout" in reasons["00009.png"]
    assert "has holes" in reasons["holes.png"]


def test_too_few_maps_and_bad_settings_are_refused(noisy, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="more than 12 maps, got 12"):
        _train(noisy[1][:12], tmp_path / "work")
    with pytest.raises(EngineError, match="components must be at least 1"):
        _settings(components=0)
    with pytest.raises(EngineError, match=r"do not fit 0\.5 GB of memory; about"):
        make_plan(_settings(components=100, memory_gb=0.5), 1_032_408, 5000, False)


def test_plans_stay_inside_the_memory() -> None:
    """1024 x 1024 at 4 GB: all channels together, or one after another, never more than 4 GB."""
    texels = 1_032_408
    for memory in (2.5, 3.0, 4.0, 8.0):
        plan = make_plan(TrainSettings(memory_gb=memory, workers=2), texels, 100_000, cached=False)
        matrices = 2 * 4 * texels * plan.width * len(plan.groups[0])
        batch = plan.batch * texels * (2 * len(plan.groups[0]) + 4)
        assert matrices + batch < memory * 1e9 and plan.batch >= 4 and plan.width == 120
        assert 3 * 4 * texels * plan.width + plan.final_batch * texels * 10 < memory * 1e9
        assert plan.sample * texels * 3 < memory * 1e9
