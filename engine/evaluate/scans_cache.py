"""Placed scans and their rendered views on disk: they are the same for every fit."""

import hashlib
from pathlib import Path

import numpy as np

from ..fit.loaded import LoadedPack
from ..photo.load import Photo
from ..protocol.conventions import bytes_to_unit, unit_to_bytes
from ..protocol.errors import EngineError
from ..protocol.safetensors import read_safetensors, write_safetensors
from .scans_files import read_scan
from .scans_fit import Scan, place_scan
from .scans_views import scan_views

VERSION = "2"
"""Counts up when scans are placed or rendered otherwise."""
_SCAN = ("vertices", "triangles", "marks", "floor", "points", "region")


def scan_with_views(
    folder: Path, mesh: Path, loaded: LoadedPack, cache: Path | None
) -> tuple[Scan, dict[str, Photo]] | None:
    """A placed scan and its photos by name, from the cache where it has them.

    None when no face is found on the scan. Raises EngineError(BAD_INPUT).
    """
    path = None if cache is None else cache / f"{_key(folder, mesh, loaded)}.safetensors"
    if path is not None and path.is_file():
        stored = _restore(path, folder.name)
        if stored is not None:
            return stored
    file = read_scan(folder, mesh)
    scan = place_scan(file, loaded)
    if scan is None:
        return None
    views = scan_views(file, scan, loaded)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = {f"view {name}": unit_to_bytes(photo.pixels) for name, photo in views.items()}
        arrays = {name: np.ascontiguousarray(getattr(scan, name)) for name in _SCAN}
        draft = path.with_suffix(".part")
        write_safetensors(draft, arrays | pixels, {"version": VERSION})
        draft.replace(path)
    return scan, views


def _key(folder: Path, mesh: Path, loaded: LoadedPack) -> str:
    digest = hashlib.sha256(f"{VERSION} {loaded.head.sha}".encode())
    for path in sorted(folder.iterdir()):
        if path.is_file():
            digest.update(f"{path.name} {path.stat().st_size}".encode())
    digest.update(mesh.read_bytes())
    return digest.hexdigest()[:32]


def _restore(path: Path, name: str) -> tuple[Scan, dict[str, Photo]] | None:
    try:
        table = read_safetensors(path)
    except (EngineError, OSError):
        return None
    scan = Scan(name, *(table[key] for key in _SCAN))
    views = {}
    for key, pixels in table.items():
        if key.startswith("view "):
            sha = hashlib.sha256(pixels.tobytes()).hexdigest()
            height, width = pixels.shape[:2]
            views[key[5:]] = Photo(bytes_to_unit(pixels), width, height, None, sha, key[5:])
    return scan, dict(sorted(views.items(), key=lambda item: _order(item[0])))


def _order(name: str) -> tuple[float, str]:
    """Rendered views by angle, photos by name."""
    angle = name.removeprefix("yaw ")
    return (float(angle), name) if angle != name else (0.0, name)
