"""The job state machine against a fake engine in a real process."""

import os
import signal
import subprocess
import sys
import time

import pytest

QUICK = dict(hello=10.0, interrupt=0.3, kill=0.6, close=0.5)


@pytest.fixture
def session(client):
    """A session with short patience; its process must be gone afterwards."""
    made = client.session.EngineSession(client.session.Timing(**QUICK))
    yield made
    pid = made._process.pid if made.warm else None
    made.close()
    assert not made.busy and not made.warm
    if pid:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def pump_until(session, done, seconds=15.0):
    """Pump until `done(status)`; returns every status on the way."""
    seen, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        if session.pump():
            seen.append(session.status)
        if done(session.status):
            return seen
        time.sleep(0.01)
    raise AssertionError(f"still {session.status}")


def finish(session):
    return pump_until(session, lambda status: not session.busy)


def running(session):
    return pump_until(session, lambda status: status.stage != "")


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


def test_a_killed_worker(session, fake_launch, fit_job):
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


# --- detail maps ------------------------------------------------------------------------------


@pytest.fixture
def wish(client):
    """wish(level) -> a Wish whose map is level / 10 everywhere."""
    return lambda level: client.decoding.Wish("/results/one", (level, 0.0))


def decoded(session):
    return pump_until(session, lambda status: not session.decoding.active)


def level_of(session):
    import numpy as np

    wish, path = session.decoding.status.made
    return wish.offsets[0], float(np.load(path)[7, 7])


def test_a_decode_starts_the_engine_and_keeps_it_warm(session, fake_launch, wish):
    session.decode(fake_launch(), wish(2.0))
    assert session.decoding.active and not session.busy
    decoded(session)
    assert level_of(session) == (2.0, pytest.approx(0.2))
    pid = session._process.pid
    session.decode(fake_launch(), wish(-1.0))
    decoded(session)
    assert level_of(session) == (-1.0, pytest.approx(-0.1)) and session._process.pid == pid


def test_a_drag_ends_with_its_newest_wish_and_skips_some(session, fake_launch, wish):
    launch, seen, level, last = fake_launch("slow_decode"), set(), 0.0, 3.0
    end = time.monotonic() + 15.0
    while (level < last or session.decoding.active) and time.monotonic() < end:
        if level < last:
            level = min(level + 0.05, last)
            session.decode(launch, wish(level))
        session.pump()
        if session.decoding.status.made:
            seen.add(session.decoding.status.made[0].offsets[0])
        time.sleep(0.01)
    assert level_of(session)[0] == last
    assert 1 < len(seen) < 30, "shown on the way, but not each one"


def test_a_decode_waits_for_a_job_and_a_job_for_a_decode(session, fake_launch, fit_job, wish):
    session.start(fake_launch(), fit_job("slow"))
    running(session)
    session.decode(fake_launch(), wish(1.0))
    assert session.busy and session.decoding.active
    session.cancel()
    finish(session)
    decoded(session)
    assert level_of(session)[0] == 1.0
    session.decode(fake_launch(), wish(2.0))
    session.start(fake_launch(), fit_job("ok"))
    finish(session)
    decoded(session)
    assert session.status.state.value == "done" and level_of(session)[0] == 2.0


def test_a_refused_decode_is_an_error_and_the_job_after_it_works(
    session, fake_launch, fit_job, wish
):
    launch = fake_launch("no_decode")
    session.decode(launch, wish(1.0))
    decoded(session)
    status = session.decoding.status
    assert status.state.value == "failed" and status.error.code.value == "pack_missing"
    session.start(launch, fit_job("ok"))
    finish(session)
    assert session.status.state.value == "done"


@pytest.mark.parametrize("once", [True, False])
def test_an_engine_that_dies_under_a_decode_is_started_again_once(
    session, client, fake_launch, wish, tmp_path, once
):
    launch = fake_launch("dying_decode")
    environment = (("FAKE_ONCE", str(tmp_path / "died")),) if once else ()
    session.decode(client.launch.Launch(launch.command, launch.folder, environment), wish(1.0))
    decoded(session)
    if once:
        assert level_of(session)[0] == 1.0
    else:
        assert "ended with code 7" in session.decoding.status.error.message
        assert not session.busy


def test_a_decode_on_an_engine_that_cannot_start_keeps_its_words(session, fake_launch, wish):
    session.decode(fake_launch("dead"), wish(1.0))
    decoded(session)
    assert session.decoding.status.error.code.value == "internal"
    assert "No module named torch" in session.decoding.status.log


def test_a_stubborn_job_is_killed_and_the_wish_comes_true_elsewhere(
    session, fake_launch, fit_job, wish
):
    session.start(fake_launch(), fit_job("stubborn"))
    running(session)
    session.decode(fake_launch(), wish(1.0))
    session.cancel()
    finish(session)
    decoded(session)
    assert level_of(session)[0] == 1.0


def test_an_engine_with_a_wish_is_not_idle(client, fake_launch, wish):
    now = [0.0]
    session = client.session.EngineSession(clock=lambda: now[0])
    session.decode(fake_launch("slow_decode"), wish(1.0))
    now[0] = 100.0
    assert not session.close_if_idle(10.0)
    decoded(session)
    assert not session.close_if_idle(10.0)
    now[0] += 11.0
    assert session.close_if_idle(10.0) and session.decoding.status.made is None


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
