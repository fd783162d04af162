"""Files of strangers: a short slice of `bench faults --files`, and what it once found."""

import os
import random
import shutil
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from engine.hostile import bad_folders, bad_photos
from engine.hostile.file_trial import Case, attempt
from engine.hostile.files import judge
from engine.hostile.small_result import small_contents
from engine.photo.jpeg_scans import MOST_SCANS, count_scans
from engine.photo.load import load_photo
from engine.protocol.errors import EngineError
from engine.protocol.result import read_result
from engine.result.write import write_result

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc and its limits are Linux's")


@linux
def test_a_slice_of_the_campaign(tmp_path: Path) -> None:
    chance, alarm = random.Random(5), tmp_path / "alarm"
    template = write_result(tmp_path / "result", small_contents())
    names = ("mesh.safetensors", "maps/albedo.png")
    groups = [
        bad_photos.photo_cases(tmp_path / "a", bad_photos.polyglots(alarm)),
        bad_photos.photo_cases(tmp_path / "b", bad_photos.broken(6, chance)),
    ]
    for number, (spoils, refuse) in enumerate(
        (
            (bad_folders.strange_files("result.json", "result.json", alarm), True),
            (bad_folders.strange_files("result.json", names[1], alarm), True),
            (bad_folders.bad_tensors("result.json", names[0]), True),
            (bad_folders.bad_numbers("result.json", names[0]), True),
            (bad_folders.random_edits("result.json", 10, chance), False),
        )
    ):
        place = tmp_path / f"folders{number}"
        groups.append(bad_folders.folder_cases("result", template, place, spoils, refuse))
    for case in (case for cases in groups for case in cases):
        judge(case, attempt(case))
        assert not alarm.exists(), case.name


@linux
def test_the_campaign_notices_what_goes_wrong(tmp_path: Path) -> None:
    good = write_result(tmp_path / "result", small_contents())
    with pytest.raises(Exception, match="it was taken"):
        judge(case := Case("good", "result", str(good)), attempt(case))
    with pytest.raises(Exception, match="KeyError"):
        judge(case := Case("no reader", "spoon", str(good)), attempt(case))


def progressive(scans: int) -> bytes:
    """A picture whose last scan is repeated until there are so many."""
    out = BytesIO()
    Image.new("RGB", (300, 300), (90, 80, 70)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last, end = data.rfind(b"\xff\xda"), data.rfind(b"\xff\xd9")
    return data[:end] + data[last:end] * (scans - count_scans(data)) + data[end:]


def test_a_picture_drawn_in_endless_passes_is_refused(tmp_path: Path) -> None:
    assert count_scans(progressive(10)) == 10
    (tmp_path / "a.jpg").write_bytes(progressive(MOST_SCANS))
    assert load_photo(tmp_path / "a.jpg").width == 300
    (tmp_path / "a.jpg").write_bytes(progressive(MOST_SCANS + 1))
    with pytest.raises(EngineError, match="passes"):
        load_photo(tmp_path / "a.jpg")


def test_what_follows_a_picture_counts_for_no_pass() -> None:
    assert count_scans(progressive(10) + b"\xff\xda" * 1000) == 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["mesh"]["expression_names"].__setitem__(0, "Basis"), "Basis"),
        (lambda m: m["mesh"]["expression_names"].__setitem__(0, "a\ud800"), "name"),
        (lambda m: m["mesh"]["expression_names"].__setitem__(0, "ä" * 40), "63 bytes"),
        (lambda m: m["camera"].update(width=10**30), "pixels a side"),
        (lambda m: m["camera"]["K"][0].__setitem__(0, 1e-300), "camera.K"),
        (lambda m: m["camera"].update(t=[0, 0, 1e30]), "camera.t"),
        (lambda m: m["light"]["sh"][0].__setitem__(0, 1e30), "light.sh"),
        (lambda m: m["photo"].update(faces=10**9), "faces"),
    ],
)
def test_numbers_and_names_that_blender_cannot_hold(tmp_path: Path, change, words: str) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    bad_folders.edit(folder, "result.json", change)
    with pytest.raises(EngineError, match=words):
        read_result(folder)


@pytest.mark.skipif(os.name == "nt", reason="no such links")
def test_what_a_link_hides_is_not_waited_for(tmp_path: Path) -> None:
    folder = write_result(tmp_path / "result", small_contents())
    for target in ("/dev/zero", "maps"):
        copy = Path(shutil.copytree(folder, tmp_path / target.strip("/").replace("/", "_")))
        (copy / "result.json").unlink()
        (copy / "result.json").symlink_to(target)
        with pytest.raises(EngineError, match=r"result\.json"):
            read_result(copy)
