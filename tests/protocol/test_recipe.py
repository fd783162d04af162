"""The recipe that a .blend file keeps asks for the same fits again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.hostile.small_result import small_contents
from engine.protocol.edits import Edits, read_edits
from engine.protocol.errors import EngineError
from engine.protocol.history import (
    MOST_STEPS,
    FitStep,
    edits_from_plain,
    edits_to_plain,
    with_step,
)
from engine.protocol.job import FitJob
from engine.protocol.landmarks68 import Pin
from engine.protocol.recipe import jobs_of, read_recipe, recipe_of
from engine.protocol.result import ResultPackage, read_result
from engine.result.write import write_result

EDITS = Edits(identity=np.array([0.1, -2.5]), albedo=np.arange(6.0).reshape(3, 2) / 7)
HISTORY = (
    FitStep(7, 256, 512),
    FitStep(7, 512, 512, ("pose",), (Pin(8, 1.5, 2.25),), dict(edits_to_plain(EDITS))),
)


def result(folder: Path, history: tuple[FitStep, ...] = ()) -> ResultPackage:
    return read_result(write_result(folder, replace(small_contents(), history=history)))


def test_a_recipe_asks_for_the_whole_chain(tmp_path: Path) -> None:
    package = result(tmp_path / "result", HISTORY)
    text = recipe_of(package)
    assert text.isascii() and "\n" not in text
    first, second = jobs_of(read_recipe(text), "out", tmp_path, "all")
    photos = (package.manifest.photo.path,)
    expected = FitJob(
        photos, str(tmp_path / "1"), seed=7, face=0, texture_size=256, files="blender"
    )
    assert first == expected
    expected = replace(expected, output="out", texture_size=512, files="all", start=first.output)
    expected = replace(expected, locks=("pose",), pins=HISTORY[1].pins, edits=second.edits)
    assert second == expected
    edits = read_edits(Path(second.edits or ""))
    np.testing.assert_array_equal(edits.identity, EDITS.identity.astype(np.float32))
    np.testing.assert_array_equal(edits.albedo, EDITS.albedo.astype(np.float32))
    assert edits.expression is None


def test_a_recipe_of_an_earlier_version_is_one_fit(tmp_path: Path) -> None:
    text = recipe_of(result(tmp_path / "result"))
    old = json.loads(text)
    del old["steps"]
    assert read_recipe(json.dumps(old)) == read_recipe(text)
    old |= {"texture_size": 1024, "fine_size": 2048}
    (job,) = jobs_of(read_recipe(json.dumps(old)), "out", tmp_path)
    assert (job.texture_size, job.fine_size, job.start) == (1024, 2048, None)


def test_too_long_a_history_is_none() -> None:
    step = HISTORY[0]
    assert with_step((step,) * (MOST_STEPS - 1), step) == (step,) * MOST_STEPS
    assert with_step((step,) * MOST_STEPS, step) == ()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"engine": 1}'])
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(EngineError, match="recipe"):
        read_recipe(text)


@pytest.mark.parametrize("edits", [{"pose": (0.0,)}, {"albedo": (0.0, 1.0)}])
def test_edits_that_no_head_has_are_refused(edits: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(EngineError, match="edits of"):
        edits_from_plain(edits)
