"""The lines of one person's folds and wrinkles: which there are, where they begin, how deep."""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .curves import REFERENCE_SIZE, Curve
from .layout import smooth_curve
from .noise import Streams
from .parameters import SkinParameters
from .wrinkle_curves import ACROSS, FAMILIES, FINE, PAIR

SAMPLES = 65
"""Points of a rail; the longest one has 700 reference pixels."""
KNOT_SPACING = 11.0
"""Reference pixels between independent values of the noise along a line."""
_LATE = 0.7
"""Amount at which the last line of a family begins."""
_EARLY = 0.7
"""Exponent of depth over amount: lines are clear before they are deep."""
_ALIKE = 0.6
"""Share of the variance of a pair's wander that both sides have in common."""


@dataclass(frozen=True)
class Lines:
    """N lines on the rails of `rails`; each array is (N,) unless a shape is given.

    rail: index of the lower rail. part: place between it and the next. start, end: shares of the
    rail. offset: (N, 2) reference pixels beside the rail at both ends. depth: core darkening.
    peak, breaks, wander: as in Family. shares: (N, len(SIGMAS)). mirrored: True on the left side.
    knot: row of `noise` at the rail's begin. noise: (V, 4) independent normal values.
    """

    rail: np.ndarray
    part: np.ndarray
    start: np.ndarray
    end: np.ndarray
    offset: np.ndarray
    depth: np.ndarray
    peak: np.ndarray
    breaks: np.ndarray
    wander: np.ndarray
    shares: np.ndarray
    mirrored: np.ndarray
    knot: np.ndarray
    noise: np.ndarray


_OWN_FIELDS = tuple(f.name for f in dataclasses.fields(Lines) if f.name != "noise")


@dataclass(frozen=True)
class _Table:
    """What all persons share: each line's family, its partner's slot, its rows of noise.

    A slot (of S) is a line of one side or the same line on both sides; L lines, B side lines.
    slot_family, slot_number: (S,) family and number within it. family, slot, side: (L,).
    knot: (L,) first row of a line's noise. common_rows: rows of noise of all slots. row_source:
    (V,) the slots' row for each row of the lines. parent: (B,) line of each side line.
    """

    slot_family: np.ndarray
    slot_number: np.ndarray
    family: np.ndarray
    slot: np.ndarray
    side: np.ndarray
    knot: np.ndarray
    common_rows: int
    row_source: np.ndarray
    parent: np.ndarray


def _even_rail(points: Curve, across: bool) -> np.ndarray:
    """(SAMPLES, 2) points at equal distances."""
    path = smooth_curve(points, closed=False)
    if across:
        mirror = path[-2::-1] * [-1.0, 1.0] + [float(REFERENCE_SIZE), 0.0]
        path = np.concatenate([path, mirror])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0.0, length[-1], SAMPLES)
    return np.stack([np.interp(at, length, path[:, 0]), np.interp(at, length, path[:, 1])], -1)


@lru_cache(maxsize=1)
def rails() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All rails (R, SAMPLES, 2), their lengths (R,), and each family's first rail (F,)."""
    paths, first = [], []
    for family in FAMILIES.values():
        first.append(len(paths))
        paths += [_even_rail(points, family.kind == ACROSS) for points in family.rails]
    table = np.stack(paths)
    lengths = np.linalg.norm(np.diff(table, axis=1), axis=2).sum(axis=1)
    return table.astype(np.float32), lengths.astype(np.float32), np.array(first)


@lru_cache(maxsize=1)
def _constants() -> dict[str, np.ndarray]:
    """Numbers of all families by field, (F,) or (F, ...)."""
    families = list(FAMILIES.values())
    names = ("count", "depth", "widths", "start", "length", "peak", "wander", "breaks", "even")
    table = {name: np.array([getattr(f, name) for f in families]) for name in names}
    return {**table, "gaps": np.array([len(f.rails) - 1 for f in families])}


@lru_cache(maxsize=1)
def _table() -> _Table:
    families = list(FAMILIES.values())
    _, lengths, first = rails()
    count = np.array([f.count for f in families])
    knots = np.array(
        [
            int(lengths[a : a + len(f.rails)].max() / KNOT_SPACING) + 3
            for a, f in zip(first, families, strict=True)
        ]
    )
    slot_family = np.repeat(np.arange(len(families)), count)
    sides = np.array([2 if f.kind == PAIR else 1 for f in families])[slot_family]
    slot = np.repeat(np.arange(len(slot_family)), sides)
    family = slot_family[slot]
    slot_row = np.cumsum(knots[slot_family]) - knots[slot_family]
    knot = np.cumsum(knots[family]) - knots[family]
    within = np.arange(knots[family].sum()) - np.repeat(knot, knots[family])
    return _Table(
        slot_family=slot_family,
        slot_number=np.arange(len(slot_family)) - (np.cumsum(count) - count)[slot_family],
        family=family,
        slot=slot,
        side=np.concatenate([np.arange(n) for n in sides]),
        knot=knot,
        common_rows=int(knots[slot_family].sum()),
        row_source=np.repeat(slot_row[slot], knots[family]) + within,
        parent=np.repeat(np.arange(len(slot)), np.array([f.branches for f in families])[family]),
    )


def draw_lines(p: SkinParameters, streams: Streams) -> Lines:
    """The lines of one person that have any depth. The same numbers are drawn for every amount."""
    t, c = _table(), _constants()
    draw = streams.get("wrinkles")
    order, jitter, first, second = draw.random((4, len(t.slot_family)))
    own = draw.standard_normal((4, len(t.slot)))
    whole_side = draw.standard_normal((len(FAMILIES), 2))
    noise = draw.standard_normal((t.common_rows, 4), dtype=np.float32)[t.row_source]
    noise *= np.float32(np.sqrt(_ALIKE))
    noise += np.float32(np.sqrt(1.0 - _ALIKE)) * draw.standard_normal(noise.shape, dtype=np.float32)
    chance = draw.random((5, len(t.parent)))
    # Lines of a family appear one after the other.
    sequence = np.lexsort((order, t.slot_family))
    rank = np.empty(len(sequence))
    count = c["count"][t.slot_family]
    rank[sequence] = t.slot_number / count
    place = (t.slot_number + 0.5 + 0.8 * (jitter - 0.5)) / count
    start = _between(c["start"][t.slot_family], first)
    length = _between(c["length"][t.slot_family], second)
    # From slots to lines.
    f, slot = t.family, t.slot
    rank, place = rank[slot], place[slot] + 0.05 * own[0] / np.maximum(count[slot], 3)
    place = np.where(f == _crease_index(), 0.5 + 0.5 * p.lid_crease_height, place)
    amount = np.array([getattr(p, family.amount) for family in FAMILIES.values()])[f]
    reach = np.clip((amount - _LATE * rank) / (1.0 - _LATE * rank), 0.0, 1.0)
    strength = np.exp(0.22 * own[1] + 0.12 * whole_side[f, t.side])
    across = np.clip(place, 0.0, 0.9999) * c["gaps"][f]
    lower = np.minimum(across.astype(int), c["gaps"][f] - 1)
    start = np.clip(start[slot] + 0.05 * own[2], 0.0, 0.95)
    length = np.maximum(length[slot] * (0.55 + 0.45 * reach) + 0.05 * own[3], 0.05)
    values = {
        "rail": rails()[2][f] + lower,
        "part": across - lower,
        "start": start,
        "end": np.minimum(start + length, 1.0),
        "offset": np.zeros((len(f), 2)),
        "depth": c["depth"][f] * reach**_EARLY * (1.0 - (1.0 - c["even"][f]) * rank) * strength,
        "mirrored": t.side == 1,
        "shares": c["widths"][f],
        "knot": t.knot,
        **{name: c[name][f] for name in ("peak", "breaks", "wander")},
    }
    return Lines(**_with_side_lines(values, t.parent, chance), noise=noise)


def _between(bounds: np.ndarray, share: np.ndarray) -> np.ndarray:
    return bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) * share


@lru_cache(maxsize=1)
def _crease_index() -> int:
    """The family whose place is a parameter of its own."""
    return list(FAMILIES).index("lid crease")


def _with_side_lines(
    values: dict[str, np.ndarray], parent: np.ndarray, chance: np.ndarray
) -> dict[str, np.ndarray]:
    """Adds side lines and leaves out lines without depth.

    Some side lines leave their line, some run beside it; all follow its wander.
    """
    parent_drawn = values["depth"][parent] != 0.0
    parent, chance = parent[parent_drawn], chance[:, parent_drawn]
    main = np.flatnonzero(values["depth"])
    source = np.concatenate([main, parent])
    both = {name: values[name][source] for name in _OWN_FIELDS}
    own = slice(len(main), None)
    span = both["end"][own] - both["start"][own]
    near = np.where(chance[2] < 0.5, 0.0, 1.5 + 3.0 * chance[2])
    far = near + 1.5 + 4.0 * chance[3]
    both["start"][own] += span * 0.85 * chance[0]
    both["end"][own] = np.minimum(both["start"][own] + span * (0.12 + 0.25 * chance[4]), 1.0)
    both["offset"][own] = np.where(chance[1] < 0.5, -1.0, 1.0)[:, None] * np.stack([near, far], -1)
    both["depth"][own] *= 0.25 + 0.4 * chance[3]
    both["peak"][own] = 0.4
    both["shares"][own] = FINE
    return both
