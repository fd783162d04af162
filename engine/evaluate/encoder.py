"""`evaluate encoder`: a coarse encoder beside the exact projection, on maps with and without holes.

For a whole map the projection is the best there is: no encoder can come below its squared error.
What an encoder may be good for is a map with holes, whose hidden part it has to guess; there it is
set against the projection of the seen texels, plain and with the model's prior.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..nets.coarse_encoder import EncoderNet
from ..protocol.albedo import AlbedoEncoder, decode_albedo, prepare_encoder
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.conventions import BYTE_MAX
from ..protocol.encoder_pack import EncoderPack
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.similarity import psnr_of
from ..reporter import Reporter
from ..train.encoder.augment import draw_coverage
from ..train.maps import read_map
from .image_metrics import mean_squared_error
from .uv_areas import MeasuredMap, measured_map

CASES = {"whole": "maps as they are", "holes": "maps with holes, measured over the whole map"}
METHODS = {
    "projection": "exact projection",
    "prior": "projection with prior",
    "encoder": "encoder",
}
MEASURED = ("map", "face")
HOLES = 8
"""Different coverages: each is prepared once for the projection, which takes a second."""
HOLES_SEED = 0
PRIOR_NOISE = 24.0
"""Grey levels: noise of a texel for the projection with prior. Ours: the best of 4, 8, 16, ... 64
on held-out maps with holes. It is more than the 3 grey levels that the default model leaves of a
map, because the errors of neighbours are alike, so that texels tell less than their number says."""


@dataclass(frozen=True)
class Score:
    """Over maps: mean squared error in squared grey levels; mean and least PSNR in decibels."""

    mse: float
    psnr: float
    least_psnr: float


@dataclass(frozen=True, eq=False)
class EncoderOutcome:
    """scores: case -> method -> area -> score. count: maps measured. left_out: (map, why)."""

    scores: Mapping[str, Mapping[str, Mapping[str, Score]]]
    count: int
    left_out: tuple[tuple[str, str], ...]
    seconds: float


Errors = dict[tuple[str, str, str], list[float]]
"""(case, method, area) -> squared error of each map."""


class _Projections:
    """The last projection of each name: maps mostly share their texels, and preparing is slow."""

    def __init__(self, model: AlbedoModel) -> None:
        self._model = model
        self._last: dict[tuple[str, float], tuple[np.ndarray, AlbedoEncoder]] = {}

    def encode(self, name: str, image: np.ndarray, seen: np.ndarray, ridge: float) -> np.ndarray:
        """(3, K) projection of the seen texels (S, S) bool."""
        last = self._last.get((name, ridge))
        if last is None or not np.array_equal(last[0], seen):
            model, weights = self._model, seen.astype(np.float32)
            ready = prepare_encoder(model.mean, model.basis, model.valid, weights, ridge)
            last = self._last[name, ridge] = (seen, ready)
        return last[1].encode(image)


def evaluate_encoder(
    pack: EncoderPack, paths: Sequence[tuple[Path, str]], report: Reporter
) -> EncoderOutcome:
    """Measure the encoder of a pack on map files (path, name), at the size of its albedo model.

    The holes are those of the training, drawn with a seed of their own: the same for everybody.
    Raises EngineError(BAD_INPUT) when no map can be measured, PACK_INVALID for foreign weights.
    """
    start = time.monotonic()
    net, model = EncoderNet(pack), pack.model
    projections, size = _Projections(model), len(model.valid)
    random = np.random.default_rng(HOLES_SEED)
    holes = [draw_coverage(size, random) for _ in range(HOLES)]
    errors: Errors = {}
    left_out: list[tuple[str, str]] = []
    for index, (path, name) in enumerate(paths):
        try:
            own = measured_map(read_map(path, size), model.valid)
        except EngineError as error:
            left_out.append((name, error.message))
            continue
        number = index % HOLES
        _measure(own, "whole", "", np.ones_like(model.valid), net, projections, errors)
        _measure(own, "holes", str(number), holes[number], net, projections, errors)
        report.progress(index + 1, len(paths))
    if not errors:
        raise EngineError(
            ErrorCode.BAD_INPUT, f"None of the {len(paths)} maps can be measured: {left_out[0][1]}"
        )
    count = len(paths) - len(left_out)
    return EncoderOutcome(_scores(errors), count, tuple(left_out), time.monotonic() - start)


def _measure(
    own: MeasuredMap,
    case: str,
    key: str,
    covered: np.ndarray,
    net: EncoderNet,
    projections: _Projections,
    errors: Errors,
) -> None:
    model, seen = net.pack.model, own.areas["map"] & covered
    ridge = (PRIOR_NOISE / BYTE_MAX) ** 2
    methods: dict[str, Callable[[], np.ndarray]] = {
        "projection": lambda: projections.encode(case + key, own.image, seen, 0.0),
        "prior": lambda: projections.encode(case + key, own.image, seen, ridge),
        "encoder": lambda: net.encode(own.image, seen),
    }
    for method, encode in methods.items():
        decoded = decode_albedo(model.mean, model.basis, model.valid, encode())
        decoded = np.clip(decoded, 0.0, 1.0)
        for area in MEASURED:
            error = mean_squared_error(decoded, own.image, own.areas[area])
            errors.setdefault((case, method, area), []).append(error)


def _scores(errors: Errors) -> dict[str, dict[str, dict[str, Score]]]:
    def score(values: list[float]) -> Score:
        decibels = [psnr_of(value) for value in values]
        return Score(float(np.mean(values)), float(np.mean(decibels)), min(decibels))

    return {
        case: {
            method: {area: score(errors[case, method, area]) for area in MEASURED}
            for method in METHODS
        }
        for case in CASES
    }


def table_lines(outcome: EncoderOutcome) -> list[str]:
    """For a terminal."""
    lines = []
    for case, words in CASES.items():
        head = f"{outcome.count} {words}"
        lines.append(head.ljust(62) + "     MSE  PSNR  least")
        for method, name in METHODS.items():
            for area in MEASURED:
                score = outcome.scores[case][method][area]
                label = f"  {name}, {'whole map' if area == 'map' else 'face'}".ljust(62)
                lines.append(f"{label}{score.mse:8.2f} {score.psnr:5.2f}  {score.least_psnr:5.2f}")
    lines += [f"left out: {name}: {why}" for name, why in outcome.left_out]
    return lines
