"""Which Python runs the engine, and how it is started."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...engine.protocol.errors import EngineError, ErrorCode
from ...engine.protocol.install import read_mark

PYTHON_IN_ENVIRONMENT = (
    ("Scripts/python.exe",) if os.name == "nt" else ("bin/python3", "bin/python")
)
"""Where a virtual environment keeps its interpreter (venv module documentation)."""

DEVELOPMENT_ENVIRONMENT = ".venv"


@dataclass(frozen=True)
class Launch:
    """A command with its folder and environment; two equal ones may share a running process."""

    command: tuple[str, ...]
    folder: str
    environment: tuple[tuple[str, str], ...]


def choose_python(preference: str, managed: Path | None, root: Path) -> Path:
    """Interpreter for the engine.

    preference: absolute path from the preferences, "" when unset; it wins, and is never silently
    replaced by another one. managed: the private environment under the extension's user folder,
    None when there is no such folder; it counts only with its mark, which is written last.
    root: folder that holds `engine/`; a `.venv` in it is for
    developers and comes last. Raises EngineError(ENGINE_MISSING).
    """
    if preference.strip():
        chosen = Path(preference.strip())
        if chosen.is_dir():
            chosen = _python_in(chosen) or chosen
        if not chosen.is_file():
            raise EngineError(
                ErrorCode.ENGINE_MISSING,
                f"The engine Python in the preferences was not found: {preference.strip()}",
                "Choose an existing Python interpreter or clear the field.",
            )
        return chosen
    finished = managed is not None and read_mark(managed) is not None
    for folder in (managed if finished else None, root / DEVELOPMENT_ENVIRONMENT):
        found = _python_in(folder) if folder else None
        if found:
            return found
    raise EngineError(
        ErrorCode.ENGINE_MISSING,
        "The engine is not installed yet.",
        "Install it, or choose a Python interpreter that has PyTorch.",
    )


def _python_in(folder: Path) -> Path | None:
    candidates = (folder / name for name in PYTHON_IN_ENVIRONMENT)
    return next((path for path in candidates if path.is_file()), None)


def engine_launch(python: Path, root: Path, environ: Mapping[str, str]) -> Launch:
    """The worker's command. root: folder that holds `engine/`; it becomes the working folder,
    so that `-m engine` finds it.

    Blender sets PYTHON* variables for its own interpreter; -E and a cleaned environment keep
    them out. -I would also drop the working folder from the path, so it is not used.
    """
    if not (root / "engine" / "__init__.py").is_file():
        raise EngineError(
            ErrorCode.ENGINE_MISSING,
            f"The engine's files were not found in {root}.",
            "Install the extension again.",
        )
    command = (str(python), "-E", "-u", "-X", "utf8", "-m", "engine", "worker")
    return _launch(command, root, environ)


def doctor_launch(python: Path, root: Path, environ: Mapping[str, str]) -> Launch:
    """The doctor's command; python: the engine's, or any other where there is none."""
    command = (str(python), "-E", "-u", "-X", "utf8", "-m", "engine", "doctor", "--json")
    return _launch(command, root, environ)


def installer_launch(
    python: Path, root: Path, environ: Mapping[str, str], options: Sequence[str]
) -> Launch:
    """The installer's command (`engine/install`), tied to our end of its standard input. -s: no
    packages of the user's own."""
    command = (str(python), "-E", "-s", "-u", "-X", "utf8", "-m", "engine.install", "--tied")
    return _launch((*command, *options), root, environ)


def _launch(command: tuple[str, ...], root: Path, environ: Mapping[str, str]) -> Launch:
    kept = {name: value for name, value in environ.items() if not name.startswith("PYTHON")}
    return Launch(command, str(root), tuple(sorted(kept.items())))


def spawn_flags() -> dict[str, int | bool]:
    """Platform options for `subprocess.Popen`: no console window, own process group.

    An own group lets the whole engine be stopped at once and keeps Ctrl-C in a terminal that
    started Blender from reaching it twice.
    """
    if sys.platform == "win32":
        import subprocess

        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
