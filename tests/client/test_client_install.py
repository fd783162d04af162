"""What the add-on plans to install, how it stands, and the installer as its child."""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import pytest

from engine.protocol.doctor import DoctorRow, Fix, Health, decode_row, encode_row
from engine.protocol.errors import EngineError
from engine.protocol.install import read_mark
from engine.protocol.wheel_lock import LOCK_FILE, read_lock, this_platform
from tests.engine.install.kit import PYTHON, Kit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def modules():
    """plan, state, session, launch of the add-on."""
    package = "uvapm.uvapm_blender."
    names = ("install.plan", "install.state", "install.session", "engine_client.launch")
    return {name.rpartition(".")[2]: importlib.import_module(package + name) for name in names}


@pytest.fixture
def kit(tmp_path):
    return Kit(tmp_path)


@pytest.fixture
def real_lock():
    return read_lock(ROOT / "wheels" / LOCK_FILE)


@pytest.mark.parametrize(
    ("platform", "own", "there", "chosen"),
    [
        ("windows-x64", "3.13", (), "3.13"),
        ("windows-x64", "3.11", ("3.13",), "3.11"),
        ("macos-arm64", "3.14", ("3.11", "3.13"), "3.13"),
        ("macos-arm64", "3.14", ("3.11",), "3.11"),
        ("linux-x64", "3.13", ("3.11", "3.13"), "3.11"),  # torch for 3.13 lies elsewhere
    ],
)
def test_the_python_that_has_its_packages(modules, real_lock, platform, own, there, chosen):
    plan = modules["plan"]

    def ask(command):
        versions = [version for version in there if version in "".join(command)]
        return plan.BasePython(Path("/found"), versions[0]) if versions else None

    mine = plan.BasePython(Path("/blender"), own)
    made = plan.make_plan(real_lock, Path("/nothing"), platform, mine, ask)
    assert made.python.version == chosen
    assert made.python.path == Path("/blender" if chosen == own else "/found")
    assert made.download == made.size + real_lock.installer.size


@pytest.mark.parametrize(
    ("platform", "words"),
    [("linux-x64", r"Python 3\.11; Blender's own is 3\.14"), ("linux-riscv", "are for linux-x64")],
)
def test_no_python_or_no_packages_is_told(modules, real_lock, platform, words):
    plan = modules["plan"]
    mine = plan.BasePython(Path("/blender"), "3.14")
    with pytest.raises(Exception, match=words) as caught:
        plan.make_plan(real_lock, Path("/nothing"), platform, mine, lambda command: None)
    assert caught.value.hint


def test_a_python_that_only_pretends_is_not_taken(modules, tmp_path, monkeypatch):
    plan = modules["plan"]
    fake = tmp_path / "python3.97"
    fake.write_text("#!/bin/sh\necho 'not installed' >&2\nexit 127\n")
    fake.chmod(0o755)
    (tmp_path / "python3.96").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert plan.ask_python(("python3.97",)) is None
    assert plan.ask_python(("python3.98",)) is None
    assert plan.ask_python(("python3.96",)).version == PYTHON


def test_with_a_bundle_nothing_is_fetched(modules, kit):
    plan = modules["plan"]
    mine = plan.BasePython(Path(sys.executable), PYTHON)
    lock = read_lock(kit.wheels / LOCK_FILE)
    assert plan.make_plan(lock, kit.wheels, this_platform(), mine).download == 0
    (kit.wheels / kit.locked[0].file).write_bytes(b"half")
    made = plan.make_plan(lock, kit.wheels, this_platform(), mine)
    assert [wheel.name for wheel in made.lacking] == ["torch"]


def test_what_an_earlier_run_fetched_counts(modules, kit):
    plan = modules["plan"]
    kit.move_to_index()
    kit.cache.mkdir(parents=True)
    first, second = kit.locked[:2]
    (kit.cache / first.file).write_bytes(bytes(first.size))
    (kit.cache / (second.file + ".part")).write_bytes(b"begun")
    lock = read_lock(kit.wheels / LOCK_FILE)
    mine = plan.BasePython(Path(sys.executable), PYTHON)
    made = plan.make_plan(lock, kit.wheels, this_platform(), mine, cache=kit.cache)
    assert made.fetched == first.size + 5 and len(made.lacking) == 5


def test_only_linux_needs_another_index(modules, real_lock):
    plan = modules["plan"]
    mine = plan.BasePython(Path("/blender"), "3.11")
    names = {}
    for platform in ("linux-x64", "windows-x64", "macos-arm64"):
        made = plan.make_plan(real_lock, Path("/nothing"), platform, mine)
        names[platform] = [wheel.name for wheel in made.unusual]
    assert names == {"linux-x64": ["torch"], "windows-x64": [], "macos-arm64": []}


def test_the_whole_command_of_pytorchs_page_will_do(modules):
    address_in = modules["plan"].index_address
    address = "https://example.org/whl/cpu"
    for text in (address, f"  {address}\n", f'pip3 install torch --index-url "{address}"'):
        assert address_in(text) == address
    assert address_in(f"pip3 install torch --index-url={address}") == address
    assert address_in("  ") == ""
    with pytest.raises(Exception, match="not an address: cpu"):
        address_in("cpu")


def run_to_end(run, act=None):
    end = time.monotonic() + 60
    while run.status.busy:
        assert time.monotonic() < end, run.status
        run.pump()
        if act is not None:
            act(run)
        time.sleep(0.01)
    return run.status


@pytest.fixture
def installer(modules, kit):
    """(run, start): `start(play, *options)` begins an installation."""
    run = modules["session"].Run(modules["session"].hear_installer)

    def start(play="", *options):
        words = kit.command(*options)[kit.command().index("--wheels") :]
        environ = os.environ | kit.environ(play)
        launch = modules["launch"].installer_launch
        run.start(launch(Path(sys.executable), ROOT, environ, words))

    yield run, start
    run.close()


def test_install_age_and_uninstall(modules, kit, installer):
    run, start = installer
    state = modules["state"]
    lock = importlib.import_module("uvapm.engine.protocol.wheel_lock").read_lock
    nowhere = kit.user / "root"

    def standing():
        found = lock(kit.wheels / LOCK_FILE)
        return state.engine_state("", kit.target, nowhere, found).standing.value

    assert standing() == "missing"
    start()
    status = run_to_end(run)
    assert status.phase.value == "done" and status.installed.torch == "2.0+tiny"
    assert standing() == "ready" and read_mark(kit.target)
    kept = (kit.wheels / LOCK_FILE).read_text()
    plain = json.loads(kept)
    next(iter(plain["targets"].values()))["wheels"][0]["sha256"] = "0" * 64
    (kit.wheels / LOCK_FILE).write_text(json.dumps(plain))
    assert standing() == "old"
    (kit.target / "bin" / "python3").unlink()
    (kit.target / "bin" / "python").unlink()
    assert standing() == "lost"
    (kit.target / "uvapm-engine.json").unlink()
    assert standing() == "half"
    assert state.engine_state(sys.executable, kit.target, nowhere, None).standing.value == "other"
    assert not state.engine_state("", kit.target, nowhere, None).fetched
    kit.cache.mkdir()
    (kit.cache / "uvapm-installer.txt").touch()
    assert state.engine_state("", kit.target, nowhere, None).undeleted
    (kit.cache / "half.whl.part").touch()
    found = state.engine_state("", kit.target, nowhere, None)
    assert found.fetched and not found.undeleted
    left = kit.target.rename(kit.target.with_name(kit.target.name + ".removed1"))
    assert standing() == "missing"
    found = state.engine_state("", kit.target, nowhere, None)
    assert found.undeleted and found.removable and left.exists()
    start("", "--remove")
    assert run_to_end(run).removed and list(kit.user.iterdir()) == []


def test_cancel_ends_pip_too_and_leaves_nothing_half_made(kit, installer):
    run, start = installer
    start("install pillow")
    pid = run._process.pid
    status = run_to_end(run, lambda run: kit.log.with_name("reached").exists() and run.cancel())
    assert status.phase.value == "cancelled" and status.error is None
    assert not kit.target.exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_closing_blender_ends_it(kit, installer):
    run, start = installer
    start("install pillow")
    run_to_end(run, lambda run: kit.log.with_name("reached").exists() and run.close())
    assert run.status.phase.value == "cancelled" and not kit.target.exists()


def test_failures_are_words(modules, kit, installer):
    run, start = installer
    kit.move_to_index()
    start()
    status = run_to_end(run)
    assert status.phase.value == "failed" and "must lie in the extension" in str(status.error)
    run.start(modules["launch"].Launch((sys.executable, "-c", "print('hello')"), str(ROOT), ()))
    assert "cannot be understood" in str(run_to_end(run).error)
    run.start(modules["launch"].Launch((sys.executable, "-c", "1/0"), str(ROOT), ()))
    status = run_to_end(run)
    assert "code 1" in str(status.error) and "ZeroDivisionError" in status.log


def test_rows_of_the_doctor_travel(modules):
    row = DoctorRow("Disk", Health.NOTE, "Größe \u2028", Fix.REPAIR)
    assert decode_row(encode_row(row)) == row
    for bad in (b"[]", b'{"name": "x"}', b"{" * 70_000):
        with pytest.raises(EngineError, match="doctor"):
            decode_row(bad)
