"""`train encoder` and `evaluate encoder` as people use them, with a tiny network."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import engine.train.encoder.settings as encoder_settings
from engine.cli import main
from engine.nets.coarse_encoder import EncoderNet
from engine.nets.resnet import ResNet, ResNetShape
from engine.packs.albedo import write_albedo_pack
from engine.protocol.albedo import scatter_texels
from engine.protocol.albedo_pack import AlbedoModel
from engine.protocol.encoder_pack import read_encoder_pack
from engine.protocol.pack_manifest import EncoderInfo, PackPart
from engine.protocol.safetensors import write_safetensors
from engine.skin.layout import region_masks
from engine.train.encoder.samples import split_rows

SIZE, COMPONENTS, COUNT, HELD = 64, 3, 16, 4
SHAPE = ResNetShape((4, 8), (1, 1))


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    info = EncoderInfo(SIZE, SHAPE.widths, SHAPE.blocks)
    monkeypatch.setattr(encoder_settings, "RESNET_50", info)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """albedo/: a model of smooth patterns; maps/: maps of it with a little noise."""
    base = tmp_path_factory.mktemp("encoder")
    random = np.random.default_rng(0)
    valid = region_masks(SIZE)["valid"] > 0
    patterns = random.standard_normal((3 * COMPONENTS, 6, 6)).astype(np.float32)
    rows = np.stack([cv2.resize(p, (SIZE, SIZE))[valid] for p in patterns])
    basis = 0.05 * rows.reshape(3, COMPONENTS, -1)
    mean = np.full((3, int(valid.sum())), 0.5, np.float32)
    sigma = np.linalg.norm(basis, axis=2).astype(np.float32)
    identity = np.eye(3 * COMPONENTS, dtype=np.float32)
    model = AlbedoModel(mean, basis, sigma, valid, identity)
    part = PackPart("albedo", "patterns", "CC0", "a test", "")
    write_albedo_pack(base / "albedo", model, "tiny", "1.0.0", (part,), "a test")
    (base / "maps").mkdir()
    for index in range(COUNT):
        weights = random.standard_normal((3, 1, COMPONENTS)).clip(-2, 2)
        texels = mean + (weights @ basis)[:, 0] + 0.01 * random.standard_normal(mean.shape)
        image = scatter_texels(texels.astype(np.float32), valid).clip(0.0, 1.0) * 255.0
        data = cv2.imencode(".png", np.rint(image[..., ::-1]).astype(np.uint8))[1].tobytes()
        (base / "maps" / f"{index:03d}.png").write_bytes(data)
    return base


def _command(folder: Path, out: Path, *more: str) -> list[str]:
    command = ["train", "encoder", "--maps", str(folder / "maps"), "--out", str(out)]
    command += ["--albedo", str(folder / "albedo"), "--any-layout", "--device", "cpu"]
    return [*command, "--input", "64", "--batch", "4", "--held", str(HELD), *more]


def test_trains_writes_and_measures(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "My Encoder"
    assert main(_command(folder, out, "--steps", "4", "--licence", "CC0", "--origin", "me")) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out)
    assert f"{HELD} maps with holes" in said.err and "exact projection, face" in said.err

    pack = read_encoder_pack(out)
    assert pack.manifest.id == "my-encoder" and pack.manifest.head is None
    assert [part.name for part in pack.manifest.parts] == ["albedo", "encoder"]
    assert "4 steps of 4 in float32 on the CPU" in pack.manifest.recipe
    assert EncoderNet(pack).encode(np.full((64, 64, 3), 0.5), np.ones((64, 64))).shape == (3, 3)
    report = json.loads((tmp_path / "My Encoder.training.json").read_text())
    held = [f"{row:03d}.png" for row in split_rows(COUNT, HELD)[1]]
    assert [Path(name).name for name in report["held"]] == held
    assert (tmp_path / "My Encoder.curves.png").is_file()
    assert (tmp_path / "My Encoder.sheet.png").is_file()


def test_measures_a_pack(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, figures = tmp_path / "e", tmp_path / "figures.json"
    assert main(_command(folder, out, "--steps", "2")) == 0
    capsys.readouterr()
    command = ["evaluate", "encoder", "--pack", str(out), "--maps", str(folder / "maps")]
    assert main([*command, "--limit", "6", "--json", str(figures)]) == 0
    printed = capsys.readouterr().out
    assert "6 maps as they are" in printed
    scores = json.loads(figures.read_text())["scores"]
    whole, holes = scores["whole"], scores["holes"]
    # Noise of 0.01 lies outside the model: nothing reaches below it, the projection just reaches.
    assert whole["projection"]["map"]["psnr"] == pytest.approx(40.0, abs=0.7)
    assert whole["projection"]["map"]["mse"] < whole["prior"]["map"]["mse"]
    assert whole["encoder"]["map"]["mse"] > whole["projection"]["map"]["mse"]
    assert holes["projection"]["map"]["mse"] > whole["projection"]["map"]["mse"]
    assert f"{whole['encoder']['map']['psnr']:.2f}" in printed


def test_goes_on_with_more_steps_and_refuses_a_broken_checkpoint(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "e"
    assert main(_command(folder, out, "--steps", "2")) == 0
    assert main(_command(folder, out, "--steps", "4")) == 0
    assert "4 steps of 4" in read_encoder_pack(out).manifest.recipe
    capsys.readouterr()
    assert main(_command(folder, out, "--steps", "4", "--rate", "0.01")) == 2
    assert "settings" in capsys.readouterr().err
    newest = max((tmp_path / "e.work" / "checkpoints").iterdir())
    tensors = newest / "tensors.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-64])
    assert main(_command(folder, out, "--steps", "6")) == 2
    said = capsys.readouterr().err
    assert str(newest) in said and "broken" in said and "Traceback" not in said


def test_begins_from_start_weights(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(9)
    table = {name: value.numpy() for name, value in ResNet(SHAPE, 3, 10).state_dict().items()}
    path = tmp_path / "start.safetensors"
    write_safetensors(path, table)
    out = tmp_path / "e"
    more = ("--steps", "1", "--rate", "1e-9", "--start-weights", str(path))
    assert main(_command(folder, out, *more)) == 0
    pack = read_encoder_pack(out)
    found = pack.net["net.layer2.0.conv2.weight"]
    np.testing.assert_array_equal(found, table["layer2.0.conv2.weight"].astype(np.float16))
    assert "start weights of the user" in pack.manifest.recipe


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--start-weights", "nowhere.safetensors"), "nowhere.safetensors"),
        (("--held", "9"), "held back"),
        (("--batch", "1"), "batch norm"),
        (("--hours", "0"), "--hours"),
        (("--precision", "float16"), "CUDA"),
        (("--albedo", "no-such-pack"), "no-such-pack"),
    ],
)
def test_wrong_options_are_said_in_plain_words(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    words: str,
) -> None:
    assert main(_command(folder, tmp_path / "e", *more)) != 0
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said
    assert not (tmp_path / "e").exists()


def test_a_pack_without_an_encoder_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "encoder", "--pack", str(folder / "albedo")]
    assert main([*command, "--maps", str(folder / "maps")]) == 3
    assert "a coarse encoder" in capsys.readouterr().err
