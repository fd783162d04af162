"""All photos of a plan: what is done is kept, what fails is told, nothing stops the rest."""

import os
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..cluster import connect_client
from ..pool import core_count
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from ..result.folder import remove_drafts
from .plan import PlannedFit, add_to_journal, is_done, read_journal
from .work import FOR_ALL, FitOutcome, FitTask, run_here, run_on_cluster

WORKER_BYTES = 1.5e9
"""Memory that a process is counted with."""
DRAFT_AGE = 600.0
"""Seconds after which a draft belongs to a run that was killed."""

Start = Callable[[Sequence[FitTask], Callable[[], None]], Generator[FitOutcome, None, None]]


@dataclass(frozen=True)
class DoneFit:
    """outcome: None for a result that was there already."""

    fit: PlannedFit
    outcome: FitOutcome | None


def default_workers() -> int:
    """Processes for this machine: one a core, as far as its memory goes."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows does not tell
        return core_count()
    return max(1, min(core_count(), int(memory / WORKER_BYTES)))


def fit_many(
    plan: Sequence[PlannedFit],
    out: Path,
    workers: int,
    scheduler: str | None,
    reporter: Reporter,
) -> list[DoneFit]:
    """Fit what is not done yet, in the plan's order.

    workers: processes here; scheduler: address of a Dask cluster that is used instead. A failed
    photo is a warning. Raises Cancelled, and EngineError for what no photo could pass: a missing
    pack or package, an output folder or a cluster that cannot be used.
    """
    make_folder(out)
    journal = read_journal(out)
    todo = []
    for number, fit in enumerate(plan):
        reporter.progress(0, len(plan))
        if not is_done(fit, journal):
            todo.append(number)
    done = [DoneFit(fit, None) for fit in plan]
    count = len(plan) - len(todo)
    names = [plan[number].name for number in todo]
    remove_drafts(out, names, DRAFT_AGE)
    reporter.stage("Fitting", 0, 1)
    reporter.progress(count, len(plan))
    try:
        with _start(out, workers, scheduler) as (start, run):
            tasks = [FitTask(number, plan[number].job, run) for number in todo]
            with closing(start(tasks, lambda: reporter.progress(count, len(plan)))) as outcomes:
                for outcome in outcomes:
                    _note(plan[outcome.number], outcome, out, reporter)
                    done[outcome.number] = DoneFit(plan[outcome.number], outcome)
                    count += 1
    finally:
        remove_drafts(out, names, 0.0)
    reporter.progress(count, len(plan))
    return done


def make_folder(out: Path) -> None:
    """Raises EngineError(BAD_OUTPUT)."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(
            ErrorCode.BAD_OUTPUT,
            f"The folder {out} cannot be made: {error.strerror}.",
            "Name another one with --out.",
        ) from error


@contextmanager
def _start(out: Path, workers: int, scheduler: str | None) -> Iterator[tuple[Start, str | None]]:
    """What runs the tasks, and the file that tells those on a cluster to go on."""
    if scheduler is None:
        yield partial(_here, workers), None
        return
    with connect_client(scheduler) as client:
        run = out.absolute() / f".running-{secrets.token_hex(4)}"
        run.touch()
        try:
            yield partial(run_on_cluster, client), str(run)
        finally:
            run.unlink(missing_ok=True)


def _here(
    workers: int, tasks: Sequence[FitTask], on_wait: Callable[[], None]
) -> Generator[FitOutcome, None, None]:
    return run_here(tasks, workers, on_wait)


def _note(fit: PlannedFit, outcome: FitOutcome, out: Path, reporter: Reporter) -> None:
    """Keep a result, tell a failure. Raises EngineError for one that all photos would meet."""
    if outcome.error in FOR_ALL:
        raise EngineError(outcome.error, outcome.message, outcome.hint)
    if outcome.error is None:
        add_to_journal(out, fit)
    else:
        name = Path(fit.job.photos[0]).name
        known = outcome.message.startswith(name)
        reporter.warning(outcome.message if known else f"{name}: {outcome.message}")
