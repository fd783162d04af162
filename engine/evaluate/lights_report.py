"""The results of `evaluate lights` as lines, as plain values for JSON, and as a picture."""

from dataclasses import asdict

import numpy as np

from ..protocol.conventions import BYTE_MAX, signed_to_unit
from ..protocol.detail import DETAIL_SIZE
from ..render.resize import resize_texture
from ..skin.layout import region_masks
from .image_metrics import surroundings
from .light_spread import Spread
from .lights import MAPS, LightsOutcome
from .uv_areas import INSIDE

SCHEMA = 1
DETAIL_GAIN = 4.0
LAYER_GAIN = 2.0
"""Signed maps are shown that much stronger, about mid grey."""
_WIDTH = 70
_HEAD = ("rms", "spread", "spread/rms", "light", "error", "likeness")

Tiles = list[tuple[np.ndarray, str]]


def _optional(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.3f}"


def _line(words: str, found: Spread) -> str:
    cells = (
        f"{found.rms:.2f}",
        f"{found.difference:.2f}",
        f"{found.ratio:.3f}",
        f"{found.leak:.3f}",
        _optional(found.error),
        _optional(found.likeness),
    )
    return words.ljust(_WIDTH) + "".join(cell.rjust(12) for cell in cells)


def true_rms(outcome: LightsOutcome) -> float:
    """Grey levels: rms of the true detail over the compared texels."""
    return float(BYTE_MAX * np.sqrt((outcome.truth[outcome.texels] ** 2).mean()))


def carried_error(outcome: LightsOutcome) -> float:
    """What the detail model cannot keep of the true detail: rms over the rms of the truth."""
    lost = (outcome.carried - outcome.truth)[outcome.texels]
    return float(np.sqrt((lost**2).mean())) * BYTE_MAX / true_rms(outcome)


def table_lines(outcome: LightsOutcome) -> list[str]:
    """The table and what its columns mean."""
    names = ", ".join(fit.lights.name for fit in outcome.fits)
    lines = [
        f"lights: {names}; {int(outcome.texels.sum())} texels of the face at {DETAIL_SIZE}",
        f"true detail: rms {true_rms(outcome):.2f} grey levels, of which the detail model's",
        f"encoder and decoder alone miss {carried_error(outcome):.3f}",
        f"points of the face lie {outcome.places[0]:.2f} pixels off in the picture,",
        f"{outcome.places[1]:.2f} between two lights",
        " " * _WIDTH + "".join(name.rjust(12) for name in _HEAD),
    ]
    lines += [_line(words, outcome.spreads[name]) for name, words in MAPS.items()]
    lines += [
        "rms: of a map about its mean, grey levels; spread: rms difference of two lights' maps;",
        "spread/rms: 0 all agree, 1.41 nothing in common; light: correlation of what differs in",
        "the maps with what differs in the shading, 0 none; error: rms of map minus truth over",
        "the truth's rms; likeness: their correlation. The true detail is over the exact",
        "projection of the true map, the fit's over its own coarse albedo.",
    ]
    return lines


def outcome_json(outcome: LightsOutcome) -> dict[str, object]:
    """Everything measured, in JSON types."""
    return {
        "schema": SCHEMA,
        "texels": int(outcome.texels.sum()),
        "true_rms": true_rms(outcome),
        "carried_error": carried_error(outcome),
        "places": {"from_truth": outcome.places[0], "between_lights": outcome.places[1]},
        "maps": {name: asdict(found) for name, found in outcome.spreads.items()},
        "lights": [
            {
                "name": fit.lights.name,
                "landmark_error": fit.found.shape.relative_error,
                "residuals": dict(fit.found.layer_errors),
                "seconds": dict(fit.found.seconds),
            }
            for fit in outcome.fits
        ],
    }


def picture_rows(outcome: LightsOutcome) -> list[Tiles]:
    """The true detail and what the detail model keeps of it, then a row for each light.

    A row: the picture, the coarse albedo, the detail map, the photo layer, the albedo.
    """
    skin = resize_texture(outcome.head.skin, DETAIL_SIZE)
    rows: list[Tiles] = [
        [
            (_face(skin), "the skin"),
            (_face(_grey(outcome.truth)), f"its detail x {DETAIL_GAIN:.0f}"),
            (_face(_grey(outcome.carried)), "as the detail model keeps it"),
            (_face(np.repeat(outcome.texels[..., None] * 0.5, 3, axis=-1)), "compared texels"),
        ]
    ]
    for fit in outcome.fits:
        found = fit.found
        layer = signed_to_unit(2.0 * LAYER_GAIN * found.detail.layer)
        rows.append(
            [
                (fit.picture, fit.lights.name),
                (_face(found.coarse), "coarse"),
                (_face(_grey(found.detail.detail)), f"detail x {DETAIL_GAIN:.0f}"),
                (_face(layer), f"photo layer x {LAYER_GAIN:.0f}"),
                (_face(found.detail.albedo), "albedo"),
            ]
        )
    return rows


def _grey(detail: np.ndarray) -> np.ndarray:
    return np.repeat(signed_to_unit(2.0 * DETAIL_GAIN * detail)[..., None], 3, axis=-1)


def _face(image: np.ndarray) -> np.ndarray:
    """The part of a map (T, T, 3) round the face."""
    return image[surroundings(region_masks(len(image))["face"] > INSIDE)]
