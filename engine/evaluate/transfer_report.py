"""The results of `evaluate transfer` as lines, as plain values for JSON, and as a picture grid."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from ..protocol.conventions import signed_to_unit
from ..result.pictures import BACKGROUND
from ..skin.layout import region_masks
from .image_metrics import surroundings
from .transfer import DETAIL_SIZE, MEASURES, Face, TransferOutcome, bare_skin
from .uv_areas import INSIDE

SCHEMA = 1
GRID = 5
"""Details across and coarse maps down the picture."""
DETAIL_GAIN = 4.0
"""Detail maps are shown that much stronger, about mid grey."""
_WIDTH = 72
_STATISTICS: Mapping[str, Callable[[np.ndarray], float]] = {
    "mean": lambda values: float(values.mean()),
    "median": lambda values: float(np.median(values)),
    "most": lambda values: float(values.max()),
}

Tiles = list[tuple[np.ndarray, str]]


def summaries(outcome: TransferOutcome) -> dict[str, dict[str, dict[str, float]]]:
    """Comparison -> measure -> statistic over the pairs (over the maps for "own")."""
    tables: dict[str, Iterable[Mapping[str, float]]] = {
        "changed": [pair.changed for pair in outcome.pairs],
        "own": outcome.own.values(),
        "swapped": [pair.swapped for pair in outcome.pairs],
        "people": [pair.people for pair in outcome.pairs],
    }
    return {
        name: {
            measure: {
                label: statistic(np.array([one[measure] for one in table]))
                for label, statistic in _STATISTICS.items()
            }
            for measure in MEASURES
        }
        for name, table in ((name, list(rows)) for name, rows in tables.items())
    }


_WORDS = {
    "changed": "coarse albedo, against it with foreign detail",
    "own": "coarse albedo, against it with its own detail",
    "swapped": "own detail against foreign detail, on one coarse albedo",
    "people": "for scale: two people's coarse albedos",
}


def table_lines(outcome: TransferOutcome) -> list[str]:
    """The table."""
    title = (
        f"{len(outcome.faces)} maps, {len(outcome.pairs)} pairs, {len(outcome.left_out)} left out; "
        f"CIEDE2000 over the face without beard, brows and scalp hair, {int(bare_skin().sum())} "
        f"texels at {DETAIL_SIZE}"
    )
    lines = [title, " " * _WIDTH + "".join(label.rjust(10) for label in _STATISTICS)]
    found = summaries(outcome)
    for name, words in _WORDS.items():
        lines.append(words)
        for measure, meaning in MEASURES.items():
            values = "".join(f"{found[name][measure][label]:10.3f}" for label in _STATISTICS)
            lines.append(f"  {meaning}".ljust(_WIDTH) + values)
    return lines


def outcome_json(outcome: TransferOutcome) -> dict[str, object]:
    """Everything measured, in JSON types."""
    return {
        "schema": SCHEMA,
        "measures": dict(MEASURES),
        "texels": int(bare_skin().sum()),
        "summary": summaries(outcome),
        "pairs": [asdict(pair) for pair in outcome.pairs],
        "own": {name: dict(found) for name, found in outcome.own.items()},
        "left_out": [{"map": name, "why": why} for name, why in outcome.left_out],
    }


def grid_rows(faces: Sequence[Face]) -> list[Tiles]:
    """Details of up to five maps across, on the coarse albedo of the same maps down.

    On top the maps that lend their detail, then those details; on the left the coarse albedos.
    """
    chosen = np.unique(np.linspace(0, len(faces) - 1, GRID).round().astype(int))
    shown = [faces[number] for number in chosen]
    part = surroundings(region_masks(DETAIL_SIZE)["face"] > INSIDE)
    blank = np.full((8, 8, 3), BACKGROUND, np.float32)
    rows: list[Tiles] = [
        [(blank, "detail of")] + [(face.original[part], face.name) for face in shown],
        [(blank, "on coarse")] + [(_grey(face.detail)[part], "detail") for face in shown],
    ]
    for face in shown:
        mixed = [(face.with_detail(donor.detail)[part], "") for donor in shown]
        rows.append([(face.coarse[part], f"coarse, {face.name}"), *mixed])
    return rows


def _grey(detail: np.ndarray) -> np.ndarray:
    return np.repeat(signed_to_unit(2.0 * DETAIL_GAIN * detail)[..., None], 3, axis=-1)
