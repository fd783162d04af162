"""Pins and edited coefficients on their way into a fit."""

import numpy as np
import pytest

from engine.protocol.edits import Edits, check_sizes, read_edits, write_edits
from engine.protocol.errors import EngineError, ErrorCode
from engine.protocol.job import FitJob
from engine.protocol.landmarks68 import CURVES, LANDMARK_NAMES, Pin, check_inside
from engine.protocol.safetensors import write_safetensors

JOB = {"photos": ("a.png",), "output": "out"}


def test_every_point_has_a_name_of_its_own_and_a_line() -> None:
    assert len(set(LANDMARK_NAMES)) == 68
    assert {index for curve in CURVES for index in curve} == set(range(68))


def test_a_job_keeps_its_pins() -> None:
    job = FitJob(**JOB, pins=[Pin(30, 512.0, 300.5)], start="old", edits="edits")
    again = FitJob.from_json(job.to_json())
    assert again == job and again.pins == (Pin(30, 512.0, 300.5),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pins": (Pin(3, 1.0, 1.0), Pin(3, 2.0, 2.0))}, "two pins of one point"),
        ({"edits": "file"}, "no result to start from"),
        ({"edits": "", "start": "old"}, "a path is empty"),
        ({"start_net": ""}, "a path is empty"),
        ({"start_net": "net.pth", "start": "old"}, "neither with a result"),
        ({"start_net": "net.pth", "preset": "paper"}, "nor with a preset"),
        ({"arcface": "net.pth"}, "preset paper only"),
        ({"arcface": "", "preset": "paper"}, "a path is empty"),
    ],
)
def test_jobs_that_cannot_be_are_refused(change, words) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        FitJob(**JOB, **change)
    assert caught.value.code == ErrorCode.BAD_SETTINGS


@pytest.mark.parametrize("place", [(68, 1.0, 1.0), (-1, 1.0, 1.0), (0, float("nan"), 1.0)])
def test_pins_that_cannot_be_are_refused(place) -> None:
    with pytest.raises(EngineError):
        Pin(*place)


def test_a_pin_outside_the_photo_is_named() -> None:
    check_inside((Pin(8, 640.0, 0.0),), 640, 480)
    with pytest.raises(EngineError, match="'Chin' at 641, 3 lies outside"):
        check_inside((Pin(8, 641.0, 3.0),), 640, 480)


def test_edits_come_back(tmp_path) -> None:
    path = tmp_path / "edits.safetensors"
    write_edits(path, Edits(identity=np.arange(3.0), albedo=np.ones((3, 2))))
    found = read_edits(path)
    np.testing.assert_array_equal(found.identity, np.arange(3.0))
    assert found.expression is None
    check_sizes(found, {"identity": (3,), "expression": (5,), "albedo": (3, 2)})
    with pytest.raises(EngineError, match=r"identity must have shape \(4,\)"):
        check_sizes(found, {"identity": (4,), "expression": (5,), "albedo": (3, 2)})


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("pose", np.zeros(3, np.float32), "it holds 'pose'"),
        ("identity", np.zeros((2, 2), np.float32), "1 dimensions"),
        ("identity", np.zeros(3, np.int32), "real numbers"),
        ("identity", np.full(3, np.nan, np.float32), "between -20 and 20"),
        ("expression", np.full(3, 1.5, np.float32), "between 0 and 1"),
    ],
)
def test_edits_that_cannot_be_are_refused(tmp_path, name, array, words) -> None:
    path = tmp_path / "edits.safetensors"
    write_safetensors(path, {name: array})
    with pytest.raises(EngineError, match=words) as caught:
        read_edits(path)
    assert caught.value.code == ErrorCode.BAD_INPUT


def test_a_file_that_is_none_is_refused(tmp_path) -> None:
    (tmp_path / "edits").write_bytes(b"no")
    for name in ("edits", "missing"):
        with pytest.raises(EngineError, match="cannot be read"):
            read_edits(tmp_path / name)
