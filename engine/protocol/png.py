"""The size of a PNG picture, without decoding it."""

import struct
from pathlib import Path

from .errors import EngineError, ErrorCode
from .plain_files import open_plain

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels, of the IHDR chunk (PNG specification 1.2, section 4.1.1).

    Raises EngineError(BAD_INPUT) for a file that cannot be read or is no PNG.
    """
    try:
        with open_plain(path) as file:
            head = file.read(24)
    except OSError as error:
        raise EngineError(ErrorCode.BAD_INPUT, f"{path.name} cannot be read.") from error
    if len(head) < 24 or not head.startswith(_SIGNATURE) or head[12:16] != b"IHDR":
        raise EngineError(ErrorCode.BAD_INPUT, f"{path.name} is not a PNG picture.")
    width, height = struct.unpack(">II", head[16:24])
    return width, height
