"""`fit --albedo`: a model of another size and number of components than the head pack's own."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from engine.fit.albedo.model_size import reduce_model
from engine.fit.loaded import load_pack
from engine.packs.albedo import write_albedo_pack
from engine.protocol.albedo_pack import AlbedoModel, read_albedo_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.pack_manifest import PackPart
from engine.protocol.result import read_result

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PARTS = (PackPart("albedo", "test", "as this project", "this project", ""),)
SIZE, COMPONENTS = 64, 20


@pytest.fixture(scope="module")
def small(default_pack, tmp_path_factory):
    """The default model at 64 texels a side with 20 components, as a pack."""
    model = reduce_model(read_albedo_pack(default_pack).model, SIZE)
    kept = np.concatenate([np.arange(COMPONENTS) + c * model.sigma.shape[1] for c in range(3)])
    model = AlbedoModel(
        model.mean,
        model.basis[:, :COMPONENTS],
        model.sigma[:, :COMPONENTS],
        model.valid,
        model.covariance[np.ix_(kept, kept)],
    )
    folder = tmp_path_factory.mktemp("albedo") / "small"
    return write_albedo_pack(folder, model, "small", "1.2.3", PARTS, "test")


def test_a_photo_is_fitted_with_a_small_model(fit, astronaut, small, tmp_path):
    done = fit(astronaut, tmp_path / "r", "--albedo", str(small), "--texture-size", "256")
    assert done.returncode == 0, done.stderr
    package = read_result(tmp_path / "r")
    info = package.manifest.albedo_pack
    assert (info.id, info.version) == ("small", "1.2.3")
    assert info.sha256 == hashlib.sha256((small / "pack.json").read_bytes()).hexdigest()
    assert package.coefficients["albedo"].shape == (3, COMPONENTS)
    coarse = np.asarray(Image.open(package.path("maps/albedo_coarse.png")).convert("RGB"))
    red, green, blue = coarse[100:160, 100:160].reshape(-1, 3).mean(axis=0)
    assert red > green > blue > 30


def test_the_albedo_pack_replaces_the_head_packs_own(default_pack, small):
    loaded = load_pack(default_pack, small)
    assert loaded.albedo.valid.shape == (SIZE, SIZE) and loaded.solver is loaded.albedo
    assert loaded.albedo_pack.id == "small"
    assert load_pack(default_pack).albedo_pack is None


def test_what_cannot_be_used_is_told(fit, astronaut, small, tmp_path):
    done = fit(astronaut, tmp_path / "r", "--albedo", "unknown")
    assert done.returncode == 3 and "no pack 'unknown'" in done.stderr
    plain = json.loads((small / "pack.json").read_text())
    assert plain["head"] is None
    with pytest.raises(EngineError, match="albedo model only") as caught:
        load_pack(small)
    assert caught.value.code is ErrorCode.PACK_INVALID
    assert not (tmp_path / "r").exists()
