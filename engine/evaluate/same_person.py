"""One person in several photos: what the fits should agree in, and how far they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from ..fit.loaded import LoadedPack, evidence_mask
from ..fit.reconstruct import Reconstruction
from ..fit.settings import FitSettings
from ..head.numerics import align_similarity
from ..photo.load import load_photo
from ..protocol.conventions import linear_to_srgb, srgb_to_linear
from ..protocol.origin import SEEN
from ..render.resize import resize_texture
from ..reporter import Reporter
from ..skin.colorimetry import srgb_to_lab
from ..skin.layout import region_masks
from .albedo_error import best_scale, mean_tone
from .colour_difference import ciede2000
from .light import INSIDE, fit_quietly
from .skin_tone import REGIONS

MAP_SIZE = 256
MILLIMETRES = 1000.0
LEAST_TEXELS = 500
"""Texels of `MAP_SIZE` that two photos must both show to be compared. Ours: half a cheek."""


@dataclass(frozen=True)
class PersonOutcome:
    """Mean over all pairs of photos. albedo, coarse: CIEDE2000 after one brightness scale;
    albedo_raw: without; tone: degrees of ITA; identity: rms over the coefficients, sigmas; mesh:
    mm between the vertices of the face, neutral, after a rigid move and a scale."""

    name: str
    photos: int
    albedo: float
    albedo_raw: float
    coarse: float
    tone: float
    identity: float
    mesh: float


def person_outcome(
    name: str,
    paths: Sequence[Path],
    loaded: LoadedPack,
    settings: FitSettings,
    reporter: Reporter,
) -> PersonOutcome:
    """Fit each photo alone and compare the fits. Raises EngineError and Cancelled."""
    found = []
    for done, path in enumerate(paths):
        reporter.progress(done, len(paths))
        found.append(fit_quietly(load_photo(str(path)), loaded, settings))
    pairs = [_apart(a, b, loaded) for a, b in combinations(found, 2)]
    means = np.nanmean(np.asarray(pairs), axis=0)
    return PersonOutcome(name, len(found), *means.tolist())


def _apart(a: Reconstruction, b: Reconstruction, loaded: LoadedPack) -> tuple[float, ...]:
    """In the order of PersonOutcome's figures; those of the albedo nan if hardly any is shared."""
    identity = float(np.sqrt(((a.shape.identity - b.shape.identity) ** 2).mean()))
    face = loaded.head.groups["face"] > INSIDE
    source, target = a.neutral[face], b.neutral[face]
    scale, rotation, move = align_similarity(source, target, np.ones(len(source)))
    away = scale * source @ rotation.T + move - target
    mesh = MILLIMETRES * float(np.linalg.norm(away, axis=-1).mean())
    both = evidence_mask(loaded.head, MAP_SIZE) * (region_masks(MAP_SIZE)["face"] > INSIDE) > INSIDE
    for one in (a, b):
        both &= resize_texture(one.detail.origin, MAP_SIZE) > 0.99 * SEEN
    if both.sum() < LEAST_TEXELS:
        return (np.nan,) * 4 + (identity, mesh)
    first, second = (_linear(one.detail.albedo)[both] for one in (a, b))
    coarse = _scaled(*(_linear(one.coarse)[both] for one in (a, b)))
    raw = float(ciede2000(_lab(first), _lab(second)).mean())
    regions = region_masks(MAP_SIZE)
    read = (np.maximum.reduce([regions[name] for name in REGIONS]) > INSIDE)[both]
    tone = abs(mean_tone(first[read]) - mean_tone(second[read])) if read.any() else np.nan
    return _scaled(first, second), raw, coarse, tone, identity, mesh


def _scaled(a: np.ndarray, b: np.ndarray) -> float:
    return float(ciede2000(_lab(a * best_scale(a, b)), _lab(b)).mean())


def _linear(texture: np.ndarray) -> np.ndarray:
    return srgb_to_linear(resize_texture(texture, MAP_SIZE))


def _lab(linear: np.ndarray) -> np.ndarray:
    return srgb_to_lab(linear_to_srgb(np.clip(linear, 0.0, 1.0)))
