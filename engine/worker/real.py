"""The real work behind both front doors: PyTorch, the packs and the jobs, loaded once."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..protocol.messages import Hello
from ..protocol.version import PROTOCOL_VERSION, engine_version
from ..protocol.work import ImportJob, Job, RegisterJob, WearJob
from ..reporter import Reporter
from .decode import DetailDecoder, DetailSource
from .serve import RunJob, Work

if TYPE_CHECKING:
    from ..wear.run import WearSession


def load_engine() -> RunJob:
    """Import the heavy parts and choose the threads. Raises ImportError when one is missing."""
    from ..memory import keep_freed_memory

    keep_freed_memory()  # before torch makes its first thread
    from ..fit.pipeline import Session, run_fit
    from ..render.threads import choose_threads

    choose_threads()
    session = Session()
    run_other = other_jobs()

    def run_job(job: Job, reporter: Reporter) -> Path:
        if isinstance(job, FitJob):
            return run_fit(job, reporter, session)
        return run_other(job, reporter)

    return run_job


def other_jobs() -> RunJob:
    """Jobs that are no fit; the code of each kind is loaded when the first one comes."""
    wearing: list[WearSession] = []

    def run_job(job: Job, reporter: Reporter) -> Path:
        if not isinstance(job, WearJob):
            return run_once(job, reporter)
        from ..wear.run import WearSession, run_wear

        if not wearing:
            wearing.append(WearSession())
        return run_wear(job, reporter, wearing[0])

    return run_job


def run_once(job: Job, reporter: Reporter) -> Path:
    """A job of which nothing is kept for the next one."""
    match job:
        case ImportJob():
            from ..packs.heads.importing import run_import

            return run_import(job, reporter)
        case RegisterJob():
            from ..register.run import run_register

            return run_register(job, reporter)
    raise EngineError(ErrorCode.PROTOCOL, f"{type(job).__name__} is not such a job.")


def load_work(scratch: Path) -> Work:
    """`load_engine` and what only the worker does. scratch: an empty folder for detail maps."""
    return Work(load_engine(), DetailDecoder(load_detail, scratch))


def load_detail(folder: Path) -> DetailSource:
    """The detail model of a pack folder. Raises EngineError(PACK_INVALID)."""
    import numpy as np
    import torch

    from ..nets.detail import DetailNet
    from ..protocol.detail_pack import read_detail_pack

    net = DetailNet(read_detail_pack(folder).model)

    def decode(alpha: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return net.decode(torch.from_numpy(alpha)).numpy()

    return DetailSource(decode, net.model.directions)


def describe_engine() -> Hello:
    """The worker's first message."""
    from ..device import choose_device
    from ..packs.registry import head_packs

    packs = tuple(folder.name for folder in head_packs())
    return Hello(PROTOCOL_VERSION, engine_version(), choose_device("auto"), packs)
