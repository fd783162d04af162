"""EXIF orientation of a photo, read without a library.

Follows the Exif 2.3 specification (JEITA CP-3451C): a TIFF block with tag 0x0112 in IFD 0. JPEG
keeps it in an APP1 segment, PNG in an eXIf chunk, WebP in an EXIF chunk; TIFF is that block.
"""

from pathlib import Path

UPRIGHT = 1
ORIENTATION_TAG = 0x0112
HEAD_BYTES = 2**20
"""Part of the file that is searched. EXIF comes early in JPEG; other files are read whole."""


def read_orientation(path: Path) -> int:
    """1 to 8, 1 (upright) when the file says nothing. Raises OSError."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
        if not head.startswith(b"\xff\xd8"):
            head += file.read()
    block = _tiff_block(head)
    value = _orientation_in(block) if block else UPRIGHT
    return value if 1 <= value <= 8 else UPRIGHT


def _tiff_block(head: bytes) -> bytes:
    if head[:4] in (b"II*\0", b"MM\0*"):
        return head
    if head.startswith(b"\xff\xd8"):
        return _in_jpeg(head)
    if head.startswith(b"\x89PNG"):
        return _in_chunks(head, 8, b"eXIf", name_first=False, order="big")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _in_chunks(head, 12, b"EXIF", name_first=True, order="little")
    return b""


def _in_jpeg(head: bytes) -> bytes:
    at = 2
    while at + 4 <= len(head) and head[at] == 0xFF:
        marker, size = head[at + 1], int.from_bytes(head[at + 2 : at + 4], "big")
        if marker == 0xDA or size < 2:  # pixels begin
            break
        body = head[at + 4 : at + 2 + size]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            return body[6:]
        at += 2 + size
    return b""


def _in_chunks(data: bytes, at: int, wanted: bytes, name_first: bool, order: str) -> bytes:
    """PNG: length, name, body, 4 bytes CRC. WebP: name, length, body padded to even."""
    while at + 8 <= len(data):
        first, second = data[at : at + 4], data[at + 4 : at + 8]
        name, raw = (first, second) if name_first else (second, first)
        size = int.from_bytes(raw, order)
        if name == wanted:
            body = data[at + 8 : at + 8 + size]
            return body[6:] if body.startswith(b"Exif\0\0") else body
        at += 8 + size + (size % 2 if name_first else 4)
    return b""


def _orientation_in(block: bytes) -> int:
    order = {b"II": "little", b"MM": "big"}.get(block[:2])
    if order is None or len(block) < 8:
        return UPRIGHT
    start = int.from_bytes(block[4:8], order)
    count = int.from_bytes(block[start : start + 2], order)
    for index in range(count):
        at = start + 2 + 12 * index
        if int.from_bytes(block[at : at + 2], order) == ORIENTATION_TAG:
            return int.from_bytes(block[at + 8 : at + 10], order)
    return UPRIGHT
