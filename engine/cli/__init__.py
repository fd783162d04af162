"""The command line: `python -m engine COMMAND ...`.

Each command is a module here with `register(subparsers)`: it adds the parser of its own name and
sets the default `run`, a function from the parsed arguments to an exit code. Only the module of
the command that was asked for is imported, so help is quick and works without PyTorch.
"""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from ..failure import explain
from ..protocol.errors import EXIT_BAD_INPUT, EXIT_CANCELLED, EXIT_OK
from ..protocol.version import engine_version

COMMANDS = {
    "fit": "reconstruct a head from a photo",
    "fit-many": "reconstruct a head from every photo of a folder",
    "recipe": "make a head again as its recipe says",
    "wear": "put a result onto your own head mesh",
    "worker": "run jobs for the add-on (JSON lines on standard input and output)",
    "packs": "list, show, check, build and import packs",
    "skin": "generate skin maps and look at them",
    "train": "train models on skin maps",
    "evaluate": "measure the engine on photos and skin maps",
    "bench": "time the engine's parts",
    "doctor": "look at everything that the engine needs",
}


ONE_BLAS_THREAD = ("fit", "recipe", "wear", "worker")
"""Commands whose matrix products are small: OpenBLAS's threads wait for each other longer than
they work, and take a core from Blender. Ours: with two of them stage 2 takes twice the processor
time on two cores, and many times as long when these are busy."""


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """The parser with `command` in full and the other commands by name only."""
    parser = argparse.ArgumentParser(
        prog="python -m engine", description="Reconstruct a head with UV albedo from a photo."
    )
    parser.add_argument("--version", action="version", version=engine_version())
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        if name == command:
            importlib.import_module("." + name.replace("-", "_"), __name__).register(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code: 0, 2, 3 or 130 (see `protocol/errors.py`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # A path may hold bytes that are no text; printing it must not turn success into an error.
    sys.stdout.reconfigure(errors="backslashreplace" if os.name == "nt" else "surrogateescape")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    command = next((word for word in words if not word.startswith("-")), None)
    if command in ONE_BLAS_THREAD:  # read when numpy is first imported
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = build_parser(command)
    if not words:
        parser.print_help(sys.stderr)
        return EXIT_BAD_INPUT
    parsed = parser.parse_args(words)
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of a table left early, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        complain("The job was cancelled.")
        return EXIT_CANCELLED
    except Exception as error:  # noqa: BLE001 the edge: people get a line, not a trace
        plain = explain(error)
        complain(str(plain))
        return plain.exit_code


def complain(text: str) -> None:
    """One plain line on standard error."""
    print(" ".join(text.split()), file=sys.stderr)
