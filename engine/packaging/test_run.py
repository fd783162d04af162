"""The test suite in several processes: a folder of tests each, as many at once as cores.

A folder has a process of its own because Blender cannot be loaded twice in one, and because a
test that ends its process then costs one folder.
"""

import os
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MOST_AT_ONCE = 4
"""Processes. Ours: each may hold a gigabyte."""
SLOWEST_FIRST = ("e2e", "engine/fit", "engine/train", "blender", "engine/evaluate")
"""Folders that take longest, so that none of them starts last; the order is all it decides."""
NO_TESTS = 5
"""pytest's exit code for a folder without tests."""
LOOK = 0.1
"""Seconds between two looks at the processes."""

_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed|warnings?)")


@dataclass(frozen=True)
class Run:
    """One process: its folder, relative to `tests`, and what it prints."""

    name: str
    process: subprocess.Popen[bytes]
    output: TextIO


def folders_of_tests(root: Path) -> list[str]:
    """What has a process of its own: the folders of `tests` and of `tests/engine`, slowest first,
    relative to `tests`; test files beside those folders are one more, `engine`."""
    tests = root / "tests"
    names = (
        folder.relative_to(tests).as_posix()
        for folder in (*tests.glob("*"), *tests.glob("engine/*"))
        if folder.is_dir()
    )
    folders = [name for name in names if _has_tests(tests / name, deep=name != "engine")]
    rank = {name: index for index, name in enumerate(SLOWEST_FIRST)}
    return sorted(folders, key=lambda name: (rank.get(name, len(rank)), name))


def _has_tests(folder: Path, deep: bool) -> bool:
    return any(folder.rglob("test_*.py") if deep else folder.glob("test_*.py"))


def run_all(root: Path, python: Path, environment: dict[str, str]) -> int:
    """Run every test, print what each process printed, then one line that sums up. Exit code."""
    begun, counts, failed = time.monotonic(), Counter[str](), False
    for name, code, text in _finished(root, python, environment):
        print(f"== tests/{name}\n{text.rstrip()}", flush=True)
        counts.update(counts_of(text))
        failed |= code not in (0, NO_TESTS)
    seconds = time.monotonic() - begun
    print(f"== {summary(counts)} in {seconds:.2f}s", flush=True)
    return int(failed)


def counts_of(text: str) -> Counter[str]:
    """Outcomes that the last line of pytest's output counts, by name in the singular."""
    lines = text.strip().splitlines()
    found = _COUNT.findall(lines[-1]) if lines else ()
    return Counter(
        {name.removesuffix("s") if name != "passed" else name: int(n) for n, name in found}
    )


def summary(counts: Counter[str]) -> str:
    """ "3 failed, 120 passed": what went wrong first."""
    order = ("failed", "error", "passed", "skipped", "xfailed", "xpassed", "warning")
    return ", ".join(f"{counts[name]} {name}" for name in order if counts[name]) or "no tests"


def _finished(
    root: Path, python: Path, environment: dict[str, str]
) -> Iterator[tuple[str, int, str]]:
    """Folder, exit code and output of each process, as they end. Ends the others when left."""
    waiting, running = folders_of_tests(root), list[Run]()
    most = min(os.cpu_count() or 1, MOST_AT_ONCE)
    try:
        while waiting or running:
            while waiting and len(running) < most:
                name = waiting.pop(0)
                running.append(_start(root, python, name, _paths(root, name), environment))
            for run in [run for run in running if run.process.poll() is not None]:
                running.remove(run)
                yield run.name, run.process.returncode, _text(run)
            time.sleep(LOOK)
    finally:
        for run in running:
            run.process.terminate()
            run.process.wait()


def _paths(root: Path, name: str) -> list[str]:
    """What pytest is given: a folder, or for `engine` the files beside its folders."""
    folder = root / "tests" / name
    if name == "engine":
        return [str(path.relative_to(root)) for path in sorted(folder.glob("test_*.py"))]
    return [str(folder.relative_to(root))]


def _start(
    root: Path, python: Path, name: str, paths: Sequence[str], environment: dict[str, str]
) -> Run:
    output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths]
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT
    )
    return Run(name, process, output)


def _text(run: Run) -> str:
    with run.output as output:
        output.seek(0)
        return output.read()
