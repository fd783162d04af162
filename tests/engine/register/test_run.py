import json

import numpy as np
import pytest

from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.safetensors import read_safetensors, write_safetensors
from engine.protocol.work import RegisterJob
from engine.register import run
from engine.register.correspondence import Quality
from engine.reporter import NullReporter

from .heads import as_it_is, load_head

QUALITY = Quality(460, 0.0007, 0.0001, 0.001, 3, 40, 0.98, "good", "It lies well.")


@pytest.fixture
def job(default_pack, tmp_path, monkeypatch):
    """A job whose mesh is the head itself; what would find that is put in its place."""
    from dataclasses import replace

    head, _ = load_head(default_pack)
    mesh, found = as_it_is(head)
    uv = head.corner_uv[: len(mesh.faces)]
    found = replace(found, quality=QUALITY, corner_uv=uv)
    path = tmp_path / "own.safetensors"
    arrays = {"vertices": mesh.vertices.astype(np.float32), "faces": mesh.faces}
    write_safetensors(path, arrays)
    monkeypatch.setattr(run, "register_head", lambda *values: found)
    monkeypatch.setattr(run, "registration_sheet", lambda *values: np.zeros((4, 4, 3), np.float32))
    return RegisterJob(str(path), str(tmp_path / "out"))


def test_a_registration_is_written_and_written_again(job, tmp_path):
    for _ in range(2):
        folder = run.run_register(job, NullReporter())
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [run.REPORT, run.ARRAYS, run.SHEET]
    )
    report = json.loads((folder / run.REPORT).read_bytes())
    lines = "\n".join(run.describe(report))
    assert "own: good. It lies well." in lines
    assert "460 of 468, median 0.70 mm" in lines
    arrays = read_safetensors(folder / run.ARRAYS)
    assert arrays["corner_uv"].shape == (report["faces"], 4, 2)
    assert arrays["matched"].sum() == report["matched_vertices"]
    assert {path.name for path in tmp_path.iterdir()} == {"own.safetensors", "out"}


def test_foreign_folders_are_refused(job, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("mine")
    with pytest.raises(EngineError) as caught:
        run.run_register(job, NullReporter())
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert (tmp_path / "out" / "diary.txt").read_text() == "mine"


def test_a_cancelled_registration_leaves_nothing(job, tmp_path, monkeypatch):
    def stop(*values: object) -> None:
        raise EngineError(ErrorCode.CANCELLED, "The job was cancelled.")

    monkeypatch.setattr(run, "register_head", stop)
    with pytest.raises(EngineError):
        run.run_register(job, NullReporter())
    assert {path.name for path in tmp_path.iterdir()} == {"own.safetensors"}
