"""Which build of PyTorch pip would take on Linux, and what to do about the very large one.

The common package index has one build of torch for Linux, made for NVIDIA cards: it runs without
such a card too, but drags in gigabytes of libraries. The build without them lies elsewhere. So
whoever sits at a terminal is asked; scripts say it with an option.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from engine.packaging.problems import SetupError

OPTIONS = (
    "Run again with --torch-index and the address that pytorch.org's install page shows for "
    "Compute Platform CPU, or with --cuda to take the large build."
)
# An estimate from the sizes of such builds; the libraries' own wheels were not at hand to measure.
_LARGE = "about 3 GB to download, 7 GB of disk"
_QUESTION = """\
pip has {torch} for NVIDIA cards only: {large} ({free:.0f} GB are free). It runs without a card too.
The build for CPUs is ten times smaller. pytorch.org's install page shows its address for Linux, \
pip, CPU.
  Enter      take the large build
  ADDRESS    take the build for CPUs from there
  n          stop
> """
_ADDRESSES = ("https://", "http://", "file://")


def terminal() -> Callable[[str], str] | None:
    """What asks the person at the terminal; None when nobody is there."""
    return input if sys.stdin.isatty() and sys.stdout.isatty() else None


def choose_index(
    python: Path, torch: str, index: str, ask: Callable[[str], str] | None
) -> tuple[str, ...]:
    """pip's options for the build of torch that is wanted.

    python: the environment's. torch: the pin, "torch==2.13.0". index: one more package index, ""
    for none. ask: puts a question, see `terminal`. Raises SetupError when pip finds no torch, and
    when it finds a CUDA build that nobody accepts.
    """
    while needs_cuda(python, torch, index):
        if ask is None:
            raise SetupError(f"pip would take the CUDA build of {torch}: {_LARGE}.", OPTIONS)
        free = shutil.disk_usage(python.parent).free / 1e9
        answer = _answer(ask, _QUESTION.format(torch=torch, large=_LARGE, free=free))
        if answer.lower() in ("", "y", "yes"):
            break
        if not answer.startswith(_ADDRESSES):
            raise SetupError("Stopped, nothing was downloaded.", OPTIONS)
        index = answer
    return index_options(index)


def index_options(index: str) -> tuple[str, ...]:
    """pip's options for one more package index, "" for none."""
    return ("--extra-index-url", index) if index else ()


def needs_cuda(python: Path, torch: str, index: str) -> bool:
    """Ask pip what it would install: does that drag in the CUDA packages? Raises SetupError."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps"]
    done = subprocess.run(
        [*command, "--report", "-", *index_options(index), torch], capture_output=True, text=True
    )
    try:
        found = json.loads(done.stdout)["install"]
    except (ValueError, KeyError):
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = ([line for line in lines if line.startswith("ERROR")] or lines or ["no message"])[-1]
        raise SetupError(f"pip finds no {torch} for {python}: {why}", "") from None
    needs = [need for entry in found for need in entry["metadata"].get("requires_dist", [])]
    return any(need.startswith(("nvidia-", "cuda-", "triton")) for need in needs)


def _answer(ask: Callable[[str], str], question: str) -> str:
    """The answer; the end of the input is a no."""
    try:
        return ask(question).strip()
    except EOFError:
        return "n"
