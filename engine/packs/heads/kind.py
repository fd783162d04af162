"""What a kind of head model is to the rest of the program."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
