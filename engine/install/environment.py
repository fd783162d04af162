"""The environment itself: made, filled, tried, marked."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.install import MARK, EnvironmentMark
from ..protocol.strict import to_plain
from .folders import make_own, remove_own
from .stop import Stop

_KEPT = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_DROPPED = ("PYTHON", "PIP_", "VIRTUAL_ENV", "CONDA")
_TRY = (
    "import numpy, cv2, PIL, scipy.sparse, torch;"
    "mps = torch.backends.mps.is_available();"
    "print(torch.__version__, 'cuda' if torch.cuda.is_available() else 'mps' if mps else 'cpu')"
)
"""What the engine imports; numpy first, as a broken one says so."""
_ASK_VERSION = "import sys; print('{}.{}'.format(*sys.version_info))"


def clean_environ(environ: Mapping[str, str], scratch: Path, online: bool) -> dict[str, str]:
    """The process environment without what would turn Python or pip elsewhere.

    Online pip keeps its own settings: proxies and package indices of the user's organisation.
    scratch: folder for pip's temporary files, so that a killed pip leaves none elsewhere.
    """
    dropped = tuple(word for word in _DROPPED if not (online and word == "PIP_"))
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or not name.upper().startswith(dropped)
    }
    kept |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    return kept if online else kept | {"PIP_CONFIG_FILE": os.devnull}


def interpreter(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def runs(folder: Path, version: str, environ: dict[str, str], stop: Stop) -> bool:
    """Whether an environment's Python starts and has the version, "3.11"."""
    python = interpreter(folder)
    try:
        code, lines = stop.run([python, "-I", "-c", _ASK_VERSION], environ)
    except OSError:
        return False
    return code == 0 and lines == [version]


def make(folder: Path) -> Path:
    """An empty environment on the Python that runs this. One that is there goes first."""
    remove_own(folder)
    make_own(folder)
    try:
        venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"{sys.executable} could not make an environment in {folder}: {error}",
            "Look at the free space and the permissions of that folder, or choose another Python.",
        ) from error
    return interpreter(folder)


def install(python: Path, pip: Path, wheel: Path, environ: dict[str, str], stop: Stop) -> None:
    """Put a wheel in, over what is there of that package. No network. Raises EngineError.

    pip: a folder with it. Python compiles what it uses later on: compiling all of torch takes
    longer than the rest.
    """
    command = [python, "-I", pip / "pip", "install", "--no-index", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--quiet", "--no-cache-dir", "--no-compile"]
    code, lines = stop.run([*command, "--force-reinstall", wheel], environ)
    if code:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"{wheel.name} could not be installed: {(lines or ['no message'])[-1]}",
            "Look at the free space and try again.",
        )


def try_out(python: Path, environ: dict[str, str], stop: Stop) -> tuple[str, str]:
    """(version of torch, device) of an environment whose packages load. Raises EngineError."""
    code, lines = stop.run([python, "-I", "-c", _TRY], environ)
    words = (lines or [""])[-1].split()
    if code or len(words) != 2:
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The engine's packages are there but do not load: {(lines or ['no message'])[-1]}",
            "Repair the engine. If it stays so, a system library lacks: the line above names it.",
        )
    return words[0], words[1]


def mark(folder: Path, found: EnvironmentMark) -> None:
    """Write the mark that makes the environment count, whole or not at all."""
    partial = folder / (MARK + ".part")
    partial.write_text(json.dumps(to_plain(found), indent=1) + "\n", encoding="utf-8")
    partial.replace(folder / MARK)
