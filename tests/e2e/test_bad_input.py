"""On the command line, what goes wrong ends with one plain line and leaves nothing behind.

More kinds of bad input: test_worker.py, where the engine is warm.
"""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def _plain_line(done):
    """The one line that is neither a stage nor a warning."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("[", "Warning:"))]
    assert len(lines) == 1, done.stderr
    assert "Error" not in lines[0]
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.mark.parametrize(("name", "words"), [("absent.jpg", "absent.jpg"), ("no_face.jpg", "face")])
def test_unusable_photo(fit, bad_photos, tmp_path, name, words):
    done = fit(bad_photos / name, tmp_path / "out" / "result")
    assert done.returncode == 2, done.stderr
    assert words in _plain_line(done).lower()
    assert done.stdout == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_full_disk(fit, astronaut, small_disk):
    done = fit(astronaut, small_disk / "result")
    assert done.returncode == 2, done.stderr
    assert "disk is full" in _plain_line(done)
    assert list(small_disk.iterdir()) == []


def test_unknown_pack(fit, astronaut, tmp_path):
    done = fit(astronaut, tmp_path / "result", "--pack", "nobody")
    assert done.returncode == 3, done.stderr
    assert "nobody" in _plain_line(done)
    assert list(tmp_path.iterdir()) == []
