"""Face regions that are held while the rest is fitted again."""

import numpy as np
import pytest

from engine.fit.hold import (
    hold_albedo,
    hold_identity,
    hold_maps,
    nearest_coefficients,
    region_mask,
    vertex_weights,
)
from engine.fit.loaded import LoadedPack, load_pack


@pytest.fixture(scope="module")
def loaded(default_pack) -> LoadedPack:
    return load_pack(default_pack)


def test_held_values_stay_and_the_rest_follows() -> None:
    rng = np.random.default_rng(0)
    rows, free, old = rng.normal(size=(3, 8)), rng.normal(size=8), rng.normal(size=8)
    found = nearest_coefficients(free, old, rows, 1e-4)
    np.testing.assert_allclose(rows @ found, rows @ old, atol=1e-4)
    blind = np.linalg.svd(rows)[2][3:]  # directions that the rows do not see
    np.testing.assert_allclose(blind @ found, blind @ free, atol=1e-6)


def test_a_held_forehead_keeps_its_shape_while_the_face_changes(loaded) -> None:
    rng, head = np.random.default_rng(1), loaded.head
    free, old = (rng.normal(size=len(head.identity)) * 0.7 for _ in range(2))
    found = hold_identity(loaded, free, old, ("forehead",))
    inside = vertex_weights(head, ("forehead",)) > 0.9
    outside = vertex_weights(head, ("mouth_and_beard",)) > 0.9

    def apart(a: np.ndarray, b: np.ndarray, chosen: np.ndarray) -> float:
        moved = np.tensordot(a - b, head.identity[:, chosen].astype(np.float64), 1)
        return float(np.linalg.norm(moved, axis=-1).mean())

    assert apart(found, old, inside) < 0.1 * apart(free, old, inside)
    assert apart(found, old, outside) > 0.2 * apart(free, old, outside)


def test_a_held_region_keeps_its_coarse_albedo(loaded) -> None:
    rng, model = np.random.default_rng(2), loaded.solver
    free, old = (rng.normal(size=model.basis.shape[:2]) * 0.5 for _ in range(2))
    found = hold_albedo(loaded, free, old, ("cheeks",))
    inside = region_mask(("cheeks",), len(model.valid))[model.valid.astype(bool)] > 0.9
    change = np.einsum("ck,ckn->cn", found - old, model.basis[:, :, inside].astype(np.float64))
    before = np.einsum("ck,ckn->cn", free - old, model.basis[:, :, inside].astype(np.float64))
    assert np.abs(change).mean() < 0.15 * np.abs(before).mean()


def test_maps_are_mixed_by_the_region() -> None:
    old, new = np.zeros((512, 512, 3), np.float32), np.ones((512, 512, 3), np.float32)
    mixed = hold_maps(new, old, ("forehead",))
    mask = region_mask(("forehead",), 512)
    np.testing.assert_allclose(mixed[..., 0], 1.0 - mask, atol=1e-6)
    assert mixed.dtype == np.float32
