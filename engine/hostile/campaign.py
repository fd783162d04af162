"""The parts of `bench faults` one after another."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..result.write import write_result
from .client_faults import client_rows
from .kills import kill_rows
from .small_result import small_contents
from .table import Row
from .worker_faults import worker_rows

FEWER = 8
"""An attempt against the add-on's session starts two processes: so much fewer of each kind."""


def engine_rows(only: Sequence[str], scratch: Path, count: int, seed: int) -> Iterator[Row]:
    """Rows of the parts "worker", "client" and "kills". scratch: an empty folder; count: attempts
    of each kind, a part of it of costly ones."""
    template = write_result(scratch / "template", small_contents())
    if "worker" in only:
        yield from worker_rows(template, scratch, count, seed)
    if "client" in only:
        yield from client_rows(template, scratch, max(count // FEWER, 1), seed)
    if "kills" in only:
        yield from kill_rows(template, scratch, count, seed)
