"""The gradient loop: it learns, is resumed exactly, cancelled cleanly, and shared by processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tiny_task import TinyTask

from engine.protocol.errors import Cancelled, EngineError
from engine.reporter import CancelToken, NullReporter
from engine.train.gradient.distributed import World
from engine.train.gradient.loop import CHECKPOINTS, train
from engine.train.gradient.settings import LoopSettings, average_decay, done_share, rate_factor
from engine.train.gradient.state import TrainingState

ALONE = World(0, 1, torch.device("cpu"))
SCRIPT = Path(__file__).with_name("run_tiny.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}


class CancelAt(NullReporter):
    """Cancels at a step."""

    def __init__(self, step: int) -> None:
        super().__init__(CancelToken())
        self.step = step

    def progress(self, step: int, total: int) -> None:
        if step >= self.step:
            self.token.cancel()
        super().progress(step, total)


def _settings(steps: int = 30, **values) -> LoopSettings:
    plain = {"log_every": 3, "examine_every": 9, "warmup": 5, "checkpoint_seconds": 0.0}
    return LoopSettings(steps=steps, **{**plain, **values})


def _train(folder: Path, settings: LoopSettings, reporter=None, task=None) -> TrainingState:
    folder.mkdir(exist_ok=True)
    return train(task or TinyTask(), settings, ALONE, folder, reporter or NullReporter())


def _same(a: TrainingState, b: TrainingState) -> None:
    left, right = a.tensors(), b.tensors()
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def test_it_learns_and_leaves_curves_sheets_and_two_checkpoints(tmp_path: Path) -> None:
    state = _train(tmp_path, _settings(300, log_every=10, examine_every=100))
    rows = (tmp_path / "curves.csv").read_text().splitlines()
    assert rows[0].startswith("step,squared,net_loss")
    assert len(rows) == 31
    squared = [float(row.split(",")[1]) for row in rows[1:]]
    assert squared[-1] < 0.1 * squared[0]
    assert sorted(p.name for p in tmp_path.glob("sheet_*.png")) == [
        "sheet_000100.png",
        "sheet_000200.png",
        "sheet_000300.png",
    ]
    assert cv2.imread(str(tmp_path / "curves.png")).std() > 1.0
    kept = [p.name for p in sorted((tmp_path / CHECKPOINTS).iterdir())]
    assert len(kept) == 2 and kept[-1] == "step-00000300"
    assert state.step == 300


@pytest.mark.parametrize("stop", [4, 13, 18])
def test_a_cancelled_training_goes_on_to_the_same_numbers(tmp_path: Path, stop: int) -> None:
    whole = _train(tmp_path / "whole", _settings())
    with pytest.raises(Cancelled):
        _train(tmp_path / "parts", _settings(), CancelAt(stop))
    resumed = _train(tmp_path / "parts", _settings())
    _same(whole, resumed)
    curves = [(tmp_path / part / "curves.csv").read_bytes() for part in ("whole", "parts")]
    assert curves[0] == curves[1]


@pytest.mark.parametrize("stop", [9, 30])
def test_a_cancel_during_a_look_at_held_out_samples_loses_no_point(
    tmp_path: Path, stop: int
) -> None:
    class CancelInLook(TinyTask):
        def examine(self, averaged, step, tick):
            if step == stop:
                raise Cancelled
            return super().examine(averaged, step, tick)

    whole = _train(tmp_path / "whole", _settings())
    with pytest.raises(Cancelled):
        _train(tmp_path / "parts", _settings(), task=CancelInLook())
    _same(whole, _train(tmp_path / "parts", _settings()))
    for file in ("curves.csv", f"sheet_{stop:06d}.png"):
        a, b = ((tmp_path / part / file).read_bytes() for part in ("whole", "parts"))
        assert a == b


def test_a_finished_training_gives_its_state_again(tmp_path: Path) -> None:
    first = _train(tmp_path, _settings())
    again = _train(tmp_path, _settings())
    _same(first, again)


def test_a_longer_training_goes_on_with_a_warning(tmp_path: Path) -> None:
    _train(tmp_path, _settings(12))
    reporter = NullReporter()
    assert _train(tmp_path, _settings(18), reporter).step == 18
    assert "steps" in reporter.warnings[0]


def test_a_killed_process_goes_on_to_the_same_curve(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    killed = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(tmp_path / "killed"), "40", "0.05"], env=ENVIRONMENT
    )
    curves = tmp_path / "killed" / "curves.csv"
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline and not _beyond(curves, 10):
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "rank-0.txt").exists()
    both = os.pathsep.join(str(tmp_path / name) for name in ("whole", "killed"))
    subprocess.run([sys.executable, str(SCRIPT), both, "40"], check=True, env=ENVIRONMENT)
    for file in ("curves.csv", "rank-0.txt"):
        a, b = ((tmp_path / name / file).read_bytes() for name in ("whole", "killed"))
        assert a == b


def _beyond(curves: Path, rows: int) -> bool:
    return curves.is_file() and len(curves.read_text().splitlines()) > rows


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {
        **ENVIRONMENT,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": "2",
    }
    runs = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path), "20"],
            env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    sums = [(tmp_path / f"rank-{rank}.txt").read_text() for rank in range(2)]
    assert sums[0] == sums[1]
    (tmp_path / "alone").mkdir()
    subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "alone"), "20"], check=True, env=ENVIRONMENT
    )
    assert (tmp_path / "alone" / "rank-0.txt").read_text() != sums[0]


def test_a_training_by_the_clock_ends_in_time(tmp_path: Path) -> None:
    began = time.monotonic()
    state = _train(tmp_path, _settings(1, seconds=1.0, log_every=5, examine_every=50))
    assert state.step > 1 and 1.0 <= state.elapsed <= time.monotonic() - began
    again = _train(tmp_path, _settings(1, seconds=1.0, log_every=5, examine_every=50))
    assert again.step == state.step  # its time was over


def test_lost_gradients_end_the_training(tmp_path: Path) -> None:
    class Lost(TinyTask):
        def turns(self, batch, step, random):
            for turn in super().turns(batch, step, random):
                yield type(turn)(turn.player, turn.loss * float("nan"), turn.terms)

    with pytest.raises(EngineError, match="The training is lost"):
        _train(tmp_path, _settings(100), task=Lost())


def test_half_precision_learns_too(tmp_path: Path) -> None:
    state = _train(tmp_path, _settings(60, precision="bfloat16"))
    assert state.tensors()["weights/net/0.weight"].dtype == np.float32


def test_rates_and_averages() -> None:
    settings = LoopSettings(steps=100, warmup=10, final_rate=0.1)
    rates = [rate_factor(settings, step, done_share(settings, step, 0.0)) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == pytest.approx(rates[10], rel=0.03)
    assert rates[100] == pytest.approx(0.1)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert average_decay(settings, 0) == pytest.approx(0.1)
    assert average_decay(settings, 10**6) == settings.average_decay
    clocked = LoopSettings(seconds=50.0)
    assert done_share(clocked, 10**6, 25.0) == 0.5


@pytest.mark.parametrize(
    "values", [{"steps": 0}, {"clip": -1.0}, {"precision": "int8"}, {"examine_every": 15}]
)
def test_settings_out_of_range_are_refused(values: dict) -> None:
    with pytest.raises(EngineError):
        LoopSettings(**values)
