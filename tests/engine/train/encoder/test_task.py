"""A tiny encoder learns known coefficients; a stopped training goes on to the same weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.nets.coarse_encoder import CoarseEncoder
from engine.protocol.errors import Cancelled, EngineError
from engine.reporter import NullReporter
from engine.train.encoder.settings import AugmentSettings, EncoderSettings
from engine.train.encoder.task import EncoderPlan, EncoderTask
from engine.train.gradient.distributed import World
from engine.train.gradient.loop import train
from engine.train.gradient.settings import LoopSettings

from .conftest import TINY, TinyMaps

CPU = torch.device("cpu")
ALONE = World(0, 1, CPU)
SETTINGS = EncoderSettings(batch=8, learning_rate=5e-3, weights="uniform", held=16)
NO_CHANGE = AugmentSettings(flip=0.0, exposure=0.0, tint=0.0, whole=1.0)
SHORT = LoopSettings(steps=6, seed=3, warmup=2, average_decay=0.9, log_every=1, examine_every=3)


def _plan(augment: AugmentSettings = NO_CHANGE, albedo: str = "tiny") -> EncoderPlan:
    return EncoderPlan(TINY, SETTINGS, augment, 3, albedo)


def _task(maps: TinyMaps, plan: EncoderPlan) -> EncoderTask:
    return EncoderTask(plan, maps.model, maps.as_set(), CPU)


class _StopAt(NullReporter):
    def __init__(self, step: int) -> None:
        super().__init__()
        self._stop = step

    def progress(self, step: int, total: int) -> None:
        if step >= self._stop:
            self.token.cancel()
        super().progress(step, total)


def test_learns_the_coefficients_of_maps_it_never_saw(tiny_maps: TinyMaps, tmp_path: Path) -> None:
    settings = replace(SETTINGS, batch=16, learning_rate=1e-2, pull=1.0)
    plan = replace(_plan(), info=replace(TINY, widths=(8, 16)), settings=settings)
    task = _task(tiny_maps, plan)
    loop = replace(SHORT, steps=150, examine_every=150, log_every=50, warmup=20)
    averaged = train(task, loop, ALONE, tmp_path, NullReporter()).averaged
    held = np.arange(16) * 6 + 3
    texels = torch.from_numpy(tiny_maps.texels[held] / np.float32(255.0))
    with torch.inference_mode():
        pictures = task.decoder.pictures(texels, torch.ones(16, texels.shape[2]), TINY.input)
        found = averaged(pictures).numpy()
    error = np.sqrt(((found - tiny_maps.coefficients[held]) ** 2).mean())
    assert error < 0.5 * tiny_maps.coefficients.std()
    assert (tmp_path / "sheet_000150.png").is_file()


def test_a_stopped_training_goes_on_to_the_same_weights(
    tiny_maps: TinyMaps, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    plan = _plan(AugmentSettings())
    expected = train(_task(tiny_maps, plan), SHORT, ALONE, whole, NullReporter())
    with pytest.raises(Cancelled):
        train(_task(tiny_maps, plan), SHORT, ALONE, parts, _StopAt(4))
    found = train(_task(tiny_maps, plan), SHORT, ALONE, parts, NullReporter())
    assert (parts / "curves.csv").read_text() == (whole / "curves.csv").read_text()
    wanted = expected.averaged.state_dict()
    assert all(torch.equal(wanted[k], v) for k, v in found.averaged.state_dict().items())


def test_another_albedo_model_or_network_does_not_go_on(
    tiny_maps: TinyMaps, tmp_path: Path
) -> None:
    loop = replace(SHORT, steps=2)
    train(_task(tiny_maps, _plan()), loop, ALONE, tmp_path, NullReporter())
    with pytest.raises(EngineError, match="albedo model"):
        train(_task(tiny_maps, _plan(albedo="other")), loop, ALONE, tmp_path, NullReporter())
    wider = replace(_plan(), info=replace(TINY, widths=(8, 8)))
    with pytest.raises(EngineError, match="network"):
        train(_task(tiny_maps, wider), loop, ALONE, tmp_path, NullReporter())


def test_training_leaves_the_decoder_as_it_was(tiny_maps: TinyMaps, tmp_path: Path) -> None:
    task = _task(tiny_maps, _plan())
    before = {name: value.clone() for name, value in task.decoder.named_buffers()}
    train(task, replace(SHORT, steps=3), ALONE, tmp_path, NullReporter())
    assert all(torch.equal(before[k], v) for k, v in task.decoder.named_buffers())


def test_half_precision_computes_the_loss_in_full(tiny_maps: TinyMaps) -> None:
    task = _task(tiny_maps, _plan())
    batch = task.batch(0, 0)
    with torch.autocast("cpu", torch.bfloat16):
        turn = next(task.turns(batch, 0, torch.Generator()))
    assert turn.loss.dtype == torch.float32
    full = next(task.turns(batch, 0, torch.Generator()))
    # At the first step the output is near 0, where bfloat16 is off by little.
    assert abs(turn.loss.item() - full.loss.item()) < 0.01 * full.loss.item()


def test_first_weights_follow_the_seed(tiny_maps: TinyMaps) -> None:
    def stem(seed: int) -> torch.Tensor:
        task = _task(tiny_maps, replace(_plan(), seed=seed))
        module = task.players()["encoder"].module
        assert isinstance(module, CoarseEncoder)
        return module.net.conv1.weight

    assert torch.equal(stem(1), stem(1)) and not torch.equal(stem(1), stem(2))
