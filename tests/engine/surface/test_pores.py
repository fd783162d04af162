"""Openings and creases: number, spacing, shape on the skin, direction."""

import numpy as np
import pytest

from engine.skin.noise import Streams
from engine.surface.creases import crease_depth, lip_furrows
from engine.surface.metric import TexelMetric
from engine.surface.pores import Openings, _places, opening_depth

SIZE = 512
KIND = Openings("test", 60e4, 0.00016, 0.0, 0.0001, (5, 5), 6)


def metric(along: float, across: float) -> TexelMetric:
    """Equal texels everywhere, metres."""
    whole = np.ones((SIZE, SIZE), np.float32)
    return TexelMetric(along * whole, across * whole, 0.0 * whole)


def field(level: float) -> np.ndarray:
    return np.full((SIZE, SIZE), level, np.float32)


@pytest.mark.parametrize("density", [1.0, 0.4])
def test_there_are_as_many_as_asked_for_and_none_touch(density: float) -> None:
    texel = 0.00015
    row, column = _places(KIND, field(density), metric(texel, texel), Streams(1))
    area = ((SIZE - 2 * KIND.reach) * texel) ** 2
    assert len(row) / area == pytest.approx(KIND.count * density, rel=0.1)
    points = np.stack([row, column], 1)
    some = points[:: max(1, len(points) // 300)]
    apart = np.abs(points[None] - some[:, None]).max(-1)
    assert np.sort(apart, 1)[:, 1].min() >= 3  # the nearest other one, in a window of 5


def test_none_where_the_density_is_zero() -> None:
    density = field(1.0)
    density[:, 200:] = 0.0
    depth = opening_depth(KIND, density, field(0.0), metric(0.00015, 0.00015), Streams(1))
    assert depth[:, 210:].max() == 0.0 and depth[:, :190].max() > 0.00005


def moments(depth: np.ndarray) -> np.ndarray:
    """(2, 2) mean second moments of openings in texels (x, y), from the autocorrelation."""
    power = np.abs(np.fft.fft2(depth - depth.mean())) ** 2
    correlation = np.fft.fftshift(np.fft.ifft2(power).real)
    centre, reach = SIZE // 2, 3
    part = correlation[centre - reach : centre + reach + 1, centre - reach : centre + reach + 1]
    part = np.maximum(part / part.max() - 0.2, 0.0)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return (
        np.array(
            [
                [(part * x * x).sum(), (part * x * y).sum()],
                [(part * x * y).sum(), (part * y * y).sum()],
            ]
        )
        / part.sum()
    )


def test_openings_are_round_on_the_skin_and_long_along_the_tension() -> None:
    texel = 0.00015
    level, steep = (
        moments(opening_depth(KIND, field(0.5), field(angle), metric(texel, texel), Streams(2)))
        for angle in (0.0, np.pi / 2)
    )
    assert level[0, 0] > 1.3 * level[1, 1] and steep[1, 1] > 1.3 * steep[0, 0]
    wide = moments(
        opening_depth(KIND, field(0.5), field(np.pi / 2), metric(2 * texel, texel), Streams(2))
    )
    assert wide[0, 0] < steep[0, 0], "texels twice as wide hold an opening half as wide"


@pytest.mark.parametrize("angle", [0.0, 0.8, -0.5])
def test_creases_run_to_both_sides_of_the_tension(angle: float) -> None:
    """The two sets together are longest along the tension: the mean direction is its."""
    depth = crease_depth(field(angle), metric(0.00015, 0.00015), Streams(4))
    assert 0.0 <= depth.min() and depth.max() <= 1.0 and 0.02 < depth.mean() < 0.5
    down, right = np.gradient(depth)
    up = -down
    along = 0.5 * np.arctan2(2 * (right * up).mean(), (right * right - up * up).mean()) + np.pi / 2
    assert np.cos(2 * (along - angle)) > 0.93


def test_lips_have_upright_furrows_in_their_box_only() -> None:
    furrows = lip_furrows(Streams(0), 2048)
    assert furrows.max() > 0.5 and not furrows[:1020].any() and not furrows[1350:].any()
    box = furrows[1100:1240, 900:1150]
    assert np.abs(np.diff(box, axis=1)).mean() > 2.0 * np.abs(np.diff(box, axis=0)).mean()
