"""`python -m engine recipe FILE --out DIR`: a head again, as the recipe in a .blend says."""

import argparse
import sys
import tempfile
from pathlib import Path

from ..protocol.errors import EXIT_OK, EngineError, ErrorCode
from ..protocol.job import FILE_SETS
from ..protocol.recipe import Recipe, jobs_of, read_recipe
from ..protocol.result import file_sha256, read_manifest
from ..reporter import CancelToken, ConsoleReporter
from .interrupt import interrupt_cancels

MAX_BYTES = 2**23


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "recipe",
        help="make a head again as its recipe says",
        description="Make a head again: the fit of its photos, then each refit with its pins, "
        "locks and edits. Copy Recipe in the Head panel gives the text.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="text file with the recipe")
    parser.add_argument("--out", required=True, metavar="DIR", help="result directory to write")
    parser.add_argument("--files", choices=FILE_SETS, default=FILE_SETS[0], help="see fit")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the jobs; the path of the result goes to standard output."""
    recipe = read_recipe(_text(arguments.file))
    _check_photos(recipe)
    token = CancelToken()
    reporter = ConsoleReporter(sys.stderr, token)
    path = Path(arguments.out)
    with interrupt_cancels(token), tempfile.TemporaryDirectory(prefix="uvapm-recipe-") as scratch:
        from ..worker.real import load_engine

        run_job = load_engine()
        try:
            for job in jobs_of(recipe, arguments.out, Path(scratch), arguments.files):
                token.check()
                path = run_job(job, reporter)
            made = read_manifest(path)
            packs = (made.pack, made.albedo_pack, made.detail_pack)
            if packs != (recipe.pack, recipe.albedo_pack, recipe.detail_pack):
                reporter.warning("The packs are not those of the recipe: the head may differ.")
        finally:
            reporter.close()
    print(path)
    return EXIT_OK


def _text(path: Path) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(MAX_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"{path} cannot be read.",
            "Save the text of Copy Recipe in a file and give that.",
        ) from error


def _check_photos(recipe: Recipe) -> None:
    """Raises EngineError(BAD_INPUT) for a photo that is gone or another one."""
    for photo, digest in zip(recipe.photos, recipe.sha256, strict=False):
        if not Path(photo).is_file() or file_sha256(Path(photo)) != digest:
            raise EngineError(
                ErrorCode.BAD_INPUT,
                f"The photo of the recipe is gone or another one: {photo}",
                "Put it back.",
            )
