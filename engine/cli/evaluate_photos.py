"""`python -m engine evaluate photos`: how alike renders and photos are, layer by layer."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import PRESETS
from .outputs import check_output, write_json, write_output

if TYPE_CHECKING:
    from ..evaluate.likeness import Judge, Likeness
    from ..evaluate.peer_pairs import PairOutcome
    from ..evaluate.photos import PhotoOutcome
    from ..fit.loaded import LoadedPack
    from ..fit.settings import FitSettings

WORST = 10
NAME_WIDTH = 30


def add_photos(what: argparse._SubParsersAction) -> None:
    """Add the command."""
    photos = what.add_parser("photos", help="fit every photo of a folder; print a table")
    photos.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="folder of photos")
    photos.add_argument(
        "--peer", type=Path, metavar="DIR", help="pairs of photos and another method's re-renders"
    )
    photos.add_argument("--pack", default="default")
    photos.add_argument("--detail", default=None, metavar="PACK", help="detail pack to use")
    photos.add_argument("--preset", choices=PRESETS, default=PRESETS[0], help="recipe of the fit")
    photos.add_argument("--lpips", type=Path, metavar="FILE", help="LPIPS weights (safetensors)")
    photos.add_argument(
        "--arcface", type=Path, metavar="FILE", help="ArcFace weights (.pth), for identities"
    )
    photos.add_argument("--json", type=Path, default=None, help="write the figures here")
    photos.add_argument("--sheet", type=Path, default=None, help="write a contact sheet here (PNG)")
    photos.add_argument("--zoom", type=Path, default=None, help="write close-ups here (PNG)")
    photos.set_defaults(run=run_photos)


def _columns(found: "Likeness | None") -> str:
    if found is None:
        return " " * 27
    lpips = "" if found.lpips is None else f"{found.lpips:7.3f}"
    return f"{found.psnr:8.2f}{found.ssim:6.3f}{found.identity:7.4f}{found.feature:6.3f}" + lpips


def _header(methods: tuple[str, ...], lpips: bool) -> str:
    """Two lines: methods, and the figures of each."""
    more = "  lpips" if lpips else ""
    figures = f"{'dB':>8}{'ssim':>6}{'ident':>7}{'feat':>6}" + more
    first = "".join(name.rjust(len(figures)) for name in methods)
    return f"{'':{NAME_WIDTH}}{first}\n{'photo':{NAME_WIDTH}}{figures * len(methods)}"


def _line(name: str, found: "dict[str, Likeness]", methods: tuple[str, ...]) -> str:
    columns = "".join(_columns(found.get(method)) for method in methods)
    return name[: NAME_WIDTH - 1].ljust(NAME_WIDTH) + columns


def _mean_line(rows: "list[dict[str, Likeness]]", methods: tuple[str, ...]) -> str:
    from ..evaluate.peer_pairs import mean_likeness

    means = {name: mean_likeness(rows, name) for name in methods}
    return _line("mean", {name: mean for name, mean in means.items() if mean}, methods)


def _photos(arguments: argparse.Namespace, world: "_World") -> "list[PhotoOutcome]":
    """Fit the folder's photos and print their table."""
    from ..evaluate.photos import LAYERS, evaluate_photos, list_photos, worst

    print("Render against photo over the face at 224 pixels, with the layers up to each.")
    print("front: identity distance of the head from the front in neutral light.")
    print(_header(LAYERS, world.judge.lpips is not None) + "   front  points  seconds")

    def show(outcome: "PhotoOutcome") -> None:
        figures = (
            ""
            if outcome.error
            else (
                f"{outcome.metrics['front_identity']:8.4f}"
                f"{outcome.metrics['landmark_error']:8.4f}{outcome.seconds:9.2f}"
            )
        )
        line = _line(outcome.name, outcome.likeness, LAYERS)
        print(line.rstrip() + (" " + outcome.error if outcome.error else figures), flush=True)

    outcomes = evaluate_photos(
        list_photos(arguments.folder),
        world.loaded,
        world.settings,
        world.judge,
        show,
        arguments.zoom is not None,
    )
    print(_mean_line([outcome.likeness for outcome in outcomes], LAYERS))
    print(f"fitted {sum(not o.error for o in outcomes)} of {len(outcomes)} photos")
    names = [outcome.name for outcome in worst(outcomes, WORST)]
    print(f"least alike by identity, coarse and detail: {', '.join(names)}")
    return outcomes


def _pairs(arguments: argparse.Namespace, world: "_World") -> "list[PairOutcome]":
    """Fit the pairs' photos and print them beside the peer."""
    from ..evaluate.peer import read_pairs
    from ..evaluate.peer_pairs import METHODS, ahead, evaluate_pairs
    from ..evaluate.photos import LAYERS

    print("The same crops and pixels (those that both methods cover); flat: one median colour.")
    print(_header(METHODS, world.judge.lpips is not None) + "   seconds")

    def show(outcome: "PairOutcome") -> None:
        line = _line(outcome.name, outcome.likeness, METHODS)
        print(line + (outcome.error or f"{outcome.seconds:10.2f}"), flush=True)

    pairs = read_pairs(arguments.peer)
    outcomes = evaluate_pairs(pairs, world.loaded, world.settings, world.judge, show)
    print(_mean_line([outcome.likeness for outcome in outcomes], METHODS))
    for layer in LAYERS:
        counts = ahead(outcomes, layer)
        told = ", ".join(f"{column} {count}" for column, count in counts.items())
        print(f"up to {layer}: better than the peer, of {len(outcomes)} photos: {told}")
    return outcomes


class _World:
    """What both tables need."""

    def __init__(self, loaded: "LoadedPack", settings: "FitSettings", judge: "Judge") -> None:
        self.loaded, self.settings, self.judge = loaded, settings, judge


def _plain(outcome: "PhotoOutcome | PairOutcome") -> dict[str, Any]:
    """Figures of a photo for the JSON."""
    likeness = {name: asdict(found) for name, found in outcome.likeness.items()}
    figures = {"seconds": outcome.seconds, "error": outcome.error, "likeness": likeness}
    return {"photo": outcome.name} | figures | getattr(outcome, "metrics", {})


def _check(arguments: argparse.Namespace) -> None:
    if arguments.folder is None and arguments.peer is None:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            "Nothing to evaluate.",
            "Name a folder of photos, or --peer DIR.",
        )
    for folder in (arguments.folder, arguments.peer):
        if folder is not None and not folder.is_dir():
            raise EngineError(ErrorCode.BAD_INPUT, f"There is no folder {folder}.")
    for path in (arguments.json, arguments.sheet, arguments.zoom):
        check_output(path)


def run_photos(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.likeness import Judge
    from ..evaluate.machine import describe, this_machine
    from ..evaluate.photo_zoom import ZOOM_TILE
    from ..evaluate.photos import TILE, medians
    from ..fit.backends import Backends
    from ..fit.pipeline import Session
    from ..fit.settings import with_preset
    from ..render.threads import choose_threads
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes
    from ..train.detail.lpips import read_lpips

    _check(arguments)
    choose_threads()
    session = Session()
    backends = Backends(arcface=arguments.arcface)
    loaded = session.pack(arguments.pack, None, arguments.detail, backends)
    lpips = None if arguments.lpips is None else read_lpips(arguments.lpips)
    settings = with_preset(session.settings, arguments.preset)
    world = _World(loaded, settings, Judge(loaded.nets, lpips))
    machine = describe(this_machine())
    print(machine)
    pairs = _pairs(arguments, world) if arguments.peer else []
    photos = _photos(arguments, world) if arguments.folder else []
    if arguments.json:
        report = {
            "machine": machine,
            "settings": asdict(settings),
            "medians": medians(photos),
            "photos": [_plain(outcome) for outcome in photos],
            "peer": [_plain(outcome) for outcome in pairs],
        }
        write_json(arguments.json, report)
    rows = [outcome.tiles for outcome in [*pairs, *photos] if outcome.tiles]
    zooms = [outcome.zoom for outcome in photos if outcome.zoom]
    for path, tile, tiles in ((arguments.sheet, TILE, rows), (arguments.zoom, ZOOM_TILE, zooms)):
        if path and tiles:
            write_output(path, png_bytes(contact_sheet(tiles, tile)))
    return 0
