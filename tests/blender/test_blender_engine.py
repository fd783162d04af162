"""Install, examine and uninstall the engine by Blender's operators, with wheels of a few bytes."""

import importlib
import os
import threading
import time

import pytest

from engine.protocol.wheel_lock import LOCK_FILE
from tests.engine.install.kit import Kit

pytestmark = pytest.mark.blender


@pytest.fixture
def engine(blender, addon, monkeypatch, tmp_path):
    """The add-on's install.runtime with a tiny bundle, as in an installed extension without a
    Python of the user's."""
    runtime = importlib.import_module("uvapm.uvapm_blender.install.runtime")
    state = importlib.import_module("uvapm.uvapm_blender.engine_client.launch")
    runtime.kit = kit = Kit(tmp_path)
    kit.user.mkdir()
    monkeypatch.setattr(runtime, "wheels_folder", lambda: kit.wheels)
    monkeypatch.setattr(addon.locations, "managed_environment", lambda: kit.target)
    monkeypatch.setattr(state, "DEVELOPMENT_ENVIRONMENT", ".none")
    for name, value in kit.environ().items():
        monkeypatch.setenv(name, value)
    runtime.ENGINE.note = ""
    return runtime


def standing(blender, engine):
    return engine.current_state(blender.context).standing.value


def test_from_nothing_to_an_engine_and_back(blender, addon, engine):
    assert standing(blender, engine) == "missing"
    with pytest.raises(Exception, match="not installed yet"):
        addon.runtime.make_launch(blender.context)
    assert blender.ops.uvapm.install_engine() == {"FINISHED"}
    assert "PyTorch 2.0+tiny, computes on the processor" in engine.ENGINE.note
    assert standing(blender, engine) == "ready"
    launch = addon.runtime.make_launch(blender.context)
    assert launch.command[0].startswith(str(engine.kit.target))
    engine.kit.log.unlink()
    assert blender.ops.uvapm.repair_engine() == {"FINISHED"}
    assert engine.kit.calls() == [], "nothing was damaged"
    packs = engine.kit.user / "packs"
    packs.mkdir()
    assert blender.ops.uvapm.uninstall_engine() == {"FINISHED"}
    assert engine.ENGINE.note == "The engine is uninstalled"
    assert list(engine.kit.user.iterdir()) == [packs] and standing(blender, engine) == "missing"


def test_online_only_with_blenders_leave(blender, engine, monkeypatch):
    engine.kit.move_to_index()
    assert not blender.app.online_access, "as Blender comes"
    with pytest.raises(RuntimeError, match="online access is off"):
        blender.ops.uvapm.install_engine()
    assert engine.kit.calls() == []
    preferences = blender.context.preferences
    monkeypatch.setattr(preferences.system, "use_online_access", True)
    assert blender.ops.uvapm.install_engine() == {"FINISHED"}
    assert sum(call.startswith("download") for call in engine.kit.calls()) == 5


def test_a_cancelled_download_is_told_and_can_be_removed(blender, engine, monkeypatch):
    engine.kit.move_to_index()
    monkeypatch.setattr(blender.context.preferences.system, "use_online_access", True)
    monkeypatch.setenv("FAKE_PLAY", "download pillow")
    reached = engine.kit.log.with_name("reached")
    pump = engine.ENGINE.installer.pump
    cancel = engine.ENGINE.installer.cancel
    with monkeypatch.context() as patch:
        patch.setattr(
            engine.ENGINE.installer, "pump", lambda: (reached.exists() and cancel(), pump())[1]
        )
        assert blender.ops.uvapm.install_engine() == {"CANCELLED"}
    assert "What was fetched is kept" in engine.ENGINE.note
    state = engine.current_state(blender.context)
    assert state.standing.value == "missing" and state.fetched and state.removable
    assert engine.current_plan().fetched > 0
    assert blender.ops.uvapm.uninstall_engine() == {"FINISHED"}
    assert list(engine.kit.user.iterdir()) == []


def test_a_wrong_package_index_is_told(blender, engine, monkeypatch):
    engine.kit.move_to_index()
    monkeypatch.setattr(blender.context.preferences.system, "use_online_access", True)
    preferences = importlib.import_module("uvapm.uvapm_blender.preferences")
    chosen = preferences.preferences(blender.context)
    chosen.torch_index = "cpu"
    try:
        with pytest.raises(RuntimeError, match="is not an address: cpu"):
            blender.ops.uvapm.install_engine()
    finally:
        chosen.torch_index = ""
    assert engine.kit.calls() == []


def test_a_failure_is_told_and_can_be_tried_again(blender, engine):
    wheel = engine.kit.wheels / engine.kit.locked[0].file
    kept = wheel.read_bytes()
    wheel.write_bytes(bytes(len(kept)))
    with pytest.raises(RuntimeError, match="must lie in the extension"):
        blender.ops.uvapm.install_engine()
    assert standing(blender, engine) == "missing" and "torch" in engine.ENGINE.note
    wheel.write_bytes(kept)
    assert blender.ops.uvapm.install_engine() == {"FINISHED"}


def test_no_job_while_it_is_installed(blender, addon, engine, monkeypatch):
    monkeypatch.setenv("FAKE_PLAY", "install pillow")
    seen = []

    def look():
        end = time.monotonic() + 30
        while not engine.kit.log.with_name("reached").exists() and time.monotonic() < end:
            time.sleep(0.01)
        try:
            addon.runtime.make_launch(blender.context)
        except Exception as error:  # noqa: BLE001 an EngineError of the outer package
            seen.append(str(error))
        seen.append(blender.ops.uvapm.repair_engine.poll())
        engine.ENGINE.installer.cancel()

    thread = threading.Thread(target=look)
    thread.start()
    assert blender.ops.uvapm.install_engine() == {"CANCELLED"}
    thread.join()
    assert seen == ["The engine is being installed or examined Wait until that is done.", False]
    assert engine.ENGINE.note == "Cancelled" and not engine.kit.target.exists()


def test_the_doctor_has_a_button_for_what_is_wrong(blender, engine):
    assert blender.ops.uvapm.install_engine() == {"FINISHED"}
    assert blender.ops.uvapm.doctor() == {"FINISHED"}
    rows = {row.name: row for row in engine.ENGINE.doctor.status.rows}
    assert rows["Python"].health.value == "ok", "the tiny engine has one"
    packages = rows["Packages"]
    assert packages.health.value == "problem" and packages.fix.value == "repair"
    assert rows["Device"].health.value == "problem"
    assert "problems" in engine.ENGINE.note
    panel = importlib.import_module("uvapm.uvapm_blender.panels.engine")
    for operator in panel.FIXES.values():
        assert hasattr(blender.types, f"UVAPM_OT_{operator.partition('.')[2]}")


def test_a_damaged_list_of_packages_is_told(blender, engine):
    (engine.kit.wheels / LOCK_FILE).write_text("{}")
    os.utime(engine.kit.wheels / LOCK_FILE, ns=(1, 1))
    with pytest.raises(RuntimeError, match="list of the engine's packages"):
        blender.ops.uvapm.install_engine()
    assert standing(blender, engine) == "missing"
