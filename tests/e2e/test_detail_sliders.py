"""A fitted head's direction sliders with a real network: the way from the result and back."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from engine.nets.detail_vae import DetailVae
from engine.packs.detail import write_detail_pack
from engine.packs.registry import PACKS_VARIABLE
from engine.protocol.conventions import bytes_to_unit, unit_to_signed
from engine.protocol.detail_pack import DetailModel
from engine.protocol.errors import EngineError
from engine.protocol.messages import DecodeRequest
from engine.protocol.pack_manifest import DetailInfo, PackPart
from engine.worker.decode import DetailDecoder
from engine.worker.real import load_detail

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PARTS = (PackPart("detail", "test", "as this project", "this project", ""),)
INFO = DetailInfo(512, latent_channels=4, latent_size=32, widths=(4, 4, 4), blocks=0, directions=2)


@pytest.fixture
def packs(tmp_path, monkeypatch):
    """A folder of packs with an untrained detail model "small", where the engine looks."""
    ones = np.ones((4, 32, 32), np.float32)
    net = {name: value.numpy() for name, value in DetailVae(INFO).state_dict().items()}
    directions = np.stack([0.2 * ones, np.random.default_rng(0).normal(0, 0.1, ones.shape)])
    model = DetailModel(INFO, net, 0.0 * ones, ones, directions.astype(np.float32), ones)
    write_detail_pack(tmp_path / "packs" / "small", model, "small", "1", PARTS, "test")
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path / "packs"))
    return tmp_path / "packs"


def test_directions_start_from_the_fitted_detail(packs, fit, astronaut, tmp_path):
    result, scratch = tmp_path / "r", tmp_path / "scratch"
    scratch.mkdir()
    done = fit(astronaut, result, "--detail", "small", "--texture-size", "256")
    assert done.returncode == 0, done.stderr
    decoder = DetailDecoder(load_detail, scratch)

    def made(*offsets):
        return np.load(decoder(DecodeRequest("1", offsets, result=str(result))))

    with Image.open(result / "maps" / "albedo_detail.png") as image:
        stored = unit_to_signed(bytes_to_unit(np.asarray(image).astype(np.uint16)))
    np.testing.assert_allclose(made(), stored, atol=2e-4)
    assert np.abs(made(0.0, 2.0) - made()).max() > 1e-4
    np.testing.assert_array_equal(made(0.0, 2.0), made(0.0, 2.0))
    with pytest.raises(EngineError, match="2 directions, 3 were"):
        made(0.0, 0.0, 1.0)


def test_bench_detail_prints_torch_worker_and_numpy(packs, root):
    words = ("bench", "detail", "--pack", "small", "--repeats", "1", "--sizes", "512")
    command = [sys.executable, "-m", "engine", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    for line in ("decode a map, torch", "warm worker", "bands and regions", "albedo of 512"):
        assert line in done.stdout
