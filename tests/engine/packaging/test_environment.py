import sys

import pytest

from engine.packaging import environment as module
from engine.packaging import system
from engine.packaging.environment import EnvironmentOptions, environment
from engine.packaging.problems import SetupError
from engine.packaging.progress import Progress


@pytest.fixture
def checkout(tmp_path):
    """A repository with one requirement and an environment that is already there."""
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "requirements-dev.txt").write_text("nothing==1\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return EnvironmentOptions(tmp_path, "", False)


@pytest.fixture
def installs(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "_install", lambda command, progress: calls.append(command))
    return calls


def test_packages_are_installed_once_until_the_list_changes(checkout, installs):
    environment(checkout, ("dev",), Progress())
    environment(checkout, ("dev",), Progress())
    assert len(installs) == 1
    (checkout.root / "wheels" / "requirements-dev.txt").write_text("nothing==2\n")
    environment(checkout, ("dev",), Progress())
    assert len(installs) == 2


def test_failed_installation_leaves_no_stamp(checkout, monkeypatch):
    def fail(command, progress):
        raise SetupError("pip said no.", "")

    monkeypatch.setattr(module, "_install", fail)
    for _ in range(2):
        with pytest.raises(SetupError):
            environment(checkout, ("dev",), Progress())
    assert not list((checkout.root / ".venv").glob("*.json"))


def test_environment_that_does_not_start_is_named(checkout, installs):
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/false\n")
    python.chmod(0o755)
    with pytest.raises(SetupError, match=r"does not start.*Remove the folder"):
        environment(checkout, ("dev",), Progress())


def test_missing_library_names_the_command(monkeypatch):
    monkeypatch.setattr(system, "_LIBRARIES", (("libabsent.so.9", "libabsent9"),))
    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setattr(system.shutil, "which", lambda name: "/usr/bin/" + name)
    with pytest.raises(SetupError, match=r"libabsent\.so\.9.*apt-get install .*libabsent9") as info:
        system.check_machine()
    assert "\n" not in str(info.value)


def test_missing_venv_is_in_the_same_line(monkeypatch):
    monkeypatch.setattr(system, "_LIBRARIES", (("libabsent.so.9", "libabsent9"),))
    monkeypatch.setattr(system, "_has_venv", lambda python: False)
    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setattr(system.shutil, "which", lambda name: "/usr/bin/" + name)
    with pytest.raises(SetupError, match=r"install .*libabsent9 python3\.\d+-venv"):
        system.check_machine()


def test_other_systems_need_no_libraries(monkeypatch):
    monkeypatch.setattr(system, "_LIBRARIES", (("libabsent.so.9", "libabsent9"),))
    monkeypatch.setattr(system.sys, "platform", "darwin")
    system.check_machine()


def test_wrong_python_is_said_plainly(monkeypatch):
    monkeypatch.setattr(system, "PYTHONS", ((2, 4),))
    with pytest.raises(SetupError, match=r"Python 2\.4 is needed, this is Python 3"):
        system.find_python()


def test_requirements_are_pinned_exactly(root):
    for file in (root / "wheels").glob("requirements-*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert not line or line.startswith("#") or "==" in line.split(";")[0], (file, line)


def test_installed_packages_are_the_pinned_ones(root):
    """The environment that runs the tests is the one the files describe."""
    import importlib.metadata

    for file in (root / "wheels").glob("requirements-*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("#") or ";" in line or "==" not in line:
                continue
            name, version = line.split("==")
            assert importlib.metadata.version(name).split("+")[0] == version.strip(), file
