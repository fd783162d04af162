"""`python -m engine evaluate photos|uv|encoder|transfer`: figures of the fit, and of albedo models."""

import argparse
import json
from pathlib import Path

from .evaluate_encoder import add_encoder
from .evaluate_transfer import add_transfer
from .evaluate_uv import add_uv

COLUMNS = ("landmark_error", "render_psnr", "coarse_residual", "seen_share", "presence")


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser("evaluate", help="measure the engine on photos and skin maps")
    what = parser.add_subparsers(dest="what", required=True)
    photos = what.add_parser("photos", help="fit every photo of a folder; print a table")
    photos.add_argument("folder", type=Path, metavar="DIR")
    photos.add_argument("--pack", default="default")
    photos.add_argument("--json", type=Path, default=None, help="write the figures here")
    photos.add_argument("--sheet", type=Path, default=None, help="write a contact sheet here (PNG)")
    photos.set_defaults(run=run_photos)
    add_uv(what)
    add_encoder(what)
    add_transfer(what)


def run_photos(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.machine import describe, this_machine
    from ..evaluate.photos import TILE, PhotoOutcome, evaluate_photos, list_photos, medians
    from ..fit.pipeline import Session
    from ..render.threads import choose_threads
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    choose_threads()
    session = Session()
    loaded = session.pack(arguments.pack)
    print(describe(this_machine()))
    print("photo".ljust(40) + "".join(name.rjust(17) for name in COLUMNS) + "  seconds")

    def show(outcome: PhotoOutcome) -> None:
        figures = "".join(f"{outcome.metrics.get(name, 0):17.4f}" for name in COLUMNS)
        line = outcome.error or f"{figures}{outcome.seconds:9.2f}"
        print(outcome.name[:39].ljust(40) + line, flush=True)

    outcomes = evaluate_photos(list_photos(arguments.folder), loaded, session.settings, show)
    middle = medians(outcomes)
    print("median".ljust(40) + "".join(f"{middle.get(name, 0):17.4f}" for name in COLUMNS))
    print(f"fitted {sum(not o.error for o in outcomes)} of {len(outcomes)} photos")
    if arguments.json:
        plain = [
            {"photo": o.name, "error": o.error, "seconds": o.seconds, **o.metrics} for o in outcomes
        ]
        machine = describe(this_machine())
        text = json.dumps({"machine": machine, "medians": middle, "photos": plain}, indent=1)
        arguments.json.write_text(text, encoding="utf-8")
    rows = [outcome.tiles for outcome in outcomes if outcome.tiles]
    if arguments.sheet and rows:
        arguments.sheet.write_bytes(png_bytes(contact_sheet(rows, TILE)))
    return 0
