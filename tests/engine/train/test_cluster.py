"""The training on a cluster gives what one machine gives."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_maps import SIZE, low_rank_maps, write_maps

from engine.protocol.albedo_pack import read_albedo_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.reporter import NullReporter
from engine.train.albedo_pca import train_albedo
from engine.train.cluster import connect
from engine.train.settings import TrainSettings

pytest.importorskip("distributed")


@pytest.mark.slow
def test_two_worker_processes_train_the_same_model(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    files = write_maps(maps, low_rank_maps(90, 20, noise=0.01))
    (maps / "z_twin.png").write_bytes(files[0].read_bytes())
    settings = TrainSettings(components=8, check_layout=False, exact_limit=0, workers=1)
    local = train_albedo(files, SIZE, settings, NullReporter(), tmp_path / "work").model

    script = Path(__file__).with_name("run_on_cluster.py")
    out = tmp_path / "pack"
    done = subprocess.run(
        [sys.executable, str(script), str(maps), str(out)],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert "z_twin.png shows the same picture" in done.stderr
    remote = read_albedo_pack(out).model
    np.testing.assert_allclose(remote.sigma, local.sigma, rtol=1e-5)
    np.testing.assert_allclose(remote.mean, local.mean, atol=1e-6)
    np.testing.assert_allclose(remote.covariance, local.covariance, atol=1e-4)
    step = np.abs(local.basis).max(axis=2, keepdims=True) / 127  # the pack's basis is int8
    assert np.all(np.abs(remote.basis - local.basis) <= 0.51 * step)


def test_missing_dask_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(EngineError, match=r"dask\.distributed") as caught,
        connect("tcp://nowhere:1"),
    ):
        pass
    assert caught.value.code == ErrorCode.ENGINE_MISSING
    assert "requirements-cluster.txt" in caught.value.hint
