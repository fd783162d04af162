"""The locked wheels on this machine: found, checked, fetched."""

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.wheel_lock import LockedWheel
from .stop import Stop

CHUNK = 2**20
RETRIES = 5
"""Times that pip takes up a broken download where it broke."""
Told = Callable[[int], None]
"""Called with the bytes that are there of what is under way."""


def is_whole(path: Path, wheel: LockedWheel, told: Told) -> bool:
    """Whether a file is that wheel, by size and sha256; tells bytes as it reads."""
    try:
        if path.stat().st_size != wheel.size:
            return False
        digest, read = hashlib.sha256(), 0
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                read += len(chunk)
                told(read)
    except OSError:
        return False
    return digest.hexdigest() == wheel.sha256


def find(wheel: LockedWheel, folders: Sequence[Path], told: Told) -> Path | None:
    """The wheel in the first folder that has it whole."""
    for folder in folders:
        path = folder / wheel.file
        if is_whole(path, wheel, told):
            return path
    return None


def fetch(
    wheel: LockedWheel,
    pip: Path | None,
    cache: Path,
    index: str,
    environ: dict[str, str],
    stop: Stop,
    told: Told,
) -> Path:
    """Download a wheel into `cache` with pip and check it. Raises EngineError.

    pip: its wheel; None takes the pip that comes with this Python, which is good enough to get
    the locked one. index: one more package index, "" for none.
    """
    path = cache / wheel.file
    path.unlink(missing_ok=True)  # what is there is not whole: pip might take it as it is
    pin = f"{wheel.name}=={wheel.version}"
    command = [*_pip(pip), "download", "--no-deps", "--no-input", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--dest", str(cache)]
    if pip is not None:
        command += ["--progress-bar=raw", "--resume-retries", str(RETRIES)]
    command += (["--extra-index-url", index] if index else []) + [pin]

    def heard(line: str) -> None:
        words = line.split()
        if words[:1] == ["Progress"] and words[1].isdigit():
            told(int(words[1]))

    code, lines = stop.run(command, environ, heard)
    if code == 0 and is_whole(path, wheel, told):
        return path
    path.unlink(missing_ok=True)
    if code == 0:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The package index gave another file than {wheel.file}, or a changed one.",
            "Use the offline bundle, or name PyTorch's own package index.",
        )
    raise EngineError(
        ErrorCode.ENGINE_MISSING,
        f"{pin} could not be fetched: {_why(lines)}",
        "Look at the connection and try again: what came whole is kept. "
        "The offline bundle needs no connection.",
    )


def _why(lines: Sequence[str]) -> str:
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or list(lines) or ["no message"])[-1]


def _pip(wheel: Path | None) -> list[str]:
    """The command that runs pip. Raises EngineError where this Python has none."""
    if wheel is not None:
        return [sys.executable, "-I", str(wheel / "pip")]
    found = importlib.util.find_spec("ensurepip")
    folders = (found.submodule_search_locations if found else None) or []
    for folder in folders:
        for bundled in sorted(Path(folder).glob("_bundled/pip-*.whl")):
            return [sys.executable, "-I", str(bundled / "pip")]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-I", "-m", "pip"]
    raise EngineError(
        ErrorCode.ENGINE_MISSING,
        f"{sys.executable} has no pip, which fetches packages.",
        "Use the offline bundle, or choose another Python.",
    )
