"""The static repository that `build_addon.py index` writes, served over loopback to Blender."""

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from engine.packaging.index import make_index

pytestmark = [pytest.mark.e2e, pytest.mark.blender]


def small_extension(root: Path, folder: Path, version: str) -> Path:
    """The real manifest and nothing behind it: what Blender reads of a repository."""
    text = (root / "blender_manifest.toml").read_text(encoding="utf-8")
    own = next(line for line in text.splitlines() if line.startswith("version ="))
    path = folder / f"uvapm-{version}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("blender_manifest.toml", text.replace(own, f'version = "{version}"'))
        archive.writestr("__init__.py", "def register(): pass\ndef unregister(): pass\n")
    return path


@pytest.fixture
def address(tmp_path):
    """A web server on loopback that gives tmp_path/repository."""
    folder = tmp_path / "repository"
    folder.mkdir()
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.json"
        server.shutdown()


def test_blender_installs_updates_and_removes_from_the_repository(root, bpy, address, tmp_path):
    old, new = (small_extension(root, tmp_path, version) for version in ("0.1.0", "0.2.0"))
    index = make_index(old, tmp_path / "repository", Path(sys.executable))
    assert [entry["version"] for entry in json.loads(index.read_text())["data"]] == ["0.1.0"]
    script = root / "tests" / "e2e" / "blender_repository.py"
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, str(script), address, str(new), str(index.parent)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"BLENDER_USER_RESOURCES": str(home), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FACTS ")]
    assert lines, done.stdout[-2000:] + done.stderr[-2000:]
    facts = json.loads(lines[0].removeprefix("FACTS "))
    assert facts["before"] == ""
    assert facts["installed"] == "0.1.0"
    assert facts["enabled"]
    assert facts["updated"] == "0.2.0"
    assert facts["removed"]
