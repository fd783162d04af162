"""What goes wrong ends with one plain line and leaves nothing behind."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def _plain_line(done):
    """The one line that is neither a stage nor a warning."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("[", "Warning:"))]
    assert len(lines) == 1, done.stderr
    assert "Error" not in lines[0]
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.jpg", "absent.jpg"),
        ("folder.jpg", "folder"),
        ("empty.jpg", "empty"),
        ("text.jpg", "picture"),
        ("no_face.jpg", "face"),
    ],
)
def test_unusable_photo(fit, bad_photos, tmp_path, name, words):
    done = fit(bad_photos / name, tmp_path / "out" / "result")
    assert done.returncode == 2, done.stderr
    assert words in _plain_line(done).lower()
    assert done.stdout == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_output_that_cannot_be_written(fit, astronaut, unwritable):
    before = sorted(unwritable.iterdir())
    done = fit(astronaut, unwritable / "result")
    assert done.returncode == 2, done.stderr
    assert str(unwritable) in _plain_line(done)
    assert sorted(unwritable.iterdir()) == before


def test_full_disk(fit, astronaut, small_disk):
    done = fit(astronaut, small_disk / "result")
    assert done.returncode == 2, done.stderr
    assert "disk is full" in _plain_line(done)
    assert list(small_disk.iterdir()) == []


def test_output_that_is_a_file(fit, astronaut, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    done = fit(astronaut, taken)
    assert done.returncode == 2, done.stderr
    assert "taken" in _plain_line(done)
    assert taken.read_text() == "mine"


def test_folder_of_somebody_else_is_not_replaced(fit, astronaut, tmp_path):
    """--out names an existing folder that is no result directory: it must stay as it is."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("irreplaceable")
    done = fit(astronaut, mine)
    assert done.returncode == 2, done.stderr
    assert "mine" in _plain_line(done)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]


def test_unknown_pack(fit, astronaut, tmp_path):
    done = fit(astronaut, tmp_path / "result", "--pack", "nobody")
    assert done.returncode == 3, done.stderr
    assert "nobody" in _plain_line(done)
    assert list(tmp_path.iterdir()) == []
