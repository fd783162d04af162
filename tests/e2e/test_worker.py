"""The warm engine as Blender drives it: bad photos, cancelling in each stage, sudden death."""

import importlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

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
def session(client, default_pack):
    session = client.session.EngineSession()
    yield session
    session.close()


@pytest.fixture(scope="module")
def launch(client, root):
    return client.launch.engine_launch(Path(sys.executable), root, os.environ)


@pytest.fixture
def run(session, launch, tmp_path):
    """run(photo, at=None, output=None) -> final status; `at(status)` after every change."""
    job = sys.modules["uvapm.engine.protocol.job"]

    def go(photo, at=None, output=None):
        output = output or tmp_path / "result"
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


def test_person_in_a_panorama_is_found(run, client, panorama, tmp_path):
    status = run(panorama)
    assert status.state is client.session.State.DONE, (status.error, status.log)
    with Image.open(tmp_path / "result" / "render.png") as render:
        assert render.size == (1536, 384), "the whole photo, at the size of a screen"


def test_output_that_cannot_be_written(run, astronaut, unwritable):
    before = sorted(unwritable.iterdir())
    status = run(astronaut, output=unwritable / "result")
    assert status.error.code == "bad_output"
    assert str(unwritable) in status.error.message
    assert sorted(unwritable.iterdir()) == before


def test_what_lies_at_the_output_stays(run, astronaut, tmp_path):
    """A file, and a folder that is no result directory: neither is replaced."""
    (tmp_path / "note").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("irreplaceable")
    for name in ("note", "mine"):
        status = run(astronaut, output=tmp_path / name)
        assert status.error.code == "bad_output", name
        assert name in status.error.message
    assert (tmp_path / "note").read_text() == "mine"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_job_can_be_cancelled_in_each_stage(run, session, client, astronaut, tmp_path):
    """The stage that follows the last one that was cancelled is met on the way; the job that
    meets no other is done."""
    cancelled = []
    pid = None

    def cancel_in_a_new_one(now):
        if now.stage and now.stage not in cancelled:
            cancelled.append(now.stage)
            session.cancel()

    while (status := run(astronaut, cancel_in_a_new_one)).state is client.session.State.CANCELLED:
        assert session.warm, f"cancelling in {cancelled[-1]} had to kill the engine"
        assert pid in (None, session._process.pid)
        pid = session._process.pid
        _assert_nothing_left(tmp_path)
    assert status.state is client.session.State.DONE, (status.error, status.log)
    assert len(cancelled) >= 3 and session._process.pid == pid


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
