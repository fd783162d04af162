"""Pictures of `evaluate uv`: the components of a model (figure 4 of UVAPM) and an error sheet."""

from collections.abc import Sequence

import numpy as np

from ..protocol.albedo import decode_albedo
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.conventions import signed_to_unit
from ..result.pictures import BACKGROUND
from .image_metrics import surroundings
from .uv import FINE, OWN, MapOutcome, MapPictures

COMPONENTS = 5
SIGMAS = 3.0
"""Figure 4 of UVAPM shows the mean and the first five components, 3 deviations either way."""
CHANNEL_NAMES = ("R", "G", "B")
ERROR_GAIN = 4.0
"""An error of 1/8 of the range is as far from grey as 1/2: visible, and not yet all clipped."""

Tiles = list[tuple[np.ndarray, str]]


def component_rows(model: AlbedoModel) -> list[Tiles]:
    """Two rows per channel, each mean, then -3 and +3 sigma of the first components.

    The upper row is the channel in grey, the lower the mean map with that channel changed: its
    effect on colour. Tiles are (H, W, 3) sRGB at the model's size, with captions.
    """
    shown = min(COMPONENTS, model.basis.shape[1])
    still = _decode(model, np.zeros((3, 1)))
    rows = []
    for channel, letter in enumerate(CHANNEL_NAMES):
        grey: Tiles = [(_grey(model, still, channel), f"{letter} mean")]
        colour: Tiles = [(_cut(model, still), "mean colour")]
        for component in range(shown):
            for sign in (-1, 1):
                coefficients = np.zeros((3, shown))
                coefficients[channel, component] = sign * SIGMAS
                changed = _decode(model, coefficients)
                name = f"{letter}{component + 1} {sign * SIGMAS:+.0f} sigma"
                grey.append((_grey(model, changed, channel), name))
                colour.append((_cut(model, changed), f"{name}, colour"))
        rows += [grey, colour]
    return rows


def error_rows(maps: Sequence[MapOutcome]) -> list[Tiles]:
    """Two rows per map that kept its pictures: the whole map, and its face rebuilt alone.

    In a row the original, then for each variant, side by side, what came back and the difference
    times four about mid grey (rebuilt minus original).
    """
    return [
        _error_row(one, one.pictures, *row)
        for one in maps
        if one.pictures is not None
        for row in (("map", "map", "whole map"), ("face_alone", "face", "face alone"))
    ]


def _error_row(one: MapOutcome, kept: MapPictures, row: str, area: str, words: str) -> Tiles:
    original, texels = kept.measured.image, kept.measured.areas[area]
    part = surroundings(texels)
    tiles: Tiles = [(_masked(original, texels)[part], f"{one.name}, {words}")]
    for variant, by_area in kept.rebuilt.items():
        rebuilt = by_area[area]
        sizes = one.figures[variant][row]
        decibels = sizes.get(FINE, sizes[OWN]).psnr
        difference = signed_to_unit(2.0 * ERROR_GAIN * (rebuilt - original))
        tiles.append((_masked(rebuilt, texels)[part], f"{variant} {decibels:.1f} dB"))
        tiles.append((_masked(difference, texels)[part], f"difference x {ERROR_GAIN:.0f}"))
    return tiles


def _decode(model: AlbedoModel, coefficients: np.ndarray) -> np.ndarray:
    return np.clip(decode_albedo(model.mean, model.basis, model.valid, coefficients), 0.0, 1.0)


def _masked(image: np.ndarray, texels: np.ndarray) -> np.ndarray:
    return np.where(texels[..., None], image, BACKGROUND)


def _cut(model: AlbedoModel, image: np.ndarray) -> np.ndarray:
    return _masked(image, model.valid)


def _grey(model: AlbedoModel, image: np.ndarray, channel: int) -> np.ndarray:
    return _cut(model, np.repeat(image[..., channel : channel + 1], 3, axis=-1))
