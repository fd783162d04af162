"""The commands that print our figures: one bad photo never stops the rest, figures add up."""

import json
import shutil
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def engine(root, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=240)


def test_evaluate_photos_goes_on_after_a_bad_one(root, default_pack, astronaut, tmp_path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(astronaut, photos / "a.png")
    (photos / "b.png").write_text("not a picture")
    files = {name: tmp_path / f"{name}.out" for name in ("json", "sheet", "zoom")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    done = engine(root, "evaluate", "photos", str(photos), *options)
    assert done.returncode == 0, done.stderr
    assert "fitted 1 of 2 photos" in done.stdout
    first, second = json.loads(files["json"].read_text())["photos"]
    assert first["error"] == "" and 0 < first["landmark_error"] < 0.03
    assert "b.png" in second["error"]
    assert first["residual_photo"] <= first["residual_detail"] <= first["residual_coarse"]
    assert 0 < first["share_coarse"] + first["share_detail"] + first["share_photo"] < 1
    assert min(files[name].stat().st_size for name in ("sheet", "zoom")) > 10_000


def test_bench_fit_prints_preview_result_and_memory(root, default_pack, astronaut) -> None:
    done = engine(root, "bench", "fit", str(astronaut), "--repeats", "1")
    assert done.returncode == 0, done.stderr
    for word in ("worker start", "cold: preview", "as it is", "processor", "peak resident"):
        assert word in done.stdout
