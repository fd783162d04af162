"""Registration's progress as a part of a longer job's."""

from dataclasses import dataclass, field

from ..reporter import Reporter

_STEPS = 100
"""Of each inner stage."""


@dataclass
class InnerStages:
    """A reporter whose stages are steps of the stage that runs. warnings: what was said."""

    reporter: Reporter
    warnings: list[str] = field(default_factory=list)
    _index: int = 0
    _total: int = 1

    def stage(self, name: str, index: int, total: int) -> None:
        """See Reporter: `index` of `total` steps are done."""
        self._index, self._total = index, total
        self.reporter.progress(_STEPS * index, _STEPS * total)

    def progress(self, step: int, total: int) -> None:
        """See Reporter."""
        done = _STEPS * self._index + _STEPS * min(step, total) // max(total, 1)
        self.reporter.progress(done, _STEPS * self._total)

    def preview(self, path: str) -> None:
        """See Reporter."""
        self.reporter.preview(path)

    def warning(self, text: str) -> None:
        """See Reporter."""
        self.warnings.append(text)
        self.reporter.warning(text)
