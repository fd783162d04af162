"""The engine client without bpy, as Blender names it (the outer package: tests/conftest.py)."""

import importlib
import os
import sys
from pathlib import Path

import pytest

from tests.client.session_steps import QUICK

ROOT = Path(__file__).resolve().parents[2]
FAKE_ENGINE = Path(__file__).parent / "fakes" / "fake_engine.py"


@pytest.fixture
def client():
    """The engine client's modules: .launch, .process, .session, .decoding."""
    package = "uvapm.uvapm_blender.engine_client"
    for name in ("launch", "process", "session", "decoding"):
        importlib.import_module(f"{package}.{name}")
    return sys.modules[package]


@pytest.fixture
def fake_launch(client, tmp_path):
    """Launch of the fake engine; `start` names how it starts (see fakes/fake_engine.py)."""

    def make(start: str = "well"):
        command = (sys.executable, "-u", str(FAKE_ENGINE), start, str(tmp_path))
        return client.launch.Launch(command, str(ROOT), ())

    return make


@pytest.fixture
def fit_job(tmp_path):
    """Make a job whose photo's name tells the fake engine what to do."""
    job = importlib.import_module("uvapm.engine.protocol.job")

    def make(play: str):
        return job.FitJob(photos=(f"/photos/{play}.jpg",), output=str(tmp_path / play))

    return make


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
