"""A folder of photos with the real engine, in processes of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from engine.protocol.result import read_result

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def photos(tmp_path, astronaut, bad_photos):
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(astronaut, folder / "astronaut.png")
    shutil.copy(bad_photos / "text.jpg", folder / "a text.jpg")
    return folder


def command(photos, out):
    return [sys.executable, "-m", "engine", "fit-many", str(photos), "--out", str(out)]


def test_a_folder_is_fitted_and_kept(photos, tmp_path, root, default_pack):
    out = tmp_path / "out"
    run = {"cwd": root, "capture_output": True, "text": True, "timeout": 300}
    first = subprocess.run(command(photos, out), **run)
    assert first.returncode == 0, first.stderr
    assert "a text.jpg is not a picture" in first.stderr
    assert "1 done, 0 kept from before, 1 failed" in first.stdout
    assert read_result(out / "astronaut").manifest.metrics["presence"] > 0.9
    names = sorted(path.name for path in out.iterdir())
    assert names == ["astronaut", "fit-many.jsonl", "sheet_001.png", "summary.csv"]
    written = (out / "astronaut" / "result.json").stat().st_mtime_ns
    (photos / "a text.jpg").unlink()
    again = subprocess.run(command(photos, out), **run)
    assert "0 done, 1 kept from before, 0 failed" in again.stdout
    assert (out / "astronaut" / "result.json").stat().st_mtime_ns == written


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_it_is_cancelled_within_a_second(photos, tmp_path, root, default_pack):
    out = tmp_path / "out"
    process = subprocess.Popen(command(photos, out), cwd=root, stderr=subprocess.PIPE, text=True)
    while "a text.jpg" not in process.stderr.readline():
        assert process.poll() is None  # the other photo is being worked on
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=30)[1]
    assert process.returncode == 130, told
    assert time.monotonic() - begun < 3.0  # a second; the rest is for a busy machine
    assert told.strip().splitlines()[-1] == "The job was cancelled."
    assert list(out.iterdir()) == []
