"""The test suite in several processes: a folder of tests each, as many at once as cores.

A folder has a process of its own because Blender cannot be loaded twice in one, and because a
test that ends its process then costs one folder. The quick folders of the engine share one: the
libraries alone take five seconds of a process.
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
ALONE = ("cli", "evaluate", "fit", "hostile", "install", "packaging", "train", "worker")
"""Folders of `tests/engine` with a process of their own: the slow ones, and those that start and
end processes themselves."""
ENGINE = "engine"
"""What the other folders of `tests/engine`, and the files beside them, are together."""
SLOWEST_FIRST = (
    "e2e", "engine", "blender", "engine/train", "packs", "engine/cli", "engine/evaluate",
    "engine/fit",
)  # fmt: skip
"""By measured time of a processor, so that none of them starts last; the order is all it
decides."""
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
    """What has a process of its own, slowest first, relative to `tests`: its folders, those of
    `tests/engine` that are `ALONE`, and `ENGINE`, the rest of `tests/engine`."""
    tests = root / "tests"
    top = (folder.name for folder in tests.glob("*") if folder.is_dir())
    names = (*top, *(f"{ENGINE}/{name}" for name in ALONE))
    rank = {name: index for index, name in enumerate(SLOWEST_FIRST)}
    found = [name for name in names if _paths(root, name)]
    return sorted(found, key=lambda name: (rank.get(name, len(rank)), name))


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
    """What pytest is given, relative to the root; nothing where there are no tests."""
    folder = root / "tests" / name
    paths = [folder]
    if name == ENGINE:
        others = (path for path in folder.glob("*") if path.is_dir() and path.name not in ALONE)
        paths = [*sorted(folder.glob("test_*.py")), *sorted(others)]
    return [
        str(path.relative_to(root))
        for path in paths
        if path.is_file() or any(path.rglob("test_*.py"))
    ]


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
