"""The locked pip itself against a package index on this machine that hangs up or lies."""

import http.server
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.install.environment import clean_environ
from engine.install.resuming import SIP
from engine.install.stop import Stop
from engine.install.wheels import _failed, fetch, unpacked
from engine.protocol.errors import Cancelled, EngineError
from engine.protocol.install import PART
from engine.protocol.wheel_lock import LOCK_FILE, read_lock
from tests.engine.install.kit import make_wheel, write_lock

CUT = 2 * SIP
SIZE = 11_000


class Index(http.server.BaseHTTPRequestHandler):
    """A simple index of one wheel; each answer ends after `server.cut` bytes of it, or stands
    still there with `server.still`."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.path.endswith(".whl"):
            return self._file()
        wheel = self.server.wheel
        page = f'<a href="/{wheel.file}">{wheel.file}</a>'.encode()
        self._head(200, len(page), "text/html")
        self.wfile.write(page)
        return None

    def _file(self) -> None:
        server, data = self.server, self.server.data
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        asked = asked if server.ranges else None
        first = int(asked[1]) if asked else 0
        more = {"Accept-Ranges": "bytes", "ETag": '"one"'}
        if asked:
            more["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        kind = "application/octet-stream"
        self._head(206 if asked else 200, len(data) - first, kind, more)
        sent = data[first : first + server.cut]
        self.wfile.write(sent)
        self.wfile.flush()
        server.sent += len(sent)
        server.still.wait()
        self.close_connection = True

    def _head(self, code: int, length: int, kind: str, more: dict[str, str] | None = None) -> None:
        self.send_response(code)
        headers = {"Content-Type": kind, "Content-Length": str(length)} | (more or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def pip(root, tmp_path_factory):
    """The locked pip, where a bundle was made."""
    path = root / "wheels" / read_lock(root / "wheels" / LOCK_FILE).installer.file
    if not path.is_file():
        pytest.skip("pip's wheel is not in wheels/: python build_addon.py bundle")
    return unpacked(path, tmp_path_factory.mktemp("pip"))


@pytest.fixture
def index(tmp_path, monkeypatch):
    made = tmp_path / "made"
    made.mkdir()
    wheel = make_wheel(made, "broken", "1.0", {"broken.py": "x = 1\n" * SIZE})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.wheel, server.data, server.asked = wheel, Path(made, wheel.file).read_bytes(), []
    server.cut, server.ranges, server.sent, server.still = CUT, True, 0, threading.Event()
    server.still.set()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    yield server
    server.still.set()
    server.shutdown()
    thread.join()
    server.server_close()


def get(pip, index, tmp_path, stop=None):
    told = []
    cache = tmp_path / "cache"
    (cache / "tmp").mkdir(parents=True, exist_ok=True)
    environ = clean_environ(os.environ, cache / "tmp", online=True)
    path = fetch(index.wheel, pip, cache, "", environ, stop or Stop(), told.append)
    return path, told


def ranges(index):
    return [asked for name, asked in index.asked if name.endswith(".whl")]


def test_it_goes_on_where_it_broke(pip, index, tmp_path):
    path, told = get(pip, index, tmp_path)
    assert path.read_bytes() == index.data and told[-1] == len(index.data)
    assert ranges(index) == [None, *(f"bytes={CUT * n}-" for n in range(1, len(ranges(index))))]
    assert index.sent == len(index.data) > 2 * CUT
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, "tmp"]


def until(there):
    end = time.monotonic() + 30
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_cancelled_at_once_and_gone_on_with_by_the_next_run(pip, index, tmp_path):
    index.still.clear()
    stop = Stop()
    part = tmp_path / "cache" / (index.wheel.file + PART)
    asked_at = []

    def ask():
        until(lambda: part.exists() and part.stat().st_size == CUT)
        asked_at.append(time.monotonic())
        stop.ask()

    thread = threading.Thread(target=ask)
    thread.start()
    with pytest.raises(Cancelled):
        get(pip, index, tmp_path, stop)
    thread.join()
    assert time.monotonic() - asked_at[0] < 1
    assert part.read_bytes() == index.data[:CUT]
    index.still.set()
    index.cut, index.sent = len(index.data), 0
    path, told = get(pip, index, tmp_path)
    assert path.read_bytes() == index.data and not part.exists()
    assert index.sent == len(index.data) - CUT and told[0] == CUT


def test_killed_and_gone_on_with_by_the_next_process(pip, index, kit, root, monkeypatch):
    """The whole installer dies, with pip; asserts the bytes that were sent twice: none."""
    installer = read_lock(root / "wheels" / LOCK_FILE).installer
    shutil.copy(root / "wheels" / installer.file, kit.wheels)
    write_lock(kit.wheels, installer, [index.wheel])
    index.still.clear()
    command = kit.command("--online")
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, start_new_session=True)
    part = kit.cache / (index.wheel.file + PART)
    until(lambda: part.exists() and part.stat().st_size == CUT)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    index.still.set()
    index.cut = len(index.data)
    environ = clean_environ(os.environ, kit.cache / "tmp", online=True)
    path = fetch(index.wheel, pip, kit.cache, "", environ, Stop(), lambda count: None)
    assert path.read_bytes() == index.data
    assert ranges(index) == [None, f"bytes={CUT}-"] and index.sent == len(index.data)


def test_an_index_that_ignores_ranges(pip, index, tmp_path):
    index.ranges, index.cut = False, len(index.data)
    part = tmp_path / "cache" / (index.wheel.file + PART)
    part.parent.mkdir()
    part.write_bytes(index.data[:CUT])
    path, told = get(pip, index, tmp_path)
    assert path.read_bytes() == index.data and index.sent == len(index.data) and told[0] == 0


@pytest.mark.parametrize("more", [b"", b"longer"])
def test_an_index_whose_file_changed_is_refused(pip, index, tmp_path, more):
    index.data = index.data[:-1] + b"x" + more
    with pytest.raises(EngineError, match="gave another file"):
        get(pip, index, tmp_path)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tmp"]
    assert not more or index.sent <= CUT


@pytest.mark.parametrize(("version", "hint"), [("1.0+cpu", "pytorch"), ("2.0", "settings")])
def test_a_build_that_no_index_has(pip, index, tmp_path, version, hint):
    index.wheel = replace(index.wheel, version=version)
    with pytest.raises(EngineError, match="is not on the package indices") as caught:
        get(pip, index, tmp_path)
    assert hint in caught.value.hint and index.sent == 0


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (
            ["WARNING: after connection broken by 'X'", "ERROR: No matching distribution found"],
            "no p",
        ),
        (
            ["error: failed", "\u00d7 Failed to connect to x", "hint: Are you"],
            "Failed to connect to x",
        ),
        (["ERROR: old", "ERROR: the connection broke"], "the connection broke"),
    ],
)
def test_why_it_could_not_be_fetched(index, lines, why):
    error = _failed(index.wheel, 1, lines)
    assert error.message.startswith(f"broken could not be fetched: {why}")
    assert "goes on where it stopped" in error.hint
