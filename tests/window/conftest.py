"""What the stories in a real Blender window need: the program, a display, a run of one."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

HERE = Path(__file__).parent
OLDEST = (4, 2)
MARK = "UVAPM_WINDOW_RUN"


@pytest.fixture(scope="session")
def blender_program():
    """Path of the program."""
    program = os.environ.get("UVAPM_BLENDER") or shutil.which("blender")
    if not program:
        pytest.skip("no Blender program: set UVAPM_BLENDER or put `blender` on the PATH")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60)
    words = next((line for line in done.stdout.splitlines() if line.startswith("Blender ")), "")
    version = tuple(map(int, words.split()[1].split(".")[:2])) if words else ()
    if version < OLDEST:
        pytest.skip(f"{program} is {words or 'no Blender'}, 4.2 or later is needed")
    return program


@pytest.fixture(scope="session")
def screen(tmp_path_factory):
    """Folder where Xvfb keeps what its screen shows (Xvfb_screen0, in the format of xwd)."""
    return tmp_path_factory.mktemp("screen")


@pytest.fixture(scope="session")
def display(screen):
    """Name of a display: one of our own where there is Xvfb, which `screen` shows."""
    if os.environ.get("DISPLAY") and not shutil.which("Xvfb"):
        yield os.environ["DISPLAY"]
        return
    if not shutil.which("Xvfb"):
        pytest.skip("no display and no Xvfb")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    command += ["-fbdir", str(screen)]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as names:
        number = names.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture(scope="session")
def run_story(blender_program, display):
    """Runs a story of this folder and gives what it saw. words: its arguments before OUT."""

    def run(story: str, out: Path, words: list[str], patience: float) -> dict:
        for name in (story, "hand.py", "stage.py"):
            shutil.copy(HERE / name, out / name)
        (out / "home").mkdir()
        command = [blender_program, "--factory-startup", "--offline-mode"]
        command += ["--enable-event-simulate", "--window-geometry", "0", "0", "1600", "1000"]
        command += ["--python", str(out / story), "--", *words, str(out)]
        mark = f"{out.name}-{uuid4()}"  # a child has it too, wherever its folders seem to be
        more = {"DISPLAY": display, "BLENDER_USER_RESOURCES": str(out / "home"), MARK: mark}
        with open(out / "log.txt", "w") as log:
            subprocess.run(
                command,
                env=os.environ | more,
                stdout=log,
                stderr=log,
                timeout=patience,
                check=False,
            )
        path = out / "facts.json"
        assert path.is_file(), (out / "log.txt").read_text()[-3000:]
        found = json.loads(path.read_text())
        assert "error" not in found, found["error"]
        time.sleep(3.0)  # an engine that lost its Blender may take a moment to leave
        found["log"] = (out / "log.txt").read_text()
        found["engines"] = _processes_that_mention(mark)
        return found

    return run


def _processes_that_mention(words: str) -> list[str]:
    """Command lines of running processes, on Linux."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if words.encode() in path.read_bytes():
                lines.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return lines
