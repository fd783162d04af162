"""`python -m engine evaluate uv` from the outside: table, JSON, pictures, plain errors."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import engine.cli.evaluate_inputs as evaluate_inputs
import engine.evaluate.uv_features as uv_features
from engine.cli import main
from engine.protocol.detail import add_detail
from tests.engine.evaluate.conftest import SIZE, BlockCodec, block_detail, write_map


@pytest.fixture
def maps(tmp_path: Path, span_map: Callable[[int, int], np.ndarray]) -> Path:
    folder = tmp_path / "maps"
    (folder / "more").mkdir(parents=True)
    for number in range(3):
        write_map(folder / f"{number}.png", span_map(number, SIZE))
    write_map(folder / "more" / "3.png", span_map(3, 2 * SIZE))
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(autouse=True)
def mean_net(monkeypatch: pytest.MonkeyPatch) -> None:
    net = uv_features.FeatureNet("FD mean", lambda picture: picture.mean((0, 1)), 2, 3)
    monkeypatch.setattr(uv_features, "identity_net", lambda: net)


def test_table_json_and_pictures(
    maps: Path, pack_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {name: tmp_path / f"{name}.out" for name in ("json", "picture", "sheet")}
    words = [part for name, path in outputs.items() for part in (f"--{name}", str(path))]
    assert main(["evaluate", "uv", "--maps", str(maps), "--pack", str(pack_folder), *words]) == 0
    out, err = capsys.readouterr()
    assert "waves 1.0.0: 64 x 64, 3 x 3 components, 4 maps of 64 and 128 texels" in out
    assert "31.14" in out  # the paper's figure at this size
    assert "FD mean, coarse" in out and "FID: none" in out
    assert "bad.png is left out" in err
    report = json.loads(outputs["json"].read_text())
    assert report["machine"]["cores"] > 0
    assert report["settings"]["maps"] == str(maps)
    found = report["packs"][0]
    assert (found["id"], found["size"], found["components"]) == ("waves", SIZE, 3)
    assert len(found["sha256"]) == 64
    assert [one["map"] for one in found["maps"]] == ["0.png", "1.png", "2.png", "more/3.png"]
    assert found["left_out"][0]["map"] == "bad.png"
    for row in ("map", "face", "face_alone", "box_alone"):
        for size in ("own", "full"):
            each = [one["figures"]["coarse"][row][size]["mse"] for one in found["maps"]]
            summary = found["figures"]["coarse"][row][size]
            assert summary["mse"] == pytest.approx(np.mean(each))
            assert summary["psnr"] > 45.0
    assert found["skin_tone"]["coarse"]["map"]["light"] == 4
    assert found["baselines"]["dct"]["box"]["psnr"] > 20.0
    assert found["feature_distances"]["coarse"]["FD mean"]["maps"] == 4
    for name, rows, columns in (("picture", 6, 1 + 2 * 3), ("sheet", 8, 3)):
        height, width = cv2.imread(str(outputs[name])).shape[:2]
        assert height * columns == pytest.approx(width * rows, rel=0.03)


def test_limit_and_several_packs(
    maps: Path, pack_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packs = [str(pack_folder)] * 2
    assert main(["evaluate", "uv", "--maps", str(maps), "--limit", "1", "--pack", *packs]) == 0
    out = capsys.readouterr().out
    assert out.count("components, 1 maps of 64 texels") == 2
    assert out.count("waves 64 coarse") == 2  # the overview


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--maps", "absent"), "no folder"),
        (("--maps", "empty"), "No skin maps"),
        (("--maps", "maps", "--limit", "0"), "--limit"),
        (("--maps", "maps", "--json", "absent/figures.json"), "no folder"),
        (("--maps", "maps", "--inception", "maps/bad.png"), "FID Inception"),
    ],
)
def test_plain_refusals(
    maps: Path,
    pack_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    expected: str,
) -> None:
    monkeypatch.chdir(maps.parent)
    Path("empty").mkdir()
    assert main(["evaluate", "uv", *words, "--pack", str(pack_folder)]) == 2
    assert expected in capsys.readouterr().err.splitlines()[-1]


def test_detail_beside_coarse(
    tmp_path: Path,
    span_map: Callable[[int, int], np.ndarray],
    pack_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    maps = tmp_path / "fine"
    maps.mkdir()
    write_map(maps / "0.png", add_detail(span_map(0, 512), block_detail(512, 1)))
    words = ["evaluate", "uv", "--maps", str(maps), "--pack", str(pack_folder), "--refine", "2"]
    assert main(words) == 2
    assert "has none" in capsys.readouterr().err
    named = evaluate_inputs.NamedDetail(BlockCodec(), "blocks 1", "00")
    monkeypatch.setattr(evaluate_inputs, "read_detail", lambda detail, folder: named)
    outputs = ["--json", str(tmp_path / "a.json"), "--sheet", str(tmp_path / "a.png")]
    assert main([*words, *outputs]) == 0
    out = capsys.readouterr().out
    assert "detail of blocks 1" in out and "FD mean, detail:" in out
    found = json.loads((tmp_path / "a.json").read_text())["packs"][0]
    assert found["detail"] == "blocks 1"
    assert set(found["figures"]) == {"coarse", "detail", "detail refined"}
    for figures in found["figures"].values():
        assert set(figures["face"]) == {"own", "512", "full"}
    assert found["figures"]["detail"]["map"]["512"]["mse"] < 2.0
    height, width = cv2.imread(str(tmp_path / "a.png")).shape[:2]
    assert height * 7 == pytest.approx(width * 2, rel=0.03)  # the original, three pairs
