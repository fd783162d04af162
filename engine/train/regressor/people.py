"""Random people: identity and expression of the head model. All proportions are ours."""

from collections.abc import Sequence

import numpy as np

NEUTRAL = 0.30
"""Share of people who make no face at all (still a little uneven)."""
SMILE = 0.35
"""Share of smiles among the others: photos are full of them."""
BLINK = 0.06

_SMILE = ("mouthSmile", "cheekSquint", "mouthDimple", "eyeSquint", "mouthUpperUp", "mouthStretch")
_SMILE_MOST = (0.9, 0.6, 0.3, 0.5, 0.35, 0.3)
_HIDDEN = ("eyeLook", "tongueOut", "mouthClose")
"""Not drawn by chance: gaze has its own draw; the others look wrong by themselves."""


def random_identity(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count,) coefficients of the prior, in standard deviations, cut at 3."""
    return np.clip(rng.standard_normal(count), -3.0, 3.0)


def random_expression(rng: np.random.Generator, names: Sequence[str]) -> np.ndarray:
    """(E,) weights in [0, 1]: rest, smiles, or a few muscles; the two sides nearly alike."""
    weights = dict.fromkeys(names, 0.0)
    kind = rng.random()
    if kind > NEUTRAL:
        if rng.random() < SMILE:
            strength = rng.beta(1.6, 1.3)
            for stem, most in zip(_SMILE, _SMILE_MOST, strict=True):
                _set(weights, rng, stem, strength * most * rng.uniform(0.3, 1.0))
            if rng.random() < 0.5:
                _set(weights, rng, "jawOpen", 0.3 * strength * rng.random())
        stems = sorted({_stem(name) for name in names if not name.startswith(_HIDDEN)})
        count = min(int(rng.integers(1, 7)), len(stems))
        for stem in rng.choice(stems, size=count, replace=False):
            _set(weights, rng, str(stem), rng.beta(1.0, 2.5))
    else:
        for stem in ("mouthPress", "browDown", "browInnerUp", "eyeSquint", "mouthShrugLower"):
            _set(weights, rng, stem, 0.15 * rng.random())
    if rng.random() < BLINK:
        _set(weights, rng, "eyeBlink", rng.uniform(0.4, 1.0))
    _look(weights, rng)
    return np.array([weights[name] for name in names])


def _stem(name: str) -> str:
    return name.removesuffix("Left").removesuffix("Right")


def _set(weights: dict[str, float], rng: np.random.Generator, stem: str, value: float) -> None:
    if stem in weights:
        weights[stem] = max(weights[stem], float(value))
        return
    lean = 1.0 if rng.random() < 0.7 else rng.uniform(0.3, 1.0)
    sides = ("Left", "Right") if rng.random() < 0.5 else ("Right", "Left")
    for side, factor in zip(sides, (1.0, lean), strict=True):
        name = stem + side
        if name in weights:
            weights[name] = max(weights[name], float(value * factor))


def _look(weights: dict[str, float], rng: np.random.Generator) -> None:
    """Both eyes turn together."""
    across, up = rng.normal(0.0, 0.2, 2)
    pairs = (("eyeLookOutLeft", "eyeLookInRight"), ("eyeLookInLeft", "eyeLookOutRight"))
    for name in pairs[0] if across > 0.0 else pairs[1]:
        if name in weights:
            weights[name] = min(1.0, abs(float(across)))
    for side in ("Left", "Right"):
        name = ("eyeLookUp" if up > 0.0 else "eyeLookDown") + side
        if name in weights:
            weights[name] = min(1.0, abs(float(up)))
