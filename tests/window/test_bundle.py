"""The offline bundle in a real Blender window (bundle_story.py). Needs UVAPM_BUNDLE, a bundle zip
of `build_addon.py bundle`, beside what test_window.py needs; takes 2 GB and some minutes on a quiet
machine. Pictures of the screen come to its temporary folder."""

import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.blender]

PATIENCE = 1500.0


@pytest.fixture(scope="module")
def facts(request, astronaut, tmp_path_factory):
    """What bundle_story.py saw."""
    bundle = os.environ.get("UVAPM_BUNDLE")
    if not bundle:
        pytest.skip("no bundle: set UVAPM_BUNDLE to a zip of `build_addon.py bundle`")
    run_story, screen = map(request.getfixturevalue, ("run_story", "screen"))
    out = tmp_path_factory.mktemp("bundle")
    photo = shutil.copy(astronaut, out / "portrait.png")
    shown = screen / "Xvfb_screen0"
    words = [str(Path(bundle).resolve()), photo, str(shown) if shown.is_file() else "-"]
    try:
        return run_story("bundle_story.py", out, words, PATIENCE)
    finally:
        for path in sorted((out / "shots").glob("*.xwd")):
            _picture(path.read_bytes()).save(path.with_suffix(".png"))
            path.unlink()


def _picture(dump: bytes) -> Image.Image:
    """An X window dump of 32 bits a pixel, as Xvfb keeps its screen. Header: X11/XWDFile.h."""
    header = struct.unpack(">25I", dump[:100])
    begin, width, height, line, colours = (header[i] for i in (0, 4, 5, 12, 19))
    values = np.frombuffer(dump, np.uint8, offset=begin + 12 * colours)
    pixels = values[: line * height].reshape(height, line // 4, 4)[:, :width]
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 2::-1]))


def test_the_extension_is_installed_from_disk_and_offline(facts):
    assert "extension installed" in facts["steps"] and not facts["online"]


def test_the_engine_is_installed_by_its_button(facts):
    assert facts["dialog_asked"]
    assert facts["phase"] == "done" and facts["said"].startswith("Engine installed")
    assert facts["engine_files"] > 1000


def test_a_photo_becomes_a_head(facts):
    assert facts["photo"].endswith("portrait.png") and facts["heads"] == 1


def test_a_light_tile_is_clicked(facts):
    assert facts["relit"]


def test_the_head_is_exported_by_button_and_file_browser(facts):
    assert facts["bytes"] > 1_000_000


def test_the_engine_is_uninstalled_by_its_button(facts):
    assert facts["confirm_asked"]
    assert facts["engine_left"] == [] and facts["goodbye"] == "The engine is uninstalled"


def test_nothing_is_left(facts):
    assert facts["left"] == [] and not facts["enabled"] and facts["engines"] == []


def test_nothing_went_wrong_unseen(facts):
    assert "Traceback" not in facts["log"]
