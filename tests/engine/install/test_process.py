"""The installer as a process: its lines, a death halfway, the real venv and the real pip."""

import os
import signal
import subprocess
import time

import pytest

from engine.protocol.install import Installed, InstallFailed, Removed, read_mark
from tests.engine.install.kit import lines_of


@pytest.fixture
def start(kit, root):
    """start(play, *options) -> process that is at that point, when play names one."""
    started = []

    def begin(play, *options):
        process = subprocess.Popen(
            kit.command(*options),
            cwd=root,
            env=os.environ | kit.environ(play),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        end = time.monotonic() + 30
        while play and not kit.log.with_name("reached").exists() and time.monotonic() < end:
            time.sleep(0.01)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_from_first_line_to_nothing_left(kit, start):
    process = start("")
    lines = lines_of(process.communicate()[0])
    assert process.returncode == 0 and lines[-1] == Installed(
        str(kit.target / "bin" / "python"), "2.0+tiny", "cpu"
    )
    process = start("", "--remove")
    assert lines_of(process.communicate()[0])[0] == Removed()
    assert process.returncode == 0 and list(kit.user.iterdir()) == []


def test_words_when_it_cannot(kit, start):
    (kit.wheels / "engine-lock.json").write_text("{}")
    process = start("")
    (line,) = lines_of(process.communicate()[0])
    assert process.returncode == 3 and isinstance(line, InstallFailed) and line.hint


@pytest.mark.parametrize("play", ["install pillow", "download pillow"])
def test_killed_halfway_does_not_count_and_the_next_run_makes_it_whole(kit, start, play):
    kit.move_to_index()
    process = start(play, "--online")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert read_mark(kit.target) is None and (kit.cache / "tmp" / "left.tmp").exists()
    kit.log.unlink()
    process = start("", "--online")
    assert isinstance(lines_of(process.communicate()[0])[-1], Installed)
    fetched = [call for call in kit.calls() if call.startswith("download")]
    assert len(fetched) == (0 if play.startswith("install") else 2), "whole wheels are kept"
    assert sorted(path.name for path in kit.user.iterdir()) == ["engine-env", "engine-env.lock"]


def test_tied_it_ends_with_who_started_it(kit, start):
    process = start("install pillow", "--tied")
    process.stdin.close()
    process.wait(10)
    assert process.returncode == 130
    left = kit.target.with_name(kit.target.name + ".removed")
    assert not kit.target.exists() and read_mark(left) is None
    process = start("")
    assert isinstance(lines_of(process.communicate()[0])[-1], Installed)
    assert sorted(path.name for path in kit.user.iterdir()) == ["engine-env", "engine-env.lock"]
