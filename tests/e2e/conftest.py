"""Whole programs with the real engine. Everything runs as an artist's machine would run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def offline(root):
    """Variables by which a Python that touches the network ends at once with exit code 97."""
    return {"PYTHONPATH": str(root / "tests" / "e2e" / "offline")}


@pytest.fixture(scope="session")
def fit(root, default_pack, offline):
    """fit(photo or photos, out, *options) -> the finished `python -m engine fit` process. Every
    one runs without a network."""

    def run(photo, out, *options):
        photos = map(str, photo if isinstance(photo, tuple) else (photo,))
        command = [sys.executable, "-m", "engine", "fit", *photos, "--out", str(out), *options]
        environ = os.environ | offline
        return subprocess.run(
            command, cwd=root, env=environ, capture_output=True, text=True, timeout=300
        )

    return run


@pytest.fixture(scope="session")
def astronaut_result(fit, astronaut, tmp_path_factory):
    """(result directory, finished process) of the astronaut's photo; made once."""
    out = tmp_path_factory.mktemp("astronaut") / "result"
    return out, fit(astronaut, out)


@pytest.fixture(scope="session")
def bad_photos(tmp_path_factory, astronaut):
    """Folder with one file of each kind that people drop on the product."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("This is a shopping list, not a picture.\n" * 40)
    (folder / "cut.png").write_bytes(astronaut.read_bytes()[:20_000])
    (folder / "folder.jpg").mkdir()
    hills = np.linspace(0, 1, 640)[:, None, None] * np.array([90, 140, 190]) + np.zeros((1, 960, 1))
    Image.fromarray(hills.astype(np.uint8)).save(folder / "no_face.jpg")
    with Image.open(astronaut) as photo:
        photo.resize((96, 96)).save(folder / "tiny.png")
    return folder


@pytest.fixture(scope="session")
def panorama(tmp_path_factory, astronaut):
    """12,000 x 3,000 px: a wide sky with one person in it."""
    from PIL import Image

    path = tmp_path_factory.mktemp("panorama") / "panorama.jpg"
    wide = Image.new("RGB", (12_000, 3_000), (120, 150, 190))
    with Image.open(astronaut) as photo:
        wide.paste(photo.convert("RGB").resize((1_024, 1_024)), (7_000, 1_200))
    wide.save(path, quality=90)
    return path


@pytest.fixture
def unwritable(tmp_path):
    """A folder in which nothing can be made, not even by root."""
    if os.name == "nt":
        pytest.skip("folders are not protected like this on Windows")
    if os.geteuid():
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
        yield folder
        folder.chmod(0o700)
        return
    if not Path("/sys/kernel").is_dir():
        pytest.skip("no place where root cannot write")
    yield Path("/sys/kernel")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
