"""`python -m engine skin generate|sheet`: generated skin maps."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from ..reporter import CancelToken, NullReporter
from .counting import CountingReporter
from .interrupt import interrupt_cancels

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


def run_generate(arguments: argparse.Namespace) -> int:
    """Write the maps; their folder goes to standard output."""

    def work(reporter: CountingReporter) -> None:
        from ..skin.dataset import write_dataset

        write_dataset(
            arguments.out,
            arguments.count,
            arguments.size,
            arguments.seed,
            arguments.workers,
            reporter,
            arguments.parameters,
        )

    _reported("maps", work)
    print(arguments.out)
    return EXIT_OK


def run_unwrap(arguments: argparse.Namespace) -> int:
    """Write the maps; their folder goes to standard output."""

    def work(reporter: CountingReporter) -> None:
        from ..packs.unwrap import list_skins, makehuman_unwrapping, unwrap_folder
        from ..render.threads import choose_threads

        choose_threads()
        reporter.token.check()
        skins = list_skins(arguments.maps)
        unwrapping = makehuman_unwrapping(
            arguments.downloads, arguments.size, NullReporter(token=reporter.token)
        )
        unwrap_folder(skins, unwrapping, arguments.out, reporter)

    _reported("skins", work)
    print(arguments.out)
    return EXIT_OK


def run_sheet(arguments: argparse.Namespace) -> int:
    """Render and write; the path of the picture goes to standard output."""

    def work(reporter: CountingReporter) -> None:
        from ..evaluate.skin_sheet import SheetSettings, generated, given, skin_sheet
        from ..fit.loaded import load_pack
        from ..packs.registry import find_pack
        from ..render.threads import choose_threads
        from ..result.write import png_bytes

        _check_at_least(1, count=arguments.count, columns=arguments.columns)
        _check_at_least(32, tile=arguments.tile)
        varied = not arguments.one_head
        settings = SheetSettings(arguments.tile, arguments.columns, varied, arguments.seed)
        _check_folder_of(arguments.out)
        reporter.token.check()
        choose_threads()
        loaded = load_pack(find_pack(arguments.pack))
        if arguments.maps is not None:
            count, maps = given(arguments.maps, arguments.count)
        else:
            count, seed, workers = arguments.count, arguments.seed, arguments.workers
            maps = generated(count, seed, workers, reporter.token.check)
        with closing(maps):
            sheet = skin_sheet(maps, count, loaded, settings, reporter)
        _write(arguments.out, png_bytes(sheet))

    _reported("heads", work)
    print(arguments.out)
    return EXIT_OK


def _check_at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if value < least:
            raise EngineError(
                ErrorCode.BAD_SETTINGS, f"--{name} must be {least} or more, got {value}."
            )


def _check_folder_of(path: Path) -> None:
    """A wrong folder should not come to light when the work is done."""
    folder = path.absolute().parent
    if not folder.is_dir() or path.is_dir():
        what = f"{path} is a folder" if path.is_dir() else f"There is no folder {folder}"
        raise EngineError(ErrorCode.BAD_OUTPUT, f"{what}.", "Name the file to write with --out.")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{path} cannot be written: {error.strerror}.",
            "Check the free space and the permissions of that folder.",
        ) from error


def _reported(things: str, work: Callable[[CountingReporter], None]) -> None:
    """Run `work` with progress on standard error; Ctrl-C cancels it."""
    token = CancelToken()
    reporter = CountingReporter(sys.stderr, token, things)
    with interrupt_cancels(token):
        try:
            work(reporter)
            reporter.finish()
        finally:
            reporter.close()
