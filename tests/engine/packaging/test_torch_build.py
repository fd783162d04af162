import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.packaging import environment as environment_module
from engine.packaging import torch_build
from engine.packaging.environment import EnvironmentOptions, environment
from engine.packaging.problems import SetupError
from engine.packaging.progress import Progress
from engine.packaging.torch_build import choose_index

GIGABYTE = 10**9
TORCH = "torch==2.13.0"
PYTHON = Path(sys.executable)
CPU = "https://example.invalid/cpu"
FROM_CPU = ("--extra-index-url", CPU)
CUDA_NEEDS = ["filelock", 'nvidia-cudnn-cu13==9; platform_system == "Linux"']


@pytest.fixture
def pip(monkeypatch):
    """A pip whose index has the CUDA build, except at the address CPU. Its commands."""
    commands = []

    def run(command, **_):
        commands.append(command)
        needs = ["filelock", "sympy>=1.13"] if CPU in command else CUDA_NEEDS
        report = {"install": [{"metadata": {"version": "2.13.0", "requires_dist": needs}}]}
        return subprocess.CompletedProcess(command, 0, json.dumps(report), "")

    monkeypatch.setattr(torch_build.subprocess, "run", run)
    free_disk(monkeypatch, 20)
    return commands


def free_disk(monkeypatch, gigabytes):
    free = SimpleNamespace(free=gigabytes * GIGABYTE)
    monkeypatch.setattr(torch_build.shutil, "disk_usage", lambda _: free)


@pytest.fixture
def said():
    return []


class Person:
    """Gives these answers, keeps the questions; then the input is at its end."""

    def __init__(self, *answers):
        self.answers, self.questions = list(answers), []

    def __call__(self, question):
        self.questions.append(question)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)


def test_build_for_cpus_is_taken_without_a_question(pip, said):
    person = Person()
    assert choose_index(PYTHON, TORCH, CPU, person, said.append) == FROM_CPU
    assert not person.questions
    assert not said


def test_script_takes_the_large_build_and_says_so(pip, said):
    assert choose_index(PYTHON, TORCH, "", None, said.append) == ()
    assert "2.7 GB to download" in said[0]
    assert "--torch-index" in said[0]


@pytest.mark.parametrize("ask", [None, lambda _: ""])
def test_large_build_needs_room(pip, said, ask, monkeypatch):
    free_disk(monkeypatch, 8)
    with pytest.raises(SetupError, match=r"9 GB of disk.*8\.0 GB are free.*--torch-index") as info:
        choose_index(PYTHON, TORCH, "", ask, said.append)
    assert "\n" not in str(info.value)
    assert not said


@pytest.mark.parametrize("answer", ["", " y ", "Yes"])
def test_person_takes_the_large_build_and_knows_its_size(pip, answer, said):
    person = Person(answer)
    assert choose_index(PYTHON, TORCH, "", person, said.append) == ()
    assert "2.7 GB to download" in person.questions[0]
    assert "GB are free" in person.questions[0]


@pytest.mark.parametrize("answers", [("n",), ("what?",), ()])
def test_anything_else_stops(pip, answers, said):
    with pytest.raises(SetupError, match="nothing was downloaded"):
        choose_index(PYTHON, TORCH, "", Person(*answers), said.append)


def test_person_gives_the_address(pip, said):
    assert choose_index(PYTHON, TORCH, "", Person(f" {CPU}\n"), said.append) == FROM_CPU


def test_address_without_a_build_for_cpus_asks_again(pip, said):
    person = Person("https://example.invalid/other", CPU)
    assert choose_index(PYTHON, TORCH, "", person, said.append) == FROM_CPU
    assert len(person.questions) == 2


def test_torch_that_is_there_is_no_question(monkeypatch, said):
    answer = subprocess.CompletedProcess([], 0, json.dumps({"install": []}), "")
    monkeypatch.setattr(torch_build.subprocess, "run", lambda *a, **k: answer)
    assert choose_index(PYTHON, TORCH, "", Person(), said.append) == ()


def test_pip_that_finds_nothing_is_quoted(monkeypatch, said):
    answer = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution\nnotice\n")
    monkeypatch.setattr(torch_build.subprocess, "run", lambda *a, **k: answer)
    with pytest.raises(SetupError, match="No matching distribution"):
        choose_index(PYTHON, TORCH, "", None, said.append)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one build only")
def test_option_answers_before_the_question(monkeypatch, tmp_path):
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "requirements-engine.txt").write_text(f"# x\n{TORCH}\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    monkeypatch.setattr(torch_build, "needs_cuda", lambda *_: True)
    monkeypatch.setattr(environment_module, "terminal", lambda: lambda _: "n")
    installed = []
    monkeypatch.setattr(environment_module, "_install", lambda line, _: installed.append(line))
    with pytest.raises(SetupError, match="--torch-index"):
        environment(EnvironmentOptions(tmp_path, "", False), ("engine",), Progress())
    assert not installed
    environment(EnvironmentOptions(tmp_path, "", True), ("engine",), Progress())
    assert len(installed) == 1
