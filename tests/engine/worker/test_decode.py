"""Latents of results and packs to detail maps on disk, with a linear stand-in for the network."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.messages import DecodeRequest
from engine.protocol.result_schema import PackInfo
from engine.worker import decode as module
from engine.worker.decode import DetailDecoder, DetailSource

SHAPE = (4, 8, 8)
DIRECTIONS = np.random.default_rng(0).normal(size=(6, *SHAPE)).astype(np.float32)


def stretch(alpha: np.ndarray) -> np.ndarray:
    """A "network" that shows all of its latent."""
    return np.kron(alpha.reshape(16, 16), np.ones((32, 32), np.float32)) * 0.01


@pytest.fixture
def alpha():
    return np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)


@pytest.fixture
def loads(monkeypatch, tmp_path):
    """Folders that were loaded; packs "one" and "two" exist, sha256 is their name's letters."""
    found = []
    monkeypatch.setattr(module, "find_pack", lambda id: _folder(tmp_path, id))
    monkeypatch.setattr(module, "read_pack_manifest", lambda folder: (None, _sha(folder.name)))
    return found


def _folder(base: Path, id: str) -> Path:
    if id not in ("one", "two", "three"):
        raise EngineError(ErrorCode.PACK_MISSING, f"There is no pack {id!r}.", "Build it.")
    return base / id


def _sha(name: str) -> str:
    return name.encode().hex().ljust(64, "0")


@pytest.fixture
def decoder(loads, tmp_path):
    def load(folder: Path) -> DetailSource:
        loads.append(folder.name)
        return DetailSource(stretch, DIRECTIONS)

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return DetailDecoder(load, scratch)


@pytest.fixture
def result(tmp_path, alpha, monkeypatch):
    """make(pack=..., **coefficients) -> a folder with result.json and coefficients."""
    from engine.protocol.result import file_sha256
    from engine.protocol.safetensors import write_safetensors

    class Manifest:
        def __init__(self, plain):
            self.pack, self.files = PackInfo("one", "1", _sha("one")), plain["files"]
            other = plain["detail_pack"]
            self.detail_pack = PackInfo(other, "1", _sha(other)) if other else None

    def read(folder):
        return Manifest(json.loads((folder / "result.json").read_text()))

    monkeypatch.setattr(module, "read_manifest", read)

    def make(pack=None, **coefficients):
        folder = tmp_path / "result"
        folder.mkdir(exist_ok=True)
        path = folder / "coefficients.safetensors"
        write_safetensors(path, {"detail": alpha} | coefficients)
        files = {path.name: file_sha256(path)}
        (folder / "result.json").write_text(json.dumps({"files": files, "detail_pack": pack}))
        return folder

    return make


def test_offsets_move_the_results_latent_along_its_directions(decoder, result, alpha) -> None:
    folder = result()
    path = decoder(DecodeRequest("1", (0.5, 0.0, -2.0), result=str(folder)))
    expected = stretch(alpha + 0.5 * DIRECTIONS[0] - 2.0 * DIRECTIONS[2])
    got = np.load(path, allow_pickle=False)
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert got.shape == (512, 512) and got.dtype == np.float32


def test_a_pack_starts_from_its_mean(decoder) -> None:
    path = decoder(DecodeRequest("1", (0.0, 1.0), pack="two"))
    np.testing.assert_allclose(np.load(path), stretch(DIRECTIONS[1]), atol=1e-6)


def test_the_network_is_loaded_once_and_one_file_is_kept(decoder, result, loads) -> None:
    folder = result()
    first = decoder(DecodeRequest("1", (1.0,), result=str(folder)))
    second = decoder(DecodeRequest("2", (2.0,), result=str(folder)))
    assert loads == ["one"] and second.exists() and not first.exists()
    assert list(second.parent.iterdir()) == [second]
    for pack in ("two", "one", "three", "one", "two"):
        decoder(DecodeRequest("3", (), pack=pack))
    assert loads == ["one", "two", "three", "one", "two"], "two stay, the third goes in turn"


def test_a_result_that_was_written_again_is_read_again(decoder, result, alpha) -> None:
    folder = result()
    decoder(DecodeRequest("1", (), result=str(folder)))
    result(detail=2 * alpha)
    os.utime(folder / "result.json", ns=(1, 1))
    path = decoder(DecodeRequest("2", (), result=str(folder)))
    np.testing.assert_allclose(np.load(path), stretch(2 * alpha), atol=1e-6)


def test_a_detail_pack_goes_before_the_head_pack(decoder, result, loads) -> None:
    decoder(DecodeRequest("1", (), result=str(result(pack="two"))))
    assert loads == ["two"]


def test_what_cannot_be_decoded_is_told_plainly(decoder, result, tmp_path, monkeypatch) -> None:
    def refused(words, code, **request):
        with pytest.raises(EngineError, match=words) as caught:
            decoder(DecodeRequest("1", request.pop("offsets", (1.0,)), **request))
        assert caught.value.code == code

    refused("result.json cannot be read", ErrorCode.BAD_INPUT, result=str(tmp_path / "none"))
    refused("no pack 'four'", ErrorCode.PACK_MISSING, pack="four")
    refused("6 directions, 7 were", ErrorCode.BAD_SETTINGS, pack="one", offsets=(0.0,) * 7)
    folder = str(result(detail=np.zeros((4, 4, 4), np.float32)))
    refused("shape", ErrorCode.BAD_INPUT, result=folder)
    (Path(folder) / "coefficients.safetensors").write_bytes(b"other")
    (Path(folder) / "result.json").touch()
    refused("was changed", ErrorCode.BAD_INPUT, result=folder)
    monkeypatch.setattr(module, "read_pack_manifest", lambda folder: (None, "f" * 64))
    refused("another build of the pack one", ErrorCode.PACK_INVALID, result=str(result()))


def test_a_result_without_detail_says_so(decoder, result) -> None:
    folder = result()
    from engine.protocol.result import file_sha256
    from engine.protocol.safetensors import write_safetensors

    path = folder / "coefficients.safetensors"
    write_safetensors(path, {"identity": np.zeros(3, np.float32)})
    plain = {"files": {path.name: file_sha256(path)}, "detail_pack": None}
    (folder / "result.json").write_text(json.dumps(plain))
    with pytest.raises(EngineError, match="without a detail model"):
        decoder(DecodeRequest("1", (), result=str(folder)))


def test_a_network_that_went_wrong_is_an_error(loads, tmp_path) -> None:
    broken = DetailSource(lambda alpha: np.full((512, 512), np.nan), DIRECTIONS)
    decoder = DetailDecoder(lambda folder: broken, tmp_path)
    with pytest.raises(EngineError, match="cannot be used"):
        decoder(DecodeRequest("1", (), pack="one"))
