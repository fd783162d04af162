"""Checkpoints that are broken, cut off or of another training are refused in plain words."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_task import TinyTask

from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.pack_manifest import file_sha256
from engine.protocol.safetensors import read_safetensors, write_safetensors
from engine.reporter import NullReporter
from engine.train.gradient.distributed import World
from engine.train.gradient.loop import CHECKPOINTS, train
from engine.train.gradient.settings import LoopSettings

SETTINGS = LoopSettings(steps=6, log_every=2, examine_every=2, checkpoint_seconds=0.0)
ALONE = World(0, 1, torch.device("cpu"))


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    train(TinyTask(), SETTINGS, ALONE, tmp_path, NullReporter())
    return tmp_path


def _newest(folder: Path) -> Path:
    return sorted((folder / CHECKPOINTS).iterdir())[-1]


def _refused(folder: Path, words: str, task: TinyTask | None = None, settings=SETTINGS) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        train(task or TinyTask(), settings, ALONE, folder, NullReporter())
    assert caught.value.code == ErrorCode.BAD_INPUT
    assert caught.value.hint


def _edit(folder: Path, **values: object) -> None:
    path = _newest(folder) / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _rewrite(folder: Path, change) -> None:
    """Change the tensors and give them their new hash, as a careful stranger would."""
    path = _newest(folder) / "tensors.safetensors"
    table = read_safetensors(path)
    change(table)
    write_safetensors(path, table)
    _edit(folder, tensors=file_sha256(path, path.name))


def test_cut_off_tensors(trained: Path) -> None:
    path = _newest(trained) / "tensors.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    _refused(trained, "cut off")


def test_missing_tensors(trained: Path) -> None:
    (_newest(trained) / "tensors.safetensors").unlink()
    _refused(trained, "broken")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 1}', "\xff"])
def test_state_that_is_none(trained: Path, text: str) -> None:
    (_newest(trained) / "state.json").write_text(text, encoding="latin-1")
    _refused(trained, "broken")


@pytest.mark.parametrize(
    ("key", "value"),
    [("step", 5), ("step", "6"), ("schema", 9), ("elapsed", True), ("pending", {"a": [1.0]})],
)
def test_state_with_a_wrong_entry(trained: Path, key: str, value: object) -> None:
    _edit(trained, **{key: value})
    _refused(trained, "broken")


def test_another_training(trained: Path) -> None:
    _refused(trained, "width is 4, now 8", TinyTask(width=8))
    other = TinyTask()
    other.name = "encoder"
    _refused(trained, "'encoder'", other)
    _refused(
        trained, "clip is 1.0, now 2.0", settings=LoopSettings(**{**vars(SETTINGS), "clip": 2.0})
    )


def test_another_number_of_processes(trained: Path) -> None:
    _edit(trained, processes=4)
    _refused(trained, "4 processes")


def test_foreign_tensors(trained: Path) -> None:
    name = "weights/net/0.weight"
    _rewrite(trained, lambda table: table.pop(name))
    _refused(trained, "lacks 'weights/net/0.weight'")


def test_tensors_of_another_shape_or_kind(trained: Path) -> None:
    name = "adam/net/0.weight/exp_avg"
    _rewrite(trained, lambda table: table.update({name: np.zeros((1, 1), np.float32)}))
    _refused(trained, "expected was")
    _rewrite(trained, lambda table: table.update({name: table[name].astype(np.float64)}))
    _refused(trained, "expected was")


def test_numbers_that_are_none(trained: Path) -> None:
    _rewrite(trained, lambda table: table["average/0.bias"].fill(np.nan))
    _refused(trained, "not finite")


def test_tensors_nobody_knows(trained: Path) -> None:
    _rewrite(trained, lambda table: table.update({"extra": np.zeros(1, np.float32)}))
    _refused(trained, "'extra'")


def test_an_unfinished_checkpoint_does_not_count(trained: Path) -> None:
    newest = _newest(trained)
    shutil.copytree(newest, newest.with_name(".step-00000009.part"))
    assert train(TinyTask(), SETTINGS, ALONE, trained, NullReporter()).step == 6


def test_after_a_broken_one_is_moved_away_the_older_one_is_used(trained: Path) -> None:
    shutil.rmtree(_newest(trained))
    assert train(TinyTask(), SETTINGS, ALONE, trained, NullReporter()).step == 6
    rows = (trained / "curves.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["2", "4", "6"]


def test_a_foreign_table_of_curves(trained: Path) -> None:
    (trained / "curves.csv").write_text("a,b\nx,y\n")
    _refused(trained, "curves")
