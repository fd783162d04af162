"""`train detail` as people use it: the pack, the report, stopping, going on, refusals."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.cli import main
from engine.cli.outputs import work_path
from engine.protocol.detail_pack import read_detail_pack

SMALL = ["--any-layout", "--batch", "1", "--crop", "64", "--threads", "1", "--device", "cpu"]


def _write_maps(folder: Path, count: int, side: int = 512) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(count):
        coarse = rng.uniform(90, 160, (8, 8, 3)).astype(np.float32)
        grain = cv2.GaussianBlur(rng.standard_normal((side, side)), (0, 0), 2.0)[..., None]
        image = (cv2.resize(coarse, (side, side)) + 40.0 * grain).clip(0, 255).astype(np.uint8)
        (folder / f"{index:04d}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())


def _command(folder: Path, *more: str) -> list[str]:
    maps, out = str(folder / "maps"), str(folder / "Fine Skin")
    return ["train", "detail", "--maps", maps, "--out", out, *SMALL, *more]


@pytest.mark.slow
def test_writes_pack_report_and_pictures(
    tmp_path: Path, default_pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_maps(tmp_path / "maps", 4)
    (tmp_path / "maps" / "small.png").write_bytes((tmp_path / "maps" / "0000.png").read_bytes()[:9])
    out = tmp_path / "Fine Skin"
    assert main(_command(tmp_path, "--steps", "2", "--licence", "CC0", "--origin", "me")) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out)
    assert "small.png is damaged" in said.err and "not clipped" in said.err
    pack = read_detail_pack(out)
    assert pack.manifest.id == "fine-skin" and pack.manifest.parts[0].licence == "CC0"
    assert "2 steps of 1 crops of 64 in float32 on the CPU" in pack.manifest.recipe
    report = json.loads((tmp_path / "Fine Skin.training.json").read_text())
    assert (report["trained_on"], report["held_out"], report["steps"]) == (3, 1, 2)
    assert report["detail_extremes"][0] < 0.0 < report["detail_extremes"][1]
    for name in ("sheet", "curves"):
        assert cv2.imread(str(tmp_path / f"Fine Skin.{name}.png")) is not None
    assert main(_command(tmp_path, "--steps", "2", "--seed", "1")) == 2
    assert "its seed is 0, now 1" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.e2e
def test_ctrl_c_leaves_a_checkpoint(tmp_path: Path, default_pack: Path) -> None:
    _write_maps(tmp_path / "maps", 3)
    command = [sys.executable, "-m", "engine", *_command(tmp_path, "--steps", "100000")]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[3], stderr=subprocess.PIPE, text=True
    )
    work = work_path(tmp_path / "Fine Skin")
    deadline = time.monotonic() + 300.0
    while time.monotonic() < deadline and not _rows(work / "curves.csv"):
        time.sleep(0.1)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "cancelled" in said
    assert time.monotonic() - asked < 20.0  # a second on a machine that does nothing else
    assert len(list((work / "checkpoints").glob("step-*"))) == 1


def _rows(curves: Path) -> int:
    return len(curves.read_text().splitlines()) - 1 if curves.is_file() else 0


def test_unusable_requests_are_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "maps").mkdir()
    for more in (["--limit", "0"], ["--steps", "0"], ["--hours", "0"], ["--threads", "0"]):
        assert main(_command(tmp_path, *more)) == 2
        assert "must be" in capsys.readouterr().err
    (tmp_path / "Fine Skin").mkdir()
    (tmp_path / "Fine Skin" / "mine.txt").write_text("mine")
    assert main(_command(tmp_path)) == 2
    assert "is no pack" in capsys.readouterr().err
    assert not work_path(tmp_path / "Fine Skin").exists()
