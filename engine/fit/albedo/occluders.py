"""What covers the skin in a photo: hair, glasses, hands, hats, background past a missed outline.

The net's word (`nets/occluders.py`) is taken where it is sure. What it finds is left out of the
light and the coarse albedo, and of all that is read from the photo; the texels are completed from
the model and the mirror side like those that the camera did not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ...head.numerics import smoothstep
from ...nets.occluders import LAYOUT, covered_texels
from ...protocol.albedo import decode_albedo
from ...render.resize import resize_texture
from ...reporter import Reporter
from ..eyes.white import white_of_eyes
from ..loaded import LoadedPack, closable_mask, evidence_mask, feature_mask, uv_mask
from ..seen.observe import FittedView, observe
from ..seen.texels import TexelObservation
from ..settings import AlbedoSettings, FitSettings, OccluderSettings
from .stage import AlbedoFit, fit_albedos
from .unlit import unlit_colour


def find_covered(
    loaded: LoadedPack,
    observation: TexelObservation,
    fit: AlbedoFit,
    albedo_settings: AlbedoSettings,
    settings: OccluderSettings,
) -> np.ndarray:
    """(256, 256) float32 in [0, 1]: how far a texel of the photo shows something else than skin.

    observation: of 256 texels a side; fit: its light and coarse albedo, found with everything in.
    """
    model = loaded.solver
    coarse = decode_albedo(model.mean, model.basis, model.valid, fit.coefficients)
    coarse = resize_texture(np.clip(coarse, 0.0, 1.0), LAYOUT)
    unlit = unlit_colour(observation, fit.light, albedo_settings)
    found = covered_texels(unlit, coarse, observation.visible, observation.facing)
    sure = smoothstep(found, settings.least, settings.likely) * sure_parts(found, settings)
    zone = 1.0 - closable_mask(loaded, LAYOUT)
    place = glasses_place(zone, uv_mask(loaded.head, ("lids",), LAYOUT))
    skin = resize_texture(fit.skin, LAYOUT)
    sure = hanging_down(sure, uv_mask(loaded.head, ("brows",), LAYOUT))
    sure = with_rims(sure, skin, observation.visible, place, settings).astype(np.float32)
    grown = np.maximum(
        _grown(sure, settings.reach * LAYOUT), _grown(sure * zone, settings.rim_reach * LAYOUT)
    )
    return cv2.GaussianBlur(grown, (0, 0), 0.5 * settings.reach * LAYOUT)


def _grown(sure: np.ndarray, reach: float) -> np.ndarray:
    radius = max(1, round(reach))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(sure, disc)


def hanging_down(sure: np.ndarray, brows: np.ndarray) -> np.ndarray:
    """What is covered (S, S) in [0, 1], and all above it on the forehead: hair and hats come from
    above. brows (S, S) in [0, 1]: the forehead ends where they begin."""
    end = int(np.flatnonzero((brows > 0.5).any(axis=1)).min())
    forehead = np.maximum.accumulate(sure[:end][::-1], axis=0)[::-1]
    return np.concatenate([forehead, sure[end:]])


@dataclass(frozen=True, eq=False)
class GlassesPlace:
    """Where glasses sit, (S, S) in [0, 1] each: all of it, and of that the part between the outer
    corners of the lids, the bridge of the nose, and under the lids."""

    whole: np.ndarray
    middle: np.ndarray
    bridge: np.ndarray
    below: np.ndarray


def glasses_place(whole: np.ndarray, lids: np.ndarray) -> GlassesPlace:
    """whole: see GlassesPlace; lids (S, S) in [0, 1], one on each half of the map."""
    rows, columns = (np.flatnonzero((lids > 0.5).any(axis)) for axis in (1, 0))
    half = lids.shape[1] // 2
    inner = columns[columns < half].max() + 1
    y, x = np.mgrid[0 : lids.shape[0], 0 : lids.shape[1]]
    middle = whole * ((x >= columns.min()) & (x <= columns.max()))
    under = y > rows.max() + lids.shape[0] // 64
    return GlassesPlace(
        whole, middle, whole * ((x >= inner) & (x < 2 * half - inner)), middle * under
    )


def with_rims(
    sure: np.ndarray,
    skin: np.ndarray,
    visible: np.ndarray,
    place: GlassesPlace,
    settings: OccluderSettings,
) -> np.ndarray:
    """What is covered, and with glasses all that does not look like skin round the eyes.

    sure (S, S) in [0, 1]: covered by the net's word; skin (S, S) in [0, 1]: see `AlbedoFit`;
    visible (S, S) bool. There are glasses where the net finds enough between the temples, which
    may be hair, or where skin is rare both on the bridge of the nose and under the lids: no brow,
    wrinkle or shadow of the sockets is in both. What the net found counts there too: it misses
    tinted lenses and thin rims.
    """
    odd = visible * (1.0 - smoothstep(skin, settings.rim_skin, 2.0 * settings.rim_skin))

    def share(image: np.ndarray, zone: np.ndarray) -> float:
        return float((image * visible * zone).sum() / max((visible * zone).sum(), 1.0))

    found = share(sure, place.middle)
    bare = share(odd, place.bridge) < settings.odd_bridge
    if found < settings.glasses and (bare or share(odd, place.below) + found < settings.odd_below):
        return sure
    return np.maximum(sure, place.whole * odd)


def sure_parts(found: np.ndarray, settings: OccluderSettings) -> np.ndarray:
    """(S, S) bool: connected parts of what is likely that are somewhere sure, and not tiny.

    found (S, S) in [0, 1]. Two thresholds, as for edges (Canny 1986): thin ends of locks and rims
    stay with the whole, and single doubts about a cheek do not count.
    """
    _, parts, figures, _ = cv2.connectedComponentsWithStats(
        (found > settings.least).astype(np.uint8)
    )
    keep = figures[:, cv2.CC_STAT_AREA] >= settings.least_area * found.size
    keep[0] = False  # the rest
    reached = np.zeros(len(keep), bool)
    reached[np.unique(parts[found > settings.sure])] = True
    return (keep & reached)[parts]


def bared_teeth(
    observation: TexelObservation, lips: np.ndarray, skin: np.ndarray, settings: OccluderSettings
) -> np.ndarray:
    """(S, S) float32 in [0, 1]: lips on which the photo shows teeth, where a smile is a little off.

    lips, skin (S, S) in [0, 1]. Lips are redder than the skin beside them, teeth are not: green
    over red, in linear light, against the skin's median, so that the light's colour counts little.
    """
    red, green = observation.colour[..., 0], observation.colour[..., 1]
    seen = observation.visible & (red > 0.0)
    chosen = seen & (skin > 0.5) & (lips < 0.1)
    if not chosen.any():
        return np.zeros(lips.shape, np.float32)
    ratio = np.where(seen, green / np.maximum(red, 1e-6), 0.0)
    white = ratio > settings.teeth * float(np.median(ratio[chosen]))
    found = (white & (lips > 0.1)).astype(np.float32)
    return _grown(found, settings.reach * len(lips))


def uncovered(observation: TexelObservation, covered: np.ndarray) -> TexelObservation:
    """The observation without what is covered (S, S), of any size: it counts as not the person."""
    clear = 1.0 - resize_texture(covered, len(observation.person))
    return replace(observation, person=observation.person * np.clip(clear, 0.0, 1.0))


def fit_uncovered_albedos(
    loaded: LoadedPack,
    views: Sequence[FittedView],
    settings: FitSettings,
    reporter: Reporter,
    start: Sequence[AlbedoFit] | None,
    held: frozenset[str],
) -> tuple[tuple[AlbedoFit, ...], tuple[np.ndarray, ...]]:
    """Stage 2 twice where it is worth it: with all that the person's outline holds, then without
    what covers the skin.

    start, held: see `fit_albedos`. Returns one fit and one map (256, 256) a photo, see
    `find_covered`. Raises Cancelled.
    """
    size = loaded.solver.valid.shape[0]
    seen = [observe(loaded, view, size) for view in views]
    mask = evidence_mask(loaded.head, size)
    features = feature_mask(loaded.head, size)
    lips = uv_mask(loaded.head, ("lips",), size)
    teeth = [bared_teeth(one, lips, mask, settings.occluders) for one in seen]
    seen = [uncovered(*pair) for pair in zip(seen, teeth, strict=True)]
    whites = [white_of_eyes(loaded, view, settings.eyes) for view in views]
    found = fit_albedos(
        loaded.solver, seen, mask, settings.albedo, reporter, start, held, features, whites
    )
    looks = seen if size == LAYOUT else [observe(loaded, view, LAYOUT) for view in views]
    covers = tuple(
        np.maximum(
            find_covered(loaded, look, one, settings.albedo, settings.occluders),
            resize_texture(bared, LAYOUT),
        )
        for look, one, bared in zip(looks, found, teeth, strict=True)
    )
    face = evidence_mask(loaded.head, LAYOUT)
    share = max(float((face * cover).sum() / face.sum()) for cover in covers)
    if share > settings.occluders.worth_solving:
        clear = [uncovered(*pair) for pair in zip(seen, covers, strict=True)]
        again = replace(settings.albedo, rounds=settings.occluders.rounds)
        found = fit_albedos(
            loaded.solver, clear, mask, again, reporter, found, held, features, whites
        )
    return found, covers
