"""What covers the skin is left out; a clear face stays whole."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.fit.albedo.occluders import (
    bared_teeth,
    glasses_place,
    hanging_down,
    sure_parts,
    uncovered,
    with_rims,
)
from engine.fit.seen.texels import TexelObservation
from engine.fit.settings import OccluderSettings
from engine.nets.occluders import LAYOUT, SIDE, covered_texels, net_input, unwindow, window
from engine.protocol.albedo import decode_albedo
from engine.protocol.headpack import Pack, read_pack

EYES = ((98, 92), (157, 92))
FOREHEAD = (slice(40, 52), slice(100, 156))


@pytest.fixture(scope="module")
def coarse(default_pack: Path) -> np.ndarray:
    """(256, 256, 3) mean skin of the default pack."""
    pack: Pack = read_pack(default_pack)
    model = pack.albedo
    still = np.zeros((3, model.basis.shape[1]))
    return np.clip(decode_albedo(model.mean, model.basis, model.valid, still), 0.0, 1.0)


def look(unlit: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """The net's word on a face seen from the front, seen everywhere."""
    rng = np.random.default_rng(0)
    noisy = np.clip(unlit + rng.normal(0.0, 0.01, unlit.shape), 0.0, 1.0).astype(np.float32)
    return covered_texels(noisy, coarse, np.ones((LAYOUT, LAYOUT)), np.full((LAYOUT, LAYOUT), 0.9))


def test_bare_skin_with_moles_and_freckles_is_kept(coarse: np.ndarray) -> None:
    unlit = coarse.copy()
    rng = np.random.default_rng(1)
    for x, y in rng.integers((80, 105), (176, 180), (40, 2)).tolist():
        cv2.circle(unlit, (x, y), 1, (0.45, 0.30, 0.22), -1, cv2.LINE_AA)
    for x, y in ((90, 130), (160, 170), (120, 45)):
        cv2.circle(unlit, (x, y), 3, (0.20, 0.12, 0.09), -1, cv2.LINE_AA)
    found = look(unlit, coarse)
    face = np.zeros(found.shape, bool)
    face[40:190, 75:181] = True
    assert (found[face] > 0.5).mean() < 0.01


def test_glasses_are_found(coarse: np.ndarray) -> None:
    unlit, rim = coarse.copy(), np.zeros((LAYOUT, LAYOUT), np.float32)
    for eye in EYES:
        cv2.ellipse(rim, eye, (24, 18), 0, 0, 360, 1.0, 4)
    cv2.line(rim, (122, 90), (133, 90), 1.0, 4)
    unlit[rim > 0.5] = 0.06
    found = look(unlit, coarse)
    assert (found[rim > 0.5] > 0.5).mean() > 0.7
    assert (found[120:180, 90:166] > 0.5).mean() < 0.02


@pytest.mark.parametrize("tone", [(0.12, 0.09, 0.08), (0.80, 0.66, 0.45)])
def test_a_fringe_is_found_dark_or_fair(coarse: np.ndarray, tone: tuple[float, ...]) -> None:
    unlit, rng = coarse.copy(), np.random.default_rng(2)
    for x in range(60, 196):
        shade = np.clip(np.array(tone) * rng.uniform(0.6, 1.3), 0, 1).tolist()
        end = (x + int(rng.integers(-4, 5)), 55 + int(rng.integers(0, 8)))
        cv2.line(unlit, (x, 5), end, shade, 1, cv2.LINE_AA)
    found = look(unlit, coarse)
    assert (found[FOREHEAD] > 0.5).mean() > 0.7
    assert (found[110:180, 90:166] > 0.5).mean() < 0.02


def test_what_was_not_seen_is_not_covered(coarse: np.ndarray) -> None:
    dark = np.zeros((LAYOUT, LAYOUT), np.float32)
    assert covered_texels(0.0 * coarse, coarse, dark, dark).max() == 0.0


def test_window_and_back() -> None:
    ramp = np.mgrid[0:LAYOUT, 0:LAYOUT][0].astype(np.float32)
    back = unwindow(window(ramp))
    inside = back[40:180, 60:200]
    assert back.shape == ramp.shape and back[0, 0] == 0.0
    np.testing.assert_allclose(inside, ramp[40:180, 60:200], atol=1.0)
    assert net_input(
        *(window(np.zeros((256, 256, 3))),) * 2, *(np.ones((SIDE, SIDE)),) * 2
    ).shape == (
        8,
        SIDE,
        SIDE,
    )


def test_covered_texels_no_longer_count() -> None:
    ones = np.ones((64, 64))
    normal = np.dstack([0 * ones, 0 * ones, ones])
    observation = TexelObservation(normal, normal, normal, ones, ones > 0, ones)
    covered = np.zeros((256, 256), np.float32)
    covered[:, :128] = 1.0
    person = uncovered(observation, covered).person
    assert person[:, :31].max() < 1e-6 and person[:, 33:].min() == 1.0
    assert observation.person.min() == 1.0


def test_thin_ends_stay_with_the_whole_and_doubts_do_not_count() -> None:
    found = np.zeros((128, 128), np.float32)
    found[10:30, 10:30] = 0.95
    found[30:60, 18:21] = 0.3  # the end of a lock
    found[90:110, 90:110] = 0.6  # a cheek that looks odd
    found[60, 100:102] = 0.99  # a mole
    parts = sure_parts(found, OccluderSettings())
    assert parts[10:30, 10:30].all() and parts[30:60, 18:21].all()
    assert parts.sum() == 20 * 20 + 30 * 3


def test_with_glasses_the_rest_of_their_rims_counts_without_them_nothing_changes() -> None:
    zone, lids = np.zeros((2, 64, 64), np.float32)
    zone[20:40, 10:54] = 1.0
    lids[24:28, 18:28] = lids[24:28, 36:46] = 1.0
    place = glasses_place(zone, lids)
    assert place.bridge[:, 28:36].any() and not place.bridge[:, :28].any()
    assert not place.below[:28].any() and not place.middle[:, :18].any()
    skin, seen, settings = np.ones((64, 64), np.float32), zone > -1.0, OccluderSettings()
    skin[30:32, 10:54] = 0.0  # a rim that the net missed, or a fold
    skin[50:52, 10:54] = 0.0  # a fold elsewhere
    sure = np.zeros((64, 64), np.float32)
    sure[20:40, 10:18] = 1.0  # hair at the temple
    assert np.array_equal(with_rims(sure, skin, seen, place, settings), sure)
    sure[22:26, 18:54] = 1.0
    found = with_rims(sure, skin, seen, place, settings)
    assert found[30:32, 10:54].min() == 1.0 and found[50:52].max() == 0.0
    assert found[33:40, 22:].max() == 0.0


def test_dark_lenses_are_glasses_without_the_net() -> None:
    zone, lids = np.zeros((2, 64, 64), np.float32)
    zone[20:40, 10:54] = 1.0
    lids[24:28, 18:28] = lids[24:28, 36:46] = 1.0
    skin, seen = np.ones((64, 64), np.float32), zone > -1.0
    skin[20:36, 12:52] = 0.0
    clear = np.zeros((64, 64), np.float32)
    found = with_rims(clear, skin, seen, glasses_place(zone, lids), OccluderSettings())
    assert found[20:36, 12:52].min() == 1.0
    skin[29:36] = 1.0  # only the sockets and the bridge are dark
    assert with_rims(clear, skin, seen, glasses_place(zone, lids), OccluderSettings()).max() == 0.0


def test_what_hangs_onto_the_forehead_covers_all_above_it() -> None:
    sure, brows = np.zeros((2, 64, 64), np.float32)
    brows[30:34, 10:50] = 1.0
    sure[20:24, 12:20] = 1.0
    sure[40:44, 30:34] = 1.0
    found = hanging_down(sure, brows)
    assert found[:24, 12:20].min() == 1.0 and found[24:40].max() == 0.0
    assert np.array_equal(found[30:], sure[30:]) and found[:, 34:].max() == 0.0


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (1.0, 0.6, 0.4), (0.5, 0.8, 1.0)])
def test_teeth_on_the_lips_are_found_and_lips_are_not(light: tuple[float, ...]) -> None:
    side = 64
    lips, face = np.zeros((side, side), np.float32), np.ones((side, side), np.float32)
    lips[40:52, 20:44] = 1.0
    colour = np.full((side, side, 3), (0.45, 0.26, 0.18))
    colour[40:52, 20:44] = (0.35, 0.12, 0.11)
    colour[45:47, 26:38] = (0.60, 0.54, 0.45)  # teeth
    plain = np.ones((side, side), np.float32)
    seen = TexelObservation(colour, colour, colour * light, plain, plain > 0, plain)
    found = bared_teeth(seen, lips, face, OccluderSettings())
    assert (found[45:47, 26:38] == 1.0).all()
    assert not found[40:43].any() and not found[50:].any() and not found[:, :22].any()
    closed = colour.copy()
    closed[45:47, 26:38] = (0.35, 0.12, 0.11)
    seen = TexelObservation(colour, colour, closed * light, plain, plain > 0, plain)
    assert not bared_teeth(seen, lips, face, OccluderSettings()).any()
