"""`evaluate lights`: the pictures are lit as they say, and known fits give known figures."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

import engine.evaluate.lights as lights_module
from engine.cli import main
from engine.evaluate.lights import (
    FIVE_LIGHTS,
    TEXTURE_SIZE,
    KnownHead,
    fit_lights,
    portrait_camera,
    take_picture,
    texel_shading,
)
from engine.evaluate.lights_report import outcome_json, picture_rows, table_lines
from engine.fit.loaded import LoadedPack, load_pack
from engine.fit.pipeline import Session
from engine.fit.settings import FitSettings
from engine.photo.load import Photo
from engine.protocol.conventions import mirror_texels
from engine.protocol.detail import DETAIL_SIZE, add_detail
from engine.protocol.errors import EngineError
from engine.render.resize import resize_texture
from engine.reporter import NullReporter
from engine.skin.layout import region_masks
from tests.engine.evaluate.conftest import SKIN, BlockCodec, block_detail, write_map


@pytest.fixture(scope="module")
def loaded(default_pack) -> LoadedPack:
    return replace(load_pack(default_pack), detail=BlockCodec())


@pytest.fixture(scope="module")
def head(loaded: LoadedPack) -> KnownHead:
    flat = np.broadcast_to(SKIN, (TEXTURE_SIZE, TEXTURE_SIZE, 3))
    skin = add_detail(flat, block_detail(TEXTURE_SIZE, 1, 0.02))
    return KnownHead(torch.from_numpy(loaded.head.mean), skin.astype(np.float32))


def test_left_is_right_in_the_mirror(loaded: LoadedPack, head: KnownHead) -> None:
    by_name = {one.name: texel_shading(head, loaded, one) for one in FIVE_LIGHTS}
    face = region_masks(DETAIL_SIZE)["face"] > 0.5
    mirrored = mirror_texels(by_name["right"])
    assert np.abs(by_name["left"] - mirrored)[face].mean() < 0.005
    half = DETAIL_SIZE // 2
    left_half = face & (np.arange(DETAIL_SIZE) >= half)  # of the layout: the subject's left
    assert by_name["left"][left_half].mean() > 1.3 * by_name["right"][left_half].mean()
    assert 0.5 < by_name["frontal"][face].mean() < 1.0


def test_a_picture_is_a_portrait_in_its_light(loaded: LoadedPack, head: KnownHead) -> None:
    photo = take_picture(head, loaded, FIVE_LIGHTS[1])
    assert photo.pixels.shape == (photo.height, photo.width, 3)
    brightness = photo.pixels.mean(axis=-1)
    side = photo.width
    middle = brightness[side // 3 : 2 * side // 3]
    # The subject's left is to the right in the picture.
    assert middle[:, side // 2 : 3 * side // 4].mean() > middle[:, side // 4 : side // 2].mean()
    assert 0.05 < (photo.pixels.max(axis=-1) > 0.25).mean() < 0.7


def _fake_fit(leak: float, loaded: LoadedPack, head: KnownHead):
    """Finds the true albedo and detail, and `leak` of the shading on top of it."""
    order = iter(FIVE_LIGHTS)
    true = portrait_camera(head, loaded)
    camera = {
        name: getattr(true, name).numpy() for name in ("intrinsics", "rotation", "translation")
    }

    def fit(photo: Photo, *rest: object) -> SimpleNamespace:
        shading = texel_shading(head, loaded, next(order))
        detail = block_detail(DETAIL_SIZE, 1, 0.02) + leak * shading
        coarse = np.broadcast_to(SKIN, (TEXTURE_SIZE, TEXTURE_SIZE, 3)).astype(np.float32)
        albedo = add_detail(coarse, resize_texture(detail.astype(np.float32), TEXTURE_SIZE))
        origin = region_masks(TEXTURE_SIZE)["valid"]
        layers = SimpleNamespace(
            detail=detail, layer=np.zeros_like(albedo), origin=origin, albedo=albedo
        )
        return SimpleNamespace(
            detail=layers,
            coarse=coarse,
            shape=SimpleNamespace(relative_error=0.01, **camera),
            vertices=head.vertices.numpy(),
            layer_errors={},
            seconds={},
        )

    return fit


def _no_picture(*rest: object) -> Photo:
    return Photo(np.zeros((8, 8, 3)), 8, 8, None, "")


@pytest.mark.parametrize("leak", [0.0, 0.05])
def test_light_in_the_detail_is_found(
    loaded: LoadedPack, head: KnownHead, monkeypatch: pytest.MonkeyPatch, leak: float
) -> None:
    monkeypatch.setattr(lights_module, "reconstruct", _fake_fit(leak, loaded, head))
    monkeypatch.setattr(lights_module, "take_picture", _no_picture)
    outcome = fit_lights(head, loaded, FitSettings(), NullReporter())
    detail = outcome.spreads["detail"]
    if leak:
        assert detail.leak > 0.99 and detail.ratio > 0.2
    else:
        assert detail.difference == 0.0
        assert detail.likeness > 0.8
    assert outcome.spreads["layer"].difference == 0.0
    assert outcome.places == pytest.approx((0.0, 0.0), abs=1e-3)
    assert len(table_lines(outcome)) > 8
    assert set(outcome_json(outcome)["maps"]) == set(outcome.spreads)
    assert [len(row) for row in picture_rows(outcome)] == [4, *[5] * 5]


def test_without_a_detail_model_it_says_so(loaded: LoadedPack, head: KnownHead) -> None:
    with pytest.raises(EngineError, match="has none"):
        fit_lights(head, replace(loaded, detail=None), FitSettings(), NullReporter())


def test_the_command_writes_table_json_and_picture(
    loaded: LoadedPack,
    head: KnownHead,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(lights_module, "reconstruct", _fake_fit(0.0, loaded, head))
    monkeypatch.setattr(lights_module, "take_picture", _no_picture)
    monkeypatch.setattr(Session, "pack", lambda self, pack_id, detail: loaded)
    skin = write_map(tmp_path / "skin.png", head.skin)
    outputs = ["--json", str(tmp_path / "a.json"), "--picture", str(tmp_path / "a.png")]
    assert main(["evaluate", "lights", "--map", str(skin), *outputs]) == 0
    assert "points of the face lie 0.00 pixels off" in capsys.readouterr().out
    report = json.loads((tmp_path / "a.json").read_text())
    assert report["maps"]["detail"]["difference"] == 0.0
    assert [one["name"] for one in report["lights"]] == [one.name for one in FIVE_LIGHTS]
    height, width = cv2.imread(str(tmp_path / "a.png")).shape[:2]
    assert height * 5 == pytest.approx(width * 6, rel=0.03)
