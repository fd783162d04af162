"""`python -m engine evaluate photos`: what coarse albedo, detail and photo layer make of photos."""

import argparse
import json
from pathlib import Path

LAYER_FIGURES = ("residual", "psnr", "share")


def add_photos(what: argparse._SubParsersAction) -> None:
    """Add the command."""
    photos = what.add_parser("photos", help="fit every photo of a folder; print a table")
    photos.add_argument("folder", type=Path, metavar="DIR")
    photos.add_argument("--pack", default="default")
    photos.add_argument("--detail", default=None, metavar="PACK", help="detail pack to use")
    photos.add_argument("--json", type=Path, default=None, help="write the figures here")
    photos.add_argument("--sheet", type=Path, default=None, help="write a contact sheet here (PNG)")
    photos.add_argument("--zoom", type=Path, default=None, help="write close-ups here (PNG)")
    photos.set_defaults(run=run_photos)


def _line(metrics: dict[str, float], layers: tuple[str, ...]) -> str:
    """Residual and share of each layer, and the PSNR that they come to."""
    parts = [f"{metrics.get('landmark_error', 0.0):9.4f}{metrics.get('seen_share', 0.0):8.2f} "]
    for layer in layers:
        residual, level, share = (metrics.get(f"{f}_{layer}", 0.0) for f in LAYER_FIGURES)
        parts.append(f"{residual:9.4f}{level:7.2f}{100 * share:7.1f}")
    return "".join(parts)


def _header(layers: tuple[str, ...]) -> str:
    names = "".join(f"{name:>9}{'dB':>7}{'%':>7}" for name in layers)
    return "photo".ljust(36) + " landmark   seen " + names + "  seconds"


def run_photos(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.machine import describe, this_machine
    from ..evaluate.photo_zoom import ZOOM_TILE
    from ..evaluate.photos import (
        LAYERS,
        TILE,
        PhotoOutcome,
        evaluate_photos,
        list_photos,
        medians,
    )
    from ..fit.pipeline import Session
    from ..render.threads import choose_threads
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    choose_threads()
    session = Session()
    loaded = session.pack(arguments.pack, None, arguments.detail)
    print(describe(this_machine()))
    print("Render against photo over the face's skin, with the layers up to each; % it explains.")
    print(_header(LAYERS))

    def show(outcome: PhotoOutcome) -> None:
        line = outcome.error or f"{_line(outcome.metrics, LAYERS)}{outcome.seconds:9.2f}"
        print(outcome.name[:35].ljust(36) + line, flush=True)

    outcomes = evaluate_photos(
        list_photos(arguments.folder), loaded, session.settings, show, arguments.zoom is not None
    )
    middle = medians(outcomes)
    print("median".ljust(36) + _line(middle, LAYERS))
    print(f"fitted {sum(not o.error for o in outcomes)} of {len(outcomes)} photos")
    if arguments.json:
        plain = [
            {"photo": o.name, "error": o.error, "seconds": o.seconds, **o.metrics} for o in outcomes
        ]
        machine = describe(this_machine())
        text = json.dumps({"machine": machine, "medians": middle, "photos": plain}, indent=1)
        arguments.json.write_text(text, encoding="utf-8")
    for path, tile, rows in (
        (arguments.sheet, TILE, [outcome.tiles for outcome in outcomes if outcome.tiles]),
        (arguments.zoom, ZOOM_TILE, [outcome.zoom for outcome in outcomes if outcome.zoom]),
    ):
        if path and rows:
            path.write_bytes(png_bytes(contact_sheet(rows, tile)))
    return 0
