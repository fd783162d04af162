"""`python -m engine skin generate|unwrap|sheet|measure`: skin maps, made and looked at."""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK
from ..protocol.strict import to_plain
from ..reporter import CancelToken, NullReporter
from .counting import CountingReporter
from .interrupt import interrupt_cancels, interrupt_ends
from .outputs import check_at_least, check_output, write_output

if TYPE_CHECKING:
    import numpy as np

DEFAULT_SIZE = 1024
DEFAULT_SEED = 0


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "skin", help="generate and look at skin maps", description="Generated skin maps."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    generate = actions.add_parser(
        "generate",
        help="write a set of skin maps",
        description="Write a set of skin maps in the FFHQ-UV layout, one random person each. A "
        "set that was begun is completed; a finished one may be enlarged with a higher --count.",
    )
    generate.add_argument("--count", type=int, required=True, metavar="N", help="number of maps")
    generate.add_argument("--out", type=Path, required=True, metavar="DIR", help="their folder")
    generate.add_argument("--seed", type=int, default=DEFAULT_SEED, help="which set (%(default)s)")
    generate.add_argument(
        "--size", type=int, default=DEFAULT_SIZE, help="pixels a side (%(default)s)"
    )
    generate.add_argument("--workers", type=int, metavar="W", help="processes (one a core)")
    generate.add_argument(
        "--parameters", action="store_true", help="also write each person's age, melanin, ..."
    )
    generate.set_defaults(run=run_generate)
    _register_unwrap(actions)
    _register_sheet(actions)
    _register_measure(actions)


def _register_unwrap(actions: argparse._SubParsersAction) -> None:
    unwrap = actions.add_parser(
        "unwrap",
        help="bring MakeHuman skins into the layout",
        description="Resample skins painted for the MakeHuman base mesh into the FFHQ-UV layout: "
        "PNG with alpha, which is 0 where the head has no skin.",
    )
    unwrap.add_argument("--maps", type=Path, required=True, metavar="DIR", help="the skins")
    unwrap.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of maps")
    unwrap.add_argument(
        "--size", type=int, default=DEFAULT_SIZE, help="pixels a side (%(default)s)"
    )
    unwrap.add_argument(
        "--downloads", type=Path, metavar="DIR", help="where the mesh's package is or goes (48 MB)"
    )
    unwrap.set_defaults(run=run_unwrap)


def _register_sheet(actions: argparse._SubParsersAction) -> None:
    sheet = actions.add_parser(
        "sheet",
        help="show skin maps on heads",
        description="Render heads with generated skin maps, or with those of a folder, onto one "
        "picture: front and three-quarter view in soft light.",
    )
    sheet.add_argument("--out", type=Path, required=True, metavar="PNG", help="picture to write")
    sheet.add_argument("--count", type=int, default=64, help="heads (%(default)s)")
    sheet.add_argument("--seed", type=int, default=DEFAULT_SEED, help="which set (%(default)s)")
    sheet.add_argument("--maps", type=Path, metavar="DIR", help="show these maps instead")
    sheet.add_argument("--pack", default="default", help="head pack (%(default)s)")
    sheet.add_argument("--tile", type=int, default=288, help="pixels a head is high (%(default)s)")
    sheet.add_argument("--columns", type=int, default=8, help="heads in a row (%(default)s)")
    sheet.add_argument("--one-head", action="store_true", help="the mean head for all")
    sheet.add_argument("--workers", type=int, metavar="W", help="processes (one a core)")
    sheet.set_defaults(run=run_sheet)


def _register_measure(actions: argparse._SubParsersAction) -> None:
    measure = actions.add_parser(
        "measure",
        help="colour and contrast of skin maps by region",
        description="Print mean CIELAB colour, spread and contrast of the face's regions over the "
        "skin maps of a folder.",
    )
    measure.add_argument("--maps", type=Path, required=True, metavar="DIR", help="folder of maps")
    measure.add_argument("--limit", type=int, metavar="N", help="only N maps, evenly picked")
    measure.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    measure.set_defaults(run=run_measure)


def run_generate(arguments: argparse.Namespace) -> int:
    """Write the maps; their folder goes to standard output."""
    with interrupt_ends():
        from ..skin.dataset import write_dataset

    token = CancelToken()
    with interrupt_cancels(token), _counted("maps", token) as reporter:
        write_dataset(
            arguments.out,
            arguments.count,
            arguments.size,
            arguments.seed,
            arguments.workers,
            reporter,
            arguments.parameters,
        )
    print(arguments.out)
    return EXIT_OK


def run_unwrap(arguments: argparse.Namespace) -> int:
    """Write the maps; their folder goes to standard output."""
    with interrupt_ends():
        from ..packs.unwrap import list_skins, makehuman_unwrapping, unwrap_folder
        from ..render.threads import choose_threads

    choose_threads()
    with _counted("skins") as reporter:
        skins = list_skins(arguments.maps)
        unwrapping = makehuman_unwrapping(arguments.downloads, arguments.size, NullReporter())
        unwrap_folder(skins, unwrapping, arguments.out, reporter)
    print(arguments.out)
    return EXIT_OK


def run_sheet(arguments: argparse.Namespace) -> int:
    """Render and write; the path of the picture goes to standard output."""
    check_at_least(1, count=arguments.count, columns=arguments.columns)
    check_at_least(32, tile=arguments.tile)
    check_output(arguments.out)
    with interrupt_ends():
        from ..evaluate.skin_sheet import SheetSettings, generated, given, skin_sheet
        from ..fit.loaded import load_pack
        from ..packs.registry import find_pack
        from ..render.threads import choose_threads
        from ..result.write import png_bytes

    varied = not arguments.one_head
    settings = SheetSettings(arguments.tile, arguments.columns, varied, arguments.seed)
    choose_threads()
    if arguments.maps is not None:
        count, maps = given(arguments.maps, arguments.count)
    else:
        count, maps = arguments.count, generated(arguments.count, arguments.seed, arguments.workers)
    loaded = load_pack(find_pack(arguments.pack))
    with _counted("heads") as reporter, closing(maps):
        sheet = skin_sheet(maps, count, loaded, settings, reporter)
        write_output(arguments.out, png_bytes(sheet))
    print(arguments.out)
    return EXIT_OK


def run_measure(arguments: argparse.Namespace) -> int:
    """Measure and print the table."""
    check_at_least(1, limit=arguments.limit)
    check_output(arguments.json)
    with interrupt_ends():
        from ..skin.statistics import BAND_SIZE, measure_maps, statistics_table
        from ..train.maps import list_maps, read_map

    paths = list_maps(arguments.maps)
    count = min(arguments.limit or len(paths), len(paths))
    chosen = [paths[n * len(paths) // count] for n in range(count)]
    size = min(BAND_SIZE, len(read_map(chosen[0], None).image))
    with _counted("maps") as reporter:

        def maps() -> Iterator[tuple["np.ndarray", "np.ndarray"]]:
            for number, path in enumerate(chosen):
                reporter.progress(number, count)
                skin = read_map(path, size)
                yield skin.unit(), skin.coverage
            reporter.progress(count, count)

        statistics = measure_maps(maps(), size)
    print(statistics_table(statistics))
    if arguments.json is not None:
        text = json.dumps(without_nan(to_plain(statistics)), indent=1, allow_nan=False)
        write_output(arguments.json, (text + "\n").encode())
    return EXIT_OK


def without_nan(plain: object) -> object:
    """A figure that could not be measured (NaN) becomes null, which JSON can say."""
    if isinstance(plain, dict):
        return {key: without_nan(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [without_nan(value) for value in plain]
    return None if isinstance(plain, float) and math.isnan(plain) else plain


@contextmanager
def _counted(things: str, token: CancelToken | None = None) -> Iterator[CountingReporter]:
    """Progress on standard error while the block runs, and a last line after it."""
    reporter = CountingReporter(sys.stderr, token or CancelToken(), things)
    try:
        yield reporter
        reporter.finish()
    finally:
        reporter.close()
