"""Which interpreter is chosen, and what the worker's process inherits."""

import subprocess
import sys

import pytest

from engine.install.environment import mark
from engine.protocol.install import EnvironmentMark


def environment(folder):
    python = folder / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.touch()
    return python


def test_the_preference_wins(client, tmp_path):
    managed, mine = environment(tmp_path / "engine-env"), environment(tmp_path / "mine")
    choose = client.launch.choose_python
    assert choose(str(mine), managed.parents[1], tmp_path) == mine
    assert choose(str(mine.parents[1]), None, tmp_path) == mine, "an environment's folder is fine"


def test_a_wrong_preference_is_not_replaced(client, tmp_path):
    managed = environment(tmp_path / "engine-env").parents[1]
    with pytest.raises(Exception, match="was not found") as caught:
        client.launch.choose_python(str(tmp_path / "gone"), managed, tmp_path)
    assert caught.value.code.value == "engine_missing"


def test_managed_before_development(client, tmp_path):
    managed = environment(tmp_path / "engine-env")
    development = environment(tmp_path / ".venv")
    choose = client.launch.choose_python
    assert choose("", managed.parents[1], tmp_path) == development, "an installation that broke off"
    mark(managed.parents[1], EnvironmentMark("0" * 64, "linux-x64-cp311", "p", "2.0", "cpu"))
    assert choose("", managed.parents[1], tmp_path) == managed
    assert choose(" ", tmp_path / "none", tmp_path) == development


def test_no_interpreter_at_all(client, tmp_path):
    with pytest.raises(Exception, match="not installed yet") as caught:
        client.launch.choose_python("", None, tmp_path)
    assert caught.value.code.value == "engine_missing" and caught.value.hint


def test_the_worker_runs_the_engine_of_its_root_and_nothing_of_blenders_python(client, tmp_path):
    engine = tmp_path / "a root with spaces" / "engine"
    engine.mkdir(parents=True)
    (engine / "__init__.py").touch()
    (engine / "__main__.py").write_text("import os, sys; print(sys.argv[1:], dict(os.environ))")
    environ = {"PYTHONPATH": "/blender", "PYTHONHOME": "/blender", "KEPT": "yes"}
    launch = client.launch.engine_launch(sys.executable, engine.parent, environ)
    ran = subprocess.run(
        launch.command,
        cwd=launch.folder,
        env=dict(launch.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "['worker']" in ran.stdout and "KEPT" in ran.stdout and "PYTHON" not in ran.stdout


def test_a_root_without_engine(client, tmp_path):
    with pytest.raises(Exception, match="not found"):
        client.launch.engine_launch(sys.executable, tmp_path, {})


def test_the_client_imports_neither_bpy_nor_torch(root):
    code = (
        "import importlib, sys; sys.modules['bpy'] = sys.modules['torch'] = None;"
        "sys.path.insert(0, sys.argv[1]);"
        "importlib.import_module(sys.argv[2] + '.uvapm_blender.engine_client.session')"
    )
    subprocess.run([sys.executable, "-c", code, str(root.parent), root.name], check=True)
