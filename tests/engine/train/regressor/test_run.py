"""`train regressor` from the outside: a small one, with a stop between the samples and the end."""

import json
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.fit.shape.landmark_basis import landmark_basis
from engine.nets.regressor_file import knows_head, read_regressor
from engine.protocol.errors import EXIT_OK
from engine.protocol.headpack import HeadPack


def test_a_file_and_a_report_come_out(
    tmp_path: Path,
    skins: tuple[Path, ...],
    head: HeadPack,
    default_pack: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "net"
    words = ["train", "regressor", "--skins", str(skins[0].parent), "--out", str(out)]
    words += ["--samples", "8", "--batch", "4", "--workers", "1", "--device", "cpu"]
    words += ["--pack", str(default_pack)]
    assert main([*words, "--steps", "2"]) == EXIT_OK
    assert capsys.readouterr().out.strip() == str(out)
    found = read_regressor(out / "regressor.safetensors")
    assert knows_head(found, landmark_basis(head, head.landmarks468).identity)
    report = json.loads((tmp_path / "net.training.json").read_text("utf-8"))
    assert (report["steps"], report["settings"]["batch"]) == (2, 4)
    made = (tmp_path / "net.work" / "samples" / "truth").stat().st_mtime_ns
    assert main([*words, "--steps", "3"]) == EXIT_OK
    assert (tmp_path / "net.work" / "samples" / "truth").stat().st_mtime_ns == made
    report = json.loads((tmp_path / "net.training.json").read_text("utf-8"))
    assert report["steps"] == 3


def test_a_wrong_folder_is_told_before_the_work(
    tmp_path: Path, skins: tuple[Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "letter.txt").write_text("dear")
    words = ["train", "regressor", "--skins", str(skins[0].parent)]
    assert main([*words, "--out", str(tmp_path / "net")]) != EXIT_OK
    assert "holds something else" in capsys.readouterr().err
    assert main(words) != EXIT_OK
