"""Jobs that are no fit reach what does them, and the same mesh is registered once in a worker."""

from pathlib import Path

import pytest

import engine.packs.heads.importing as importing
import engine.register.run as registering
import engine.wear.run as wearing
from engine.protocol.job import FitJob
from engine.protocol.work import ImportJob, Job, RegisterJob, WearJob
from engine.reporter import NullReporter
from engine.worker.real import other_jobs


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was called with what."""
    calls: list[tuple[object, ...]] = []

    def stand_in(*given: object) -> Path:
        calls.append(given)
        return Path("done")

    monkeypatch.setattr(importing, "run_import", stand_in)
    monkeypatch.setattr(registering, "run_register", stand_in)
    monkeypatch.setattr(wearing, "run_wear", stand_in)
    return calls


@pytest.mark.parametrize(
    "job", [WearJob("r", "m", "o"), ImportJob("ict", ("p",), "o"), RegisterJob("m", "o")]
)
def test_each_kind_is_done(done: list[tuple[object, ...]], job: Job) -> None:
    reporter = NullReporter()
    assert other_jobs()(job, reporter) == Path("done")
    assert done[0][:2] == (job, reporter)


def test_wear_jobs_of_a_worker_share_a_session(done: list[tuple[object, ...]]) -> None:
    run_job, reporter = other_jobs(), NullReporter()
    for output in ("a", "b"):
        run_job(WearJob("r", "m", output), reporter)
    other_jobs()(WearJob("r", "m", "c"), reporter)
    sessions = [given[2] for given in done]
    assert sessions[0] is sessions[1] and sessions[1] is not sessions[2]


def test_a_fit_is_no_such_job(done: list[tuple[object, ...]]) -> None:
    with pytest.raises(Exception, match="FitJob"):
        other_jobs()(FitJob(("a",), "o"), NullReporter())
