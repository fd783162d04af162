"""The curves of a training: a table on disk that grows with it and goes back with a resume."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from ...protocol.errors import EngineError, ErrorCode

STEP = "step"


class Curves:
    """Rows of named numbers by step, in `path` (CSV) and in memory.

    An unbroken training and a resumed one give the same file, byte for byte: it holds no times.
    """

    def __init__(self, path: Path, step: int) -> None:
        """What is there after `step` is dropped. Raises EngineError(BAD_INPUT, BAD_OUTPUT)."""
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.names: list[str] = [STEP]
        if path.is_file() and step:
            self._read(step)
        self._write()

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """One more row. Raises EngineError(BAD_OUTPUT)."""
        row = {STEP: float(step)} | {name: float(value) for name, value in figures.items()}
        self.rows.append(row)
        new = [name for name in row if name not in self.names]
        if new:  # a term that begins later: the table gets a column
            self.names += new
            self._write()
        else:
            self._save("a", self._text([row]))

    def column(self, name: str) -> tuple[list[float], list[float]]:
        """Steps and values of a name."""
        rows = [row for row in self.rows if name in row]
        return [row[STEP] for row in rows], [row[name] for row in rows]

    def _read(self, step: int) -> None:
        try:
            with self.path.open(newline="", encoding="utf-8") as file:
                table = list(csv.reader(file))
            self.names = table[0] if table else [STEP]
            for cells in table[1:]:
                if len(cells) != len(self.names):
                    break  # the kill came in the middle of a line
                pairs = zip(self.names, cells, strict=True)
                row = {name: float(cell) for name, cell in pairs if cell}
                if row[STEP] <= step:
                    self.rows.append(row)
        except (OSError, ValueError, KeyError) as error:
            raise EngineError(
                ErrorCode.BAD_INPUT,
                f"{self.path} is not the table of this training's curves.",
                "Move it away to go on without the curves so far.",
            ) from error
        # Columns that only dropped rows had come again in their own time.
        self.names = [n for n in self.names if n == STEP or any(n in row for row in self.rows)]

    def _text(self, rows: list[dict[str, float]]) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            cells = [f"{row[name]:.9g}" if name in row else "" for name in self.names[1:]]
            writer.writerow([int(row[STEP]), *cells])
        return text.getvalue()

    def _write(self) -> None:
        self._save("w", ",".join(self.names) + "\n" + self._text(self.rows))

    def _save(self, mode: str, text: str) -> None:
        try:
            with self.path.open(mode, encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise EngineError(
                ErrorCode.BAD_OUTPUT, f"{self.path} cannot be written ({error.strerror})."
            ) from error
