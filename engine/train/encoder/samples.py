"""The maps that a coarse encoder is trained on: bytes on disk, varied as they are drawn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...protocol.albedo import CHANNELS
from ...protocol.errors import EngineError, ErrorCode
from ...reporter import Reporter
from ..maps import list_maps
from ..scan import LeftOut, scan_maps
from ..settings import TrainSettings
from ..texels import TexelLayout, TexelSource
from ..work import open_work, training_key
from .augment import draw_coverage, mirror_index, vary
from .settings import AugmentSettings


@dataclass(frozen=True, eq=False)
class MapSet:
    """Maps at the size of the albedo model. key: equal for equal files and texels. files: of the
    maps in `source`, in order. left_out: the others, with reasons."""

    source: TexelSource
    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]
    key: str


def open_maps(
    folder: Path,
    valid: np.ndarray,
    work: Path,
    limit: int | None,
    check_layout: bool,
    report: Reporter,
) -> MapSet:
    """Read the maps of a folder once and keep the bytes of their valid texels under `work`.

    valid: (S, S) bool of the albedo model. A reading that was stopped goes on where it was.
    Raises EngineError(BAD_INPUT, BAD_OUTPUT), Cancelled.
    """
    files = list_maps(folder)[:limit]
    layout = TexelLayout(valid, np.ones(int(valid.sum()), np.float32), check_layout)
    settings = TrainSettings(check_layout=check_layout)
    cache = open_work(work, files, layout, settings, report)
    report.stage("reading the maps", 0, 2)
    found = scan_maps(files, layout, cache, True, settings.threads, report)
    if found.cached is None or not found.kept:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"None of the {len(files)} maps in {folder} can be used"
            + (f" ({found.left_out[0].reason.rstrip('.')})." if found.left_out else "."),
            "Give skin maps in the FFHQ-UV layout, at least of the albedo model's size.",
        )
    key = training_key(files, layout, settings)
    return MapSet(found.cached, found.kept, found.left_out, key)


def split_rows(count: int, held: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the maps to train on and of those held back, spread evenly over all.

    Raises EngineError(BAD_SETTINGS) when less than two thirds would be left.
    """
    if 3 * held > count:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"{held} of only {count} maps cannot be held back.",
            "Train on more maps, or hold back fewer with --held.",
        )
    kept_back = (np.arange(held) * count) // held + count // (2 * held)
    return np.setdiff1d(np.arange(count), kept_back), kept_back


@dataclass(frozen=True, eq=False)
class Samples:
    """Batches as pure functions of the step. rows: numbers of the maps in `source` that are drawn.

    valid: (S, S) bool with N true texels. mirror: of `mirror_index`.
    """

    source: TexelSource
    rows: np.ndarray
    valid: np.ndarray
    mirror: np.ndarray | None
    settings: AugmentSettings
    batch: int
    seed: int

    def draw(self, step: int, rank: int, processes: int) -> tuple[np.ndarray, np.ndarray]:
        """texels (n, 3, N) float32 sRGB, varied but whole, and coverage (n, N) bool.

        Every epoch takes every map once, in another order.
        """
        texels = np.empty((self.batch, CHANNELS, int(self.valid.sum())), np.float32)
        coverage = np.ones((self.batch, texels.shape[2]), bool)
        first = (step * processes + rank) * self.batch
        for place in range(self.batch):
            number = first + place
            random = np.random.default_rng((self.seed, 1, number))
            row = self._row(number)
            texels[place] = vary(self.source.read(row), self.mirror, random, self.settings)
            if random.random() >= self.settings.whole:
                coverage[place] = draw_coverage(len(self.valid), random)[self.valid]
        return texels, coverage

    def _row(self, number: int) -> int:
        epoch, place = divmod(number, len(self.rows))
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.rows))
        return int(self.rows[order[place]])


def make_samples(
    maps: MapSet,
    rows: np.ndarray,
    valid: np.ndarray,
    settings: AugmentSettings,
    batch: int,
    seed: int,
) -> Samples:
    """Batches of the chosen maps; without mirroring where the valid texels are not symmetric."""
    return Samples(maps.source, rows, valid, mirror_index(valid), settings, batch, seed)
