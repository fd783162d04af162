"""The results of `evaluate uv` as lines for a terminal and as plain values for JSON."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..protocol.similarity import psnr_of
from .image_metrics import Figures
from .skin_tone import DARK_BELOW, ToneErrors, angle_error, tone_errors
from .uv import FULL, OWN, ROWS, MapOutcome, PackOutcome, Row
from .uv_areas import AREAS, DCT_TERMS
from .uv_features import FeatureDistance, FeatureNet, feature_distance
from .uv_variants import COARSE, DETAIL, REFINED

SCHEMA = 2
PAPER = {
    COARSE: {64: (50.28, 31.14, 0.88), 128: (27.97, 33.71, 0.92), 256: (14.35, 36.65, 0.95)},
    DETAIL: {64: (9.36, 38.63, 0.97), 128: (21.17, 34.97, 0.97), 256: (7.82, 39.47, 0.98)},
}
"""UVAPM (arXiv 2506.13233), table 2: MSE, PSNR, SSIM of 500 FFHQ-UV maps by variant and size."""
BASELINES = (
    *(("flat", area, f"one flat colour, {area}") for area in AREAS),
    ("dct", "box", f"{DCT_TERMS} lowest DCT terms, box"),
    ("exact_value", "map", "coarse with the map's own V, whole map"),
    ("exact_value", "face", "coarse with the face's own V, face alone"),
)
TONE_ROWS = (("map", "whole map projected"), ("face", "only the face projected"))
_HEAD = ("MSE", "PSNR", "of MSE", "SSIM", "least PSNR")
_ROW_WIDTH, _SIZE_WIDTH, _VARIANT_WIDTH = 41, 6, 16
_LABEL = _ROW_WIDTH + _SIZE_WIDTH + _VARIANT_WIDTH
OVERVIEW = ("map", "face_alone")
OVERVIEW_SIZES = (OWN, FULL)
_OVERVIEW_LABEL = 28


@dataclass(frozen=True)
class Summary:
    """Over maps: mean MSE, mean PSNR, PSNR of the mean MSE, mean SSIM, least PSNR of a map."""

    mse: float
    psnr: float
    psnr_of_mean_mse: float
    ssim: float
    least_psnr: float


def summarise(figures: Iterable[Figures]) -> Summary:
    """Figures of at least one map to their summary."""
    table = np.array([(f.mse, f.psnr, f.ssim) for f in figures])
    mse, psnr, ssim = (float(value) for value in table.mean(axis=0))
    return Summary(mse, psnr, psnr_of(mse), ssim, float(table[:, 1].min()))


def _over(outcome: PackOutcome, pick: Callable[[MapOutcome], Figures]) -> Summary:
    return summarise(pick(one) for one in outcome.maps)


def _baselines(outcome: PackOutcome) -> list[tuple[str, str, str]]:
    """Those of BASELINES that were measured."""
    return [one for one in BASELINES if one[0] in outcome.maps[0].baselines]


def row_summary(
    outcome: PackOutcome, variant: str, row: str, size: str
) -> tuple[Summary, int] | None:
    """One line of the table, with the number of maps that have this size; None without any."""
    each = [one.figures[variant][row] for one in outcome.maps]
    found = [figures[size] for figures in each if size in figures]
    return (summarise(found), len(found)) if found else None


def tones(outcome: PackOutcome, variant: str, projected: str) -> ToneErrors:
    """ITA errors of one variant, of the projection of "map" or "face"."""
    pairs = [(one.original_angles, one.angles[variant][projected]) for one in outcome.maps]
    return tone_errors(pairs)


def distances(
    outcome: PackOutcome, variant: str, nets: Sequence[FeatureNet]
) -> dict[str, FeatureDistance]:
    """Feature distances of one variant by network."""
    return {
        net.name: feature_distance(net, [one.features[variant][net.name] for one in outcome.maps])
        for net in nets
    }


def _numbers(summary: Summary) -> str:
    values = (f"{v:10.2f}" for v in (summary.mse, summary.psnr, summary.psnr_of_mean_mse))
    return "".join(values) + f"{summary.ssim:10.4f}{summary.least_psnr:12.2f}"


def _degrees(value: float | None, maps: int) -> str:
    return f"{'-' if value is None else f'{value:.2f}'} ({maps})"


def _title(outcome: PackOutcome) -> str:
    size, components = len(outcome.pack.model.valid), outcome.pack.model.sigma.shape[1]
    manifest = outcome.pack.manifest
    sides = sorted({one.side for one in outcome.maps})
    detail = f", detail of {outcome.detail}" if outcome.detail else ""
    return (
        f"{manifest.id} {manifest.version}: {size} x {size}, 3 x {components} components{detail}, "
        f"{len(outcome.maps)} maps of {' and '.join(map(str, sides))} texels a side, "
        f"{len(outcome.left_out)} left out, {outcome.seconds:.1f} s"
    )


def _row_lines(outcome: PackOutcome, row: Row) -> Iterable[str]:
    """The variants under each other, size by size."""
    words = row.words
    for where in outcome.sizes:
        size = where
        for variant in outcome.variants:
            found = row_summary(outcome, variant, row.name, where)
            if found is None:
                continue
            label = words.ljust(_ROW_WIDTH) + size.ljust(_SIZE_WIDTH)
            note = "" if found[1] == len(outcome.maps) else f"  ({found[1]} maps)"
            yield label + variant.ljust(_VARIANT_WIDTH) + _numbers(found[0]) + note
            words = size = ""


def _paper_lines(outcome: PackOutcome) -> Iterable[str]:
    size = len(outcome.pack.model.valid)
    for variant in outcome.variants:
        if size in PAPER.get(variant, {}):
            mse, psnr, ssim = PAPER[variant][size]
            label = f"UVAPM's paper, {variant}, 500 FFHQ-UV maps".ljust(_LABEL)
            yield f"{label}{mse:10.2f}{psnr:10.2f}{psnr_of(mse):10.2f}{ssim:10.2f}"


def _variant_lines(outcome: PackOutcome, variant: str, nets: Sequence[FeatureNet]) -> Iterable[str]:
    """Skin tone and feature distances."""
    for projected, words in TONE_ROWS:
        error = tones(outcome, variant, projected)
        yield (
            f"ITA error in degrees, {variant}, {words}: "
            f"{_degrees(error.overall, error.dark + error.light)}, "
            f"dark (below {DARK_BELOW:.0f}) {_degrees(error.dark_error, error.dark)}, "
            f"light {_degrees(error.light_error, error.light)}"
        )
    for name, found in distances(outcome, variant, nets).items():
        value = "none" if found.distance is None else f"{found.distance:.4f}"
        note = f" ({found.note})" if found.note else ""
        yield f"{name}, {variant}: {value}, {found.maps} maps{note}"


def table_lines(outcome: PackOutcome, nets: Sequence[FeatureNet]) -> list[str]:
    """The table of one pack."""
    heads = "".join(name.rjust(10) for name in _HEAD[:4]) + _HEAD[4].rjust(12)
    lines = [_title(outcome), " " * _LABEL + heads]
    for row in ROWS:
        lines += _row_lines(outcome, row)
    for name, area, words in _baselines(outcome):
        summary = _over(outcome, lambda one, n=name, a=area: one.baselines[n][a])
        lines.append((words.ljust(_ROW_WIDTH) + OWN).ljust(_LABEL) + _numbers(summary))
    lines += _paper_lines(outcome)
    for variant in outcome.variants:
        lines += _variant_lines(outcome, variant, nets)
    return lines


def overview_lines(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    """One line per pack and variant, as the paper's table 2: MSE / PSNR / SSIM.

    outcomes: from `pack_json`.
    """
    shown = [(row, size) for row in ROWS if row.name in OVERVIEW for size in OVERVIEW_SIZES]
    lines = [
        "MSE / PSNR / SSIM".ljust(_OVERVIEW_LABEL)
        + "".join(f"{row.name.replace('_', ' ')}, {size}".rjust(24) for row, size in shown)
    ]
    for found in outcomes:
        for variant, figures in found["figures"].items():
            label = f"{found['id']} {found['size']} {variant}"
            cells = [figures[row.name][size] for row, size in shown]
            lines.append(
                label[: _OVERVIEW_LABEL - 1].ljust(_OVERVIEW_LABEL)
                + "".join(
                    f"{c['mse']:.2f} / {c['psnr']:.2f} / {c['ssim']:.3f}".rjust(24) for c in cells
                )
            )
    return lines


def legend_lines(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    """What the columns mean, as far as `outcomes` (from `pack_json`) have them."""
    lines = [
        "MSE in grey levels of 0 to 255, squared; PSNR is the mean over maps, 'of MSE' the PSNR of",
        "the mean MSE (always lower). own: at the model's size; full: at the map's own size with",
        "the decoded map enlarged, most likely the paper's way. Decoded maps are clipped only.",
    ]
    names = {name for found in outcomes for name in found["figures"]}
    if DETAIL in names:
        lines += [
            "detail: what the coarse albedo leaves of V at 512, through the detail model's encoder",
            "and decoder, added at 512; own is that reduced by area, for full both are enlarged.",
        ]
    if REFINED in names:
        lines += ["detail refined: the same from a latent that descends from the encoder's."]
    return lines


def report_json(
    packs: Sequence[dict[str, object]], machine: dict[str, object], settings: dict[str, object]
) -> dict[str, object]:
    """The whole file. packs: from `pack_json`."""
    return {"schema": SCHEMA, "machine": machine, "settings": settings, "packs": list(packs)}


def pack_json(outcome: PackOutcome, nets: Sequence[FeatureNet]) -> dict[str, object]:
    """Everything measured on one pack, in JSON types."""
    pack = outcome.pack
    names = outcome.variants
    summaries = {
        name: {row.name: _sizes_json(outcome, name, row.name) for row in ROWS} for name in names
    }
    baselines: dict[str, dict[str, object]] = {}
    for name, area, _ in _baselines(outcome):
        summary = _over(outcome, lambda one, n=name, a=area: one.baselines[n][a])
        baselines.setdefault(name, {})[area] = asdict(summary)
    return {
        "id": pack.manifest.id,
        "version": pack.manifest.version,
        "sha256": pack.sha,
        "size": len(pack.model.valid),
        "components": int(pack.model.sigma.shape[1]),
        "detail": outcome.detail or None,
        "seconds": outcome.seconds,
        "figures": summaries,
        "baselines": baselines,
        "skin_tone": {
            name: {p: asdict(tones(outcome, name, p)) for p, _ in TONE_ROWS} for name in names
        },
        "feature_distances": {
            name: {key: asdict(d) for key, d in distances(outcome, name, nets).items()}
            for name in names
        },
        "maps": [_map_json(one) for one in outcome.maps],
        "left_out": [{"map": name, "why": why} for name, why in outcome.left_out],
    }


def _sizes_json(outcome: PackOutcome, variant: str, row: str) -> dict[str, object]:
    found = ((size, row_summary(outcome, variant, row, size)) for size in outcome.sizes)
    return {size: {**asdict(pair[0]), "maps": pair[1]} for size, pair in found if pair is not None}


def _map_json(one: MapOutcome) -> dict[str, object]:
    return {
        "map": one.name,
        "side": one.side,
        "figures": {
            variant: {
                row: {size: asdict(found) for size, found in sizes.items()}
                for row, sizes in rows.items()
            }
            for variant, rows in one.figures.items()
        },
        "baselines": {
            name: {area: asdict(found) for area, found in areas.items()}
            for name, areas in one.baselines.items()
        },
        "ita": dict(one.original_angles),
        "ita_decoded": {
            variant: {projected: dict(found) for projected, found in by_area.items()}
            for variant, by_area in one.angles.items()
        },
        "ita_error": {
            variant: {p: angle_error(one.original_angles, found) for p, found in by_area.items()}
            for variant, by_area in one.angles.items()
        },
    }
