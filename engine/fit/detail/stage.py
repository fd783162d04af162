"""Stage 3: the detail map of the V channel, and the photo layer over it.

albedo = HSV(coarse H, coarse S, coarse V + D(alpha)) + photo layer. alpha starts from the encoder
on the photo's own residual, is completed where nothing was seen, and refined through the renderer.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import torch

from ...protocol.detail import DETAIL_SIZE, add_detail
from ...render.resize import resize_texture
from ...reporter import Reporter
from ..seen.face_view import FaceView
from ..settings import DetailSettings
from .photo_layer import PhotoLayer
from .prior import (
    DetailPrior,
    PriorEnergy,
    complete,
    completed_before,
    detail_prior,
    draw_prior,
)
from .refine import PhotometricError, cells_box, refine_detail
from .steps import DetailCoder


@dataclass(frozen=True, eq=False)
class DetailMap:
    """alpha (C, s, s) float32 standard deviations, None without a detail model; detail (S, S)
    float32 signed, V in sRGB units; costs: objective of the refinement at each step."""

    alpha: np.ndarray | None
    detail: np.ndarray
    costs: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class DetailFit:
    """Result of stage 3; maps of texture size T but for `detail`.

    alpha, detail, costs: see `DetailMap`; detailed (T, T, 3) sRGB: coarse with detail; layer (T,
    T, 3) signed, sRGB units: albedo = detailed + layer; origin (T, T): see `photo_layer`; albedo
    (T, T, 3) sRGB in [0, 1]; confidence (T, T) in [0, 1]: see there.
    """

    alpha: np.ndarray | None
    detail: np.ndarray
    costs: tuple[float, ...]
    detailed: np.ndarray
    layer: np.ndarray
    origin: np.ndarray
    albedo: np.ndarray
    confidence: np.ndarray


def no_detail() -> DetailMap:
    """What a pack without a detail model gives: a map of zeros."""
    return DetailMap(None, np.zeros((DETAIL_SIZE, DETAIL_SIZE), np.float32), ())


def decoded(net: DetailCoder, alpha: np.ndarray | None) -> DetailMap:
    """The detail map of a latent (C, s, s), in standard deviations; `no_detail` for None."""
    if alpha is None:
        return no_detail()
    alpha = alpha.astype(np.float32)
    return DetailMap(alpha, _decoded(net, alpha.tobytes(), alpha.shape), ())


@lru_cache(maxsize=2)
def _decoded(net: DetailCoder, values: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The map of a latent's bytes, read-only: a held detail is asked for again and again."""
    alpha = np.frombuffer(values, np.float32).reshape(shape).copy()
    with torch.no_grad():
        detail = net.decode(torch.from_numpy(alpha)).numpy()
    detail.setflags(write=False)
    return detail


@lru_cache(maxsize=2)
def _prior_of(net: DetailCoder) -> tuple[DetailPrior, PriorEnergy]:
    """The prior of a net's model, and its energy: once a net, both are never written to."""
    prior = detail_prior(net.model)
    return prior, PriorEnergy(prior)


def fit_detail(
    net: DetailCoder,
    residual: np.ndarray,
    seen: np.ndarray,
    trust: np.ndarray,
    calm: np.ndarray,
    coarse: np.ndarray,
    view: FaceView,
    seed: int,
    settings: DetailSettings,
    reporter: Reporter,
) -> DetailMap:
    """Encode, complete, refine.

    residual (S, S) signed, see `residual.py`, and seen (S, S) in [0, 1]; trust (s, s) in
    [0, 1]: of the latent's cells, see `cell_trust`; calm (s, s) in [0, 1]: cells in which less is
    drawn; coarse (S, S, 3) sRGB; view: the face's
    pixels in the photo. Equal seeds give equal maps. Raises Cancelled.
    """
    (prior, energy), generator = _prior_of(net), np.random.default_rng(seed)
    with torch.no_grad():
        box = cells_box(trust > 0.0, settings.margin)
        read = net.encode_part(torch.from_numpy(residual), *box)
        sample = draw_prior(prior, generator).reshape(read.shape).astype(np.float32)
        window = best_window(trust)
        both = (net.decode_part(x, *window).numpy() for x in (read, torch.from_numpy(sample)))
        shown, drawn = both
    strength = relative_strength(shown, drawn, seen * net.spread(inside(trust, window)), settings)
    drawn_share = strength * (1.0 - settings.hair_calm * calm)
    start = complete(prior, read.numpy(), trust, drawn_share, generator)
    error = PhotometricError(view, torch.from_numpy(coarse), settings)
    refined = refine_detail(net, error, energy, start, trust > 0.0, settings, reporter)
    return DetailMap(refined.alpha, refined.detail, refined.costs)


STEPS_AGAIN = 1
"""Steps of the refinement from an earlier result. Ours: it is near its end already."""


def improve_detail(
    net: DetailCoder,
    alpha: np.ndarray,
    trust: np.ndarray,
    coarse: np.ndarray,
    view: FaceView,
    settings: DetailSettings,
    reporter: Reporter,
) -> DetailMap:
    """Refine an earlier alpha (C, s, s) of the same photo: what the photo does not show stays.

    The rest as in `fit_detail`. Raises Cancelled.
    """
    prior, energy = _prior_of(net)
    start = completed_before(prior, alpha, trust)
    fewer = replace(settings, iterations=min(STEPS_AGAIN, settings.iterations))
    error = PhotometricError(view, torch.from_numpy(coarse), settings)
    found = refine_detail(net, error, energy, start, trust > 0.0, fewer, reporter)
    return DetailMap(found.alpha, found.detail, found.costs)


_WINDOW = 12
"""Cells a side of the window in which strengths are compared. Ours: most of a face's skin."""


def best_window(trust: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the square of cells that was seen best. trust (s, s) in [0, 1]."""
    side = min(_WINDOW, len(trust))
    sums = np.lib.stride_tricks.sliding_window_view(trust, (side, side)).sum((2, 3))
    row, column = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return slice(int(row), int(row) + side), slice(int(column), int(column) + side)


def inside(trust: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """(s, s): 1 in a window of cells but for its rim, where a decoded part differs."""
    rows, columns = window
    cells = np.zeros_like(trust)
    cells[rows.start + 1 : rows.stop - 1, columns.start + 1 : columns.stop - 1] = 1.0
    return cells


def relative_strength(
    shown: np.ndarray, drawn: np.ndarray, seen: np.ndarray, settings: DetailSettings
) -> float:
    """How strong the fine detail of a photo is beside that of a draw from the prior.

    shown, drawn (S, S) signed detail; seen (S, S): texels that count where above 0.9. Ratio of the
    median absolute values of what is finer than `fine_sigma`, so that folds and features count
    little; within `draw_strength`, and 1 when hardly anything was seen.
    """
    sure = seen > 0.9
    if sure.mean() < 0.01:
        return 1.0
    sigma = settings.fine_sigma * len(shown)
    fine = [np.abs(x - cv2.GaussianBlur(x, (0, 0), sigma))[sure] for x in (shown, drawn)]
    ratio = float(np.median(fine[0]) / max(float(np.median(fine[1])), 1e-9))
    return float(np.clip(ratio, *settings.draw_strength))


def detailed_albedo(coarse: np.ndarray, detail: np.ndarray) -> np.ndarray:
    """coarse (T, T, 3) sRGB with detail (S, S), brought to T: (T, T, 3) sRGB in [0, 1]."""
    return add_detail(coarse, resize_texture(detail, len(coarse))).astype(np.float32)


def detail_fit(
    found: DetailMap, detailed: np.ndarray, over: PhotoLayer, confidence: np.ndarray
) -> DetailFit:
    """The stage's parts as one value."""
    return DetailFit(
        found.alpha,
        found.detail,
        found.costs,
        detailed,
        over.layer,
        over.origin,
        over.albedo,
        confidence,
    )
