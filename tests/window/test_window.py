"""A real Blender window, worked by mouse and keyboard (story.py). Needs Blender 4.2 or later as
`blender` on the PATH or in UVAPM_BLENDER, and a display: Xvfb is started where there is none."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from engine.packaging.extension import build_zip

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.blender]

PATIENCE = 540.0


@pytest.fixture(scope="module")
def facts(root, run_story, default_pack, astronaut, tmp_path_factory):
    """What story.py saw."""
    out = tmp_path_factory.mktemp("window")
    built = build_zip(root, out / "dist", Path(sys.executable))
    photo = shutil.copy(astronaut, out / "portrait.png")
    python = os.environ.get("UVAPM_ENGINE_PYTHON", sys.executable)
    return run_story("story.py", out, [str(built.path), photo, python], PATIENCE)


def test_the_photo_is_typed_and_reconstructed_by_mouse(facts):
    assert facts["photo"].endswith("portrait.png")
    assert "reconstructed" in facts["steps"]


def test_a_slider_is_dragged_and_undone(facts):
    assert facts["moved_mm"] > 0.1
    assert facts["undone_mm"] < 1e-3


def test_a_landmark_is_dragged_and_the_head_refitted_in_place(facts):
    assert [index for index, _, _ in facts["pins"]] == [8] and facts["dragged"] > 2.0
    assert facts["missed"] < 1.0
    assert facts["in_place"] and facts["refit_undone"]


def test_the_head_survives_saving_and_loading(facts):
    assert facts["same"]


def test_it_is_exported(facts):
    assert facts["bytes"] > 100_000


def test_escape_cancels_and_leaves_the_scene(facts):
    assert facts["cancel_state"] == "cancelled" and facts["heads_left"] == 0


def test_a_job_outlives_the_wish_to_reload_scripts(facts):
    assert facts["job_went_on"]


def test_scripts_are_reloaded_and_the_engine_goes(facts):
    assert "scripts reloaded" in facts["steps"] and facts["heads_after"] > 0


def test_quitting_in_a_job_leaves_no_engine(facts):
    assert facts["steps"][-1] == "quit in a job"
    assert facts["engines"] == []


def test_nothing_went_wrong_unseen(facts):
    assert "Traceback" not in facts["log"]
