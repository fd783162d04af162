"""Rows of numbers as text, whole columns at a time: what a head's OBJ file is made of."""

import numpy as np

_MINUS, _DOT, _ZERO, _SPACE, _SLASH, _END = b"-.0 /\n"
PLACES = 6


def decimal_rows(word: str, rows: np.ndarray) -> bytes:
    """A line for each row: the word, then its numbers with six decimals, rounded to nearest.

    rows: (N, k) finite floats below 1e9 in size. The same text as "%.6f" makes, but for a zero,
    which has no sign.
    """
    counts = np.rint(np.abs(rows).astype(np.float64) * 10**PLACES).astype(np.int64)
    whole, fraction = np.divmod(counts, 10**PLACES)
    negative = (rows < 0) & (counts > 0)
    left, kept = _digits(whole, _width(whole))
    right, _ = _digits(fraction, PLACES)
    one = np.ones_like(negative)[..., None]
    text = [one * _SPACE, one * _MINUS, left, one * _DOT, right]
    shown = [one, negative[..., None], kept, one, np.broadcast_to(one, right.shape)]
    return _lines(word, np.concatenate(text, -1), np.concatenate(shown, -1))


def pair_rows(word: str, rows: np.ndarray) -> bytes:
    """A line for each row: the word, then its pairs as "a/b". rows: (N, k, 2) integers >= 0."""
    digits, kept = _digits(rows, _width(rows))
    marks = np.full((*rows.shape, 1), _SPACE, np.uint8)
    marks[..., 1, :] = _SLASH
    text = np.concatenate([marks, digits], -1)
    shown = np.concatenate([np.ones(marks.shape, bool), kept], -1)
    return _lines(word, text, shown)


def _width(values: np.ndarray) -> int:
    """Digits of the largest of these integers."""
    return len(str(int(values.max()))) if values.size else 1


def _digits(values: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(..., width) the characters of integers, and which of them are no leading zeros."""
    powers = 10 ** np.arange(width - 1, -1, -1)
    quotients = values[..., None] // powers
    kept = quotients > 0
    kept[..., -1] = True
    return (quotients % 10 + _ZERO).astype(np.uint8), kept


def _lines(word: str, text: np.ndarray, shown: np.ndarray) -> bytes:
    """Characters (N, ...) that are shown, with a word before and a line's end after each row."""
    count = len(text)
    head = np.broadcast_to(np.frombuffer(word.encode("ascii"), np.uint8), (count, len(word)))
    end = np.full((count, 1), _END, np.uint8)
    flat = np.concatenate([head, text.reshape(count, -1).astype(np.uint8), end], 1)
    always = np.ones((count, 1), bool)
    mask = [np.repeat(always, len(word), 1), shown.reshape(count, -1), always]
    return flat[np.concatenate(mask, 1)].tobytes()
