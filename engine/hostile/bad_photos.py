"""Photos that strangers could send: bombs, broken headers, files of two kinds."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from ..photo.jpeg_scans import MOST_SCANS
from ..protocol.conventions import BYTE_MAX
from .file_trial import Case
from .mutate import mutated

SIDE = 240
FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tif": "TIFF"}


def _picture() -> Image.Image:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    values = np.stack([x, y, (x + y) // 2], -1) + (x * y % 7)[..., None]
    return Image.fromarray(values.clip(0, BYTE_MAX).astype(np.uint8))


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def _claiming(data: bytes, width: int, height: int) -> bytes:
    """A PNG whose header tells another size (PNG specification 1.2: IHDR and its CRC)."""
    raw = bytearray(data)
    raw[16:24] = struct.pack(">II", width, height)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    return bytes(raw)


def _jpeg_claiming(data: bytes, side: int) -> bytes:
    place = data.find(b"\xff\xc0")
    return data[: place + 5] + struct.pack(">HH", side, side) + data[place + 9 :]


def _many_scans(count: int) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    data = _saved(Image.new("RGB", (4000, 4000), (120, 90, 80)), "JPEG", progressive=True)
    last, end = data.rfind(b"\xff\xda"), data.rfind(b"\xff\xd9")
    return data[:end] + data[last:end] * count + data[end:]


def bombs() -> Iterator[tuple[str, bytes, bool]]:
    """Small files that claim or hold much: name, bytes, whether they must be refused."""
    png, jpg = _saved(_picture(), "PNG"), _saved(_picture(), "JPEG")
    for side in (7_100, 30_000, 60_000, 2**31 - 1):
        yield f"header_{side}.png", _claiming(png, side, side), True
    yield "thin.png", _claiming(png, 2**31 - 1, 1), True
    yield "header_65500.jpg", _jpeg_claiming(jpg, 65_500), True
    yield "header_30000.jpg", _jpeg_claiming(jpg, 30_000), True
    yield "header_7000.jpg", _jpeg_claiming(jpg, 7_000), False  # decoders fill it with grey
    wide = Image.new("1", (30_000, 30_000))
    yield "real_30000.png", _saved(wide, "PNG"), True
    yield "real_30000.tif", _saved(wide, "TIFF", compression="group4"), True
    yield "grey_7000.png", _saved(Image.new("L", (7_000, 7_000), 90), "PNG"), False
    yield (
        "alpha_7000.png",
        _saved(Image.new("RGBA", (7_000, 7_000), (90, 80, 70, 60)), "PNG"),
        False,
    )
    text = PngImagePlugin.PngInfo()
    text.add_text("a", "x" * 200 * 2**20, zip=True)
    yield "text.png", _saved(_picture(), "PNG", pnginfo=text), True
    yield "profile.png", _saved(_picture(), "PNG", icc_profile=b"\0" * 100 * 2**20), False
    yield "scans.jpg", _many_scans(50 * MOST_SCANS), True
    pages = [Image.new("L", (SIDE, SIDE))] * 2000
    yield "pages.tif", _saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), False


def canary(path: Path) -> bytes:
    """A pickle (protocol 0) that makes a folder at `path` where somebody loads it."""
    return b"cos\nmkdir\n(V" + str(path).encode("ascii") + b"\ntR."


def polyglots(alarm: Path) -> Iterator[tuple[str, bytes, bool]]:
    """Files of two kinds, and other kinds under a picture's name. alarm: see `canary`."""
    png, jpg = _saved(_picture(), "PNG"), _saved(_picture(), "JPEG")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../escaped.txt", "x")
    script = b"<html><script>fetch('http://127.0.0.1:9')</script></html>"
    yield "zip_behind.png", png + archive.getvalue(), False
    yield "zip_before.jpg", archive.getvalue() + jpg, True
    yield "page_behind.jpg", jpg + script, False
    yield "page.jpg", script + jpg, True
    yield "pickle.png", canary(alarm), True
    yield "pickle_behind.png", png + canary(alarm), False
    yield "postscript.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", True
    yield "document.png", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n" + png, True
    yield (
        "drawing.png",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/x"/></svg>',
        True,
    )
    yield "animation.png", _saved(_picture(), "GIF"), True
    yield "bitmap.jpg", _saved(_picture(), "BMP"), True
    yield "icon.png", _saved(_picture(), "ICO", sizes=[(240, 240)]), True
    yield "jpeg2000.jpg", _saved(_picture(), "JPEG2000"), True
    yield "arrays.png", b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'shape': (1,)}", True


def broken(count: int, chance: random.Random) -> Iterator[tuple[str, bytes, bool]]:
    """Pictures with spoiled headers, metadata and data."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA405] = 50
    options = {"exif": exif, "icc_profile": srgb}
    whole = {end: _saved(_picture(), name, **options) for end, name in FORMATS.items()}
    for number in range(count):
        end = chance.choice(list(whole))
        data, others = whole[end], list(whole.values())
        head = chance.choice((64, 1000, len(data)))
        spoiled = mutated(data[:head], others, chance) + data[head:]
        yield f"broken_{number}.{end}", spoiled, False


def photo_cases(folder: Path, files: Iterator[tuple[str, bytes, bool]]) -> list[Case]:
    """Write files and say how they are to be read."""
    folder.mkdir(parents=True)
    cases = []
    for name, data, refuse in files:
        (folder / name).write_bytes(data)
        cases.append(Case(name, "photo", str(folder / name), refuse))
    return cases
