"""Data-blocks are made in steps, and which were made is noted: a failure takes them away again."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import bpy

Value = TypeVar("Value")
Steps = Generator[None, None, Value]
"""Work that may be left off at each of its items and taken up a moment later; then its value."""

KINDS = ("objects", "meshes", "materials", "images", "cameras", "worlds", "collections")


class Made:
    """Data-blocks that appeared inside `noting`. Known by their session uid: a block that undo or
    another file took away meanwhile is simply not found again."""

    def __init__(self) -> None:
        self._uids: set[int] = set()

    @contextmanager
    def noting(self) -> Iterator[None]:
        """What appears inside counts, also when the inside fails."""
        before = {block.session_uid for block in _blocks()}
        try:
            yield
        finally:
            self._uids |= {block.session_uid for block in _blocks()} - before

    def remove(self) -> None:
        """Take all of them away."""
        bpy.data.batch_remove([block for block in _blocks() if block.session_uid in self._uids])
        self._uids.clear()


@contextmanager
def nothing_on_error() -> Iterator[None]:
    """Remove every data-block that was made inside when the inside fails."""
    made = Made()
    try:
        with made.noting():
            yield
    except BaseException:
        made.remove()
        raise


def at_once(steps: Steps[Value]) -> Value:
    """Do all of them now."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _blocks() -> Iterator[bpy.types.ID]:
    for kind in KINDS:
        yield from getattr(bpy.data, kind)
