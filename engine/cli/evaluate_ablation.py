"""`python -m engine evaluate ablation`: what each loss of the paper's recipe gives."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .outputs import check_output, write_json, write_output

if TYPE_CHECKING:
    from ..evaluate.ablation import Ablated

TILE = 224


def add_ablation(what: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = what.add_parser("ablation", help="the paper's recipe, each loss left out in turn")
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    parser.add_argument("--pack", default="default")
    parser.add_argument(
        "--steps", type=int, nargs=3, metavar=("S", "A", "D"), help="Adam's steps of each stage"
    )
    parser.add_argument("--json", type=Path, default=None, help="write the figures here")
    parser.add_argument("--sheet", type=Path, default=None, help="write a contact sheet here (PNG)")
    parser.set_defaults(run=run_ablation)


def _figures(found: "list[Ablated]") -> dict[str, float]:
    """Means of a recipe over the photos."""
    figures = {
        column: float(np.mean([getattr(one.likeness, column) for one in found]))
        for column in ("psnr", "ssim", "identity", "feature")
    }
    return figures | {
        "points": float(np.mean([one.points for one in found])),
        "shape": float(np.mean([one.shape for one in found])),
    }


def _line(name: str, figures: dict[str, float]) -> str:
    columns = (f"{value:10.4f}" for value in figures.values())
    return name.ljust(20) + "".join(columns)


def run_ablation(arguments: argparse.Namespace) -> int:
    """Fit, print and write. Returns the exit code."""
    from ..evaluate.ablation import WITHOUT, ablation
    from ..evaluate.likeness import Judge
    from ..evaluate.machine import describe, this_machine
    from ..fit.paper.settings import QUICK
    from ..fit.pipeline import Session
    from ..render.threads import choose_threads
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    for path in (arguments.json, arguments.sheet):
        check_output(path)
    choose_threads()
    session = Session()
    loaded = session.pack(arguments.pack)
    recipe = QUICK if arguments.steps is None else replace(QUICK, steps=tuple(arguments.steps))
    machine = describe(this_machine())
    print(machine)
    print(f"Adam, rates {recipe.rates}, steps {recipe.steps}; means over {len(arguments.photos)}.")
    print(
        "points: landmarks' distance over the face's height; shape: rms of identity coefficients."
    )

    def show(photo: str, found: "Ablated") -> None:
        print("  " + _line(f"{photo[:16]} {found.name}"[:30], _figures([found])), flush=True)

    judge = Judge(loaded.nets)
    tables, rows = ablation(arguments.photos, loaded, session.settings, judge, show, recipe)
    names = ("psnr", "ssim", "identity", "feature", "points", "shape")
    print("mean".ljust(20) + "".join(name.rjust(10) for name in names))
    means = {}
    for number, name in enumerate(WITHOUT):
        means[name] = _figures([table[number] for table in tables])
        print(_line(name, means[name]))
    if arguments.json:
        report = {"machine": machine, "settings": asdict(recipe), "means": means}
        write_json(arguments.json, report)
    if arguments.sheet:
        write_output(arguments.sheet, png_bytes(contact_sheet(rows, TILE)))
    return 0
