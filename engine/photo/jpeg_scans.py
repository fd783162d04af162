"""How often a JPEG file makes its decoder go over the whole picture.

A scan of a progressive JPEG takes some ten bytes and a pass over all coefficients: a file of a
megabyte could keep a decoder busy for an hour.
"""

import re

MOST_SCANS = 100
"""Ours: encoders write ten; the standard's finest splitting of a grey picture is below."""

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_BARE = frozenset({0x01, _SOI, *range(0xD0, 0xD8)})
"""Markers without a length (ITU-T T.81, table B.1)."""
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""In a scan's data: any but stuffed bytes and restarts (T.81, B.1.1.5)."""


def count_scans(data: bytes) -> int:
    """Scans of the first picture of a JPEG file; of a damaged one, those before the damage. Stops
    counting above `MOST_SCANS`."""
    scans, place = 0, 0
    while scans <= MOST_SCANS and (found := _MARKER.search(data, place)) is not None:
        kind, place = found[1][0], found.end()
        if kind == _EOI:
            break
        scans += kind == _SOS
        if kind not in _BARE:
            place += int.from_bytes(data[place : place + 2], "big")
    return scans
