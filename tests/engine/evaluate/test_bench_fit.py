"""`bench fit`: what is noted of a job, on a worker made of its messages."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.evaluate.bench_fit import BenchCase, _resized, _time_job
from engine.photo.load import load_photo
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.job import FitJob
from engine.protocol.messages import Failed, Finished, Message, Preview, StageStarted

JOB = FitJob(("a.png",), "out")
TALK = [
    StageStarted("bench", "shape", 0, 2),
    Preview("bench", "p.png"),
    StageStarted("bench", "write", 1, 2),
    Finished("bench", "out"),
]


class Scripted:
    """A worker that says TALK; each look at its processor finds a second more."""

    def __init__(self, talk: list[Message]) -> None:
        self._talk, self._processor = talk, count()

    def send(self, message: object) -> None:
        pass

    def messages(self) -> Iterator[Message]:
        return iter(self._talk)

    def processor(self) -> float:
        return float(next(self._processor))

    def memory(self, field: str) -> int:
        return {"VmRSS": 7, "VmHWM": 9}[field]


def test_a_job_is_noted_by_stage() -> None:
    timing = _time_job(Scripted(TALK), JOB)
    assert list(timing.stages) == ["shape", "write"]
    assert timing.stages["shape"].processor > 0.0
    assert 0.0 < timing.preview.processor < timing.result.processor
    assert (timing.resident, timing.peak) == (7, 9)
    assert timing.work > 0.0
    assert BenchCase("x", (timing,) * 3).median(lambda job: job.resident) == 7


def test_a_job_that_fails_ends_the_bench() -> None:
    with pytest.raises(EngineError, match="No face"):
        _time_job(Scripted([Failed("bench", ErrorCode.NO_FACE, "No face.", "")]), JOB)


def test_photos_of_other_sizes(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.full((240, 400, 3), 128, np.uint8))
    small, large = (load_photo(_resized(path, size, tmp_path)) for size in (350, 800))
    assert small.pixels.shape == (210, 350, 3) and large.pixels.shape == (480, 800, 3)
    assert abs(float(large.pixels.mean()) - 128 / 255) < 0.01
