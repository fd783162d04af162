"""A tiny engine to install."""

import os
import shutil

import pytest

from engine.install.environment import make
from engine.install.run import InstallOptions, install_engine, remove_engine
from engine.install.stop import Stop
from tests.engine.install.kit import Kit


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """Wheels of a few bytes."""
    kit = Kit(tmp_path)
    for name, value in kit.environ().items():
        monkeypatch.setenv(name, value)
    return kit


@pytest.fixture
def install(kit):
    """install(**options) -> (how it ended, steps). Raises EngineError."""

    def run(stop=None, say=None, **options):
        steps = []
        chosen = InstallOptions(kit.wheels, kit.target, kit.cache, **options)
        done = install_engine(chosen, say or steps.append, stop or Stop())
        return done, steps

    return run


@pytest.fixture
def remove(kit):
    """remove(stop, say) -> what it said. Raises EngineError."""

    def run(stop=None, say=None):
        steps = []
        chosen = InstallOptions(kit.wheels, kit.target, kit.cache)
        remove_engine(chosen, say or steps.append, stop or Stop())
        return steps

    return run


@pytest.fixture(scope="session")
def bare_environment(tmp_path_factory):
    """A bare environment, made once."""
    folder = tmp_path_factory.mktemp("bare") / "env"
    make(folder)
    return folder


@pytest.fixture(autouse=True)
def quick_environments(bare_environment, monkeypatch):
    """`make` copies it: what venv does is tried in other tests."""
    import engine.install.run as run

    def copied(folder):
        from engine.install.environment import interpreter
        from engine.install.folders import remove_own

        remove_own(folder)
        shutil.copytree(bare_environment, folder, symlinks=True)
        return interpreter(folder)

    if os.name != "nt":
        monkeypatch.setattr(run, "make", copied)
