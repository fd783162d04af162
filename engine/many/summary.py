"""What came of many photos: a table, a CSV file, contact sheets."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from ..protocol.conventions import bytes_to_unit
from ..protocol.errors import EngineError
from ..protocol.result import read_manifest
from ..result.pictures import BACKGROUND, contact_sheet
from ..result.write import png_bytes
from .run import DoneFit

Tile = tuple[np.ndarray, str]

TILE = 192
"""Pixels of a picture on the sheets. Ours: a likeness can be judged, and 24 heads fit a screen."""
ACROSS, DOWN = 3, 8
"""Photos on a sheet."""
SHOWN = ((0, 0), (0, 1), (1, 0))
"""Tiles of compare.png (3 x 3, see fit/pictures.py): photo, fit over photo, front view."""
_EMPTY = np.full((1, 1, 3), BACKGROUND, np.float32)
FIGURES = ("landmark_error", "render_psnr", "seen_share")
"""Metrics on the terminal; the CSV file has all."""
NAME_WIDTH = 36


@dataclass(frozen=True)
class Row:
    """One photo. status: done, kept (from an earlier run) or failed; seconds: of the fit."""

    photo: str
    result: str
    status: str
    seconds: float
    error: str = ""
    warnings: str = ""
    metrics: dict[str, float] = field(default_factory=dict)


def summary_row(done: DoneFit) -> Row:
    """What there is to say of one photo. A result that cannot be read counts as failed."""
    photo, name, outcome = Path(done.fit.job.photos[0]).name, done.fit.name, done.outcome
    if outcome is not None and outcome.error is not None:
        return Row(photo, name, "failed", outcome.seconds, f"{outcome.error}: {outcome.message}")
    try:
        manifest = read_manifest(Path(done.fit.job.output))
    except EngineError as error:
        return Row(photo, name, "failed", 0.0, f"{error.code}: {error.message}")
    return Row(
        photo,
        name,
        "kept" if outcome is None else "done",
        sum(manifest.stages.values()),
        "",
        " ".join(manifest.warnings),
        manifest.metrics,
    )


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """The table as CSV, UTF-8: a column for each metric that any result has."""
    metrics = list(dict.fromkeys(name for row in rows for name in row.metrics))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["photo", "result", "status", "seconds", "error", "warnings", *metrics])
    for row in rows:
        figures = [f"{row.metrics[name]:.6g}" if name in row.metrics else "" for name in metrics]
        plain = [row.photo, row.result, row.status, f"{row.seconds:.2f}", row.error, row.warnings]
        writer.writerow([*plain, *figures])
    return text.getvalue().encode("utf-8", errors="backslashreplace")


def table_lines(rows: Sequence[Row], limit: int) -> Iterator[str]:
    """The table for a terminal: at most `limit` photos, failed ones first; medians; counts."""
    yield "photo".ljust(NAME_WIDTH) + "".join(f"{name:>15}" for name in ("seconds", *FIGURES))
    shown = sorted(rows, key=lambda row: row.status != "failed")[:limit]
    for row in sorted(shown, key=rows.index):
        yield _line(row.photo, row)
    if len(rows) > len(shown):
        yield f"... and {len(rows) - len(shown)} more"
    good = [row for row in rows if row.status != "failed"]
    if good:
        middle = {
            name: median(row.metrics.get(name, float("nan")) for row in good) for name in FIGURES
        }
        seconds = median(row.seconds for row in good)
        yield _line("median", Row("", "", "done", seconds, metrics=middle))
    counts = [sum(row.status == status for row in rows) for status in ("done", "kept", "failed")]
    yield "{} done, {} kept from before, {} failed".format(*counts)


def _line(name: str, row: Row) -> str:
    start = name[: NAME_WIDTH - 1].ljust(NAME_WIDTH)
    if row.status == "failed":
        return start + row.error
    figures = "".join(f"{row.metrics.get(figure, float('nan')):15.4f}" for figure in FIGURES)
    return f"{start}{row.seconds:15.2f}{figures}"


def sheets(done: Sequence[DoneFit], rows: Sequence[Row]) -> Iterator[bytes]:
    """Contact sheets as PNG: each photo with its fit and a front view; failed ones say so."""
    each = ACROSS * DOWN
    for first in range(0, len(done), each):
        page = list(zip(done[first : first + each], rows[first : first + each], strict=True))
        lines = [page[i : i + ACROSS] for i in range(0, len(page), ACROSS)]
        tiles = [[tile for one, row in line for tile in _tiles(one, row)] for line in lines]
        yield png_bytes(contact_sheet(tiles, TILE))


def _tiles(done: DoneFit, row: Row) -> list[Tile]:
    if row.status == "failed":
        empty = np.zeros((1, 1, 3), np.float32)
        return [
            (_thumbnail(Path(done.fit.job.photos[0])), row.photo),
            (empty, "failed"),
            (empty, ""),
        ]
    with Image.open(Path(done.fit.job.output, "compare.png")) as picture:
        compare = bytes_to_unit(np.asarray(picture.convert("RGB")))
    height, width = (side // 3 for side in compare.shape[:2])
    parts = [compare[y * height : (y + 1) * height, x * width : (x + 1) * width] for y, x in SHOWN]
    return list(zip(parts, (row.photo, "", ""), strict=True))


def _thumbnail(photo: Path) -> np.ndarray:
    """The photo, small, or nothing where it is no picture."""
    try:
        with Image.open(photo) as picture:
            picture.thumbnail((TILE, TILE))
            return bytes_to_unit(np.asarray(picture.convert("RGB")))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return _EMPTY
