"""UVAPM's detail decoder, in small: read safely, run exactly, made a detail pack."""

import numpy as np
import pytest
import torch
from torch import nn

from engine.packs.uvapm.code_decoder import CodeLayout, decode_codes, read_decoder
from engine.packs.uvapm.detail import convert_maps, import_uvapm_detail
from engine.protocol.detail import value
from engine.protocol.detail_pack import read_detail_pack
from engine.protocol.errors import EngineError, ErrorCode
from engine.reporter import Cancelled, CancelToken, NullReporter
from engine.train.detail.samples import coarse_of

LAYOUT = CodeLayout(code=5, widths=(7, 6), size=512)


def network(size=LAYOUT.size):
    """The decoder as its makers write it, with the encoder's last layer beside it."""
    torch.manual_seed(0)
    layers = (nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 6), nn.ReLU(), nn.Linear(6, size**2))
    return nn.ModuleDict(
        {"decoder": nn.Sequential(*layers, nn.Sigmoid()), "fc_mu": nn.Linear(9, 5)}
    )


def saved(folder, state, legacy=False):
    path = folder / "variational_autoencoder.pth"
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.mark.parametrize("legacy", [False, True])
def test_codes_are_decoded_as_the_network_does(tmp_path, legacy):
    vae = network()
    path = saved(tmp_path, vae.state_dict(), legacy)
    codes = np.random.default_rng(0).standard_normal((3, 5))
    seen = []
    maps = decode_codes(
        path, read_decoder(path, LAYOUT), codes, lambda done, total: seen.append((done, total))
    )
    with torch.no_grad():
        expected = vae["decoder"](torch.from_numpy(codes).float()).numpy()
    np.testing.assert_allclose(maps, expected, atol=5e-4)  # half floats below 1
    assert seen[-1] == (512**2, 512**2) and len(seen) == 16


class Harmful:
    """Pickles as a call."""

    def __reduce__(self):
        return (print, ("executed",))


def changed(name, function):
    return lambda state: state | {name: function(state[name])}


def without(name):
    return lambda state: {key: tensor for key, tensor in state.items() if key != name}


BROKEN = {
    "no layer": (without("decoder.2.weight"), "decoder.2.weight is missing"),
    "other code": (changed("decoder.0.weight", lambda w: w[:, :4]), "shape (7, 5)"),
    "other size": (changed("decoder.4.bias", lambda w: w[:100]), "decoder.4.bias must have"),
    "turned": (changed("decoder.4.weight", lambda w: w.T), "shape (262144, 6)"),
    "whole numbers": (changed("decoder.2.bias", lambda w: w.int()), "real numbers"),
    "a number": (changed("decoder.2.bias", lambda w: 1.0), "decoder.2.bias is missing"),
    "a list": (lambda state: list(state.values()), "table of tensors"),
    "a checkpoint": (lambda state: {"model": state}, "decoder.0.weight is missing"),
    "code": (lambda state: state | {"x": Harmful()}, "more than plain tensors"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_files_are_refused_in_words(tmp_path, rule, capsys):
    spoil, words = BROKEN[rule]
    path = saved(tmp_path, spoil(dict(network().state_dict())))
    with pytest.raises(EngineError) as caught:
        read_decoder(path, LAYOUT)
    assert caught.value.code is ErrorCode.BAD_INPUT
    assert words in caught.value.message and "variational_autoencoder.pth" in caught.value.message
    assert "executed" not in capsys.readouterr().out


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "variational_autoencoder.pth"
    with pytest.raises(EngineError, match="cannot be read"):
        read_decoder(path, LAYOUT)
    for data in (b"", b"words", b"PK\x03\x04"):
        path.write_bytes(data)
        with pytest.raises(EngineError, match="damaged"):
            read_decoder(path, LAYOUT)


def test_weights_that_are_not_finite(tmp_path):
    state = network().state_dict()
    state["decoder.4.weight"][70_000, 3] = float("inf")
    path = saved(tmp_path, state)
    with pytest.raises(EngineError, match="not finite"):
        decode_codes(path, read_decoder(path, LAYOUT), np.ones((2, 5)), lambda *_: None)


@pytest.fixture
def models(tiny):
    return tiny.tiny_detail(), tiny.tiny_albedo()


def plain_maps(albedo, count, patterns):
    """V of the albedo model's mean colour, with patterns (512, 512) of random strength."""
    mean = np.zeros((*albedo.valid.shape, 3), np.float32)
    mean[albedo.valid > 0] = albedo.mean.T
    base = value(coarse_of(albedo).of(mean, 512))
    rng = np.random.default_rng(1)
    strength = rng.standard_normal((count, len(patterns)))
    return (base + np.tensordot(strength, patterns, 1)).reshape(count, -1).astype(np.float32)


def pattern(period):
    """Stripes too fine for a coarse model."""
    return 0.02 * np.sin(np.arange(512) * 2 * np.pi / period)[:, None] * np.ones((512, 512))


def test_the_scale_of_the_values_does_not_count(models):
    maps = plain_maps(models[1], 4, [pattern(5.0)])
    first = convert_maps(maps, *models, NullReporter()).model
    second = convert_maps(0.3 * maps, *models, NullReporter()).model
    np.testing.assert_allclose(first.latent_mean, second.latent_mean, atol=1e-3)
    np.testing.assert_allclose(first.latent_sigma, second.latent_sigma, atol=1e-3)
    assert first.net is models[0].net and first.info is models[0].info


def test_directions_are_how_the_maps_differ(models):
    maps = plain_maps(models[1], 8, [pattern(5.0)])
    found = convert_maps(maps, *models, NullReporter()).model
    length = np.sqrt((found.directions**2).sum(axis=(1, 2, 3)))
    assert length[0] > 0.0 and (length[1:] < 0.1 * length[0]).all()
    still = convert_maps(np.repeat(maps[:1], 3, axis=0), *models, NullReporter()).model
    assert np.abs(still.directions).max() < 1e-3


def test_the_pack(tmp_path, tiny, monkeypatch):
    packs = tmp_path / "packs"
    tiny.write_tiny_pack(packs / "default", detail=True)
    monkeypatch.setenv("UVAPM_PACKS", str(packs))
    file = saved(tmp_path, network().state_dict())
    folder = import_uvapm_detail(file, packs / "uvapm-detail", 5, NullReporter(), LAYOUT)
    pack = read_detail_pack(folder)
    assert pack.manifest.id == "uvapm-detail" and pack.manifest.head is None
    part = pack.manifest.parts[0]
    assert "non-commercial" in part.licence and len(part.sha256) == 64
    assert "5 codes" in pack.manifest.recipe and "%" in pack.manifest.recipe
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        import_uvapm_detail(file, packs / "again", 5, NullReporter(token=token), LAYOUT)
    assert not (packs / "again").exists()


def test_a_default_pack_without_detail(tmp_path, tiny, monkeypatch):
    tiny.write_tiny_pack(tmp_path / "packs" / "default")
    monkeypatch.setenv("UVAPM_PACKS", str(tmp_path / "packs"))
    file = saved(tmp_path, network().state_dict())
    with pytest.raises(EngineError, match="a pack without"):
        import_uvapm_detail(file, tmp_path / "out", 5, NullReporter(), LAYOUT)
