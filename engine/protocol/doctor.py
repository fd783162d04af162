"""What the doctor says: one row for each thing it looked at, one JSON object a line."""

import json
from dataclasses import dataclass
from enum import StrEnum

from .errors import EngineError, ErrorCode
from .strict import from_plain, parse_json, to_plain

MAX_LINE = 2**16


class Health(StrEnum):
    """How a thing is. NOTE: it works, but better is possible."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Fix(StrEnum):
    """What puts it right; the add-on has a button for each."""

    NONE = ""
    INSTALL = "install"
    REPAIR = "repair"
    DEVICE = "device"  # compute on what is there
    EXTENSION = "extension"  # install the extension again
    PACKS = "packs"  # move bad ones aside, to import them again


@dataclass(frozen=True)
class DoctorRow:
    """name: of the thing; text: plain words."""

    name: str
    health: Health
    text: str
    fix: Fix = Fix.NONE


def encode_row(row: DoctorRow) -> bytes:
    """One ASCII line with its newline."""
    return json.dumps(to_plain(row)).encode("ascii") + b"\n"


def decode_row(line: bytes) -> DoctorRow:
    """Strict inverse of `encode_row`. Raises EngineError(PROTOCOL)."""

    def fail(why: str) -> EngineError:
        return EngineError(ErrorCode.PROTOCOL, f"The doctor cannot be understood: {why}.")

    if len(line) > MAX_LINE:
        raise fail(f"a line of {len(line)} bytes")
    row: DoctorRow = from_plain(DoctorRow, parse_json(line, fail), "row", fail)
    return row
