"""`evaluate tone`: does the fit know every tone of skin equally well?

Generated skins of known tone are photographed and fitted. No group of people may be served worse
than the others, so the errors are given by group.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..fit.loaded import LoadedPack
from ..fit.settings import FitSettings
from ..protocol.conventions import linear_to_srgb
from ..reporter import Reporter
from ..skin.colorimetry import srgb_to_lab
from ..skin.generate import generate_skin
from ..skin.parameters import SkinParameters
from ..skin.sampling import MELANIN_OF_TONE, sample_parameters
from .albedo_error import mean_tone
from .known_heads import own_head
from .light import INSIDE, TEXTURE_SIZE, HeadOutcome, evaluate_light, small
from .rig import FIVE_LIGHTS, Environment
from .skin_sheet import random_head
from .skin_tone import skin_angles

GROUPS = (
    ("very light", 55.0, 90.0),
    ("light", 41.0, 55.0),
    ("intermediate", 28.0, 41.0),
    ("tan", 10.0, 28.0),
    ("brown", -30.0, 10.0),
    ("dark", -90.0, -30.0),
)
"""ITA in degrees, from (not included) to (included): Chardon, Cretois & Hourseau 1991."""
LARGEST_RATIO = 1.5
"""What the project allows the worst group against the best."""
ANGLES = (-62.0, 70.0)
"""Degrees between which people are drawn."""
SEED = 5322
EYES_SPREAD = 0.05
"""Standard deviation of the log colour of people's eyes about the pack's, each channel on its own:
the fit must not profit from eyes that it knows. Ours: from bluish to yellowish white."""
_SMALL = 128
"""Texels a side of a map that tells whether a person is of a group."""
_TRIES, _INSIDE = 40, 2.0
"""Draws for a person, and degrees from the group's borders: a head is read a little otherwise."""
TONE_LIGHTS = tuple(FIVE_LIGHTS[index] for index in (0, 1, 3))
"""Soft, hard and two-tone: lights without a colour of their own, which no fit can tell from skin.
"""


@dataclass(frozen=True)
class ToneSample:
    """One photo: group and true tone of the head, name of its light; tone, coarse: ITA in degrees
    of the albedo found and of the coarse one; lightness: error of L*, signed."""

    group: str
    truth: float
    light: str
    tone: float
    coarse: float
    lightness: float


def tone_samples(
    count: int,
    loaded: LoadedPack,
    settings: FitSettings,
    reporter: Reporter,
    environments: Sequence[Environment] = TONE_LIGHTS,
) -> tuple[list[ToneSample], list[HeadOutcome]]:
    """`count` people of each group in each light. Raises EngineError(NO_FACE) and Cancelled."""
    samples, outcomes = [], []
    for group in range(len(GROUPS)):
        for number in range(count):
            person, rng = person_of_group(group, number)
            skin = generate_skin(person, TEXTURE_SIZE, rng)
            eyes = np.exp(rng.normal(0.0, EYES_SPREAD, 3))
            name = f"{GROUPS[group][0]} {number + 1}"
            head = own_head(name, random_head(loaded, rng), skin, loaded, eyes)
            outcome = evaluate_light(head, loaded, settings, reporter, environments)
            samples += _samples(outcome)
            outcomes.append(outcome)
    return samples, outcomes


def person_of_group(group: int, number: int) -> tuple[SkinParameters, np.random.Generator]:
    """Person `number` of the group of that index, and random numbers for the rest of the head."""
    _, low, high = GROUPS[group]
    for attempt in range(_TRIES):
        rng = np.random.default_rng((SEED, group, number, attempt))
        angle = rng.uniform(max(low, ANGLES[0]), min(high, ANGLES[1]))
        melanin = float(np.exp(np.interp(-angle, -_STEP_ANGLES, np.log(MELANIN_OF_TONE))))
        # Blood and veil go with the tone: those of a person drawn near it.
        person = replace(_near(rng, melanin), melanin=melanin)
        small = generate_skin(person, _SMALL, np.random.default_rng((SEED, attempt)))
        found = skin_angles(small, np.ones(small.shape[:2], bool))
        if low + _INSIDE < float(np.mean(list(found.values()))) < high - _INSIDE:
            break
    return person, rng


_STEP_ANGLES = 62.0 - 10.0 * np.arange(len(MELANIN_OF_TONE))
"""Degrees of MELANIN_OF_TONE, on average."""


def _near(rng: np.random.Generator, melanin: float) -> SkinParameters:
    """Of twenty people drawn, the one whose melanin is nearest, without hair in the face."""
    drawn = [sample_parameters(rng) for _ in range(20)]
    nearest = min(drawn, key=lambda person: abs(np.log(person.melanin / melanin)))
    return replace(nearest, beard_cover=0.0, beard_shadow=0.0)


def _samples(outcome: HeadOutcome) -> list[ToneSample]:
    read = outcome.region & np.logical_and.reduce([view.tone > INSIDE for view in outcome.views])
    truth = small(outcome.portrait.albedo)[read]
    angle = mean_tone(truth)
    group = next(name for name, low, high in GROUPS if low < angle <= high)
    return [
        ToneSample(
            group,
            angle,
            environment.name,
            mean_tone(view.albedo[read]),
            mean_tone(view.coarse[read]),
            _lightness(view.albedo[read]) - _lightness(truth),
        )
        for environment, view in zip(outcome.environments, outcome.views, strict=True)
    ]


def _lightness(linear: np.ndarray) -> float:
    return float(srgb_to_lab(linear_to_srgb(np.clip(linear, 0.0, 1.0).mean(axis=0)))[0])


@dataclass(frozen=True)
class ToneGroup:
    """photos: how many; error, coarse: mean absolute ITA error in degrees of the albedo and of the
    coarse one; bias: mean signed error; lightness: mean absolute error of L*."""

    name: str
    photos: int
    error: float
    coarse: float
    bias: float
    lightness: float


def by_group(samples: Sequence[ToneSample]) -> list[ToneGroup]:
    """The groups that have photos, in the order of GROUPS."""
    groups = []
    for name, _, _ in GROUPS:
        chosen = [sample for sample in samples if sample.group == name]
        if not chosen:
            continue
        off = np.array([sample.tone - sample.truth for sample in chosen])
        coarse = np.array([sample.coarse - sample.truth for sample in chosen])
        light = np.abs([sample.lightness for sample in chosen])
        groups.append(
            ToneGroup(
                name,
                len(chosen),
                float(np.abs(off).mean()),
                float(np.abs(coarse).mean()),
                float(off.mean()),
                float(light.mean()),
            )
        )
    return groups


def tone_lines(samples: Sequence[ToneSample]) -> list[str]:
    """The table, and whether one group is served worse than the others."""
    groups = by_group(samples)
    lines = ["ITA of forehead and cheeks, degrees; L*: of the same colour, CIELAB."]
    heads = ("photos", "ITA error", "coarse", "bias", "L* error")
    lines.append("group".ljust(16) + "".join(head.rjust(12) for head in heads))
    for group in groups:
        figures = (group.error, group.coarse, group.bias, group.lightness)
        cells = "".join(f"{figure:12.2f}" for figure in figures)
        lines.append(group.name.ljust(16) + f"{group.photos:12d}" + cells)
    if groups:
        errors = [group.error for group in groups]
        lines.append(
            f"mean {np.mean(errors):.2f}; worst over best {max(errors) / min(errors):.2f} "
            f"(at most {LARGEST_RATIO:g})"
        )
    return lines
