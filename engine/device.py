"""Which device computes: the only place that asks PyTorch for it."""

from .protocol.errors import EngineError, ErrorCode
from .protocol.job import DEVICES


def choose_device(wanted: str) -> str:
    """ "cpu", "cuda" or "mps" for a job's `device`; "auto" takes the fastest that is present.

    Raises EngineError(BAD_SETTINGS) when the wanted one is absent, ImportError without PyTorch.
    """
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, usable in present.items() if usable)
    if wanted not in DEVICES or not present[wanted]:
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"The device {wanted} was asked for, but PyTorch does not find it here.",
            "Choose auto or cpu.",
        )
    return wanted
