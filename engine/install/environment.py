"""The environment itself: made, filled, tried, marked; or taken away."""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.install import MARK, EnvironmentMark
from ..protocol.strict import to_plain

_KEPT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_DROPPED = ("PYTHON", "PIP_", "VIRTUAL_ENV", "CONDA")
_TRY = (
    "import numpy, cv2, PIL, scipy.sparse, torch;"
    "mps = torch.backends.mps.is_available();"
    "print(torch.__version__, 'cuda' if torch.cuda.is_available() else 'mps' if mps else 'cpu')"
)
"""What the engine imports; numpy first, as a broken one says so."""


def clean_environ(environ: Mapping[str, str], online: bool) -> dict[str, str]:
    """The process environment without what would turn Python or pip elsewhere.

    Online pip keeps its own settings: proxies and package indices of the user's organisation.
    """
    dropped = tuple(word for word in _DROPPED if not (online and word == "PIP_"))
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or not name.upper().startswith(dropped)
    }
    return kept if online else kept | {"PIP_CONFIG_FILE": os.devnull}


def interpreter(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make(folder: Path) -> Path:
    """An empty environment on the Python that runs this. A half-made one goes first."""
    remove(folder)
    try:
        venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"{sys.executable} could not make an environment in {folder}: {error}",
            "Look at the free space and the permissions of that folder, or choose another Python.",
        ) from error
    return interpreter(folder)


def install(
    python: Path,
    pip: Path,
    wheels: Sequence[Path],
    environ: dict[str, str],
    told: Callable[[int], None],
) -> None:
    """Install wheels one by one, without a network; tells how many are in."""
    options = ["--no-index", "--no-deps", "--no-input", "--disable-pip-version-check", "--quiet"]
    for number, wheel in enumerate(wheels):
        told(number)
        command = [str(python), "-I", str(pip / "pip"), "install", *options, str(wheel)]
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        if done.returncode:
            last = ((done.stderr or done.stdout).strip().splitlines() or ["no message"])[-1]
            raise EngineError(
                ErrorCode.ENGINE_MISSING,
                f"{wheel.name} could not be installed: {last}",
                "Look at the free space and try again.",
            )
    told(len(wheels))


def try_out(python: Path, environ: dict[str, str]) -> tuple[str, str]:
    """(version of torch, device) of an environment whose packages load. Raises EngineError."""
    command = [str(python), "-I", "-c", _TRY]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    words = done.stdout.split()
    if done.returncode or len(words) < 2:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The engine's packages are there but do not load: {last}",
            "Repair the engine. If it stays so, a system library lacks: the line above names it.",
        )
    return words[-2], words[-1]


def mark(folder: Path, found: EnvironmentMark) -> None:
    """Write the mark that makes the environment count."""
    text = json.dumps(to_plain(found), indent=1) + "\n"
    (folder / MARK).write_text(text, encoding="utf-8")


def remove(folder: Path) -> None:
    """Take an environment away, the mark first, so that no half of it counts.

    Raises EngineError(BAD_OUTPUT), also for a folder that is no environment: it may hold
    somebody's files.
    """
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file():
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} holds files that are not an engine environment.",
            "Move them away, or choose another folder.",
        )
    try:
        (folder / MARK).unlink(missing_ok=True)
        shutil.rmtree(folder)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"{folder} could not be removed: {error.strerror or error}.",
            "Close programs that use it, then try again.",
        ) from error
