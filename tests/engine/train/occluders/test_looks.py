"""Made up looks: the same every time, marked where something covers the skin and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.nets.occluders import SIDE
from engine.protocol.albedo import decode_albedo
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.headpack import read_pack
from engine.train.occluders.hair import Layer, draw_hair
from engine.train.occluders.layout import Layout, build_layout
from engine.train.occluders.marks import draw_marks
from engine.train.occluders.scene import draw_sample
from engine.train.occluders.task import occluder_loss
from engine.train.occluders.things import draw_cloth, draw_glasses, draw_hand, draw_object

PLAIN = np.full((64, 64, 3), 0.5, np.float32)
DRAWINGS: tuple[Callable[[np.random.Generator], Layer], ...] = (
    lambda rng: draw_hair(rng, 64),
    lambda rng: draw_cloth(rng, 64),
    lambda rng: draw_glasses(rng, 64),
    lambda rng: draw_hand(rng, 64, np.array([0.7, 0.5, 0.4])),
    lambda rng: draw_object(rng, 64),
)


@pytest.fixture(scope="module")
def layout(default_pack: Path) -> Layout:
    pack = read_pack(default_pack)
    return build_layout(pack.head, pack.albedo)


@pytest.mark.parametrize("draw", DRAWINGS)
def test_layers_are_pictures_and_repeat(draw: Callable[[np.random.Generator], Layer]) -> None:
    drawn = 0
    for seed in range(6):
        colour, cover = draw(np.random.default_rng(seed))
        again = draw(np.random.default_rng(seed))
        assert colour.shape == (64, 64, 3) and cover.shape == (64, 64)
        assert 0.0 <= min(colour.min(), cover.min()) <= max(colour.max(), cover.max()) <= 1.0 + 1e-6
        np.testing.assert_array_equal(colour, again[0])
        np.testing.assert_array_equal(cover, again[1])
        drawn += cover.max() > 0.9
    assert drawn >= 4


def test_marks_stay_within_range_and_leave_the_skin_alone() -> None:
    changed = 0
    for seed in range(12):
        marked = draw_marks(np.random.default_rng(seed), PLAIN)
        assert marked.dtype == np.float32 and 0.0 <= marked.min() <= marked.max() <= 1.0
        changed += not np.array_equal(marked, PLAIN)
    assert 3 < changed < 12 and (PLAIN == 0.5).all()


def test_looks_repeat_and_count_only_what_is_seen(layout: Layout) -> None:
    model = layout.model
    coefficients = np.zeros((3, model.basis.shape[1]))
    skin = np.clip(decode_albedo(model.mean, model.basis, model.valid, coefficients), 0.0, 1.0)
    shares = []
    for seed in range(5):
        look = draw_sample(skin, coefficients, layout, seed)
        again = draw_sample(skin, coefficients, layout, seed)
        np.testing.assert_array_equal(look.inputs, again.inputs)
        assert look.inputs.shape == (8, SIDE, SIDE) and np.isfinite(look.inputs).all()
        assert set(np.unique(look.target)) <= {0.0, 1.0}
        seen = look.inputs[6] > 0.5
        assert (look.weight[~seen] == 0.0).all() and look.weight[seen].max() > 0.9
        shares.append(float(look.target[look.weight > 0.5].mean()))
    assert min(shares) < 0.3 and max(shares) > 0.01


def test_a_model_of_another_size_is_refused(default_pack: Path, layout: Layout) -> None:
    head = read_pack(default_pack).head
    small = type(layout.model)(
        layout.model.mean[:, :16],
        layout.model.basis[:, :, :16],
        layout.model.sigma,
        np.ones((4, 4), bool),
        layout.model.covariance,
    )
    with pytest.raises(EngineError) as caught:
        build_layout(head, small)
    assert caught.value.code == ErrorCode.BAD_SETTINGS and caught.value.hint


def test_loss_is_least_for_the_right_answer_and_ignores_what_does_not_count() -> None:
    target = torch.zeros(1, 8, 8)
    target[:, :4] = 1.0
    weight = torch.ones(1, 8, 8)
    right = (target - 0.5) * 20.0
    good = occluder_loss(right, target, weight, 0.3)
    bad = occluder_loss(-right, target, weight, 0.3)
    assert good < 0.01 < 1.0 < bad
    weight[:, :2] = 0.0
    wrong = right.clone()
    wrong[:, :2] *= -1.0
    assert occluder_loss(wrong, target, weight, 0.3) == pytest.approx(float(good), abs=0.01)
