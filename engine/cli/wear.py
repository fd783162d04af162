"""`python -m engine wear RESULT MESH --out DIR`."""

import argparse
import sys

from ..protocol.errors import EXIT_OK
from ..protocol.job import TEXTURE_SIZES
from ..protocol.work import WearJob
from ..reporter import CancelToken, ConsoleReporter
from .interrupt import interrupt_cancels


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "wear",
        help="put a result onto your own head mesh",
        description="Bake the maps of a result to the UVs of your own head mesh, and carry the "
        "expressions and the person's likeness over to it.",
    )
    parser.add_argument("result", metavar="RESULT", help="result directory")
    parser.add_argument("mesh", metavar="MESH", help="head or body: .obj, .glb or .gltf")
    parser.add_argument("--out", required=True, metavar="DIR", help="directory to write")
    parser.add_argument(
        "--size",
        type=int,
        choices=TEXTURE_SIZES,
        default=2048,
        help="side of the maps in texels (%(default)s)",
    )
    parser.add_argument(
        "--textures", metavar="DIR", help="albedo.png, normal.png, roughness.png to wear instead"
    )
    parser.add_argument("--no-maps", action="store_true", help="shapes only")
    parser.add_argument("--no-shapes", action="store_true", help="maps only")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Wear and write; the path of the directory goes to standard output."""
    job = WearJob(
        arguments.result,
        arguments.mesh,
        arguments.out,
        arguments.size,
        arguments.textures,
        not arguments.no_maps,
        not arguments.no_shapes,
    )
    token = CancelToken()
    reporter = ConsoleReporter(sys.stderr, token)
    with interrupt_cancels(token):
        from ..render.threads import choose_threads
        from ..wear.run import WearSession, run_wear

        choose_threads()
        token.check()
        try:
            path = run_wear(job, reporter, WearSession())
        finally:
            reporter.close()
    print(path)
    return EXIT_OK
