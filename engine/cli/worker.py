"""`python -m engine worker`: the process behind the add-on."""

import argparse
import faulthandler
import logging
import sys

from ..config import WorkerSettings
from ..failure import explain
from ..protocol.errors import EXIT_OK
from ..worker.channel import claim_pipes
from ..worker.serve import failed, serve

DEFAULTS = WorkerSettings()


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser("worker", help="run jobs for the add-on", description=__doc__)
    parser.add_argument(
        "--idle-seconds",
        type=float,
        default=DEFAULTS.idle_seconds,
        help="end after this long without a job (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Claim the pipes, load the engine, serve."""
    pipes = claim_pipes()
    faulthandler.enable(sys.stderr)
    logging.getLogger().setLevel(logging.INFO)
    try:
        from ..worker.real import describe_engine, load_engine

        run_job, hello = load_engine(), describe_engine()
    except Exception as error:  # noqa: BLE001 the edge: the client gets a message
        plain = explain(error)
        pipes.writer.send(failed("", plain))
        return plain.exit_code
    serve(pipes, run_job, hello, WorkerSettings(idle_seconds=arguments.idle_seconds))
    return EXIT_OK
