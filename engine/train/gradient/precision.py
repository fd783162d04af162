"""In which numbers a network computes on a device."""

import torch

from ...protocol.errors import EngineError, ErrorCode

AUTO = "auto"


def choose_precision(wanted: str, device: str) -> str:
    """A name of `settings.PRECISIONS`. "auto": bfloat16 or float16 on CUDA, else float32.

    Raises EngineError(BAD_SETTINGS) for float16 where it is not made for.
    """
    if wanted == "float16" and device != "cuda":
        raise EngineError(ErrorCode.BAD_SETTINGS, "--precision float16 needs a CUDA device.")
    if wanted != AUTO:
        return wanted
    if device != "cuda":
        return "float32"
    return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
