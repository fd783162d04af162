"""Enabling, disabling and reloading the extension, also in the middle of a job."""

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.blender

HERE = Path(__file__).parent
FAKE_ENGINE = HERE.parent / "client" / "fakes" / "fake_engine.py"


@pytest.fixture
def job(blender, addon, fake_engine, tiny, tmp_path):
    """start(play) -> process id of an engine that is busy with a job."""

    def start(play):
        photo = tmp_path / f"{play}.png"
        tiny.write_png(photo, tiny._gradient(120, 160))
        addon.runtime.start_job(blender.context, [photo])
        session = addon.runtime.RUNTIME.session
        end = time.monotonic() + 20.0
        while session.status.state.value != "running" and time.monotonic() < end:
            session.pump()
            time.sleep(0.01)
        assert session.busy
        return session._process._popen.pid

    return start


def alive(pid):
    """A process that has ended but was not waited for counts as alive: it would be a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("play", ["slow", "deaf", "stubborn"])
def test_disabling_in_a_job_ends_the_engine_and_enabling_works_again(addon, job, play):
    package = importlib.import_module("uvapm.uvapm_blender")
    pid = job(play)
    package.unregister()
    assert not alive(pid)
    for _ in range(2):
        package.register()
        package.unregister()
    package.register()
    assert not addon.runtime.RUNTIME.session.busy


def test_disabling_takes_handlers_and_timers_away(blender, addon):
    package = importlib.import_module("uvapm.uvapm_blender")
    package.unregister()
    ours = [
        function
        for name in dir(blender.app.handlers)
        if isinstance(getattr(blender.app.handlers, name), list)
        for function in getattr(blender.app.handlers, name)
        if getattr(function, "__module__", "").startswith("uvapm")
    ]
    assert ours == []
    assert not blender.app.timers.is_registered(addon.runtime.idle_tick)
    assert [name for name in dir(blender.types) if name.startswith("UVAPM_")] == []
    package.register()


def test_loading_a_file_in_a_job_ends_it_without_a_trace(blender, addon, job, tmp_path):
    """What Blender does to a running operator when a file is loaded: it calls `cancel`."""
    blender.ops.wm.save_as_mainfile(filepath=str(Path(tmp_path, "a.blend")))
    pid = job("slow")
    operator = importlib.import_module("uvapm.uvapm_blender.operators.job").JobOperator
    operator.cancel(None, blender.context)
    assert not alive(pid) and not addon.runtime.RUNTIME.session.busy


@pytest.fixture
def process(tmp_path, tiny):
    """process(how) -> what job_ends.py did: return code, output."""

    def run(how):
        photo = tmp_path / "slow.png"
        tiny.write_png(photo, tiny._gradient(120, 160))
        (tmp_path / "home").mkdir()
        command = [sys.executable, HERE / "job_ends.py", how, FAKE_ENGINE, photo, tmp_path]
        return subprocess.run(
            command,
            env=os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_reloading_scripts_in_a_job_ends_it_in_words_and_it_works_again(process):
    """A window refuses to while an operator runs; another add-on may do it all the same."""
    done = process("reload")
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("FACTS "))
    facts = json.loads(line.removeprefix("FACTS "))
    assert not alive(facts["engine"]) and "was stopped" in facts["words"]
    assert facts["panel"] and not facts["busy"] and facts["again"]


def test_a_script_that_fails_in_a_job_ends_and_so_does_the_engine(process):
    done = process("raise")
    assert done.returncode == 1 and done.stderr.strip().endswith("RuntimeError: the end")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("ENGINE "))
    assert not alive(int(line.split()[1]))
