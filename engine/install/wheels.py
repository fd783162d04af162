"""The locked wheels on this machine: found, checked, fetched."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.wheel_lock import LockedWheel

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
    wheel: LockedWheel, pip: Path, cache: Path, index: str, environ: dict[str, str], told: Told
) -> Path:
    """Download a wheel into `cache` with pip and check it. Raises EngineError.

    pip: its wheel. index: one more package index, "" for none. What pip leaves half-done has
    another name, and is not taken for a wheel.
    """
    cache.mkdir(parents=True, exist_ok=True)
    pin = f"{wheel.name}=={wheel.version}"
    command = [sys.executable, "-I", str(pip / "pip"), "download", "--no-deps", "--no-input"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--progress-bar=raw"]
    command += ["--resume-retries", str(RETRIES), "--dest", str(cache)]
    command += (["--extra-index-url", index] if index else []) + [pin]
    last = ""
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            words = line.split()
            if words[:1] == ["Progress"] and words[1].isdigit():
                told(int(words[1]))
            elif words:
                last = line.strip()
    path = cache / wheel.file
    if process.returncode == 0 and is_whole(path, wheel, told):
        return path
    if process.returncode == 0:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The package index gave another file than {wheel.file}, or a changed one.",
            "Use the offline bundle, or name PyTorch's own package index.",
        )
    raise EngineError(
        ErrorCode.ENGINE_MISSING,
        f"{pin} could not be fetched: {last}",
        "Look at the connection and try again: what came whole is kept. "
        "The offline bundle needs no connection.",
    )
