"""FLAME 2023 Open: the edition of FLAME that its makers release under CC BY 4.0."""

from collections.abc import Sequence
from pathlib import Path

from ...reporter import Reporter
from .flame import FlameEdition, read_edition
from .source import HeadSource

OPEN = FlameEdition(
    "flame-open",
    ("flame2023_Open.pkl", "flame2023_Open.npz"),
    "CC BY 4.0 with the use limits of the FLAME 2023 Open licence; name its makers",
    "FLAME 2023 Open",
)


def read(paths: Sequence[Path], reporter: Reporter) -> HeadSource:
    """As `flame.read`. Raises EngineError(PACK_INVALID) and Cancelled."""
    return read_edition(paths, reporter, OPEN)
