"""`evaluate transfer`: known changes of colour give known differences; hair has no say."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import engine.cli.evaluate_inputs as evaluate_inputs
from engine.cli import main
from engine.cli.evaluate_inputs import NamedDetail
from engine.evaluate.transfer import (
    MEASURES,
    Face,
    bare_skin,
    colour_differences,
    compare_pair,
    evaluate_transfer,
)
from engine.protocol.albedo_pack import AlbedoPack
from engine.protocol.detail import DETAIL_SIZE, add_detail
from engine.protocol.errors import EngineError
from engine.reporter import NullReporter
from engine.skin.layout import region_masks
from tests.engine.evaluate.conftest import SKIN, BlockCodec, block_detail, write_map

Maker = Callable[[int, int], np.ndarray]


def _face(name: str, coarse: np.ndarray, detail: np.ndarray) -> Face:
    return Face(name, coarse, detail, coarse, bare_skin())


def _flat(colour: np.ndarray) -> np.ndarray:
    return np.broadcast_to(colour, (DETAIL_SIZE, DETAIL_SIZE, 3)).astype(np.float32)


def test_bare_skin_is_face_without_hair() -> None:
    masks, skin = region_masks(DETAIL_SIZE), bare_skin()
    for hair in ("beard", "brows"):
        assert not skin[masks[hair] > 0.05].any()
    assert skin[masks["forehead"] > 0.9].mean() > 0.9
    assert (masks["cheeks"] > 0.5)[skin].sum() > 1000


def test_fine_detail_without_a_mean_is_no_change_of_colour() -> None:
    coarse = _flat(SKIN)
    changed = add_detail(coarse, block_detail(DETAIL_SIZE, 1, 0.03))
    found = colour_differences(coarse, changed, bare_skin())
    assert found["texel"] > 1.9
    assert found["face"] < found["region"] < 0.5
    assert found["smooth"] < 0.6


def test_a_shift_is_a_change_of_colour_by_every_measure() -> None:
    coarse = _flat(SKIN)
    found = colour_differences(coarse, np.clip(coarse + 0.04, 0, 1), bare_skin())
    values = [found[name] for name in MEASURES]
    assert min(values) > 2.0
    np.testing.assert_allclose(values, values[0], rtol=1e-3)


def test_hair_and_uncovered_texels_have_no_say() -> None:
    coarse, nothing = _flat(SKIN), np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.float32)
    spoilt = np.where(bare_skin(), 0.0, 0.3).astype(np.float32)
    pair = compare_pair(_face("a", coarse, nothing), _face("b", coarse, spoilt))
    assert max(pair.changed.values()) < 1e-3
    assert max(pair.people.values()) == 0.0


def test_detail_moves_between_maps(pack: AlbedoPack, span_map: Maker, tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        detail = block_detail(DETAIL_SIZE, number)
        image = add_detail(span_map(number, DETAIL_SIZE), detail)
        paths.append((write_map(tmp_path / f"{number}.png", image), f"{number}"))
    outcome = evaluate_transfer(pack.model, BlockCodec(), paths, NullReporter())
    assert [(pair.coarse, pair.donor) for pair in outcome.pairs] == [
        *(("0", "1"), ("0", "2"), ("1", "2"), ("1", "0"), ("2", "0"), ("2", "1"))
    ]
    texels = outcome.faces[1].texels
    np.testing.assert_allclose(
        outcome.faces[1].detail[texels], block_detail(DETAIL_SIZE, 1)[texels], atol=0.01
    )
    for pair in outcome.pairs:
        assert pair.changed["smooth"] < 1.0 < pair.changed["texel"]
        assert pair.people["face"] > pair.changed["face"]


def test_one_map_is_not_enough(pack: AlbedoPack, span_map: Maker, tmp_path: Path) -> None:
    paths = [(write_map(tmp_path / "a.png", span_map(0, DETAIL_SIZE)), "a")]
    with pytest.raises(EngineError, match="1 of the 1 maps"):
        evaluate_transfer(pack.model, BlockCodec(), paths, NullReporter())


def test_the_command_writes_table_json_and_picture(
    pack_folder: Path,
    span_map: Maker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for number in range(2):
        write_map(maps / f"{number}.png", span_map(number, DETAIL_SIZE))
    words = ["evaluate", "transfer", "--maps", str(maps), "--pack", str(pack_folder)]
    assert main(words) == 2
    assert "has none" in capsys.readouterr().err
    named = NamedDetail(BlockCodec(), "blocks 1", "00")
    monkeypatch.setattr(evaluate_inputs, "read_detail", lambda detail, folder: named)
    outputs = ["--json", str(tmp_path / "a.json"), "--picture", str(tmp_path / "a.png")]
    assert main([*words, *outputs]) == 0
    out = capsys.readouterr().out
    assert "detail of blocks 1" in out and "2 maps, 2 pairs" in out
    report = json.loads((tmp_path / "a.json").read_text())
    assert set(report["summary"]["changed"]) == set(MEASURES)
    height, width = cv2.imread(str(tmp_path / "a.png")).shape[:2]
    assert height * 3 == pytest.approx(width * 4, rel=0.03)  # two maps: 4 rows of 3 tiles
