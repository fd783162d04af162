"""`python -m engine worker`: the process behind the add-on."""

import argparse
import faulthandler
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path

from ..config import WorkerSettings
from ..failure import explain
from ..protocol.errors import EXIT_OK
from ..worker.channel import claim_pipes
from ..worker.serve import failed, serve

DEFAULTS = WorkerSettings()
SCRATCH = "uvapm-worker-"
SCRATCH_AGE = 2 * 24 * 3600.0
"""Seconds after which a scratch folder belongs to a killed worker: an idle one ends long before."""


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
    settings = WorkerSettings(idle_seconds=arguments.idle_seconds)
    remove_old_scratch(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=SCRATCH, ignore_cleanup_errors=True) as scratch:
        try:
            from ..worker.real import describe_engine, load_work

            work, hello = load_work(Path(scratch)), describe_engine()
        except Exception as error:  # noqa: BLE001 the edge: the client gets a message
            plain = explain(error)
            pipes.writer.send(failed("", plain))
            return plain.exit_code
        serve(pipes, work, hello, settings)
    return EXIT_OK


def remove_old_scratch(parent: Path) -> None:
    """Remove the scratch folders of workers that were killed; links and others' are left alone."""
    oldest = time.time() - SCRATCH_AGE
    for folder in parent.glob(f"{SCRATCH}*"):
        try:
            old = folder.lstat().st_mtime < oldest and not folder.is_symlink()
        except OSError:
            continue  # gone, or not ours to see
        if old:
            shutil.rmtree(folder, ignore_errors=True)
