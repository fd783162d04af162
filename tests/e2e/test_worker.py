"""The warm engine as Blender drives it: bad photos, cancelling in each stage, sudden death."""

import importlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PATIENCE = 120.0


@pytest.fixture(scope="module")
def client():
    package = "uvapm.uvapm_blender.engine_client"
    for name in ("launch", "session"):
        importlib.import_module(f"{package}.{name}")
    importlib.import_module("uvapm.engine.protocol.job")
    return sys.modules[package]


@pytest.fixture(scope="module")
def session(client, engine_ready):
    session = client.session.EngineSession()
    yield session
    session.close()


@pytest.fixture(scope="module")
def launch(client, root):
    return client.launch.engine_launch(Path(sys.executable), root, os.environ)


@pytest.fixture
def run(session, launch, tmp_path):
    """run(photo, at=None) -> final status; `at(status)` is called after every change."""
    job = sys.modules["uvapm.engine.protocol.job"]

    def go(photo, at=None):
        output = tmp_path / "result"
        session.start(launch, job.FitJob(photos=(str(photo),), output=str(output)))
        end = time.monotonic() + PATIENCE
        while session.busy:
            assert time.monotonic() < end, session.status
            if session.pump() and at:
                at(session.status)
            time.sleep(0.01)
        return session.status

    return go


def _assert_nothing_left(folder):
    assert [str(path) for path in folder.rglob("*") if path.is_file()] == []


def test_bad_photos_one_after_another_then_a_good_one(run, client, bad_photos, astronaut, tmp_path):
    for name in ("empty.jpg", "text.jpg", "cut.png", "folder.jpg", "absent.jpg", "tiny.png"):
        status = run(bad_photos / name)
        assert status.state is client.session.State.FAILED, name
        assert status.error.code == "bad_input", (name, status.error)
        assert "\n" not in status.error.message
        _assert_nothing_left(tmp_path)
    status = run(bad_photos / "no_face.jpg")
    assert status.error.code == "no_face"
    status = run(astronaut)
    assert status.state is client.session.State.DONE, (status.error, status.log)
    assert (tmp_path / "result" / "result.json").is_file()


def test_job_can_be_cancelled_in_each_stage(run, session, client, astronaut, tmp_path):
    stages = []
    status = run(astronaut, lambda now: stages.append(now.stage))
    assert status.state is client.session.State.DONE, (status.error, status.log)
    names = [name for name in dict.fromkeys(stages) if name]
    assert len(names) >= 3
    pid = session._process.pid
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    for name in names:

        def cancel_here(now, name=name):
            if now.stage == name:
                session.cancel()

        status = run(astronaut, cancel_here)
        assert status.state is client.session.State.CANCELLED, name
        assert session.warm, f"cancelling in {name} had to kill the engine"
        _assert_nothing_left(tmp_path)
    assert run(astronaut).state is client.session.State.DONE
    assert session._process.pid == pid


@pytest.mark.skipif(os.name == "nt", reason="uses POSIX signals")
def test_killed_engine_is_reported_and_the_next_job_works(
    run, session, client, astronaut, tmp_path
):
    def kill_once(now):
        if now.state is client.session.State.RUNNING and now.stage:
            os.kill(session._process.pid, signal.SIGKILL)

    status = run(astronaut, kill_once)
    assert status.state is client.session.State.FAILED
    assert "gave no answer" in status.error.message
    assert not (tmp_path / "result").exists()
    assert run(astronaut).state is client.session.State.DONE
