"""The locked pip itself against a package index on this machine that hangs up halfway."""

import http.server
import os
import re
import threading
from pathlib import Path

import pytest

from engine.install.environment import clean_environ
from engine.install.stop import Stop
from engine.install.wheels import fetch
from engine.protocol.errors import EngineError
from engine.protocol.wheel_lock import LOCK_FILE, read_lock
from tests.engine.install.kit import make_wheel

CUT = 30_000


class Index(http.server.BaseHTTPRequestHandler):
    """A simple index of one wheel; each answer ends after CUT bytes of it."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.path.endswith(".whl"):
            return self._file()
        wheel = self.server.wheel
        page = f'<a href="/{wheel.file}#sha256={wheel.sha256}">{wheel.file}</a>'.encode()
        self._head(200, len(page), "text/html")
        self.wfile.write(page)
        return None

    def _file(self) -> None:
        data = self.server.data
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = int(asked[1]) if asked else 0
        more = {"Accept-Ranges": "bytes", "ETag": '"one"'}
        if asked:
            more["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        kind = "application/octet-stream"
        self._head(206 if asked else 200, len(data) - first, kind, more)
        self.wfile.write(data[first : first + CUT])
        self.close_connection = True

    def _head(self, code: int, length: int, kind: str, more: dict[str, str] | None = None) -> None:
        self.send_response(code)
        headers = {"Content-Type": kind, "Content-Length": str(length)} | (more or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def pip(root):
    """The locked pip, where a bundle was made."""
    path = root / "wheels" / read_lock(root / "wheels" / LOCK_FILE).installer.file
    if not path.is_file():
        pytest.skip("pip's wheel is not in wheels/: python build_addon.py bundle")
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    made = tmp_path / "made"
    made.mkdir()
    wheel = make_wheel(made, "broken", "1.0", {"broken.py": "x = 1\n" * 11_000})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.wheel, server.data, server.asked = wheel, Path(made, wheel.file).read_bytes(), []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def get(pip, index, tmp_path):
    told = []
    cache = tmp_path / "cache"
    (cache / "tmp").mkdir(parents=True)
    environ = clean_environ(os.environ, cache / "tmp", online=True)
    return fetch(index.wheel, pip, cache, "", environ, Stop(), told.append), told


def test_it_goes_on_where_it_broke(pip, index, tmp_path):
    path, told = get(pip, index, tmp_path)
    assert path.read_bytes() == index.data and told[-1] == len(index.data)
    ranges = [asked for name, asked in index.asked if name.endswith(".whl")]
    assert ranges == [None, *(f"bytes={CUT * n}-" for n in range(1, len(ranges)))]
    assert len(ranges) == -(-len(index.data) // CUT) > 2


def test_an_index_whose_file_changed_is_refused(pip, index, tmp_path):
    index.data = index.data[:-1] + b"x"
    with pytest.raises(EngineError, match="could not be fetched"):
        get(pip, index, tmp_path)
    assert not list((tmp_path / "cache").glob("*.whl"))
