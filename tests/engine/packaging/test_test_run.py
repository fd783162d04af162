"""The suite in several processes, on tiny suites of its own."""

import os
import sys
from pathlib import Path

import pytest

from engine.packaging.test_run import counts_of, folders_of_tests, run_all

GOOD = "def test_good(): pass\n"
BAD = "def test_bad(): assert 1 == 2\n"
ENVIRONMENT = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Plugins take a second a process."""
SKIPPED = "import pytest\ndef test_left_out(): pytest.skip('not here')\n"


@pytest.fixture
def suite(tmp_path: Path):
    """write({file under tests: text}) -> root of a project with these tests."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "tests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -ra\n")
        return tmp_path

    return write


def test_every_test_runs_once_and_the_last_line_sums_up(suite, capfd) -> None:
    root = suite(
        {
            "blender/test_a.py": GOOD,
            "engine/fit/test_a.py": GOOD + SKIPPED,
            "engine/test_b.py": GOOD,
            "engine/quick/test_b.py": GOOD,
            "engine/fit/deep/test_c.py": GOOD,
        }
    )
    assert run_all(root, Path(sys.executable), ENVIRONMENT) == 0
    lines = capfd.readouterr().out.strip().splitlines()
    assert lines[-1].startswith("== 5 passed, 1 skipped in ")
    assert sum("not here" in line for line in lines) == 1


def test_a_failure_and_a_broken_file_are_counted_and_shown(suite, capfd) -> None:
    root = suite({"blender/test_a.py": GOOD, "client/test_b.py": BAD, "packs/test_c.py": "oops"})
    assert run_all(root, Path(sys.executable), ENVIRONMENT) == 1
    out = capfd.readouterr().out
    assert out.strip().splitlines()[-1].startswith("== 1 failed, 1 error, 1 passed in ")
    assert "assert 1 == 2" in out and "oops" in out


def test_a_process_that_dies_is_a_failure(suite, capfd) -> None:
    root = suite({"blender/test_a.py": "import os\ndef test_dies(): os._exit(7)\n"})
    assert run_all(root, Path(sys.executable), ENVIRONMENT) == 1


def test_the_slowest_folders_start_first(suite) -> None:
    names = ("protocol/test_a.py", "engine/fit/test_a.py", "e2e/test_a.py", "fixtures/photo.py")
    assert folders_of_tests(suite(dict.fromkeys(names, GOOD))) == ["e2e", "engine/fit", "protocol"]
    assert "engine" in folders_of_tests(suite({"engine/quick/test_b.py": GOOD}))


def test_only_the_last_line_counts() -> None:
    text = "1 failed test is shown\n3 passed, 1 skipped, 2 errors in 1.0s"
    assert counts_of(text) == {"passed": 3, "skipped": 1, "error": 2}
