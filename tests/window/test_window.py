"""A real Blender window, worked by mouse and keyboard (story.py). Needs Blender 4.2 or later as
`blender` on the PATH or in UVAPM_BLENDER, and a display: Xvfb is started where there is none."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.packaging.extension import build_zip

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.blender]

HERE = Path(__file__).parent
PATIENCE = 540.0
OLDEST = (4, 2)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def display():
    """Name of a display."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    if not shutil.which("Xvfb"):
        pytest.skip("no display and no Xvfb")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as names:
        number = names.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def facts(root, blender_program, display, default_pack, astronaut, tmp_path_factory):
    """What story.py saw."""
    out = tmp_path_factory.mktemp("window")
    built = build_zip(root, out / "dist", Path(sys.executable))
    photo = shutil.copy(astronaut, out / "portrait.png")
    script = out / "story.py"
    for name in ("story.py", "hand.py"):
        shutil.copy(HERE / name, out / name)
    (out / "home").mkdir()
    python = os.environ.get("UVAPM_ENGINE_PYTHON", sys.executable)
    command = [blender_program, "--factory-startup", "--enable-event-simulate"]
    command += ["--window-geometry", "0", "0", "1600", "1000", "--python", str(script), "--"]
    command += [str(built.path), photo, python, str(out)]
    more = {"DISPLAY": display, "BLENDER_USER_RESOURCES": str(out / "home")}
    with open(out / "log.txt", "w") as log:
        subprocess.run(
            command, env=os.environ | more, stdout=log, stderr=log, timeout=PATIENCE, check=False
        )
    path = out / "facts.json"
    assert path.is_file(), (out / "log.txt").read_text()[-3000:]
    found = json.loads(path.read_text())
    assert "error" not in found, found["error"]
    time.sleep(3.0)  # an engine that lost its Blender may take a moment to leave
    found["log"] = (out / "log.txt").read_text()
    found["engines"] = _processes_that_mention(str(out))
    return found


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


def test_the_photo_is_typed_and_reconstructed_by_mouse(facts):
    assert facts["photo"].endswith("portrait.png")
    assert "reconstructed" in facts["steps"]


def test_a_slider_is_dragged_and_undone(facts):
    assert facts["moved_mm"] > 0.1
    assert facts["undone_mm"] < 1e-3


def test_a_landmark_is_dragged_and_the_head_refitted_in_place(facts):
    assert [index for index, _, _ in facts["pins"]] == [8] and facts["dragged"] > 2.0
    assert facts["missed"] < 1.0
    assert facts["in_place"] and facts["refit_undone"]


def test_the_head_survives_saving_and_loading(facts):
    assert facts["same"]


def test_it_is_exported(facts):
    assert facts["bytes"] > 100_000


def test_escape_cancels_and_leaves_the_scene(facts):
    assert facts["cancel_state"] == "cancelled" and facts["heads_left"] == 0


def test_a_job_outlives_the_wish_to_reload_scripts(facts):
    assert facts["job_went_on"]


def test_scripts_are_reloaded_and_the_engine_goes(facts):
    assert "scripts reloaded" in facts["steps"] and facts["heads_after"] > 0


def test_quitting_in_a_job_leaves_no_engine(facts):
    assert facts["steps"][-1] == "quit in a job"
    assert facts["engines"] == []


def test_nothing_went_wrong_unseen(facts):
    assert "Traceback" not in facts["log"]
