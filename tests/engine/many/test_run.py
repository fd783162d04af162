"""Many photos: failures told, finished ones kept, cancelled cleanly; by a fake fit."""

import csv
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.many import run as run_module
from engine.many.plan import PlannedFit
from engine.many.run import fit_many
from engine.many.summary import csv_bytes, sheets, summary_row, table_lines
from engine.many.work import FitOutcome
from engine.protocol.errors import Cancelled, EngineError, ErrorCode
from engine.protocol.job import FitJob
from engine.reporter import NullReporter
from engine.result.write import write_result
from tests.fixtures.small_result import small_contents


class Fits:
    """Stands for `run_here`: photos whose name starts with "bad" fail, others give a result."""

    def __init__(self):
        self.seen = []

    def __call__(self, tasks, workers, on_wait):
        for task in tasks:
            on_wait()
            name = Path(task.job.photos[0]).name
            self.seen.append(name)
            if name.startswith("bad"):
                yield FitOutcome(task.number, 0.1, ErrorCode.NO_FACE, "No face.", "Another photo.")
            elif name.startswith("packless"):
                yield FitOutcome(task.number, 0.1, ErrorCode.PACK_INVALID, "Broken pack.")
            else:
                write_result(Path(task.job.output), small_contents())
                yield FitOutcome(task.number, 0.1)


@pytest.fixture
def fits(monkeypatch):
    fake = Fits()
    monkeypatch.setattr(run_module, "run_here", fake)
    return fake


def planned(folder, *names):
    """The plan of photos that exist."""
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.fromarray(np.full((40, 30, 3), 90, np.uint8)).save(folder / f"{name}.png")
    return [
        PlannedFit(
            name, FitJob((str(folder / f"{name}.png"),), str(folder / "out" / name)), f"key {name}"
        )
        for name in names
    ]


def many(plan, reporter=None):
    out = Path(plan[0].job.output).parent
    return fit_many(plan, out, 1, None, reporter or NullReporter())


def test_a_bad_photo_stops_no_other_and_is_told(fits, tmp_path):
    reporter = NullReporter()
    done = many(planned(tmp_path, "anna", "bad", "zoe"), reporter)
    rows = [summary_row(each) for each in done]
    assert [row.status for row in rows] == ["done", "failed", "done"]
    assert reporter.warnings == ["bad.png: No face."]
    table = list(csv.DictReader(io.StringIO(csv_bytes(rows).decode(), newline="")))
    assert [line["photo"] for line in table] == ["anna.png", "bad.png", "zoe.png"]
    assert table[1]["error"] == "no_face: No face."
    assert float(table[0]["landmark_error"]) == pytest.approx(rows[0].metrics["landmark_error"])
    lines = list(table_lines(rows, 2))
    assert "no_face: No face." in "\n".join(lines)
    assert lines[-1] == "2 done, 0 kept from before, 1 failed"
    assert "... and 1 more" in lines
    (sheet,) = sheets(done, rows)
    assert Image.open(io.BytesIO(sheet)).width > Image.open(io.BytesIO(sheet)).height


def test_finished_photos_are_kept_and_failed_ones_tried_again(fits, tmp_path):
    plan = planned(tmp_path, "anna", "bad", "zoe", "zora")
    many(plan)
    (tmp_path / "out" / "zora" / "maps" / "albedo.png").unlink()
    fits.seen.clear()
    changed = [replace(each, key="other") if each.name == "zoe" else each for each in plan]
    done = many(changed)
    assert fits.seen == ["bad.png", "zoe.png", "zora.png"]
    assert [each.outcome is None for each in done] == [True, False, False, False]


def test_what_no_photo_could_pass_ends_the_run(fits, tmp_path):
    with pytest.raises(EngineError, match="Broken pack"):
        many(planned(tmp_path, "anna", "packless", "zoe"))
    assert fits.seen == ["anna.png", "packless.png"]
    fits.seen.clear()
    many(planned(tmp_path, "anna", "zoe"))
    assert fits.seen == ["zoe.png"]


def test_drafts_of_killed_runs_go_and_other_folders_stay(fits, tmp_path):
    plan = planned(tmp_path, "anna")
    for name in (".anna.0123abcd.part", ".other.0123abcd.part", ".anna.part"):
        (tmp_path / "out" / name / "maps").mkdir(parents=True)
    many(plan)
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == [".anna.part", ".other.0123abcd.part", "anna", "fit-many.jsonl"]


def test_a_cancelled_run_goes_on_later(fits, tmp_path):
    plan = planned(tmp_path, "anna", "zoe")

    class Impatient(NullReporter):
        def progress(self, step, total):
            if step == 1:
                raise Cancelled

    with pytest.raises(Cancelled):
        many(plan, Impatient())
    fits.seen.clear()
    assert all(each.outcome is None or not each.outcome.error for each in many(plan))
    assert fits.seen == ["zoe.png"]


@pytest.mark.slow
def test_a_cluster_does_the_same_and_is_cancelled(tmp_path):
    pytest.importorskip("distributed")
    script = Path(__file__).with_name("run_many_on_cluster.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["done", "failed", "done", "cancelled"]
    assert not list((tmp_path / "out").glob(".*"))
