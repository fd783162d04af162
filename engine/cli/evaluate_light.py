"""`python -m engine evaluate light`: the albedo of known heads, whatever the light."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from .evaluate_inputs import fitting_pack
from .outputs import check_at_least, check_output, write_output

if TYPE_CHECKING:
    from ..evaluate.known_heads import KnownHead
    from ..fit.loaded import LoadedPack

SKIN_SEED = 4711
"""Of the skins that are generated for this; nothing is trained on that set."""
TILE = 256
"""Pixels of a tile in the picture."""


def add_light(what: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = what.add_parser(
        "light",
        help="photograph known heads in five lights, fit each photo; print how far the albedo is "
        "from the true one",
        description="Photograph known heads in five lights with shadows and gloss, fit each photo "
        "without knowing its light, and print how far the albedo is from the true one, beside "
        "three answers that cost nothing. Also several photos of one person. For light in the "
        "details alone see `evaluate lights`.",
    )
    parser.add_argument("--pack", default="default", help="head pack (%(default)s)")
    parser.add_argument(
        "--no-detail", action="store_true", help="leave the detail stage out: faster"
    )
    parser.add_argument(
        "--map", type=Path, action="append", default=[], metavar="FILE",
        help="a skin map that our mean head wears; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--head", type=Path, action="append", default=[], nargs="+", metavar="FILE",
        help="a head of its own: OBJ and texture of the skin, then of each eye (y up, face "
        "towards +z); may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--generated", type=int, default=0, metavar="N", help="generated skins too (%(default)s)"
    )
    parser.add_argument(
        "--person", type=Path, action="append", default=[], metavar="DIR",
        help="photos of one person; may be given again",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--picture", type=Path, help="write photos and albedos here (PNG)")
    parser.set_defaults(run=run_light)


def run_light(arguments: argparse.Namespace) -> int:
    """Evaluate, print and write. Returns the exit code."""
    from ..evaluate.light import evaluate_light
    from ..evaluate.light_report import outcome_json, person_lines, picture_rows, table_lines
    from ..evaluate.machine import describe, this_machine
    from ..evaluate.photos import list_photos
    from ..evaluate.same_person import person_outcome
    from ..fit.settings import FitSettings
    from ..render.threads import choose_threads
    from ..reporter import CancelToken, ConsoleReporter
    from ..result.pictures import contact_sheet
    from ..result.write import png_bytes

    for path in (arguments.json, arguments.picture):
        check_output(path)
    check_at_least(0, generated=arguments.generated)
    choose_threads()
    settings = FitSettings()
    loaded = fitting_pack(arguments.pack, arguments.no_detail)
    heads = _heads(arguments, loaded)
    reporter = ConsoleReporter(sys.stderr, CancelToken())
    outcomes, persons = [], []
    total = len(heads) + len(arguments.person)
    try:
        for number, head in enumerate(heads):
            reporter.stage(head.name, number, total)
            outcomes.append(evaluate_light(head, loaded, settings, reporter))
        for number, folder in enumerate(arguments.person):
            reporter.stage(folder.name, len(heads) + number, total)
            photos = list_photos(folder)
            found = person_outcome(folder.name, photos, loaded, settings, reporter)
            persons.append(found)
    finally:
        reporter.close()
    machine = this_machine()
    print(f"{describe(machine)}\npack {loaded.head.id}, detail stage {_yes(loaded.detail)}")
    print("\n".join([*table_lines(outcomes), *person_lines(persons)]))
    if arguments.picture:
        write_output(arguments.picture, png_bytes(contact_sheet(picture_rows(outcomes), TILE)))
    if arguments.json:
        named = {"pack": loaded.head.id, "detail": loaded.detail is not None}
        content = outcome_json(outcomes, persons)
        content |= {"machine": asdict(machine), "settings": named}
        text = json.dumps(content, indent=1, allow_nan=False)
        write_output(arguments.json, (text + "\n").encode())
    return EXIT_OK


def _yes(model: object | None) -> str:
    return "off" if model is None else "on"


def _heads(arguments: argparse.Namespace, loaded: "LoadedPack") -> "list[KnownHead]":
    """Raises EngineError(BAD_INPUT, BAD_SETTINGS)."""
    import torch

    from ..evaluate.known_heads import foreign_head, own_head
    from ..evaluate.light import TEXTURE_SIZE
    from ..skin.dataset import skin_of
    from ..train.maps import read_map

    mean = torch.from_numpy(loaded.head.mean)
    heads = []
    for files in arguments.head:
        if len(files) % 2:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                f"--head needs pairs of a mesh and its texture, got {len(files)} files.",
                "Give OBJ, texture, then the same of each eye.",
            )
        meshes = [
            (mesh, read_map(file, TEXTURE_SIZE).unit())
            for mesh, file in zip(files[::2], files[1::2], strict=True)
        ]
        heads.append(foreign_head(files[1].stem, meshes))
    for path in arguments.map:
        heads.append(own_head(path.stem, mean, read_map(path, TEXTURE_SIZE).unit(), loaded))
    for number in range(arguments.generated):
        skin = skin_of(SKIN_SEED, number, TEXTURE_SIZE)[1]
        heads.append(own_head(f"generated {number}", mean, skin, loaded))
    return heads
