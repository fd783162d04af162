"""The locked wheels on this machine: found, checked, fetched."""

import hashlib
import importlib.util
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.install import PART
from ..protocol.wheel_lock import LockedWheel
from . import resuming
from .resuming import CHUNK
from .stop import Stop

RETRIES = 5
"""Times that a pip without our resuming takes up a broken download where it broke."""
UNPACKED = "pip-unpacked"
_OTHER_HASH = "DO NOT MATCH THE HASHES"
_NOT_THERE = "No matching distribution"
_NO_CONNECTION = "connection broken by"
"""What pip says."""
_NAME_INDEX = (
    "Name PyTorch's own package index: pytorch.org's install page shows its address for this "
    "system and Compute Platform CPU. Or use the offline bundle."
)
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


def unpacked(pip: Path, scratch: Path) -> Path:
    """pip's wheel, checked before, as a folder in `scratch`: it starts four times as fast."""
    folder = scratch / UNPACKED
    if not folder.exists():
        with zipfile.ZipFile(pip) as archive:
            archive.extractall(folder)
    return folder


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

    What an earlier run left of it is gone on with. pip: the locked one, unpacked; None takes the
    pip that comes with this Python, which is good enough to get the locked one. index: one more
    package index, "" for none.
    """
    path = cache / wheel.file
    path.unlink(missing_ok=True)  # what is there is not whole: pip might take it as it is
    wanted = Path(environ["TMPDIR"]) / "wanted.txt"
    pin = f"{wheel.name}=={wheel.version}"
    # With its hash pip takes the locked file, where an index has newer builds of a version too.
    wanted.write_text(f"{pin} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    command = [*_pip(pip, wheel, path), "download", "--no-deps", "--no-input"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--no-cache-dir"]
    if pip is not None:
        command += ["--progress-bar=raw", "--resume-retries", str(RETRIES)]
    command += ["--extra-index-url", index] if index else []
    command += ["--dest", str(cache), "--requirement", str(wanted)]

    def heard(line: str) -> None:
        words = line.split()
        if words[:1] == ["Progress"] and words[1].isdigit():
            told(int(words[1]))

    code, lines = stop.run(command, environ, heard)
    if code == 0 and is_whole(path, wheel, told):
        return path
    path.unlink(missing_ok=True)
    raise _failed(wheel, code, lines)


def _failed(wheel: LockedWheel, code: int, lines: Sequence[str]) -> EngineError:
    text = "\n".join(lines)
    if code == 0 or resuming.OTHER_FILE in text or _OTHER_HASH in text:
        return EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The package index gave another file than {wheel.file}, or a changed one.",
            "Look at pip's settings, or use the offline bundle.",
        )
    if _NOT_THERE in text and _NO_CONNECTION not in text:
        return EngineError(
            ErrorCode.ENGINE_MISSING,
            f"{wheel.name} {wheel.version} is not on the package indices that pip knows here.",
            _NAME_INDEX if wheel.local else "Look at pip's settings, or use the offline bundle.",
        )
    why = "no package index can be reached" if _NOT_THERE in text else _why(lines)
    return EngineError(
        ErrorCode.ENGINE_MISSING,
        f"{wheel.name} could not be fetched: {why}.",
        "Look at the connection and try again: it goes on where it stopped. "
        "The offline bundle needs no connection.",
    )


def _why(lines: Sequence[str]) -> str:
    """What pip complained about; its hints come after that."""
    said = [line for line in lines if line.startswith(("ERROR", "\u00d7"))]
    return (said or list(lines) or ["no message"])[-1].removeprefix("ERROR: ").strip("\u00d7 .")


def _pip(pip: Path | None, wheel: LockedWheel, path: Path) -> list[str]:
    """The command that runs pip. Raises EngineError where this Python has none."""
    if pip is not None:
        part = path.with_name(path.name + PART)
        words = [pip, part, wheel.size, wheel.sha256, wheel.file]
        return [sys.executable, "-I", resuming.__file__, *map(str, words)]
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
