"""Packs of a coarse encoder: written, read, shown, refused."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch

from engine.nets.coarse_encoder import CoarseEncoder, EncoderNet, plain_weights
from engine.packs.contents import describe, kinds, read_contents
from engine.packs.encoder import write_encoder_pack
from engine.protocol.encoder_pack import read_encoder_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.pack_manifest import EncoderInfo
from engine.protocol.safetensors import read_safetensors, write_safetensors

FILE = "encoder.safetensors"
INFO = EncoderInfo(input=64, widths=(4, 8), blocks=(1, 1))


@pytest.fixture(scope="module")
def written(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written") / "coarse"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = plain_weights(CoarseEncoder(INFO, tiny.COMPONENTS))
    model, parts = tiny.tiny_albedo(), tiny.TEST_PARTS
    return write_encoder_pack(folder, net, INFO, model, "coarse", "1.0.0", parts, "a test")


@pytest.fixture
def pack(written, tmp_path):
    return shutil.copytree(written, tmp_path / "coarse")


def complaint(folder):
    with pytest.raises(EngineError) as caught:
        EncoderNet(read_encoder_pack(folder))
    assert caught.value.code is ErrorCode.PACK_INVALID and caught.value.hint
    return caught.value.message


def edit_json(folder, change):
    path = folder / "pack.json"
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))


def test_what_was_written_runs_and_is_shown(tiny, written):
    net = EncoderNet(read_encoder_pack(written))
    image = np.full((tiny.ALBEDO_SIZE, tiny.ALBEDO_SIZE, 3), 0.5, np.float32)
    found = net.encode(image, np.ones(image.shape[:2], np.float32))
    assert found.shape == (3, tiny.COMPONENTS) and np.isfinite(found).all()
    contents = read_contents(written)
    assert kinds(contents) == "albedo model, coarse encoder"
    assert any(
        line.startswith("coarse encoder: input 64, blocks 1-1") for line in describe(contents)
    )


JSON_RULES = {
    "no entry": (lambda p: p.update(encoder=None), "encoder: expected an entry exactly with"),
    "no albedo model": (
        lambda p: (p.update(albedo=None), p["files"].pop("albedo.safetensors")),
        "an albedo model beside it",
    ),
    "input": (lambda p: p["encoder"].update(input=2**40), "encoder.input"),
    "absurd width": (lambda p: p["encoder"].update(widths=[4, 2**40]), "encoder.widths"),
    "width for each": (lambda p: p["encoder"].update(widths=[4]), "one for each width"),
    "absurd blocks": (lambda p: p["encoder"].update(blocks=[10**9, 1]), "encoder.blocks"),
    "another network": (lambda p: p["encoder"].update(widths=[4, 6]), "pack.json describes"),
    "a huge network": (
        lambda p: p["encoder"].update(widths=[1024] * 8, blocks=[8] * 8),
        "pack.json describes",
    ),
    "wrong hash": (lambda p: p["files"].update({FILE: "0" * 64}), "sha256"),
}


@pytest.mark.parametrize("rule", JSON_RULES)
def test_broken_json(pack, rule):
    change, words = JSON_RULES[rule]
    edit_json(pack, change)
    assert words in complaint(pack)


def some(tensors, ending):
    return next(name for name in sorted(tensors) if name.endswith(ending))


TENSOR_RULES = {
    "empty file": (lambda t: t.clear(), "the network's weights"),
    "missing": (lambda t: t.pop(some(t, "weight")), "is missing"),
    "unknown": (lambda t: t.update(extra=np.zeros(2, np.float16)), "extra is unknown"),
    "kind": (lambda t: t.update({some(t, "weight"): np.zeros(2, np.float32)}), "float16"),
    "not a number": (lambda t: t[some(t, "weight")].reshape(-1).__setitem__(0, np.nan), "finite"),
    "variance below 0": (lambda t: t[some(t, "running_var")].__setitem__(0, -1.0), "running_var"),
}


@pytest.mark.parametrize("rule", TENSOR_RULES)
def test_broken_tensors(pack, rule):
    change, words = TENSOR_RULES[rule]
    tensors = read_safetensors(pack / FILE)
    change(tensors)
    write_safetensors(pack / FILE, tensors)
    digest = hashlib.sha256((pack / FILE).read_bytes()).hexdigest()
    edit_json(pack, lambda plain: plain["files"].update({FILE: digest}))
    assert words in complaint(pack)
