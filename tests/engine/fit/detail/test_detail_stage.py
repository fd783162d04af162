"""Stage 3 on a tiny model: seen detail is found, unseen detail is drawn, seeds decide."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_detail import (
    CELLS,
    LIGHT,
    SETTINGS,
    SIZE,
    LinearCoder,
    coarse_map,
    flat_face,
    photo_of,
    random_detail,
)

from engine.fit.detail.residual import cell_trust, hair_cells
from engine.fit.detail.stage import (
    DetailMap,
    best_window,
    detailed_albedo,
    fit_detail,
    improve_detail,
    no_detail,
    relative_strength,
)
from engine.nets.fovea import grid_matrices, resample
from engine.protocol.conventions import mirror_texels
from engine.reporter import NullReporter

HALF = SIZE // 2


def fit(coder: LinearCoder, seed: int = 0, calm: float = 0.0) -> DetailMap:
    """The image's left half is seen; its residual comes as an unwrapping would give it."""
    truth = random_detail(coder, 1)
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[:, HALF:] = 0.0
    view = flat_face(24, LIGHT).look(photo_of(truth), seen)
    trust = cell_trust(seen, CELLS, SETTINGS)
    hair = np.full((CELLS, CELLS), calm, np.float32)
    return fit_detail(
        coder, truth * seen, seen, trust, hair, coarse_map(), view, seed, SETTINGS, NullReporter()
    )


def test_seen_detail_is_found_and_unseen_detail_is_no_mirror_and_no_blank(coder) -> None:
    truth, found = random_detail(coder, 1), fit(coder)
    assert found.alpha.shape == (2, CELLS, CELLS)
    difference = (found.detail - truth)[:, :HALF]
    assert (difference**2).mean() < 0.2 * (truth[:, :HALF] ** 2).mean()
    unseen = found.detail[:, HALF:]
    assert unseen.std() > 0.3 * truth.std()
    mirrored = mirror_texels(found.detail)[:, HALF:]
    assert abs(np.corrcoef(unseen.ravel(), mirrored.ravel())[0, 1]) < 0.5
    np.testing.assert_allclose(
        found.detail, coder.decode(torch.from_numpy(found.alpha)).numpy(), atol=1e-6
    )


def test_less_is_drawn_where_hair_grows(coder) -> None:
    lively, calm = (fit(coder, 0, share).detail[:, HALF:].std() for share in (0.0, 1.0))
    assert calm < 0.85 * lively  # the rest is the conditional mean, which stays


def test_equal_seeds_give_equal_maps_and_others_differ_where_unseen(coder) -> None:
    first, second, other = fit(coder, 3), fit(coder, 3), fit(coder, 4)
    np.testing.assert_array_equal(first.detail, second.detail)
    seen = np.abs(first.detail - other.detail)[:, : HALF - SIZE // CELLS].mean()
    unseen = np.abs(first.detail - other.detail)[:, HALF:].mean()
    assert unseen > 5.0 * seen


def test_an_earlier_detail_is_improved_where_seen_and_stays_where_not(coder) -> None:
    truth, before = random_detail(coder, 1), fit(coder)
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[:, HALF:] = 0.0
    worse = before.alpha.copy()
    worse[..., : CELLS // 2] *= 0.6
    view = flat_face(24, LIGHT).look(photo_of(truth), seen)
    trust = cell_trust(seen, CELLS, SETTINGS)
    found = improve_detail(coder, worse, trust, coarse_map(), view, SETTINGS, NullReporter())
    assert found.costs[-1] < found.costs[0]
    errors = [
        (((coder.decode(torch.from_numpy(alpha)).numpy() - truth)[:, :HALF]) ** 2).mean()
        for alpha in (worse, found.alpha)
    ]
    assert errors[1] < 0.8 * errors[0]
    np.testing.assert_allclose(found.alpha[:, trust == 0.0], worse[:, trust == 0.0], atol=1e-5)


@pytest.mark.parametrize("size", [SIZE // 2, SIZE, 2 * SIZE])
def test_no_detail_leaves_the_coarse_albedo(size: int) -> None:
    nothing = no_detail()
    coarse = np.full((size, size, 3), 0.4, np.float32)
    np.testing.assert_allclose(detailed_albedo(coarse, nothing.detail), coarse, atol=1e-6)
    assert nothing.alpha is None


def test_strength_is_of_the_fine_band_over_seen_skin() -> None:
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.0, 0.02, (128, 128)).astype(np.float32)
    seen = np.ones((128, 128), np.float32)
    seen[:, 64:] = 0.0
    shown = 0.5 * drawn + np.linspace(-0.2, 0.2, 128, dtype=np.float32)
    shown[:, 64:] = 9.0
    shown[60:66, 20:40] -= 0.2  # a fold
    settings = replace(SETTINGS, draw_strength=(0.1, 1.5))
    assert relative_strength(shown, drawn, seen, settings) == pytest.approx(0.5, abs=0.06)
    assert relative_strength(shown, drawn, 0.0 * seen, settings) == 1.0
    bounded = replace(SETTINGS, draw_strength=(0.7, 1.0))
    assert relative_strength(shown, drawn, seen, bounded) == 0.7


def test_strengths_are_compared_where_most_was_seen() -> None:
    trust = np.zeros((32, 32))
    trust[10:26, 8:24] = 0.5
    trust[12:24, 9:21] = 1.0
    assert best_window(trust) == (slice(12, 24), slice(9, 21))
    assert best_window(np.zeros((4, 4))) == (slice(0, 4), slice(0, 4))


def test_hair_reaches_a_cell_over_the_hairline() -> None:
    scalp = np.zeros((512, 512), np.float32)
    scalp[:100] = 1.0
    cells = hair_cells(scalp, 32)
    assert cells.shape == (32, 32) and cells[0].min() == 1.0 and cells[-1].max() == 0.0
    rows = np.flatnonzero(cells[:, 16] > 0.5)
    edge = np.flatnonzero(resample(scalp, grid_matrices())[:, 256] > 0.5).max() // 16
    assert edge <= rows.max() <= edge + 1
