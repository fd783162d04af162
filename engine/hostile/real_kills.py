"""The real worker, with PyTorch and packs, killed at random moments of a fit."""

import importlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from ..packaging.outer_package import NAME
from .client_faults import Client
from .kills import whole
from .processes import alive, until
from .table import Fault, Row, Tally

FIT_PATIENCE = 300.0
"""Seconds for a whole fit, PyTorch's start included, on a busy machine."""
SIZE = 512


def real_row(photo: Path, scratch: Path, count: int, seed: int) -> Row:
    """A fit; `count` further ones, each killed within the time that the first one took, and after
    each a detail map of the first result from the next worker; then a last fit.

    photo: with a face. scratch: a folder.
    """
    tally, chance = Tally("real worker killed in a fit"), random.Random(f"real {seed}")
    client = Client(scratch, patient=True)
    launch = client.real(Path(sys.executable), dict(os.environ))
    base, seconds = scratch / "base", 0.0
    for number in range(count + 2):
        with tally.attempt():
            began = time.monotonic()
            last = number in (0, count + 1)
            output = base if number == 0 else scratch / f"real-{number}"
            client.start(launch, (str(photo),), output, 0, SIZE)
            if last:
                client.finish("done", FIT_PATIENCE)
                seconds = seconds or time.monotonic() - began
                whole(output, {0})
            else:
                _kill_within(client, seconds * chance.random(), output)
                _detail_map(client, launch, base)
    client.session.close()
    row = tally.row()
    return Row(row.kind, count, row.survived - 2, row.lost, row.longest, row.complaints)


def _kill_within(client: Client, seconds: float, output: Path) -> None:
    pid = client.pid
    until(lambda: client.pump() and client.session.ready, "hello", FIT_PATIENCE)
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and client.pump():
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not client.pump(), "the end of a killed engine's job", FIT_PATIENCE)
    until(lambda: not alive(pid), "the killed engine's end")
    if output.exists():
        whole(output, {0})


def _detail_map(client: Client, launch: object, result: Path) -> None:
    """The next worker works. Raises Fault."""
    session = client.session
    wish = importlib.import_module(f"{NAME}.uvapm_blender.engine_client.decoding").Wish
    session.decode(launch, wish(str(result), (1.0,)))

    def answered() -> bool:
        client.pump()
        return not session.decoding.active

    until(answered, "a detail map", FIT_PATIENCE)
    made = session.decoding.status.made
    if made is None or np.load(made[1], allow_pickle=False).shape != (512, 512):
        raise Fault(f"no detail map: {session.decoding.status.error}")
