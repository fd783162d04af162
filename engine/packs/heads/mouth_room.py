"""Room for lent teeth and tongue: a mouth bag of the source may be too small for them."""

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from ...head.numerics import smoothstep
from ...protocol.headpack import HeadPack
from ...register.registration import Similarity
from .match import HeadMatch
from .source import HeadSource

RIM = 0.012
"""Metres from the bag's rim, behind the lips, over which it passes from its own place to that of
the template's. Ours: lips keep their thickness, and teeth begin behind them."""
ROOMY = 0.9
"""Size of a bag against the template's from which it is left as it is. Ours: HiFi3D's has 0.7."""


def with_room(
    source: HeadSource, match: HeadMatch, template: HeadPack, place: Similarity
) -> HeadSource:
    """The source with its mouth bag where the template's is, which surrounds the template's teeth
    and tongue; the layout says who is where. place: of the lent parts of the mouth. Identities and
    expressions stay. A head without a bag, or with one that is as large, is returned as it is."""
    faces = match.inner & ~match.sockets
    bag = np.unique(source.faces[faces])
    outer = np.unique(source.faces[match.skin & ~faces])
    rim = np.intersect1d(bag, outer)
    moved = bag[match.matched[bag]]
    if not len(moved) or not len(rim):
        return source
    own = source.mean[moved].astype(np.float64)
    goal = place.apply(match.to_template[moved] @ template.mean.astype(np.float64))
    if _size(own) > ROOMY * _size(goal):
        return source
    apart = cKDTree(source.mean[rim]).query(own)[0]
    share = smoothstep(apart, 0.0, RIM)[:, None]
    mean = source.mean.copy()
    mean[moved] = own + share * (goal - own)
    return replace(source, mean=mean)


def _size(points: np.ndarray) -> float:
    """Root mean square distance of points (n, 3) from their middle."""
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))
