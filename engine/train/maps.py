"""Skin maps on disk: which files of a folder are maps, and one of them as an array.

A map is a square picture in the FFHQ-UV layout (see skin/layout.py), sRGB, any of the suffixes
below, in a folder or in zip archives in a folder. That covers an FFHQ-UV download as it comes:
`ffhq-uv/000.zip` to `054.zip` of the download script as well as `dataset/ffhq-uv/uv-maps/...`;
its latent codes and `meta-info.json` are no pictures and are passed over.
"""

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

import cv2
import numpy as np

from ..protocol.conventions import SHORT_MAX, bytes_to_unit, unit_to_bytes
from ..protocol.errors import EngineError, ErrorCode
from .archives import MOST_BYTES, is_archive, member_names, read_member, split_archive

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
SIDE_STEP = 64
"""A map's side is a multiple of this: every size that is trained on comes out without rests."""
LARGEST_SIDE = 8192

_HIDDEN = (".", "__MACOSX")
"""Beginnings of names that are no maps: hidden files and the companions that macOS puts in zips."""
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, eq=False)
class SkinMap:
    """One map.

    image: (S, S, 3) RGB, sRGB-encoded: uint8 of a file of 8 bits a channel, float32 in [0, 1] of
    16 bits. coverage: (S, S) float32 in [0, 1] from the alpha channel, 1 without one; colours are
    those of the covered part of a texel.
    """

    image: np.ndarray
    coverage: np.ndarray

    def unit(self) -> np.ndarray:
        """(S, S, 3) float32 in [0, 1]."""
        return self.image if self.image.dtype == np.float32 else bytes_to_unit(self.image)

    def bytes(self) -> np.ndarray:
        """(S, S, 3) uint8."""
        return self.image if self.image.dtype == np.uint8 else unit_to_bytes(self.image)


def list_maps(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """The map files in `folder` and below, and in its zip archives, sorted by path.

    A member of an archive comes as a path through it (`000.zip/000012.png`). A damaged archive
    comes as its own path, which `read_map` refuses with the reason. Hidden files are passed over.
    folder may also be one archive. Raises EngineError(BAD_INPUT): no such folder, nothing in it.
    """
    folder = Path(folder)
    if is_archive(folder):
        found = list(_in_archive(folder))
    elif folder.is_dir():
        found = [path for file in _files(folder) for path in _maps_of(file)]
    else:
        raise _bad(f"There is no folder {folder}.", "Give the folder that holds the skin maps.")
    if not found:
        kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
        raise _bad(f"No skin maps in {folder}.", f"Read are {kinds}, also inside zip archives.")
    return tuple(sorted(found, key=lambda path: path.as_posix()))


def _files(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(_HIDDEN)]
        yield from (Path(base, name) for name in names if not name.startswith(_HIDDEN))


def _maps_of(file: Path) -> Iterator[Path]:
    if file.suffix.lower() in SUFFIXES:
        yield file
    elif is_archive(file):
        yield from _in_archive(file)


def _in_archive(archive: Path) -> Iterator[Path]:
    try:
        names = member_names(archive)
    except EngineError:
        yield archive
        return
    for name in names:
        parts = PurePath(name).parts
        if name.lower().endswith(SUFFIXES) and not any(p.startswith(_HIDDEN) for p in parts):
            yield archive / name


def read_map(path: str | os.PathLike[str], size: int | None) -> SkinMap:
    """One map of `list_maps`, reduced to (size, size) by area averages; None keeps its own size.

    Embedded colour profiles are not applied: maps are sRGB. Raises EngineError(BAD_INPUT) for a
    damaged file, one that is not square, of a side that is no multiple of 64, smaller than `size`
    or grey.
    """
    path = Path(path)
    pixels = _decode(path, _read_bytes(path))
    _check_shape(path, pixels, size or 0)
    size = size or len(pixels)
    colour = cv2.cvtColor(pixels[..., :3], cv2.COLOR_BGR2RGB)
    if pixels.shape[2] == 4:
        return _reduce_covered(colour, bytes_to_unit(pixels[..., 3]), size)
    if colour.dtype != np.uint8:
        colour = bytes_to_unit(colour)
    return SkinMap(_reduce(colour, size), np.ones((size, size), np.float32))


def _read_bytes(path: Path) -> bytes:
    inside = None if path.is_file() else split_archive(path)
    if inside is not None:
        return read_member(*inside)
    if is_archive(path):
        member_names(path)  # its complaint, if any
        raise _bad(f"{path} is an archive, a skin map was expected.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _bad(f"{path.name} is larger than {MOST_BYTES >> 20} MB.")
        return path.read_bytes()
    except OSError as error:
        raise _bad(f"{path} cannot be read ({error.strerror}).") from error


def _decode(path: Path, data: bytes) -> np.ndarray:
    """(H, W, 3 or 4) BGR(A) uint8 or uint16."""
    if not data:
        raise _bad(f"{path.name} is empty (0 bytes).")
    if data.startswith(_PNG_HEAD) and not _whole_png(data):
        raise _bad(f"{path.name} is damaged or incomplete.")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _bad(f"{path.name} cannot be decoded.") from error
    if pixels is None:
        raise _bad(f"{path.name} is damaged or is no picture.")
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim != 3 or pixels.shape[2] < 3:
        raise _bad(f"{path.name} is no colour picture of 8 or 16 bits a channel.")
    return pixels


def _whole_png(data: bytes) -> bool:
    """True when every chunk has its check sum and the end is there.

    OpenCV notices as well, but says so on standard error, past our own reporting.
    """
    view, at = memoryview(data), len(_PNG_HEAD)
    while at + 12 <= len(view):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + length
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return False
        if view[at + 4 : at + 8] == b"IEND":
            return True
        at = end + 4
    return False


def _check_shape(path: Path, pixels: np.ndarray, size: int) -> None:
    height, width = pixels.shape[:2]
    if height != width:
        raise _bad(f"{path.name} has {width} x {height} pixels; a skin map is square.")
    if width % SIDE_STEP or width > LARGEST_SIDE:
        raise _bad(
            f"{path.name} has the odd side of {width} pixels; "
            f"expected is a multiple of {SIDE_STEP} up to {LARGEST_SIDE}."
        )
    if width < size:
        raise _bad(f"{path.name} has {width} x {width} pixels, fewer than the {size} wanted.")


def _reduce(image: np.ndarray, size: int) -> np.ndarray:
    if len(image) == size:
        return image
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def _reduce_covered(colour: np.ndarray, coverage: np.ndarray, size: int) -> SkinMap:
    """Averages weighted by alpha, so that what is transparent does not bleed into what is not."""
    unit = bytes_to_unit(colour)
    small = _reduce(coverage, size)
    premultiplied = _reduce(unit * coverage[..., None], size)
    least = np.float32(0.5 / SHORT_MAX)  # under half a step of 16 bits nothing is covered
    covered = premultiplied / np.maximum(small, least)[..., None]
    image = np.where((small > least)[..., None], covered, _reduce(unit, size))
    if colour.dtype == np.uint8:
        image = unit_to_bytes(image)
    return SkinMap(image, small)


def _bad(message: str, hint: str = "") -> EngineError:
    return EngineError(ErrorCode.BAD_INPUT, message, hint)
