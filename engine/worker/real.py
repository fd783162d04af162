"""The real job behind both front doors: PyTorch, the packs and the fit, loaded once."""

from pathlib import Path

from ..protocol.job import FitJob
from ..protocol.messages import Hello
from ..protocol.version import PROTOCOL_VERSION, engine_version
from ..reporter import Reporter
from .serve import RunJob


def load_engine() -> RunJob:
    """Import the heavy parts and choose the threads. Raises ImportError when one is missing."""
    from ..fit.pipeline import Session, run_fit
    from ..render.threads import choose_threads

    choose_threads()
    session = Session()

    def run_job(job: FitJob, reporter: Reporter) -> Path:
        return run_fit(job, reporter, session)

    return run_job


def describe_engine() -> Hello:
    """The worker's first message."""
    from ..device import choose_device
    from ..packs.registry import head_packs

    packs = tuple(folder.name for folder in head_packs())
    return Hello(PROTOCOL_VERSION, engine_version(), choose_device("auto"), packs)
