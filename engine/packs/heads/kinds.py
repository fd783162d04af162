"""The kinds of head model that can be imported. A new kind is one file and one line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...protocol.errors import EngineError, ErrorCode
from ...reporter import Reporter
from .source import HeadSource


@dataclass(frozen=True)
class HeadKind:
    """A kind of head model.

    name: of the command line. title: for people. files: what to give, in words. licence_note: the
    makers' terms in a sentence, which a user must accept before anything is read. read: the
    adapter; it gets the files or folders that the user gave and delivers a checked HeadSource, or
    raises EngineError.
    """

    name: str
    title: str
    files: str
    licence_note: str
    read: Callable[[Sequence[Path], Reporter], HeadSource]


KINDS: tuple[HeadKind, ...] = ()
"""One line a kind."""


def head_kind(name: str) -> HeadKind:
    """The kind of this name. Raises EngineError(BAD_SETTINGS) with the names there are."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise EngineError(
        ErrorCode.BAD_SETTINGS,
        f"There is no kind of head model named {name!r}.",
        f"Kinds: {', '.join(kind.name for kind in KINDS)}.",
    )
