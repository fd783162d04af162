"""Lids of a completed head keep off its eyeballs when they close."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...protocol.headpack import HeadPack
from .donors import EYES, LentPart, sphere_of
from .match import HeadMatch
from .source import HeadSource

Ball = tuple[np.ndarray, float]
"""Centre (3,) and radius, metres."""
LID = 0.05
"""Share of the lids' group from which a vertex is a lid's."""
LEAST_GAP, MOST_GAP = 0.0003, 0.0010
"""Metres that a moving lid keeps from the eyeball: as far as it lies at rest, within these. Ours:
below the first the white shines through in renders, above the second closed lids bulge."""


def eyeballs(source: HeadSource, lent: Sequence[LentPart]) -> dict[str, Ball]:
    """The eyeballs of a head by name: its own or the lent ones."""
    balls = {part.name: sphere_of(part.mean) for part in lent if part.name in EYES}
    for number, name in enumerate(source.part_names):
        members = np.unique(source.faces[source.face_part == number])
        if name in EYES and len(members):
            balls[name] = sphere_of(source.mean[members].astype(np.float64))
    return balls


def kept_off(
    moves: np.ndarray,
    source: HeadSource,
    match: HeadMatch,
    template: HeadPack,
    balls: Mapping[str, Ball],
) -> np.ndarray:
    """Displacements (E, V, 3) f32 of the skin where no lid goes into an eyeball: what would is
    moved straight out of it."""
    out = moves.copy()
    for name, (centre, radius) in balls.items():
        lids = match.to_template @ template.groups[EYES[name]].astype(np.float64)
        ids = np.flatnonzero(lids > LID)
        rest = source.mean[ids] - centre
        away = np.linalg.norm(rest, axis=1)
        least = radius + np.clip(away - radius, LEAST_GAP, MOST_GAP)
        for row in out:
            there = rest + row[ids]
            distance = np.linalg.norm(there, axis=1)
            # Only what moves: a lid that lies in the ball at rest is the model's own matter.
            inside = (distance < least) & (np.abs(row[ids]).max(axis=1) > LEAST_GAP)
            factor = np.where(inside, least / np.maximum(distance, 1e-6), 1.0)
            row[ids] += there * (factor - 1.0)[:, None]
    return out
