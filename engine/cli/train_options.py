"""Options that the trainings share."""

import argparse

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import DEVICES
from .outputs import check_at_least

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
UNKNOWN = "unknown, given by the user"
MOST_HOURS = 1e4


def add_origin(parser: argparse.ArgumentParser) -> None:
    """Where the maps come from: it goes into the pack."""
    parser.add_argument(
        "--licence", default=UNKNOWN, metavar="TEXT", help="of the maps, for the pack"
    )
    parser.add_argument(
        "--origin", default=UNKNOWN, metavar="TEXT", help="of the maps, for the pack"
    )


def add_length(parser: argparse.ArgumentParser, unit: str) -> None:
    """How long, and how much of what a step. unit: what a batch is made of."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, metavar="N", help="how long (of the recipe)")
    length.add_argument("--hours", type=float, metavar="H", help="how long, by the clock")
    parser.add_argument(
        "--batch", type=int, metavar="B", help=f"{unit} a step and process (of the recipe)"
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    """On which maps, and on what."""
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of everything random (%(default)s)")
    add("--limit", type=int, metavar="N", help="only the first N maps")
    add("--any-layout", action="store_true", help="take maps of any UV layout")
    add("--threads", type=int, metavar="T", help="of the CPU (one a core)")
    add("--device", choices=DEVICES, default="auto", help="(%(default)s)")
    add("--precision", choices=PRECISIONS, help="of the network (of the recipe)")


def check_options(arguments: argparse.Namespace) -> None:
    """Numbers of the options above. Raises EngineError(BAD_SETTINGS)."""
    check_at_least(
        1,
        limit=arguments.limit,
        steps=arguments.steps,
        batch=arguments.batch,
        threads=arguments.threads,
    )
    if arguments.hours is not None and not 0.0 < arguments.hours < MOST_HOURS:
        raise EngineError(
            ErrorCode.BAD_SETTINGS, f"--hours must be above 0, got {arguments.hours}."
        )
