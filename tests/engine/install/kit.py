"""Tiny wheels of what the engine imports, a lock of them, and a stand-in for pip."""

import base64
import hashlib
import json
import shutil
import sys
import zipfile
from pathlib import Path

from engine.protocol.install import decode_line
from engine.protocol.strict import to_plain
from engine.protocol.wheel_lock import (
    LOCK_FILE,
    LOCK_SCHEMA,
    LockedWheel,
    WheelLock,
    WheelTarget,
    target_name,
    this_platform,
)

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TORCH = """
from types import SimpleNamespace
__version__ = "2.0+tiny"
cuda = SimpleNamespace(is_available=lambda: False)
backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
"""
PACKAGES = {
    "torch": {"torch/__init__.py": TORCH, "torch/data.txt": "0123456789"},
    "numpy": {"numpy/__init__.py": ""},
    "opencv_python": {"cv2/__init__.py": ""},
    "pillow": {"PIL/__init__.py": ""},
    "scipy": {"scipy/__init__.py": "", "scipy/sparse.py": ""},
}
PIP = """
import os, shutil, sys, sysconfig, time, zipfile
from pathlib import Path
play = os.environ.get("FAKE_PLAY", "")
words = sys.argv[1:]
pin = words[-1]
if words[0] == "download":
    pin = Path(pin).read_text().split()[0]
log = Path(os.environ["FAKE_LOG"])
with log.open("a") as stream:
    stream.write(" ".join([words[0], Path(pin).name]) + chr(10))
if words[0] == play.partition(" ")[0] and play.partition(" ")[2] in pin:
    Path(os.environ["TMPDIR"], "left.tmp").touch()
    log.with_name("reached").touch()
    time.sleep(60)
if words[0] == "install":
    with zipfile.ZipFile(words[-1]) as wheel:
        wheel.extractall(sysconfig.get_path("purelib"))
if words[0] == "download":
    name, version = pin.split("==")
    found = list(Path(os.environ["FAKE_INDEX"]).glob(f"{name.replace('-', '_')}-{version}-*"))
    if not found:
        sys.exit(f"ERROR: No matching distribution found for {pin}")
    print("Progress 10 of 20", flush=True)
    shutil.copy(found[0], words[words.index("--dest") + 1])
"""


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> LockedWheel:
    """A wheel with a RECORD, and its line in a lock."""
    info = f"{name}-{version}.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    rows = []
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        rows.append(f"{file},sha256={digest.decode()},{len(text.encode())}")
    rows.append(f"{info}/RECORD,,")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files | {f"{info}/RECORD": "\n".join(rows) + "\n"}).items():
            archive.writestr(file, text)
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return LockedWheel(name.replace("_", "-"), version, path.name, len(data), digest, "MIT")


def write_lock(folder: Path, installer: LockedWheel, wheels: list[LockedWheel]) -> None:
    """engine-lock.json for this machine."""
    target = WheelTarget(this_platform(), PYTHON, tuple(wheels))
    key = target_name(target.platform, target.python)
    lock = WheelLock(LOCK_SCHEMA, installer, {key: target})
    (folder / LOCK_FILE).write_text(json.dumps(to_plain(lock)))


class Kit:
    """A bundle's folder `wheels`, an index with the same wheels, and where the engine goes."""

    def __init__(self, folder: Path) -> None:
        self.wheels, self.index = folder / "wheels", folder / "index"
        self.user = folder / "user folder"
        self.target, self.cache = self.user / "engine-env", self.user / "engine-cache"
        self.log = folder / "pip.log"
        for made in (self.wheels, self.index):
            made.mkdir()
        self.pip = make_wheel(self.wheels, "pip", "9", {"pip/__main__.py": PIP})
        self.locked = [make_wheel(self.wheels, n, "2.0", f) for n, f in PACKAGES.items()]
        write_lock(self.wheels, self.pip, self.locked)

    def move_to_index(self) -> None:
        """As in the extension without wheels; pip itself stays."""
        for wheel in self.locked:
            shutil.move(self.wheels / wheel.file, self.index / wheel.file)

    def command(self, *more: str) -> list[str]:
        """The installer's command line."""
        words = [sys.executable, "-E", "-s", "-m", "engine.install", "--wheels", self.wheels]
        words += ["--target", self.target, "--cache", self.cache, *more]
        return [str(word) for word in words]

    def environ(self, play: str = "") -> dict[str, str]:
        """What the stand-in for pip reads. play: "install numpy" sleeps there."""
        return {"FAKE_INDEX": str(self.index), "FAKE_LOG": str(self.log), "FAKE_PLAY": play}

    def calls(self) -> list[str]:
        """What pip was asked for."""
        return self.log.read_text().splitlines() if self.log.exists() else []


def lines_of(output: bytes) -> list:
    """The installer's messages."""
    return [decode_line(line) for line in output.splitlines()]
