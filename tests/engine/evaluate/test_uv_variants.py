"""Coarse with detail: what the detail model keeps comes back, at every size and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.evaluate.uv import MapOutcome, Ways, evaluate_pack
from engine.evaluate.uv_report import row_summary, table_lines
from engine.evaluate.uv_variants import COARSE, DETAIL, REFINED, Coarse, Detailed, refine_latent
from engine.protocol.albedo_pack import AlbedoPack
from engine.protocol.detail import add_detail
from engine.reporter import NullReporter
from tests.engine.evaluate.conftest import SIZE, BlockCodec, block_detail, write_map

Maker = Callable[[int, int], np.ndarray]
WAYS = Ways((Coarse(), Detailed(BlockCodec())))


def _measure(pack: AlbedoPack, path: Path, ways: Ways = WAYS) -> MapOutcome:
    return evaluate_pack(pack, [(path, path.name)], ways, NullReporter()).maps[0]


@pytest.mark.parametrize("side", [512, 1024])
def test_detail_that_the_model_keeps_comes_back(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path, side: int
) -> None:
    image = add_detail(span_map(1, side), block_detail(side, 3))
    one = _measure(pack, write_map(tmp_path / "map.png", image))
    assert set(one.figures[DETAIL]["map"]) == {"own", "512", "full"}
    assert one.baselines["exact_value"]["map"].mse < 2.0
    for row in ("map", "face", "face_alone", "box_alone"):
        coarse, detail = one.figures[COARSE][row], one.figures[DETAIL][row]
        # The blocks have the size of the model's texels, so own shows them whole.
        assert coarse["own"].mse > 30.0 and coarse["512"].mse > 30.0
        assert detail["own"].mse < 2.0 and detail["512"].mse < 2.0
        assert detail["512"].ssim > 0.97
        # Bicubic enlarging rounds the blocks' edges off.
        assert detail["full"].mse < (2.0 if side == 512 else 8.0)


def test_a_small_map_has_no_figures_at_512(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    small = write_map(tmp_path / "a.png", span_map(0, 2 * SIZE))
    large = write_map(tmp_path / "b.png", span_map(0, 512))
    paths = [(path, path.name) for path in (small, large)]
    outcome = evaluate_pack(pack, paths, WAYS, NullReporter(), detail="blocks 1")
    assert set(outcome.maps[0].figures[DETAIL]["map"]) == {"own", "full"}
    found = row_summary(outcome, DETAIL, "map", "512")
    assert found is not None
    assert found[0].mse == outcome.maps[1].figures[DETAIL]["map"]["512"].mse
    lines = table_lines(outcome, ())
    assert "detail of blocks 1" in lines[0]
    assert sum("(1 maps)" in line for line in lines) == 2 * 4  # both variants, four rows


def test_uncovered_texels_have_no_say_in_the_detail(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    image = add_detail(span_map(2, 512), block_detail(512, 4))
    alpha = np.ones(image.shape[:2])
    alpha[:160] = 0.0
    figures = []
    for name, hidden in (("plain", image), ("spoilt", np.zeros_like(image))):
        shown = np.where(alpha[..., None] > 0, image, hidden)
        figures.append(_measure(pack, write_map(tmp_path / f"{name}.png", shown, alpha)).figures)
    assert figures[0] == figures[1]
    assert figures[0][DETAIL]["map"]["512"].mse < 2.0


def test_refining_makes_up_for_the_encoder(
    pack: AlbedoPack, span_map: Maker, tmp_path: Path
) -> None:
    path = write_map(tmp_path / "map.png", add_detail(span_map(1, 512), block_detail(512, 5)))
    net = BlockCodec(bias=3.0)
    one = _measure(pack, path, Ways((Coarse(), Detailed(net), Detailed(net, steps=10))))
    assert one.figures[DETAIL]["map"]["512"].mse > 30.0
    assert one.figures[REFINED]["map"]["512"].mse < 2.0


def test_refining_counts_only_the_chosen_texels() -> None:
    net, target = BlockCodec(), torch.from_numpy(block_detail(512, 6))
    chosen = torch.zeros(512, 512, dtype=torch.bool)
    chosen[:256] = True
    found = net.decode(
        refine_latent(net, torch.zeros(32, 32, 4).permute(2, 0, 1), target, chosen, 20)
    )
    np.testing.assert_allclose(found[:256], target[:256], atol=1e-4)
    assert not found[256:].any()
