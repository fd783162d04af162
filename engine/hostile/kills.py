"""Either side killed at random moments while an earlier result is replaced; nothing may be lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ..protocol.errors import EngineError
from ..protocol.result import read_result
from ..result.folder import check_output
from .client_faults import Client
from .processes import ROOT, alive, until
from .table import Fault, Row, Tally

JOB_SECONDS = 0.5
"""About what a job of `BUSY` takes; the kill comes somewhere in it, or a little later."""
BUSY = 4096
"""Texture size that tells the tiny worker to replace the result 40 times."""


def kill_rows(template: Path, scratch: Path, count: int, seed: int) -> Iterator[Row]:
    """The rows of this campaign; count: kills of each side."""
    yield _worker_killed(template, scratch, count, seed)
    yield _client_killed(template, scratch, count, seed)


def _worker_killed(template: Path, scratch: Path, count: int, seed: int) -> Row:
    tally, chance = Tally("worker killed at a random moment"), random.Random(f"worker {seed}")
    client, output = Client(scratch), scratch / "artist"
    shutil.copytree(template, output)
    for number in range(count):
        with tally.attempt():
            client.start(client.good, (str(template),), output, number, BUSY)
            pid = client.pid
            until(lambda: client.pump() and client.session.ready, "hello")
            stop = time.monotonic() + JOB_SECONDS * chance.random()
            while time.monotonic() < stop and client.pump():
                time.sleep(0.002)
            os.kill(pid, signal.SIGKILL)
            until(lambda: not client.pump(), "the end of a killed engine's job")  # or of its repeat
            until(lambda pid=pid: not alive(pid), "the killed engine's end")
            whole(output, {number, number - 1, number + SHIFT - 1, read_seed(template)})
            client.good_job(template, output, number + SHIFT)
            whole(output, {number + SHIFT})
    client.session.close()
    return tally.row()


SHIFT = 100_000
"""Added to the seed of the job that follows a kill."""


def read_seed(folder: Path) -> int:
    """The seed of a result."""
    return read_result(folder).manifest.seed


def whole(output: Path, seeds: set[int]) -> None:
    """Raises Fault unless a whole result of one of these seeds is at `output`, or comes back there
    as it does when the next job begins."""
    try:
        found = read_seed(check_output(output))
    except EngineError as error:
        raise Fault(f"the artist's result is gone: {error}", lost=True) from error
    if found not in seeds:
        raise Fault(f"the artist's result is another one: seed {found}", lost=True)


def _client_killed(template: Path, scratch: Path, count: int, seed: int) -> Row:
    tally, chance = Tally("client (as Blender) killed at a random moment"), random.Random(seed)
    client, output = Client(scratch), scratch / "artist-two"
    shutil.copytree(template, output)
    for number in range(count):
        with tally.attempt():
            seeds = {number, read_seed(check_output(output))}
            worker = _kill_client(template, scratch, output, number, chance)
            until(lambda worker=worker: not alive(worker), "the end of an orphan")
            whole(output, seeds)
            client.good_job(template, output, number + SHIFT)
    client.session.close()
    return tally.row()


def _kill_client(
    template: Path, scratch: Path, output: Path, number: int, chance: random.Random
) -> int:
    """Start a process with a session and a job, kill it; the pid of its worker."""
    command = [sys.executable, "-E", "-m", "engine.hostile.kills"]
    given = (template, scratch, output, number)
    with subprocess.Popen(
        [*command, *map(str, given)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        line = child.stdout.readline()
        if not line:
            raise Fault("the client did not start")
        time.sleep(JOB_SECONDS * chance.random())
        child.kill()
    return int(line)


def main() -> None:
    """The client that is killed: jobs one after another; prints the pid of its worker."""
    template, scratch, output = map(Path, sys.argv[1:4])
    client = Client(scratch)
    number = int(sys.argv[4])
    client.start(client.good, (str(template),), output, number, BUSY)
    sys.stdout.write(f"{client.pid}\n")
    sys.stdout.flush()
    while True:
        if not client.pump():
            client.start(client.good, (str(template),), output, number, BUSY)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
