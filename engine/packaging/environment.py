"""The private environment `.venv`: made once, filled with pinned packages, then left alone."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.packaging.problems import SetupError
from engine.packaging.progress import Progress
from engine.packaging.system import PYTHONS, find_python
from engine.packaging.torch_build import choose_index, index_options, terminal

GROUPS = ("engine", "blender", "dev", "cluster")
_STAMP = "uvapm-requirements.json"


@dataclass(frozen=True)
class EnvironmentOptions:
    """Where and how to install.

    root: the repository. torch_index: one more package index for pip, "" for none. cuda: take a
    CUDA build of torch without a question if that is what pip finds.
    """

    root: Path
    torch_index: str
    cuda: bool


def environment(options: EnvironmentOptions, groups: tuple[str, ...], progress: Progress) -> Path:
    """Interpreter of `root/.venv` with the packages of `groups`; installs only what changed.

    groups: some of `GROUPS`, each a file wheels/requirements-GROUP.txt. Raises SetupError.
    """
    root, torch_index = options.root, options.torch_index
    folder = root / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        base = find_python()
        progress.say(f"making the environment {folder}")
        _run([str(base), "-m", "venv", str(folder)], f"The environment {folder} was not made")
    _check_version(python)
    files = [root / "wheels" / f"requirements-{group}.txt" for group in groups]
    wanted = {file.name: _digest(file, torch_index) for file in files}
    installed = _read_stamp(folder / _STAMP)
    if any(installed.get(name) != digest for name, digest in wanted.items()):
        extra = index_options(torch_index)
        if "engine" in groups and sys.platform.startswith("linux") and not options.cuda:
            extra = choose_index(python, _torch(root), torch_index, terminal(), progress.say)
        progress.say(f"installing the {', '.join(groups)} packages with pip")
        command = [str(python), "-m", "pip", "install", "--progress-bar=off", *extra]
        for file in files:
            command += ["-r", str(file)]
        _install(command, progress)
        (folder / _STAMP).write_text(json.dumps(installed | wanted, indent=1), encoding="utf-8")
    return python


def make_environment(
    folder: Path, base: Path, packages: tuple[str, ...], progress: Progress
) -> Path:
    """Interpreter of the environment `folder` of Python `base` with exactly pinned packages;
    installs only when the pins changed. Raises SetupError."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        progress.say(f"making the environment {folder}")
        _run([str(base), "-m", "venv", str(folder)], f"The environment {folder} was not made")
    wanted = {name: "" for name in packages}
    if _read_stamp(folder / _STAMP) != wanted:
        progress.say(f"installing {packages[0]} with pip")
        command = [str(python), "-m", "pip", "install", "--progress-bar=off", *packages]
        _install(command, progress)
        (folder / _STAMP).write_text(json.dumps(wanted, indent=1), encoding="utf-8")
    return python


def _check_version(python: Path) -> None:
    ask = "import sys; print(sys.version_info[0], sys.version_info[1])"
    try:
        done = subprocess.run([str(python), "-c", ask], capture_output=True, text=True)
        version = tuple(map(int, done.stdout.split()))
    except (OSError, ValueError):
        version = ()
    if version not in PYTHONS:
        is_what = "is Python {}.{}".format(*version) if version else "does not start"
        wanted = " or ".join("{}.{}".format(*pair) for pair in PYTHONS)
        raise SetupError(
            f"{python} {is_what}; Python {wanted} is needed.",
            f"Remove the folder {python.parent.parent} and run again.",
        )


def _torch(root: Path) -> str:
    """The pin of torch."""
    lines = (root / "wheels" / "requirements-engine.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("torch=="))


def _digest(file: Path, torch_index: str) -> str:
    return hashlib.sha256(file.read_bytes() + torch_index.encode()).hexdigest()


def _read_stamp(stamp: Path) -> dict[str, str]:
    try:
        return dict(json.loads(stamp.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _install(command: list[str], progress: Progress) -> None:
    """Run pip and pass on the lines that show that it moves."""
    shown = ("Downloading", "Installing collected")
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout
        for line in pip.stdout:
            lines.append(line)
            if line.strip().startswith(shown):
                progress.say("  " + line.strip().split(":")[0][:100])
    if pip.returncode:
        raise SetupError(f"pip could not install the pinned packages: {_last_line(lines)}", "")


def _run(command: list[str], words: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SetupError(f"{words}: {_last_line((done.stderr + done.stdout).splitlines())}", "")


def _last_line(lines: list[str]) -> str:
    lines = [line.strip() for line in lines if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["no message"])[-1]
