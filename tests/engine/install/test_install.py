"""Install, repair and uninstall with wheels of a few bytes; what may go wrong on the way."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from engine.install import run as running
from engine.install.alone import alone_on
from engine.install.environment import clean_environ
from engine.install.records import damages, site_packages
from engine.install.stop import Stop
from engine.protocol.errors import Cancelled, EngineError
from engine.protocol.install import Removed, read_mark
from engine.protocol.wheel_lock import LOCK_FILE, read_lock, wheels_digest
from tests.engine.install.kit import PYTHON, make_wheel, write_lock


def test_offline_from_the_bundle(kit, install):
    done, steps = install()
    assert (done.torch, done.device) == ("2.0+tiny", "cpu")
    found = read_mark(kit.target)
    (target,) = read_lock(kit.wheels / LOCK_FILE).targets.values()
    assert found.wheels == wheels_digest(target) and found.base == sys.executable
    assert not damages(kit.target, kit.locked) and not kit.cache.exists()
    assert [call.split()[0] for call in kit.calls()] == ["install"] * 5, "nothing is fetched"
    installing = [step for step in steps if step.text.startswith("Installing")]
    assert [step.done for step in installing] == sorted(step.done for step in installing)
    assert all(0 <= step.done <= step.total for step in steps)


@pytest.mark.parametrize("harm", ["changed", "cut", "gone"])
def test_a_wheel_that_is_not_the_locked_one_is_never_used(kit, install, harm):
    path = kit.wheels / kit.locked[1].file
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data if harm == "changed" else data[:-5])
    if harm == "gone":
        path.unlink()
    with pytest.raises(EngineError, match=r"numpy.*whl"):
        install()
    assert kit.calls() == [] and not kit.target.exists()


def test_online_fetches_what_lacks_and_keeps_what_came_whole(kit, install):
    kit.move_to_index()
    lost = kit.index / kit.locked[3].file
    kept = lost.read_bytes()
    lost.unlink()
    with pytest.raises(EngineError, match=r"pillow 2\.0 is not on the package indices"):
        install(online=True)
    assert not kit.target.exists()
    lost.write_bytes(kept)
    (kit.cache / kit.locked[2].file).write_bytes(b"half")  # a copy that was broken off
    kit.log.unlink()
    install(online=True)
    asked = [call.split()[1] for call in kit.calls() if call.startswith("download")]
    assert asked == ["opencv-python==2.0", "pillow==2.0", "scipy==2.0"]
    assert read_mark(kit.target) and not kit.cache.exists()


def test_an_index_that_gives_another_file_is_refused(kit, install):
    kit.move_to_index()
    make_wheel(kit.index, "torch", "2.0", {"torch/__init__.py": "import evil"})
    with pytest.raises(EngineError, match="another file than torch"):
        install(online=True)
    assert not kit.target.exists() and not list(kit.cache.glob("torch*"))


def test_without_online_access_nothing_is_fetched(kit, install):
    kit.move_to_index()
    with pytest.raises(EngineError, match=r"torch.*and 4 others") as caught:
        install()
    assert "bundle" in caught.value.hint and kit.calls() == []


def test_no_room(kit, install, monkeypatch):
    monkeypatch.setattr(running.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(EngineError, match=r"needs .* GB in .*GB are free"):
        install()
    assert not kit.target.exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything is allowed to root")
def test_a_folder_that_cannot_be_written(kit, install):
    kit.user.mkdir(mode=0o500)
    with pytest.raises(EngineError, match="cannot be written"):
        install()


def test_a_package_that_does_not_load_is_told_and_does_not_count(kit, install):
    kit.locked[1] = make_wheel(kit.wheels, "numpy", "2.0", {"numpy/__init__.py": "import lacking"})
    write_lock(kit.wheels, kit.pip, kit.locked)
    with pytest.raises(EngineError, match=r"do not load: .*lacking"):
        install()
    assert read_mark(kit.target) is None


def test_another_python_than_the_locks(kit, install):
    lock = (kit.wheels / LOCK_FILE).read_text().replace(f'"{PYTHON}"', '"3.99"')
    lock = lock.replace(f"cp{PYTHON.replace('.', '')}", "cp399")
    (kit.wheels / LOCK_FILE).write_text(lock)
    with pytest.raises(EngineError, match=r"wheels for .* with Python 3\.99; this is"):
        install()


def test_repair_mends_only_what_is_damaged(kit, install):
    install()
    site = site_packages(kit.target)
    (site / "torch" / "data.txt").write_text("0123456780")
    shutil.rmtree(site / "pillow-2.0.dist-info")
    (wrong, lost) = damages(kit.target, kit.locked)
    assert wrong.words == "torch: 1 file changed or missing (torch/data.txt)"
    assert lost.words == "pillow 2.0 is missing"
    kit.log.unlink()
    (site / "mine.txt").touch()
    install(repair=True)
    assert kit.calls() == [f"install {kit.locked[0].file}", f"install {kit.locked[3].file}"]
    assert not damages(kit.target, kit.locked) and (site / "mine.txt").exists()


@pytest.mark.parametrize("harm", ["no python", "nothing there", "does not load"])
def test_repair_of_what_cannot_be_mended_makes_it_anew(kit, install, harm):
    if harm != "nothing there":
        install()
        site = site_packages(kit.target)
        if harm == "no python":
            (kit.target / "bin" / "python").unlink()
        else:  # a file that no wheel brought
            (site / "numpy.py").write_text("")
            (site / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = None")
        kit.log.unlink()
    install(repair=True)
    assert len(kit.calls()) == 5 and read_mark(kit.target)


def test_repair_that_lacks_its_wheels_leaves_all_as_it_was(kit, install):
    install()
    (site_packages(kit.target) / "torch" / "data.txt").unlink()
    kit.move_to_index()
    with pytest.raises(EngineError, match="must lie in the extension"):
        install(repair=True)
    assert read_mark(kit.target)


def test_uninstall_leaves_nothing(kit, install, remove):
    kit.move_to_index()
    install(online=True)
    kit.cache.mkdir()
    (kit.cache / "uvapm-installer.txt").touch()
    (kit.cache / "half.whl").touch()
    said = remove()
    assert said[0] == Removed() and said[-1].done == said[-1].total
    assert list(kit.user.iterdir()) == []
    assert remove() == [Removed()]
    assert list(kit.user.iterdir()) == []


def test_an_uninstall_that_is_cancelled_removes_the_engine_all_the_same(kit, install, remove):
    install()
    outside = kit.user.parent / "mine"
    outside.mkdir()
    (outside / "thesis.txt").touch()
    (kit.target / "link").symlink_to(outside, target_is_directory=True)
    stop = Stop()

    def say(line):
        if line != Removed():
            stop.ask()

    with pytest.raises(Cancelled):
        remove(stop, say)
    left = kit.target.with_name(kit.target.name + ".removed")
    assert not kit.target.exists() and left.exists() and read_mark(left) is None
    install()
    assert read_mark(kit.target) and not left.exists()
    with pytest.raises(Cancelled):
        remove(stop)
    with pytest.raises(Cancelled):
        remove(stop)
    remove()
    assert list(kit.user.iterdir()) == [] and (outside / "thesis.txt").exists()


def test_a_folder_that_only_looks_put_away_is_left_alone(kit, install, remove):
    mine = kit.target.with_name(kit.target.name + ".removed")
    mine.mkdir(parents=True)
    (mine / "thesis.txt").touch()
    install()
    remove()
    assert [path.name for path in kit.user.rglob("*")] == [mine.name, "thesis.txt"]


@pytest.mark.parametrize("what", ["files", "environment", "link", "file"])
def test_foreign_folders_are_never_touched(kit, install, remove, tmp_path, what):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").touch()
    (mine / "pyvenv.cfg").touch()
    kit.user.mkdir()
    if what == "link":
        kit.target.symlink_to(mine)
    elif what == "file":
        kit.target.write_text("mine")
    else:
        shutil.copytree(mine, kit.target)
    for attempt in (install, remove):
        with pytest.raises(EngineError, match="was not made by Install Engine"):
            attempt()
    assert kit.target.is_file() if what == "file" else (kit.target / "thesis.txt").exists()


def test_two_at_once_are_refused(kit, install, remove):
    with alone_on(kit.target):
        for attempt in (install, remove):
            with pytest.raises(EngineError, match="Another Blender"):
                attempt()
    install()


def test_cancelled_halfway_leaves_only_fetched_wheels(kit, install):
    kit.move_to_index()
    stop = Stop()

    def say(step):
        if step.text == "Installing numpy":
            stop.ask()

    with pytest.raises(Cancelled):
        install(stop, say, online=True)
    assert not kit.target.exists() and len(list(kit.cache.glob("*.whl"))) == 5
    kit.log.unlink()
    install(online=True)
    assert not [call for call in kit.calls() if call.startswith("download")]


def test_an_end_while_a_child_runs_kills_it(tmp_path):
    stop = Stop()
    code = "print(1, flush=True); import time; time.sleep(60)"
    with pytest.raises(Cancelled):
        stop.run([sys.executable, "-c", code], os.environ, lambda line: stop.ask())
    with pytest.raises(Cancelled):
        stop.run([sys.executable, "-c", "1/0"], os.environ)


def test_pip_and_python_are_not_led_astray(tmp_path):
    environ = {"PYTHONHOME": "x", "PIP_TARGET": "x", "CONDA_PREFIX": "x", "HTTPS_PROXY": "p"}
    environ |= {"SSL_CERT_FILE": "c", "pip_index_url": "x"}
    offline = clean_environ(environ, tmp_path, online=False)
    assert set(offline) == {
        "HTTPS_PROXY",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TEMP",
        "TMP",
        "PIP_CONFIG_FILE",
    }
    online = clean_environ(environ, tmp_path, online=True)
    assert online["pip_index_url"] == "x" and "PIP_CONFIG_FILE" not in online


def test_the_installer_needs_nothing_but_python(root):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('numpy', 'torch', 'bpy')));"
        "import engine.install.__main__, engine.doctor"
    )
    subprocess.run([sys.executable, "-E", "-s", "-c", code], cwd=root, check=True)
