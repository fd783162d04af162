"""Albedo packs: written, read, refused; the loss of the int8 basis; the default pack's model."""

import json
import shutil

import numpy as np
import pytest

from engine.packs.albedo import quantise_basis, write_albedo_pack
from engine.packs.build import albedo as build
from engine.packs.build.own_model import read_figures
from engine.protocol.albedo import decode_albedo, encode_albedo
from engine.protocol.albedo_pack import read_albedo_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.headpack import read_pack
from engine.protocol.pack_manifest import PackPart
from engine.protocol.safetensors import read_safetensors


@pytest.fixture
def skin_pack(tiny, tmp_path):
    return tiny.write_tiny_albedo_pack(tmp_path / "skin")


def refusal(call, *arguments):
    with pytest.raises(EngineError) as caught:
        call(*arguments)
    return caught.value.code, caught.value.message


def test_what_was_written_is_read(tiny, skin_pack):
    truth = tiny.tiny_albedo()
    pack = read_albedo_pack(skin_pack)
    assert pack.manifest.head is None and pack.manifest.id == "skin"
    assert np.array_equal(pack.model.mean, truth.mean)
    assert np.array_equal(pack.model.valid, truth.valid) and pack.model.valid.dtype == bool
    step = np.abs(truth.basis).max(axis=2, keepdims=True) / 127
    assert (np.abs(pack.model.basis - truth.basis) <= 0.501 * step).all()


def test_a_head_pack_gives_its_albedo_model(tiny_pack):
    pack = read_albedo_pack(tiny_pack)
    assert np.array_equal(pack.model.basis, read_pack(tiny_pack).albedo.basis)
    assert pack.sha == read_pack(tiny_pack).head.sha


def test_an_albedo_pack_is_no_head(skin_pack):
    code, message = refusal(read_pack, skin_pack)
    assert code is ErrorCode.PACK_INVALID
    assert "expected a head, found none: this pack holds an albedo model only" in message


def test_a_head_pack_without_albedo_has_no_model(tiny_pack):
    plain = json.loads((tiny_pack / "pack.json").read_text())
    plain["albedo"] = None
    del plain["files"]["albedo.safetensors"]
    (tiny_pack / "pack.json").write_text(json.dumps(plain))
    assert read_pack(tiny_pack).albedo is None
    code, message = refusal(read_albedo_pack, tiny_pack)
    assert code is ErrorCode.PACK_INVALID and "expected an albedo model" in message


def test_files_of_others_are_not_overwritten(tiny, tmp_path):
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(b"photo")
    code, message = refusal(tiny.write_tiny_albedo_pack, folder)
    assert code is ErrorCode.BAD_OUTPUT and "not a pack" in message
    assert (folder / "photo.jpg").read_bytes() == b"photo"
    (tmp_path / "file").write_text("")
    assert refusal(tiny.write_tiny_albedo_pack, tmp_path / "file")[0] is ErrorCode.BAD_OUTPUT
    assert refusal(tiny.write_tiny_albedo_pack, tmp_path / "file" / "x")[0] is ErrorCode.BAD_OUTPUT
    (tmp_path / "empty").mkdir()
    pack = tiny.write_tiny_albedo_pack(tmp_path / "empty")
    assert tiny.write_tiny_albedo_pack(pack) == pack


def test_quantising_a_component_of_zeros():
    steps, scale = quantise_basis(np.zeros((3, 2, 5), np.float32))
    assert not steps.any() and not scale.any()


def test_rounding_costs_less_than_a_tenth_of_a_decibel():
    """Maps of a falling spectrum whose tail the model does not hold, 38 dB as on skins."""
    rng = np.random.default_rng(0)
    texels, held = 3000, 60
    spread = 1.0 / np.arange(1, 400)
    rows = np.linalg.qr(rng.standard_normal((texels, len(spread))))[0].T
    tail = np.sqrt((spread[held:] ** 2).sum() / texels)
    scale = 10 ** (-38 / 20) / tail
    basis = np.stack([rows[:held] * (spread[:held] * scale)[:, None]] * 3).astype(np.float32)
    steps, scales = quantise_basis(basis)
    assert steps.dtype == np.int8 and np.abs(steps).max() == 127
    rounded = steps.astype(np.float32) * scales[:, :, None]
    valid, mean = np.ones((50, 60), bool), np.full((3, texels), 0.5, np.float32)
    error = {"float": 0.0, "int8": 0.0}
    for _ in range(6):
        draw = rng.standard_normal((3, len(spread))) * spread * scale
        image = (0.5 + draw @ rows).T.reshape(50, 60, 3)
        for name, each in (("float", basis), ("int8", rounded)):
            code = encode_albedo(mean, each, valid, image)
            error[name] += float(((decode_albedo(mean, each, valid, code) - image) ** 2).mean())
    assert 0.0 < 10 * np.log10(error["int8"] / error["float"]) < 0.1


def test_the_model_of_the_default_pack_is_what_its_json_says():
    table = build.load_albedo_table()
    source = build.read_source()
    assert (table.info.height, table.info.components) == (source.size, source.components)
    assert source.size == 256 and source.components == 100 and source.count > 100
    assert str(source.count) in table.part.what and f"seed {source.seed}" in table.part.what
    assert (build.DATA / build.MODEL_FILE).stat().st_size < 25 * 2**20


def test_the_built_pack_holds_that_model(default_pack):
    built = read_safetensors(default_pack / "albedo.safetensors")
    ours = read_safetensors(build.DATA / build.MODEL_FILE)
    assert built.keys() == ours.keys()
    for name, tensor in ours.items():
        assert np.array_equal(built[name], tensor), name


def test_a_trained_pack_becomes_the_default_model(skin_pack, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    pack = read_albedo_pack(skin_pack)
    source = build.adopt_albedo_pack(pack, 3, 20_000, {"psnr": 38.5}, data)
    assert source == build.read_source(data)
    table = build.load_albedo_table(data)
    assert table.part.what == "made for a test; 20000 skins generated by this project, seed 3"
    assert np.array_equal(table.model.basis, pack.model.basis)


def test_json_and_model_must_belong_together(skin_pack, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    assert "cannot be read" in refusal(build.load_albedo_table, data)[1]
    build.adopt_albedo_pack(read_albedo_pack(skin_pack), 0, 1, {}, data)
    path = data / build.SOURCE_FILE
    good = json.loads(path.read_text())
    for change, words in (
        ({"sha256": "0" * 64}, "sha256"),
        ({"colour": 1}, "unknown key"),
        ({"count": "many"}, "count"),
        ({"components": 3}, "shape"),
        ({"size": 32}, "shape"),
    ):
        path.write_text(json.dumps({**good, **change}))
        code, message = refusal(build.load_albedo_table, data)
        assert code is ErrorCode.PACK_INVALID and words in message
    path.write_text(json.dumps(good))
    (data / build.MODEL_FILE).unlink()
    assert "cannot be built" in refusal(build.load_albedo_table, data)[1]
    shutil.copyfile(build.DATA / "landmarks.safetensors", data / build.MODEL_FILE)
    assert "sha256" in refusal(build.load_albedo_table, data)[1]


def test_the_command_that_adopts_a_model(skin_pack, tmp_path, capsys):
    from engine.packs.calibrate.__main__ import main

    data, figures = tmp_path / "data", tmp_path / "figures.json"
    data.mkdir()
    figures.write_text('{"psnr held out": 38.25, "maps": 500}')
    words = ["albedo", "--pack", str(skin_pack), "--seed", "7", "--count", "20000"]
    assert main([*words, "--figures", str(figures), "--out", str(data)]) == 0
    assert "64 texels" in capsys.readouterr().out
    assert build.read_source(data).figures == {"psnr held out": 38.25, "maps": 500.0}
    figures.write_text('{"psnr": "good"}')
    assert refusal(read_figures, figures)[0] is ErrorCode.BAD_INPUT


def test_only_models_of_this_project_become_the_default(tiny, tmp_path):
    others = PackPart("albedo", "a model", "research only", "others", "")
    folder = write_albedo_pack(tmp_path / "p", tiny.tiny_albedo(), "p", "1", (others,), "r")
    code, message = refusal(build.adopt_albedo_pack, read_albedo_pack(folder), 0, 1, {}, tmp_path)
    assert code is ErrorCode.PACK_INVALID and "this project" in message
