"""The recipe that a .blend file keeps asks for the same fit again."""

from pathlib import Path

import pytest

from engine.hostile.small_result import small_contents
from engine.protocol.errors import EngineError
from engine.protocol.job import FitJob
from engine.protocol.recipe import job_of, recipe_of
from engine.protocol.result import read_result
from engine.result.write import write_result


def test_a_recipe_asks_for_the_same_fit(tmp_path: Path) -> None:
    package = read_result(write_result(tmp_path / "result", small_contents()))
    text = recipe_of(package)
    assert text.isascii() and "\n" not in text
    text = text.replace('"texture_size": 16', '"texture_size": 256')
    text = text.replace('"fine_size": 16', '"fine_size": 512')
    expected = FitJob(
        (package.manifest.photo.path,),
        "out",
        seed=7,
        face=0,
        texture_size=256,
        files="blender",
    )
    assert job_of(text, "out") == expected


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"engine": 1}'])
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(EngineError, match="recipe"):
        job_of(text, "out")
