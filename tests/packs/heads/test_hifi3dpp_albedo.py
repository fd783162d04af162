"""HiFi3D++'s vertex colours as an albedo model: the same distribution of maps."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.packs.heads.hifi3dpp import MODEL_FILE
from engine.packs.heads.hifi3dpp_albedo import import_hifi3dpp_albedo
from engine.protocol.albedo_pack import read_albedo_pack
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.reporter import CancelToken, NullReporter

sys.path.insert(0, str(Path(__file__).parent))
from hifi3d_files import Tables, hifi3dpp_tables, model_sizes, tiny_face, write_mat

MESH = tiny_face()
SIZE = 64


def _import(folder: Path, tables: Tables, reporter: NullReporter | None = None) -> Path:
    file = write_mat(folder / MODEL_FILE, tables)
    reporter, sizes = reporter or NullReporter(), model_sizes(MESH)
    return import_hifi3dpp_albedo([file], folder / "pack", reporter, sizes, SIZE)


def test_maps_of_the_pack_vary_as_those_of_the_file(tmp_path: Path) -> None:
    rng, tables = np.random.default_rng(0), hifi3dpp_tables(MESH)
    uv = np.zeros((len(MESH.vertices), 2))
    uv[MESH.quads] = MESH.uv[MESH.uv_quads]
    plane = np.column_stack([np.ones(len(uv)), uv])  # colours that change evenly over the layout
    slopes = rng.normal(0.0, 10.0, (3, 3, 4))
    tables["texBase"] = np.einsum("vs,cks->vck", plane, slopes.transpose(0, 2, 1)).reshape(-1, 4)
    tables["meantex"] = (plane @ np.full((3, 3), 60.0)).reshape(1, -1)
    pack = read_albedo_pack(_import(tmp_path, tables))
    model = pack.model
    for row, column in ((20, 30), (40, 24)):
        place = np.flatnonzero(model.valid).searchsorted(row * SIZE + column)
        at = np.array([1.0, (column + 0.5) / SIZE, 1.0 - (row + 0.5) / SIZE])
        expected = np.einsum("s,csk->ck", at, slopes) / 255.0
        rows = np.zeros((3, 3, 4))
        rows[np.arange(3), np.arange(3)] = model.basis[:, :, place]
        flat = rows.reshape(3, 12)
        np.testing.assert_allclose(
            flat @ model.covariance @ flat.T, expected @ expected.T, atol=2e-4
        )
        np.testing.assert_allclose(model.mean[:, place], 60.0 * at.sum() / 255.0, atol=1e-3)
    assert pack.manifest.parts[0].sha256 and "4 modes" in pack.manifest.recipe


def _with(key: str, change: Callable[[np.ndarray], object]) -> Callable[[Tables], Tables]:
    return lambda tables: {**tables, key: change(tables[key])}


BROKEN = {
    "colours to 1": (_with("meantex", lambda a: a / 255), ["meantex", "grey levels"]),
    "negative colours": (_with("meantex", lambda a: -a), ["meantex", "grey levels"]),
    "modes in rows": (_with("texBase", np.transpose), ["texBase", "shape"]),
    "no modes": (_with("texBase", lambda a: 0 * a), ["texBase", "zeros"]),
    "not finite": (_with("texBase", lambda a: a * np.nan), ["texBase", "finite"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_colours_are_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    change, words = BROKEN[name]
    with pytest.raises(EngineError) as raised:
        _import(tmp_path, change(hifi3dpp_tables(MESH)))
    assert raised.value.code == ErrorCode.PACK_INVALID
    for word in (MODEL_FILE, *words):
        assert word in raised.value.message
    assert [path.name for path in tmp_path.iterdir()] == [MODEL_FILE]


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        _import(tmp_path, hifi3dpp_tables(MESH), NullReporter(token))
    assert not (tmp_path / "pack").exists()
