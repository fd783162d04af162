"""Spoiled copies of bytes."""

import random
from collections.abc import Sequence

WORDS = (
    *(b"\0", b"\xff", b"\x80", b"\n", b" ", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"-"),
    *(b"0", b"1", b"-1", b"255", b"65536", b"2147483648", b"18446744073709551616", b"1e999"),
    *(b"NaN", b"Infinity", b"null", b"true", b"\\ud800", b"../", b"\xed\xa0\x80", b"[" * 2000),
    *(b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\x7f\xff\xff\xff", b"\x00" * 8, b"\xff" * 8),
)
"""What readers stumble over: brackets and ends, numbers at the limits of their types."""


def mutated(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """`data` with one to eight changes; others: what may be spliced in."""
    spoiled = bytearray(data)
    for _ in range(1 << chance.randrange(4)):
        _change(spoiled, others, chance)
    return bytes(spoiled)


def _change(data: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(data) + 1)
    length = min(1 << chance.randrange(8), len(data) - place)
    match chance.randrange(9):
        case 0 if place < len(data):
            data[place] ^= 1 << chance.randrange(8)
        case 1 if place < len(data):
            data[place] = chance.randrange(256)
        case 2 if place < len(data):
            data[place] = (data[place] + chance.choice((-1, 1))) % 256
        case 3:
            del data[place : place + length]
        case 4:
            data[place:place] = data[place : place + length]
        case 5:
            data[place:place] = chance.choice(WORDS)
        case 6:
            word = chance.choice(WORDS)
            data[place : place + len(word)] = word
        case 7:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            data[place : place + length] = other[start : start + (1 << chance.randrange(8))]
        case 8:
            del data[place:]
