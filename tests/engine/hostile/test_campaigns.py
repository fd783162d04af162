"""A short slice of each campaign, and that a campaign notices what goes wrong."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import engine.hostile.worker_faults as worker_faults
from engine.hostile.campaign import engine_rows
from engine.hostile.client_faults import ENDS, Client, client_rows
from engine.hostile.kills import _worker_killed, whole
from engine.hostile.processes import alive, zombies
from engine.hostile.small_result import small_contents
from engine.hostile.table import Fault, Tally, line, total
from engine.result.write import write_result

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result(tmp_path_factory.mktemp("template") / "template", small_contents())


def survived(rows) -> None:
    for row in rows:
        assert row.survived == row.tried > 0 and row.lost == 0, row
    assert not zombies()


def test_a_worker_survives_hostile_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attacks = worker_faults._attacks
    kinds = ("worker: floods", "worker: a slow reader")  # others: tests/engine/worker
    monkeypatch.setattr(worker_faults, "FLOOD", 1000)
    monkeypatch.setattr(
        worker_faults,
        "_attacks",
        lambda template: {kind: attacks(template)[kind] for kind in kinds},
    )
    survived(engine_rows(("worker",), tmp_path, 2, seed=0))


@pytest.mark.parametrize("part", ["flood", "closed_output", "offspring"])
def test_the_add_on_survives_a_hostile_engine(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr("engine.hostile.client_faults.ENDS", {part: ENDS[part]})
    monkeypatch.setattr("engine.hostile.client_faults.LONGEST_PUMP", 5.0)  # a busy machine
    survived(client_rows(template, tmp_path, 1, seed=3))


def test_kills_lose_nothing(tmp_path: Path, template: Path) -> None:
    survived([_worker_killed(template, tmp_path, 2, seed=1)])


def test_a_lost_result_and_a_survivor_are_noticed(tmp_path: Path) -> None:
    tally = Tally("kind")
    with tally.attempt():
        whole(tmp_path / "gone", {1})
    with tally.attempt():
        raise Fault("hung")
    with tally.attempt():
        pass
    row = tally.row()
    assert (row.tried, row.survived, row.lost) == (3, 1, 1)
    assert "gone" in row.complaints[0] and "hung" in row.complaints[1]
    assert line(total([row, row])).split()[1:4] == ["6", "2", "2"]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert alive(child.pid)
        child.kill()
        while alive(child.pid):
            time.sleep(0.01)
        assert zombies() == [child.pid]


def test_a_job_longer_than_a_pipe_reaches_the_worker(tmp_path: Path, template: Path) -> None:
    """16 long paths have more bytes than a pipe holds."""
    client = Client(tmp_path)
    photos = (str(template), *(f"/{'x' * 20000}{number}" for number in range(15)))
    client.start(client.good, photos, tmp_path / "out", 5, 256)
    client.finish("done")
    client.session.close()
    whole(tmp_path / "out", {5})
