"""The real job behind the worker: PyTorch, the packs and the fit, loaded once and kept warm."""

from pathlib import Path

from ..protocol.job import FitJob
from ..protocol.messages import Hello
from ..protocol.version import PROTOCOL_VERSION, engine_version
from ..reporter import Reporter
from .serve import RunJob


def load_engine() -> tuple[RunJob, Hello]:
    """Import the heavy parts and describe them. Raises ImportError when PyTorch is missing."""
    from ..device import choose_device
    from ..fit.pipeline import Session, run_fit
    from ..packs.registry import installed_packs

    session = Session()

    def run_job(job: FitJob, reporter: Reporter) -> Path:
        return run_fit(job, reporter, session)

    packs = tuple(installed_packs())
    return run_job, Hello(PROTOCOL_VERSION, engine_version(), choose_device("auto"), packs)
