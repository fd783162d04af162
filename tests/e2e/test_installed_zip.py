"""The zip that users get, installed into an empty Blender, with the real engine behind it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.packaging.extension import build_zip

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.blender]


def without_network() -> list[str]:
    """Words before a command that take the network away from it and from all that it starts:
    Blender leaves PYTHON* variables out when it starts the engine. Linux only."""
    words = ["unshare", "--map-root-user", "--net"]
    try:
        works = subprocess.run([*words, "true"], capture_output=True).returncode == 0
    except OSError:
        works = False
    return words if works else []


@pytest.fixture(scope="module")
def facts(root, bpy, default_pack, astronaut, bad_photos, offline, tmp_path_factory):
    """What tests/e2e/blender_life.py saw."""
    out = tmp_path_factory.mktemp("installed")
    built = build_zip(root, out / "dist", Path(sys.executable))
    script = root / "tests" / "e2e" / "blender_life.py"
    command = [*without_network(), sys.executable, str(script), str(built.path), str(astronaut)]
    command += [str(bad_photos / "no_face.jpg"), str(out)]
    home = out / "home"
    home.mkdir()
    done = subprocess.run(
        command,
        cwd=out,  # not the repository: only the zip may be found
        env=os.environ | offline | {"BLENDER_USER_RESOURCES": str(home)},
        capture_output=True,
        text=True,
        timeout=400,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FACTS ")]
    assert lines, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("FACTS "))


def test_zip_installs_and_enables(facts):
    assert facts["enabled"]


def test_bad_photos_are_refused_in_plain_words_and_leave_the_scene_alone(facts):
    assert "face" in facts["no_face"].lower()
    assert "not found" in facts["missing"].lower()
    assert "Traceback" not in facts["no_face"] + facts["missing"]
    assert facts["untouched"]


def test_photo_becomes_a_head(facts):
    assert facts["first"] == ["FINISHED"]
    head = facts["one"]
    assert len(head["skins"]) == 1
    assert head["keys"] == [53]  # basis and the 52 ARKit expressions
    assert head["faces"][0] > 10_000
    assert head["uvs"][0] >= 1
    assert head["cameras"] == 1


def test_two_heads_live_side_by_side(facts):
    assert facts["second"] == ["FINISHED"]
    assert len(set(facts["two"]["skins"])) == 2
    assert facts["two"]["cameras"] == 2


def test_images_survive_saving_and_loading(facts):
    images = facts["reloaded"]["images"]
    assert images
    for name, (packed, brightest) in images.items():
        assert packed, name
        assert brightest > 0, name
    assert facts["reloaded"]["skins"] == facts["two"]["skins"]
    assert facts["reloaded"]["keys"] == [53, 53]


def test_head_can_be_exported(facts):
    assert facts["exported"]["fbx"] > 1_000_000
    assert facts["exported"]["glb"] > 1_000_000


def test_disabling_leaves_nothing_and_enabling_works_again(facts):
    assert facts["left"] == []
    assert facts["again"]


def test_twenty_edits_are_undone_and_redone_beside_another_head(facts):
    undo = facts["undo"]
    assert undo["edited"][0] > 1.0 and undo["edited"][1] > 1.0, "the sliders did something"
    for name in ("undone", "redone", "other"):
        moved, levels = undo[name]
        assert moved < 0.001 and levels < 0.1, name


def test_a_linked_duplicate_is_a_head_of_its_own(facts):
    assert facts["duplicate"]["copy"][0] > 0.1 and facts["duplicate"]["copy"][1] > 0.5
    assert facts["duplicate"]["original"] == [0.0, 0.0]


def test_removed_heads_leave_nothing_after_a_purge(facts):
    assert facts["purged"]
