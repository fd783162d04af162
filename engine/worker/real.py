"""The real work behind both front doors: PyTorch, the packs and the jobs, loaded once."""

from pathlib import Path

from ..protocol.messages import Hello
from ..protocol.version import PROTOCOL_VERSION, engine_version
from ..protocol.work import ImportJob, Job, RegisterJob, WearJob
from ..reporter import Reporter
from .decode import DetailDecoder, DetailSource
from .serve import RunJob, Work


def load_engine() -> RunJob:
    """Import the heavy parts and choose the threads. Raises ImportError when one is missing."""
    from ..memory import keep_freed_memory

    keep_freed_memory()  # before torch makes its first thread
    from ..fit.pipeline import Session, run_fit
    from ..render.threads import choose_threads

    choose_threads()
    session = Session()

    def run_job(job: Job, reporter: Reporter) -> Path:
        match job:
            case WearJob() | ImportJob() | RegisterJob():
                return run_other(job, reporter)
            case _:
                return run_fit(job, reporter, session)

    return run_job


def run_other(job: WearJob | ImportJob | RegisterJob, reporter: Reporter) -> Path:
    """A job that is no fit; its code is loaded when the first one comes."""
    match job:
        case WearJob():
            from ..wear.run import run_wear

            return run_wear(job, reporter)
        case ImportJob():
            from ..packs.heads.importing import run_import

            return run_import(job, reporter)
        case RegisterJob():
            from ..register.run import run_register

            return run_register(job, reporter)


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
