"""From the name of a kind (`protocol/head_kinds.py`) to its adapter."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

from ...reporter import Reporter
from .source import HeadSource

ReadHead = Callable[[Sequence[Path], Reporter], HeadSource]
"""The files or folders that a user gave -> a checked HeadSource; raises EngineError."""


def head_reader(name: str) -> ReadHead:
    """`read` of the adapter of a kind of head: the module of its name beside this one."""
    return importlib.import_module(f".{name.replace('-', '_')}", __package__).read
