"""Detail packs: written, read, refused, adopted; one broken pack for every rule."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine.packs.build import detail as build
from engine.packs.build.own_model import DATA
from engine.packs.contents import describe, kinds, read_contents
from engine.packs.detail import write_detail_pack
from engine.protocol import detail_pack, pack_tensors
from engine.protocol.detail_pack import read_detail_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.headpack import read_pack
from engine.protocol.pack_manifest import PackPart
from engine.protocol.safetensors import read_safetensors, write_safetensors

FILE = "detail.safetensors"
WEIGHT = "net.decoder.linear.weight"


@pytest.fixture(scope="module")
def written(tiny, tmp_path_factory):
    return tiny.write_tiny_detail_pack(tmp_path_factory.mktemp("written") / "skin")


@pytest.fixture
def pack(written, tmp_path):
    """A valid detail pack that a test may break."""
    return shutil.copytree(written, tmp_path / "skin")


def refusal(call, *arguments):
    with pytest.raises(EngineError) as caught:
        call(*arguments)
    return caught.value.code, caught.value.message


def complaint(folder):
    code, message = refusal(read_detail_pack, folder)
    assert code is ErrorCode.PACK_INVALID
    return message


def edit_json(folder, change):
    path = folder / "pack.json"
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))


def keep_hash(folder):
    digest = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    edit_json(folder, lambda plain: plain["files"].update({FILE: digest}))


def test_what_was_written_is_read(tiny, written):
    truth, found = tiny.tiny_detail(), read_detail_pack(written)
    assert found.manifest.head is None and found.manifest.id == "skin"
    assert found.model.info == truth.info
    assert found.model.net.keys() == truth.net.keys()
    for name, array in truth.net.items():
        assert found.model.net[name].dtype == np.float32
        assert found.model.net[name] == pytest.approx(array, rel=1e-3, abs=1e-6)
    assert np.array_equal(found.model.latent_mean, truth.latent_mean)
    assert found.model.directions == pytest.approx(truth.directions, rel=1e-3)
    assert found.sha == hashlib.sha256((written / "pack.json").read_bytes()).hexdigest()


def test_writing_again_gives_the_same_bytes(tiny, written, tmp_path):
    again = tiny.write_tiny_detail_pack(tmp_path / "skin")
    for name in (FILE, "pack.json"):
        assert (again / name).read_bytes() == (written / name).read_bytes()


def test_a_head_pack_may_hold_one(tiny, tiny_pack, tmp_path):
    assert read_pack(tiny_pack).detail is None
    assert "a pack without one" in complaint(tiny_pack)
    folder = tiny.write_tiny_pack(tmp_path / "whole", detail=True)
    whole = read_pack(folder)
    assert np.array_equal(whole.detail.directions, read_detail_pack(folder).model.directions)


def test_a_detail_pack_is_no_head(written):
    code, message = refusal(read_pack, written)
    assert code is ErrorCode.PACK_INVALID and "holds a detail model only" in message


def test_what_is_shown(tiny, written, tmp_path):
    alone = read_contents(written)
    assert kinds(alone) == "detail model"
    lines = describe(alone)
    assert "recipe: made for a test" in lines and "albedo: none" in lines
    assert any(line.startswith("detail: 512x512, latent 4 x 32 x 32, 20 dir") for line in lines)
    assert lines[-1] == "all: test data; CC0-1.0; this project"
    whole = read_contents(tiny.write_tiny_pack(tmp_path / "whole", detail=True))
    assert kinds(whole) == "head, albedo model, detail model"


JSON_RULES = {
    "no entry": (lambda p: p.update(detail=None), "found none"),
    "no file": (lambda p: p["files"].pop(FILE), "detail: expected an entry exactly with"),
    "unknown key": (lambda p: p["detail"].update(colour=1), "colour"),
    "missing key": (lambda p: p["detail"].pop("blocks"), "blocks"),
    "widths of words": (lambda p: p["detail"].update(widths=["a", "b", "c"]), "widths"),
    "two widths": (lambda p: p["detail"].update(widths=[4, 6]), "three widths"),
    "width 0": (lambda p: p["detail"].update(widths=[4, 6, 0]), "three widths"),
    "absurd width": (lambda p: p["detail"].update(widths=[4, 6, 2**40]), "three widths"),
    "absurd size": (lambda p: p["detail"].update(size=2**40), "detail.size"),
    "size that does not divide": (lambda p: p["detail"].update(size=500), "detail.size"),
    "absurd latent": (lambda p: p["detail"].update(latent_size=2**30), "latent_size"),
    "no latent channels": (lambda p: p["detail"].update(latent_channels=0), "latent_channels"),
    "absurd blocks": (lambda p: p["detail"].update(blocks=10**9), "blocks"),
    "absurd directions": (lambda p: p["detail"].update(directions=10**9), "directions"),
    "no directions": (lambda p: p["detail"].update(directions=0), "detail.directions"),
    "another number of directions": (lambda p: p["detail"].update(directions=19), "directions"),
    "another latent": (lambda p: p["detail"].update(latent_size=16), "detail.size"),
    "another size": (lambda p: p["detail"].update(size=256, latent_size=16), "latent_mean"),
    "wrong hash": (lambda p: p["files"].update({FILE: "0" * 64}), "sha256"),
}


@pytest.mark.parametrize("rule", JSON_RULES)
def test_broken_json(pack, rule):
    change, words = JSON_RULES[rule]
    edit_json(pack, change)
    assert words in complaint(pack)


def scaled(name, factor):
    return lambda t: t.update({name: (t[name] * np.float32(factor)).astype(t[name].dtype)})


def first(name, value):
    return lambda t: t[name].reshape(-1).__setitem__(0, value)


TENSOR_RULES = {
    "missing": (lambda t: t.pop("latent_sigma"), "latent_sigma: expected this tensor"),
    "unknown": (lambda t: t.update(extra=np.zeros(1, np.float32)), "extra: expected no such"),
    "prefix": (lambda t: t.update({"decoder.x": t[WEIGHT]}), "decoder.x: expected no such"),
    "no network": (
        lambda t: [t.pop(name) for name in list(t) if name.startswith("net.")],
        "the network's weights",
    ),
    "weights in full": (lambda t: t.update({WEIGHT: t[WEIGHT].astype("f4")}), "float16"),
    "whole numbers": (lambda t: t.update({WEIGHT: t[WEIGHT].astype("i4")}), "float16"),
    "directions in full": (lambda t: t.update(directions=t["directions"].astype("f4")), "float16"),
    "mean in half": (lambda t: t.update(latent_mean=t["latent_mean"].astype("f2")), "float32"),
    "weight not a number": (first(WEIGHT, np.nan), "finite"),
    "weight infinite": (first(WEIGHT, np.inf), "finite"),
    "direction not a number": (first("directions", np.nan), "finite"),
    "mean not a number": (first("latent_mean", np.nan), "finite"),
    "five dimensions": (lambda t: t.update({WEIGHT: t[WEIGHT][None]}), "dimensions"),
    "empty weight": (lambda t: t.update({WEIGHT: t[WEIGHT][:0]}), "dimensions"),
    "shape of the mean": (lambda t: t.update(latent_mean=t["latent_mean"][:3]), "shape"),
    "negative sigma": (scaled("latent_sigma", -1), "latent_sigma"),
    "sigma 0": (first("latent_sigma", 0.0), "latent_sigma"),
    "negative residual": (scaled("residual_sigma", -1), "residual_sigma"),
    "residual 0": (first("residual_sigma", 0.0), "residual_sigma"),
    "absurd mean": (first("latent_mean", 1e30), "latent_mean"),
    "absurd directions": (scaled("directions", 1000), "directions"),
    "order": (lambda t: t.update(directions=t["directions"][::-1]), "longest first"),
}


@pytest.mark.parametrize("rule", TENSOR_RULES)
def test_broken_tensors(pack, rule):
    change, words = TENSOR_RULES[rule]
    tensors = read_safetensors(pack / FILE)
    change(tensors)
    write_safetensors(pack / FILE, tensors)
    keep_hash(pack)
    message = complaint(pack)
    assert FILE in message and words in message


def test_truncated_and_foreign_files(pack):
    whole = (pack / FILE).read_bytes()
    foreign = [whole[: len(whole) // 2], whole[:-1], b"", b"\x80\x04\x95" + bytes(200), b"PK\3\4"]
    for data in foreign:
        (pack / FILE).write_bytes(data)
        assert "sha256" in complaint(pack)
        keep_hash(pack)
        assert "not a valid safetensors file" in complaint(pack)
    (pack / FILE).unlink()
    assert "readable" in complaint(pack)


def test_a_huge_file_is_not_read(pack, monkeypatch):
    def fail(*_):
        raise AssertionError("it was read")

    monkeypatch.setattr(detail_pack, "MAX_DETAIL_BYTES", 1000)
    monkeypatch.setattr(pack_tensors, "read_safetensors", fail)
    assert "at most" in complaint(pack)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"net": {"big": np.full((2, 2), 1e6, np.float32)}}, "net.big"),
        ({"net": {}}, "weights"),
        ({"latent_sigma": np.zeros((4, 32, 32), np.float32)}, "latent_sigma"),
        ({"latent_mean": np.zeros((4, 16, 16), np.float32)}, "latent_mean"),
    ],
)
def test_a_model_that_could_not_be_read_back_is_not_written(tiny, tmp_path, change, words):
    model = replace(tiny.tiny_detail(), **change)
    folder = tmp_path / "p"
    code, message = refusal(write_detail_pack, folder, model, "p", "1", tiny.TEST_PARTS, "r")
    assert code is ErrorCode.PACK_INVALID and words in message
    assert not folder.exists()


def test_files_of_others_are_not_overwritten(tiny, tmp_path):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").write_bytes(b"photo")
    code, _ = refusal(tiny.write_tiny_detail_pack, tmp_path / "holiday")
    assert code is ErrorCode.BAD_OUTPUT
    assert (tmp_path / "holiday" / "photo.jpg").read_bytes() == b"photo"


def test_the_model_that_ships(default_pack):
    """Both files or none; what the JSON file says; small enough; in the built pack as it is."""
    table = build.load_detail_table()
    if table is None:
        assert read_pack(default_pack).detail is None
        pytest.skip("this project holds no trained detail model yet")
    source = build.read_source()
    assert (DATA / build.MODEL_FILE).stat().st_size <= 20_000_000
    assert source.model.size == 512 and source.model.directions >= 20 and source.count > 100
    assert (source.model.latent_channels, source.model.latent_size) == (4, 32)
    assert table.part in read_pack(default_pack).manifest.parts
    built = read_safetensors(default_pack / FILE)
    assert built.keys() == table.tensors.keys()
    assert all(np.array_equal(built[name], tensor) for name, tensor in table.tensors.items())


def test_a_trained_pack_becomes_the_default_model(pack, tmp_path, capsys):
    from engine.packs.calibrate.__main__ import main

    data, figures = tmp_path / "data", tmp_path / "figures.json"
    data.mkdir()
    assert build.load_detail_table(data) is None
    figures.write_text('{"PSNR, dB": 39.5}')
    words = ["detail", "--pack", str(pack), "--seed", "2", "--count", "5000"]
    assert main([*words, "--figures", str(figures), "--out", str(data)]) == 0
    assert "20 directions" in capsys.readouterr().out
    assert build.read_source(data).figures == {"PSNR, dB": 39.5}
    table = build.load_detail_table(data)
    assert table.part.what == "made for a test; 5000 skins generated by this project, seed 2"
    assert (table.part.licence, table.part.origin) == ("as this project", "this project")
    model = read_detail_pack(pack).model
    assert table.info == model.info
    assert np.array_equal(table.tensors["latent_mean"], model.latent_mean)


def test_json_and_model_must_belong_together(pack, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    build.adopt_detail_pack(read_detail_pack(pack), 0, 1, {}, data)
    path = data / build.SOURCE_FILE
    good = json.loads(path.read_text())
    for change, words in (
        ({"sha256": "0" * 64}, "sha256"),
        ({"colour": 1}, "unknown key"),
        ({"model": None}, "model"),
        ({"model": {**good["model"], "directions": 3}}, "directions"),
        ({"model": {**good["model"], "blocks": 2}}, "network does not fit"),
    ):
        path.write_text(json.dumps({**good, **change}))
        code, message = refusal(build.load_detail_table, data)
        assert code is ErrorCode.PACK_INVALID and words in message
    path.unlink()
    assert "cannot be read" in refusal(build.load_detail_table, data)[1]
    path.write_text(json.dumps(good))
    (data / build.MODEL_FILE).unlink()
    assert "cannot be built" in refusal(build.load_detail_table, data)[1]


def test_what_must_not_ship_is_not_adopted(tiny, pack, tmp_path, monkeypatch):
    others = (PackPart("detail", "a model", "research only", "others", ""),)
    folder = write_detail_pack(tmp_path / "p", tiny.tiny_detail(), "p", "1", others, "r")
    foreign, own = read_detail_pack(folder), read_detail_pack(pack)
    code, message = refusal(build.adopt_detail_pack, foreign, 0, 1, {}, tmp_path)
    assert code is ErrorCode.PACK_INVALID and "this project's maps" in message
    monkeypatch.setattr(build, "MAX_SHIPPED_BYTES", 10_000)
    code, message = refusal(build.adopt_detail_pack, own, 0, 1, {}, tmp_path)
    assert code is ErrorCode.PACK_INVALID and "at most 0.01 MB" in message
    assert not (tmp_path / build.MODEL_FILE).exists()
