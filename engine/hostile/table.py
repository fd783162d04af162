"""What became of each kind of fault: tried, survived, lost, longest."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class Fault(Exception):
    """An attempt that did not end as it should; the text says how. lost: data of the artist are
    gone."""

    def __init__(self, text: str, lost: bool = False) -> None:
        super().__init__(text)
        self.lost = lost


@dataclass(frozen=True)
class Row:
    """A line of the table. longest: seconds of the longest attempt, the next job included."""

    kind: str
    tried: int
    survived: int
    lost: int
    longest: float
    complaints: tuple[str, ...] = ()


@dataclass
class Tally:
    """Counts the attempts of one kind."""

    kind: str
    tried: int = 0
    survived: int = 0
    lost: int = 0
    longest: float = 0.0
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """One attempt: it survives when the block ends without an exception."""
        began = time.monotonic()
        self.tried += 1
        try:
            yield
            self.survived += 1
        except Exception as error:  # noqa: BLE001 an exception of any kind is a finding
            self.lost += isinstance(error, Fault) and error.lost
            self.complaints.append(f"{type(error).__name__}: {error}"[:300])
        finally:
            self.longest = max(self.longest, time.monotonic() - began)

    def row(self) -> Row:
        """The line of the table."""
        return Row(
            self.kind, self.tried, self.survived, self.lost, self.longest, tuple(self.complaints)
        )


HEAD = f"{'kind':<58} {'tried':>6} {'survived':>9} {'lost':>5} {'longest s':>10}"


def line(row: Row) -> str:
    """A row as text."""
    return f"{row.kind:<58} {row.tried:>6} {row.survived:>9} {row.lost:>5} {row.longest:>10.2f}"


def total(rows: Iterable[Row]) -> Row:
    """All rows together."""
    rows = list(rows)
    return Row(
        "all",
        sum(row.tried for row in rows),
        sum(row.survived for row in rows),
        sum(row.lost for row in rows),
        max((row.longest for row in rows), default=0.0),
    )
