"""Table, picture and JSON of `evaluate scans`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from ..fit.loaded import LoadedPack
from ..head.lighting import rotate_light
from ..protocol.conventions import FRONTAL_ROTATION, linear_to_srgb
from ..render.render import (
    clay_materials,
    orbit_camera,
    orbit_rotation,
    render_head,
    studio_light,
)
from .scans import Millimetres, ScanOutcome, average, most_frontal, summary
from .scans_fit import placed_on_scan
from .scans_regions import REGIONS

NAME_WIDTH = 26
TILE = 300
SIDE = (35.0, 4.0)
"""Yaw and pitch in degrees of the clay pictures. Ours: shows the profile and one cheek."""
FRONTAL = torch.as_tensor(FRONTAL_ROTATION, dtype=torch.float32)
TOLD = ("all", *REGIONS)


def _line(name: str, figures: Millimetres, base: Millimetres | None = None) -> str:
    columns = "".join(f"{figures[key]:10.2f}" if key in figures else f"{'-':>10}" for key in TOLD)
    ratio = "" if base is None or not figures else f"{figures['all'] / base['all'] - 1.0:+10.1%}"
    return f"{name[: NAME_WIDTH - 1]:{NAME_WIDTH}}{columns}{ratio}"


def table_lines(outcomes: Sequence[ScanOutcome]) -> list[str]:
    """The table, one block a scan, and the figures that count."""
    lines = ["Distance from scan to fitted head after similarity, millimetres, by region of face."]
    lines.append(f"{'':{NAME_WIDTH}}" + "".join(f"{name:>10}" for name in TOLD) + "   to mean")
    for outcome in outcomes:
        lines.append(outcome.scan.name)
        lines.append(_line("  mean head", outcome.mean))
        for view in outcome.views:
            row = _line(f"  {view.name}", view.ours, outcome.mean)
            lines.append(row + (f"  {view.error}" if view.error else ""))
        ours = [view.ours for view in outcome.views if view.ours]
        neutral = [view.neutral for view in outcome.views if view.neutral]
        lines.append(_line("  average of views", average(ours), outcome.mean))
        lines.append(_line("  without expression", average(neutral), outcome.mean))
        lines.append(_line("  all views together", outcome.together, outcome.mean))
        lines.append(_line("  another person's", outcome.other, outcome.mean))
        lines.append(_line("  model on the scan", outcome.floor, outcome.mean))
    lines.append(f"all views: {summary_line(outcomes)}")
    return lines


def summary_line(outcomes: Sequence[ScanOutcome]) -> str:
    """The figures that count, in a line."""
    told = summary(outcomes)
    return (
        f"mean head {told.mean:.3f} mm, ours {told.ours:.3f} mm, {told.gain:.1%} lower; "
        f"worst view {told.worst - 1.0:+.1%} ({told.where})"
    )


def outcome_json(outcomes: Sequence[ScanOutcome]) -> dict[str, Any]:
    """The same figures for the JSON file."""
    return {
        "summary": asdict(summary(outcomes)),
        "scans": [
            {
                "name": outcome.scan.name,
                "mean": dict(outcome.mean),
                "floor": dict(outcome.floor),
                "together": dict(outcome.together),
                "other": dict(outcome.other),
                "views": [
                    {
                        "name": view.name,
                        "ours": dict(view.ours),
                        "neutral": dict(view.neutral),
                        "seconds": round(view.seconds, 3),
                        "error": view.error,
                    }
                    for view in outcome.views
                ],
            }
            for outcome in outcomes
        ],
    }


def picture_rows(
    outcomes: Sequence[ScanOutcome], loaded: LoadedPack
) -> list[list[tuple[np.ndarray, str]]]:
    """A row for each scan, of one pack: its most frontal photo, the scan, our head, the mean head
    and the model on the scan, in clay from the side."""
    skin = loaded.head.triangles[np.repeat(loaded.skin.numpy(), 2)]
    rows = []
    for outcome in outcomes:
        best, scan = most_frontal(outcome), outcome.scan
        row = [(_clay(scan.vertices, scan.triangles, scan.floor), f"{scan.name}: scan")]
        shown = [(loaded.head.mean, f"mean head {outcome.mean['all']:.2f} mm")]
        if best is not None:
            row.insert(0, (best.picture, best.name))
            shown.insert(0, (best.vertices, f"ours {best.ours['all']:.2f} mm"))
        shown.append((outcome.closest, f"model on the scan {outcome.floor['all']:.2f} mm"))
        for vertices, text in shown:
            placed = placed_on_scan(scan, vertices, loaded)
            row.append((_clay(placed, skin, scan.floor), text))
        rows.append(row)
    return rows


def _clay(vertices: np.ndarray, triangles: np.ndarray, framed: np.ndarray) -> np.ndarray:
    """(TILE, TILE, 3) sRGB picture of a mesh from SIDE, framed as the head `framed` (V, 3)."""
    index = torch.from_numpy(triangles.astype(np.int64))
    light = rotate_light(studio_light(), (FRONTAL @ orbit_rotation(*SIDE)).T)
    output = render_head(
        torch.from_numpy(vertices.astype(np.float32)),
        index,
        torch.zeros(len(index), 3, 2),
        torch.zeros(len(index), dtype=torch.int64),
        clay_materials(1),
        light,
        orbit_camera(torch.from_numpy(framed.astype(np.float32)), *SIDE, TILE),
        supersample=2,
    )
    back = (1.0 - output.alpha[..., None]) * 0.02
    return linear_to_srgb((output.rgb + back).clamp(0.0, 1.0).numpy())
