"""`train albedo` as people use it: the pack, the report, what is left out, stopping, memory."""

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
from engine.protocol.albedo_pack import read_albedo_pack

BASE = ["train", "albedo", "--any-layout", "--workers", "1"]


def _write_maps(folder: Path, count: int, side: int, seed: int = 0) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for index in range(count):
        coarse = rng.uniform(60, 200, (8, 8, 3)).astype(np.float32)
        image = cv2.resize(coarse, (side, side)).astype(np.uint8)
        (folder / f"{index:04d}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())


def test_writes_pack_and_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_maps(tmp_path / "maps", 20, 64)
    (tmp_path / "maps" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    out = tmp_path / "My Pack"
    command = [*BASE, "--maps", str(tmp_path / "maps"), "--out", str(out), "--size", "64"]
    command += ["--components", "5", "--weights", "face", "--licence", "CC0", "--origin", "me"]
    assert main(command) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out)
    assert "Left out:" in said.err and "broken.png is damaged" in said.err
    pack = read_albedo_pack(out)
    assert pack.manifest.id == "my-pack" and pack.manifest.head is None
    assert (pack.manifest.parts[0].licence, pack.manifest.parts[0].origin) == ("CC0", "me")
    assert pack.model.sigma.shape == (3, 5)
    assert "20 skin maps at 64 x 64" in pack.manifest.recipe
    report = json.loads((tmp_path / "My Pack.training.json").read_text())
    assert report["count"] == 20 and report["found"] == 21 and report["weights"] == "face"
    assert [Path(item["file"]).name for item in report["left_out"]] == ["broken.png"]
    assert report["settings"]["components"] == 5 and report["machine"]["cores"] >= 1
    assert not (tmp_path / "My Pack.work").exists()


def test_unusable_requests_are_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_maps(tmp_path / "maps", 3, 64)
    maps = str(tmp_path / "maps")
    assert main([*BASE, "--maps", maps, "--out", maps]) == 2
    assert "is no pack" in capsys.readouterr().err
    assert main([*BASE, "--maps", maps, "--out", str(tmp_path / "no" / "pack")]) == 2
    assert main([*BASE, "--maps", str(tmp_path / "no"), "--out", str(tmp_path / "p")]) == 2
    assert main([*BASE, "--maps", maps, "--out", str(tmp_path / "p"), "--limit", "0"]) == 2
    assert main([*BASE, "--maps", maps, "--out", str(tmp_path / "p"), "--memory", "0.1"]) == 2
    assert "memory_gb must be at least" in capsys.readouterr().err
    assert not list(tmp_path.glob("p*"))


def test_the_work_is_kept_until_the_pack_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> Path:
        raise OSError(28, "No space left on device")

    _write_maps(tmp_path / "maps", 8, 64)
    command = [*BASE, "--maps", str(tmp_path / "maps"), "--out", str(tmp_path / "pack")]
    command += ["--size", "64", "--components", "3"]
    with monkeypatch.context() as patch:
        patch.setattr("engine.packs.albedo.write_albedo_pack", full)
        assert main(command) == 2
    assert (tmp_path / "pack.work" / "reference.safetensors").is_file()
    assert main(command) == 0
    assert not (tmp_path / "pack.work").exists()


def _start(tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "engine", *BASE, "--maps", str(tmp_path / "maps")]
    command += ["--out", str(tmp_path / "pack"), "--components", "20", *more]
    return subprocess.Popen(
        command,
        cwd=Path(__file__).resolve().parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_interrupted_within_a_second_and_kept_for_later(tmp_path: Path) -> None:
    _write_maps(tmp_path / "maps", 40, 512)
    started = _start(tmp_path, "--size", "512", "--exact-limit", "0", "--passes", "200")
    lines = []
    for line in started.stderr:
        lines.append(line)
        if "power pass 2 of" in line:
            break
    begin = time.monotonic()
    started.send_signal(signal.SIGINT)
    _, rest = started.communicate(timeout=20)
    assert time.monotonic() - begin < 2.0  # a second, and as much for the process to end
    assert started.returncode == 130 and "cancelled" in rest
    kept = {path.name for path in (tmp_path / "pack.work").iterdir()}
    assert {"maps.jsonl", "texels.u8", "reference.safetensors"} <= kept
    assert not any(name.startswith("directions-0-") for name in kept)  # the first pass was done


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_stays_below_the_limit(tmp_path: Path) -> None:
    """160 maps of 512 x 512 are 500 MB as float32, twice that centred; 0.6 GB allowed in all."""
    _write_maps(tmp_path / "maps", 160, 512)
    program = (
        "import sys; from engine.cli import main; code = main(sys.argv[1:]);"
        "peak = next(l for l in open('/proc/self/status') if l.startswith('VmHWM'));"
        "print(peak.split()[1]); sys.exit(code)"
    )
    command = [sys.executable, "-c", program, *BASE, "--maps", str(tmp_path / "maps")]
    command += ["--out", str(tmp_path / "pack"), "--components", "30", "--size", "512"]
    command += ["--exact-limit", "0", "--cache", "0", "--memory", "0.6", "--passes", "1"]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) * 1024 < 0.6e9
