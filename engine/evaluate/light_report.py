"""The results of `evaluate light` as lines, as plain values for JSON, and as a picture."""

from collections.abc import Sequence
from dataclasses import asdict

import cv2
import numpy as np

from ..protocol.conventions import linear_to_srgb
from .light import METHODS, HeadOutcome, small
from .same_person import PersonOutcome

SCHEMA = 1
BEST_ERROR, BEST_SPREAD, BEST_TONE = 5.0, 3.0, 5.0
"""What the project asks for: CIEDE2000 after the scale, its spread, and degrees of ITA."""
TRIVIAL = ("photo", "constant", "flat")
_WIDTH = 48
_HEAD = ("scaled", "raw", "spread", "spread raw", "ITA")

Tiles = list[tuple[np.ndarray, str]]


def table_lines(outcomes: Sequence[HeadOutcome]) -> list[str]:
    """A table for each head, and what all of them say."""
    lines = [
        "CIEDE2000 of the albedo, mean over the face and the lights. scaled: after one global",
        "brightness scale of each answer; raw: without; spread: between two lights, over all",
        "pairs; ITA: mean absolute error in degrees, without the scale.",
    ]
    for outcome in outcomes:
        lights = [environment.name for environment in outcome.environments]
        lines += ["", outcome.name.ljust(_WIDTH) + "".join(name.rjust(11) for name in _HEAD)]
        lines[-1] += "  | scaled by light: " + ", ".join(lights)
        for name, words in METHODS.items():
            found = outcome.errors[name]
            figures = (found.scaled, found.raw, found.spread, found.spread_raw, found.tone)
            line = f"  {words}".ljust(_WIDTH) + "".join(f"{figure:11.2f}" for figure in figures)
            lines.append(line + "  | " + "  ".join(f"{each:5.2f}" for each in found.by_light))
    return lines + ["", *_verdict(outcomes)]


def _verdict(outcomes: Sequence[HeadOutcome]) -> list[str]:
    if not outcomes:
        return []
    ours = [outcome.errors["albedo"] for outcome in outcomes]
    means = [float(np.mean([getattr(e, name) for e in ours])) for name in _FIGURES]
    beaten = sum(beats_trivial(outcome) for outcome in outcomes)
    return [
        (
            f"All heads: scaled {means[0]:.2f} (at most {BEST_ERROR:g}), spread {means[1]:.2f} "
            f"(at most {BEST_SPREAD:g}), ITA {means[2]:.2f} degrees (at most {BEST_TONE:g})."
        ),
        f"Better than all three trivial answers, scaled: {beaten} of {len(outcomes)} heads.",
    ]


_FIGURES = ("scaled", "spread", "tone")


def beats_trivial(outcome: HeadOutcome) -> bool:
    """Whether the albedo is nearer to the truth than every trivial answer, after the scale."""
    return all(
        outcome.errors["albedo"].scaled < outcome.errors[trivial].scaled for trivial in TRIVIAL
    )


def person_lines(outcomes: Sequence[PersonOutcome]) -> list[str]:
    """One person, several photos: how far the fits lie apart."""
    if not outcomes:
        return []
    head = ("photos", "albedo", "raw", "coarse", "ITA", "identity", "mesh mm")
    lines = ["", "One person in several photos: distance of two fits, mean over all pairs."]
    lines += ["albedo, coarse: CIEDE2000 after a brightness scale (raw: without); identity: rms of"]
    lines += ["the coefficients, in standard deviations; mesh: neutral heads, aligned, the face."]
    lines += ["", "person".ljust(_WIDTH) + "".join(name.rjust(11) for name in head)]
    for one in outcomes:
        figures = (one.albedo, one.albedo_raw, one.coarse, one.tone, one.identity, one.mesh)
        cells = f"{one.photos:11d}" + "".join(f"{figure:11.2f}" for figure in figures)
        lines.append(one.name.ljust(_WIDTH) + cells)
    return lines


def outcome_json(
    outcomes: Sequence[HeadOutcome], persons: Sequence[PersonOutcome]
) -> dict[str, object]:
    """Plain values; no array and no picture."""
    heads = [
        {
            "name": outcome.name,
            "lights": [environment.name for environment in outcome.environments],
            "pixels": int(outcome.region.sum()),
            "errors": {name: asdict(found) for name, found in outcome.errors.items()},
            "better_than_trivial": beats_trivial(outcome),
        }
        for outcome in outcomes
    ]
    return {"schema": SCHEMA, "heads": heads, "persons": [asdict(each) for each in persons]}


def picture_rows(outcomes: Sequence[HeadOutcome]) -> list[Tiles]:
    """Of each head: the photos after the true albedo, and below each what was found."""
    rows = []
    for outcome in outcomes:
        truth = _srgb(small(outcome.portrait.albedo * outcome.portrait.cover[..., None]))
        names = [environment.name for environment in outcome.environments]
        photos = [_half(photo.pixels) for photo in outcome.portrait.photos]
        found = [_srgb(view.albedo) for view in outcome.views]
        rows.append([(truth, f"{outcome.name}: true albedo"), *zip(photos, names, strict=True)])
        region = np.repeat(outcome.region[..., None], 3, axis=-1).astype(np.float32)
        errors = [f"albedo, {error:.1f}" for error in outcome.errors["albedo"].by_light]
        rows.append([(region, "compared"), *zip(found, errors, strict=True)])
    return rows


def _srgb(linear: np.ndarray) -> np.ndarray:
    return linear_to_srgb(np.clip(linear, 0.0, 1.0)).astype(np.float32)


def _half(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
