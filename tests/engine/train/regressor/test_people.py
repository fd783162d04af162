"""Random people stay within the head model."""

import numpy as np

from engine.train.regressor.people import random_expression, random_identity

NAMES = (
    *("jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeLookInLeft", "eyeLookInRight"),
    *("eyeLookOutLeft", "eyeLookOutRight", "browDownLeft", "browDownRight", "tongueOut"),
)


def test_weights_are_shares_and_the_tongue_stays_in() -> None:
    draws = np.stack([random_expression(np.random.default_rng(seed), NAMES) for seed in range(300)])
    assert draws.min() >= 0.0
    assert draws.max() <= 1.0
    assert (draws[:, NAMES.index("tongueOut")] == 0.0).all()
    assert (draws[:, NAMES.index("mouthSmileLeft")] > 0.3).any()


def test_both_eyes_look_the_same_way() -> None:
    for seed in range(50):
        weights = dict(
            zip(NAMES, random_expression(np.random.default_rng(seed), NAMES), strict=True)
        )
        assert weights["eyeLookInLeft"] == weights["eyeLookOutRight"]
        assert weights["eyeLookOutLeft"] == weights["eyeLookInRight"]


def test_identities_have_the_spread_of_the_prior() -> None:
    draws = random_identity(np.random.default_rng(0), 20000)
    assert abs(draws.std() - 1.0) < 0.03
    assert np.abs(draws).max() <= 3.0
