"""The job state machine against a fake engine in a real process."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.client.session_steps import QUICK, finish, running


def test_a_job_runs_to_its_result(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("ok"))
    seen = finish(session)
    last = session.status
    assert last.state.value == "done" and last.result.endswith("ok") and last.fraction == 1.0
    assert last.warnings == ("The photo is small.",) and last.preview == "/tmp/preview.png"
    fractions = [status.fraction for status in seen]
    assert fractions == sorted(fractions)
    assert not session.pump(), "nothing changed, nothing to redraw"


def test_the_engine_stays_warm(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    first = session._process.pid
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done" and session._process.pid == first


def test_another_interpreter_gets_another_process(session, client, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    first = session._process.pid
    launch = fake_launch()
    changed = client.launch.Launch(launch.command, launch.folder, (("A", "1"),))
    session.start(changed, fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done" and session._process.pid != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_one_job_at_a_time(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("slow"))
    with pytest.raises(Exception, match="already running"):
        session.start(fake_launch(), fit_job("ok"))
    session.cancel()
    finish(session)


def test_an_error_keeps_its_code_and_words(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("error"))
    finish(session)
    error = session.status.error
    assert session.status.state.value == "failed" and error.code.value == "no_face"
    assert str(error) == "No face was found. Choose another photo." and session.warm


@pytest.mark.parametrize("play", ["slow", "stubborn", "deaf"])
def test_cancel_ends_the_job_and_the_next_one_works(session, fake_launch, fit_job, play):
    session.start(fake_launch(), fit_job(play))
    running(session)
    began = time.monotonic()
    session.cancel()
    finish(session)
    assert session.status.state.value == "cancelled" and session.status.error is None
    assert time.monotonic() - began < 4.0
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done"


def test_cancel_before_the_engine_is_up(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("ok"))
    session.cancel()
    assert session.status.state.value == "cancelled"
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done"


@pytest.mark.parametrize(
    ("play", "code", "words"),
    [("crash", "internal", "ended with code 9"), ("garbage", "protocol", "cannot be understood")],
)
def test_a_broken_engine_is_an_error_and_the_next_job_works(
    session, fake_launch, fit_job, play, code, words
):
    session.start(fake_launch(), fit_job(play))
    finish(session)
    error = session.status.error
    assert error.code.value == code and words in error.message
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done"


def test_the_log_of_a_crash_is_its_end_and_bounded(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("crash"))
    finish(session)
    lines = session.status.log.splitlines()
    assert lines[-1] == "Segmentation fault" and lines[-2] == "line 999" and len(lines) == 100


@pytest.mark.parametrize("can_look", [True, False])
def test_a_killed_worker(session, client, fake_launch, fit_job, monkeypatch, can_look):
    """can_look False: as on macOS before Python 3.13."""
    monkeypatch.setattr(client.process, "CAN_LOOK", can_look and client.process.CAN_LOOK)
    session.start(fake_launch(), fit_job("slow"))
    running(session)
    os.kill(session._process.pid, signal.SIGKILL)
    finish(session)
    assert session.status.state.value == "failed" and "-9" in session.status.error.message
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done"


def test_a_warm_worker_that_left_is_started_again(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("quit"))
    finish(session)
    first = session._process.pid
    session.start(fake_launch(), fit_job("quit"))  # id 2: leaves without a word, then again
    finish(session)
    assert session.status.error.code.value == "internal", "a second silent death is an error"
    assert first is not None


def test_a_worker_that_idled_out_is_no_error(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    os.kill(session._process.pid, signal.SIGKILL)
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done"


@pytest.mark.parametrize(
    ("start", "code", "words"),
    [("dead", "internal", "gave no answer"), ("old", "protocol", "speaks protocol")],
)
def test_bad_starts(session, fake_launch, fit_job, start, code, words):
    session.start(fake_launch(start), fit_job("ok"))
    finish(session)
    assert session.status.error.code.value == code and words in session.status.error.message
    if start == "dead":
        assert "No module named torch" in session.status.log


def test_a_mute_engine_times_out(client, fake_launch, fit_job):
    session = client.session.EngineSession(client.session.Timing(**{**QUICK, "hello": 0.4}))
    session.start(fake_launch("mute"), fit_job("ok"))
    finish(session)
    assert session.status.error.code.value == "engine_missing" and not session.warm


def test_close_ends_a_running_job(session, fake_launch, fit_job):
    session.start(fake_launch(), fit_job("deaf"))
    running(session)
    pid = session._process.pid
    session.close()
    assert session.status.state.value == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_close_if_idle_waits_its_time(client, fake_launch, fit_job):
    now = [0.0]
    session = client.session.EngineSession(clock=lambda: now[0])
    session.start(fake_launch(), fit_job("slow"))
    running(session)
    now[0] = 1e6
    assert not session.close_if_idle(10.0), "a busy engine is not idle"
    session.cancel()
    finish(session)
    assert not session.close_if_idle(10.0)
    now[0] += 11.0
    assert session.close_if_idle(10.0) and not session.warm


def test_an_interpreter_that_does_not_start(session, client, fit_job, tmp_path):
    launch = client.launch.Launch((str(tmp_path / "nothing"),), str(tmp_path), ())
    with pytest.raises(Exception, match="could not be started"):
        session.start(launch, fit_job("ok"))
    assert not session.busy


def test_the_engine_ends_with_a_killed_blender(root):
    """A worker whose parent dies without a word must not live on."""
    code = (
        "import sys, time;"
        "from engine.packaging.outer_package import name_outer_package as n;"
        "from pathlib import Path; n(Path('.').resolve());"
        "from uvapm.uvapm_blender.engine_client.session import EngineSession;"
        "from uvapm.uvapm_blender.engine_client.launch import Launch;"
        "from uvapm.engine.protocol.job import FitJob;"
        "s = EngineSession();"
        "l = Launch((sys.executable, 'tests/client/fakes/fake_engine.py', 'well'), '.', ());"
        "s.start(l, FitJob(('slow.png',), 'x'));\n"
        "while not s.status.stage: s.pump(); time.sleep(0.02)\n"
        "print(s._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True
    ) as parent:
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{worker}/stat") as file:
            if file.read().split()[2] == "Z":
                return
        time.sleep(0.05)
    raise AssertionError("the worker lives on")
