"""`fit --detail`: the detail model of another pack, named in the result directory."""

import hashlib

import numpy as np
import pytest

from engine.nets.detail_vae import DetailVae
from engine.packs.detail import write_detail_pack
from engine.protocol.detail_pack import DetailModel
from engine.protocol.pack_manifest import DetailInfo, PackPart
from engine.protocol.result import read_result

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PARTS = (PackPart("detail", "test", "as this project", "this project", ""),)
INFO = DetailInfo(512, latent_channels=4, latent_size=32, widths=(4, 4, 4), blocks=0, directions=1)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An untrained network as a pack."""
    ones = np.ones((4, 32, 32), np.float32)
    net = {name: value.numpy() for name, value in DetailVae(INFO).state_dict().items()}
    model = DetailModel(INFO, net, 0.0 * ones, ones, 0.1 * ones[None], ones)
    folder = tmp_path_factory.mktemp("detail") / "small"
    return write_detail_pack(folder, model, "small", "1.2.3", PARTS, "test")


def test_a_photo_is_fitted_with_a_detail_pack(fit, astronaut, small, tmp_path):
    done = fit(astronaut, tmp_path / "r", "--detail", str(small), "--texture-size", "256")
    assert done.returncode == 0, done.stderr
    package = read_result(tmp_path / "r")
    info = package.manifest.detail_pack
    assert (info.id, info.version) == ("small", "1.2.3")
    assert info.sha256 == hashlib.sha256((small / "pack.json").read_bytes()).hexdigest()
    assert package.coefficients["detail"].shape == (4, 32, 32)


def test_a_detail_pack_that_cannot_be_used_is_told(fit, astronaut, tmp_path):
    done = fit(astronaut, tmp_path / "r", "--detail", "unknown")
    assert done.returncode == 3 and "no pack 'unknown'" in done.stderr
    assert not (tmp_path / "r").exists()
