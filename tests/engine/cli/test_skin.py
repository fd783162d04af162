"""`python -m engine skin`: sets, sheets, plain errors, Ctrl-C."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.cli import main
from engine.cli.counting import CountingReporter, duration, per_second
from engine.protocol.errors import Cancelled
from engine.reporter import CancelToken
from engine.skin.dataset import is_finished

ROOT = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def generate(folder: Path, count: int, *words: str) -> list[str]:
    return ["skin", "generate", "--count", str(count), "--out", str(folder), "--size", "64", *words]


def test_a_set_is_made_and_enlarged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(generate(tmp_path, 1, "--workers", "1")) == 0
    assert main(generate(tmp_path, 2, "--workers", "1", "--parameters")) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path}\n" * 2
    assert "2 maps, 1 of them new" in said.err.splitlines()[-1]
    assert {path.name for path in tmp_path.iterdir()} == {
        "000000.png", "000001.png", "dataset.json", "parameters.jsonl",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["skin", "generate", "--count", "0", "--out", "new"], "from 1 to 1000000, got 0"),
        (["skin", "generate", "--count", "1", "--out", "new", "--size", "65"], "multiple of 64"),
        (["skin", "generate", "--count", "1", "--out", "."], "holds file.txt and no dataset.json"),
        (["skin", "unwrap", "--maps", "nowhere", "--out", "new"], "no folder nowhere"),
        (["skin", "sheet", "--out", "nowhere/sheet.png"], "There is no folder"),
        (["skin", "sheet", "--out", "sheet.png", "--count", "0"], "--count must be 1 or more"),
    ],
)
def test_mistakes_are_one_plain_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    (tmp_path / "file.txt").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def processes_of(group: int) -> list[str]:
    """Processes of a group that are not about to be buried."""
    done = subprocess.run(
        ["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    lines = (line.split(maxsplit=2) for line in done.stdout.splitlines())
    return [line[2] for line in lines if line[0] == str(group) and not line[1].startswith("Z")]


@posix
@pytest.mark.parametrize("whole", [True, False], ids=["Ctrl-C", "killed"])
def test_stopping_leaves_whole_files_and_no_process(tmp_path: Path, whole: bool) -> None:
    """Ctrl-C reaches the whole process group; a killed parent cannot tell its workers."""
    folder = tmp_path / "set"
    command = [sys.executable, "-m", "engine", *generate(folder, 5000, "--workers", "2")]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60.0
    while not list(folder.glob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    if whole:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.kill()
    err = process.communicate(timeout=20)[1]
    if whole:
        assert process.returncode == 130
        assert err == "The job was cancelled.\n"
        assert not list(folder.glob(".*"))
    while processes_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(process.pid)
    maps = list(folder.glob("*.png"))
    assert maps and all(is_finished(path) for path in maps)


def test_a_sheet_shows_each_map_on_a_head(
    tmp_path: Path, default_pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for name, colour in (("a", (40, 60, 220)), ("b", (60, 200, 40)), ("c", (200, 60, 40))):
        cv2.imwrite(str(maps / f"{name}.png"), np.full((128, 128, 3), colour, np.uint8))
    sheet = tmp_path / "sheet.png"
    words = ["skin", "sheet", "--out", str(sheet), "--maps", str(maps), "--tile", "96"]
    assert main([*words, "--columns", "2"]) == 0
    assert capsys.readouterr().out == f"{sheet}\n"
    pixels = cv2.imread(str(sheet)).astype(int)
    height, width = (side // 2 for side in pixels.shape[:2])
    for row, column, channel in ((0, 0, 2), (0, 1, 1), (1, 0, 0)):
        tile = pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for view in (tile[:, : width // 2], tile[:, width // 2 :]):
            cheek = view[height // 2 : height * 2 // 3, width // 5 : width // 3].mean((0, 1))
            assert cheek.argmax() == channel and cheek.max() > 1.8 * np.median(cheek)
    assert np.ptp(pixels[height + 10 :, width + 10 :]) == 0  # no fourth head


def test_measuring_prints_a_table_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps, figures = tmp_path / "maps", tmp_path / "figures.json"
    maps.mkdir()
    for name, grey in (("a", 100), ("b", 100), ("c", 200)):
        cv2.imwrite(str(maps / f"{name}.png"), np.full((128, 128, 3), grey, np.uint8))
    words = ["skin", "measure", "--maps", str(maps), "--json", str(figures)]
    assert main(words) == 0
    said = capsys.readouterr()
    plain = json.loads(figures.read_text(encoding="utf-8"))
    cheeks = next(region for region in plain["regions"] if region["name"] == "cheeks")
    assert "cheeks" in said.out and "3 maps" in said.out and plain["count"] == 3
    # CIELAB of sRGB 100 and 200 greys: L* 42.4 and 80.6
    assert cheeks["lab"] == pytest.approx([(2 * 42.37 + 80.60) / 3, 0.0, 0.0], abs=0.1)
    assert plain["bands"]["cheeks"][0] is None  # 128 pixels do not show that scale
    assert main([*words, "--limit", "2"]) == 0
    assert "2 maps" in capsys.readouterr().out


def test_progress_tells_number_rate_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = [100.0]
    monkeypatch.setattr("engine.cli.counting.time.monotonic", lambda: now[0])
    stream, token = Terminal(), CancelToken()
    reporter = CountingReporter(stream, token, "maps")
    for step in range(10, 31):
        reporter.progress(step, 100)
        now[0] += 0.5
    assert stream.getvalue().endswith("30 of 100 maps, 2.0 a second, 35 s left")
    reporter.finish()
    assert stream.getvalue().endswith("\r\x1b[K30 maps, 20 of them new, in 10 s (1.9 a second)\n")
    token.cancel()
    with pytest.raises(Cancelled):
        reporter.progress(31, 100)


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.2, "4 s"), (99.0, "99 s"), (130, "2 min"), (9000.0, "2 h 30 min")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_slow_rates_are_told_by_the_minute() -> None:
    assert per_second(2.05) == "2.0 a second" and per_second(0.5) == "30.0 a minute"
