"""Which build of PyTorch pip would take on Linux, and what to do about the very large one.

The common package index has one build of torch for Linux, made for NVIDIA cards: it runs without
such a card too, but drags in gigabytes of libraries. The build without them lies elsewhere. So
whoever sits at a terminal is asked; otherwise the size is said and the large one taken, as pip
would do by itself: it works everywhere, the address of the other is not ours to choose.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from engine.packaging.problems import SetupError

_LARGE = "2.7 GB to download, 5 GB of disk"
"""Of torch 2.13.0 and all it asks for, Python 3.13 (measured)."""
_ROOM = 9e9
"""Bytes: the whole environment with that build is 6.0 GB (measured), the wheels lie beside it
while pip works."""
_SMALL = (
    "The build for CPUs has 0.2 GB: pytorch.org's install page shows its address for Linux, pip, "
    "CPU"
)
_HINT = f"{_SMALL}; give it with --torch-index."
_QUESTION = f"""\
pip has {{torch}} for NVIDIA cards only: {_LARGE} ({{free:.0f}} GB are free).
It runs without a card too. {_SMALL}.
  Enter      take the large build
  ADDRESS    take the build for CPUs from there
  n          stop
> """
_ADDRESSES = ("https://", "http://", "file://")


def terminal() -> Callable[[str], str] | None:
    """What asks the person at the terminal; None when nobody is there."""
    return input if sys.stdin.isatty() and sys.stdout.isatty() else None


def choose_index(
    python: Path,
    torch: str,
    index: str,
    ask: Callable[[str], str] | None,
    say: Callable[[str], None],
) -> tuple[str, ...]:
    """pip's options for the build of torch that is wanted.

    python: the environment's. torch: the pin, "torch==2.13.0". index: one more package index, ""
    for none. ask: puts a question, see `terminal`; None takes what there is. say: tells of it.
    Raises SetupError when pip finds no torch, when the large build is refused, and when the disk
    has no room for it.
    """
    while needs_cuda(python, torch, index):
        free = shutil.disk_usage(python.parent).free
        answer = _answer(ask, _QUESTION.format(torch=torch, free=free / 1e9)) if ask else ""
        if answer.lower() in ("", "y", "yes"):
            if free < _ROOM:
                raise SetupError(
                    f"The build of {torch} for NVIDIA cards needs {_ROOM / 1e9:.0f} GB of disk "
                    f"while it is installed, {free / 1e9:.1f} GB are free.",
                    _HINT,
                )
            say(f"taking the large build of {torch}, {_LARGE}. {_HINT}")
            break
        if not answer.startswith(_ADDRESSES):
            raise SetupError("Stopped, nothing was downloaded.", _HINT)
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
