"""`python -m engine fit PHOTO [PHOTO ...] --out DIR`."""

import argparse
import sys

from ..protocol.errors import EXIT_OK
from ..protocol.job import DEVICES, FINE_SIZES, TEXTURE_SIZES, FitJob
from ..reporter import CancelToken, ConsoleReporter
from .interrupt import interrupt_cancels

DEFAULTS = FitJob(photos=("photo",), output="output")


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "fit",
        help="reconstruct a head from a photo",
        description="Reconstruct a head from a photo.",
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="photos of one person")
    parser.add_argument("--out", required=True, metavar="DIR", help="result directory to write")
    parser.add_argument("--pack", default=DEFAULTS.pack, help="head pack (%(default)s)")
    parser.add_argument(
        "--albedo",
        metavar="PACK",
        help="albedo pack to use, an id or a folder (the head pack's own)",
    )
    parser.add_argument(
        "--detail",
        metavar="PACK",
        help="detail pack to use, an id or a folder (the head pack's own)",
    )
    parser.add_argument("--device", choices=DEVICES, default=DEFAULTS.device)
    parser.add_argument("--seed", type=int, default=DEFAULTS.seed)
    parser.add_argument(
        "--face", type=int, default=None, metavar="N", help="face by size, 0 is the largest"
    )
    parser.add_argument(
        "--texture-size", type=int, choices=TEXTURE_SIZES, default=DEFAULTS.texture_size
    )
    parser.add_argument(
        "--fine-maps",
        type=int,
        choices=FINE_SIZES,
        default=DEFAULTS.fine_size,
        help="side of the normal and roughness maps; 2048 adds pores (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fit and write; the path of the result goes to standard output."""
    job = FitJob(
        photos=tuple(arguments.photos),
        output=arguments.out,
        pack=arguments.pack,
        device=arguments.device,
        seed=arguments.seed,
        face=arguments.face,
        texture_size=arguments.texture_size,
        fine_size=arguments.fine_maps,
        albedo=arguments.albedo,
        detail=arguments.detail,
    )
    token = CancelToken()
    reporter = ConsoleReporter(sys.stderr, token)
    with interrupt_cancels(token):
        from ..worker.real import load_engine

        run_job = load_engine()
        token.check()
        try:
            path = run_job(job, reporter)
        finally:
            reporter.close()
    print(path)
    return EXIT_OK
