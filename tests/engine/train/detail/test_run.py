"""The whole training on small maps: a pack that is read, the same again after a stop."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_maps import SETTINGS, SIZE, write_albedo, write_maps

from engine.nets.detail import DetailNet
from engine.packs.detail import write_detail_pack
from engine.protocol.detail_pack import read_detail_pack
from engine.protocol.errors import Cancelled, EngineError
from engine.protocol.pack_manifest import PackPart
from engine.reporter import CancelToken, NullReporter
from engine.train.detail.run import prepare_samples, recipe_text, report_of, train_detail
from engine.train.detail.task import held_out_rows
from engine.train.gradient.distributed import World
from engine.train.gradient.settings import LoopSettings

ALONE = World(0, 1, torch.device("cpu"))
LOOP = LoopSettings(steps=8, log_every=2, examine_every=4, warmup=2, checkpoint_seconds=0.0)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    return write_maps(folder / "maps", 10), write_albedo(folder / "small")


def _train(work: Path, inputs, reporter=None, settings=SETTINGS):
    work.mkdir(exist_ok=True)
    reporter = reporter or NullReporter()
    samples, key = prepare_samples(work, *inputs, settings, 1, False, ALONE, NullReporter())
    return train_detail(
        samples, key, settings, LOOP, None, ALONE, work, reporter, lambda text: None
    )


def test_a_pack_comes_out_and_a_stopped_training_gives_the_same(tmp_path: Path, inputs) -> None:
    trained = _train(tmp_path / "whole", inputs)
    assert (trained.steps, trained.held_out) == (8, 2)
    assert set(trained.figures) == {f"held_out_psnr_{SIZE}", f"held_out_psnr_{SIZE // 2}"}
    part = PackPart("detail", "test", "none", "made here", "")
    recipe = recipe_text(trained, SETTINGS, LOOP, "the CPU")
    folder = write_detail_pack(tmp_path / "pack", trained.model, "small", "1.0.0", (part,), recipe)
    model = read_detail_pack(folder).model
    for name, weight in trained.model.net.items():
        np.testing.assert_array_equal(model.net[name], weight)  # rounded before the statistics
    net = DetailNet(model)
    with torch.no_grad():
        assert net.decode(torch.zeros(4, 8, 8)).shape == (SIZE, SIZE)
    report = report_of(trained, [tmp_path], inputs[1], SETTINGS, LOOP, ALONE, {})
    assert report["trained_on"] == 8 and report["settings"]["objective"]["critic_start"] == 4

    class CancelAt(NullReporter):
        def progress(self, step: int, total: int) -> None:
            if step == 5 and total == LOOP.steps:
                self.token.cancel()
            super().progress(step, total)

    with pytest.raises(Cancelled):
        _train(tmp_path / "parts", inputs, CancelAt(CancelToken()))
    resumed = _train(tmp_path / "parts", inputs)
    for name, weight in trained.model.net.items():
        np.testing.assert_array_equal(resumed.model.net[name], weight)
    np.testing.assert_array_equal(resumed.model.directions, trained.model.directions)
    curves = [(tmp_path / part / "curves.csv").read_bytes() for part in ("whole", "parts")]
    assert curves[0] == curves[1] and b"critic" in curves[0]


def test_other_settings_do_not_go_on(tmp_path: Path, inputs) -> None:
    _train(tmp_path / "work", inputs)
    with pytest.raises(EngineError, match="batch is 2, now 3"):
        _train(tmp_path / "work", inputs, settings=replace(SETTINGS, batch=3))
    with pytest.raises(EngineError, match="maps is"):
        _train(tmp_path / "work", (inputs[0][:9], inputs[1]))
    rows = (tmp_path / "work" / "samples" / "maps.jsonl").read_text().splitlines()
    assert len(rows) == 10  # nothing was replaced


def test_an_albedo_pack_built_again_with_the_same_model_goes_on(tmp_path: Path, inputs) -> None:
    again = write_albedo(tmp_path / "again", "built on another day")
    assert again.sha != inputs[1].sha
    work = tmp_path / "work"
    work.mkdir()
    keys = [
        prepare_samples(work, inputs[0], albedo, SETTINGS, 1, False, ALONE, NullReporter())[1]
        for albedo in (inputs[1], again)
    ]
    assert keys[0] == keys[1]


def test_held_out_maps_are_the_last_ones() -> None:
    assert held_out_rows(100, 0.02) == range(98, 100)
    assert held_out_rows(5, 0.02) == range(4, 5)
    assert held_out_rows(2, 1.0) == range(1, 2)


@pytest.mark.parametrize(
    "values", [{"crop": 100}, {"crop": 256}, {"batch": 0}, {"held_out": 2.0}, {"betas": (0.9,)}]
)
def test_settings_out_of_range(values: dict) -> None:
    with pytest.raises(EngineError):
        replace(SETTINGS, **values)
