"""The add-on's session before engines that break the protocol; the next job goes to a good one."""

import importlib
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ..packaging.outer_package import NAME, name_outer_package
from ..protocol.version import PROTOCOL_VERSION
from .processes import BAD_ENGINE, PATIENCE, ROOT, TINY_WORKER, alive, until
from .table import Fault, Row, Tally

ENDS = {
    "garbage": "failed",
    "huge_line": "failed",
    "long_words": "failed",
    "wrong_version": "failed",
    "truncated": "failed",
    "flood": "cancelled",
    "numbers": "failed",
    "strangers": "cancelled",
    "mute": "failed",
    "silent": "cancelled",
    "not_reading": "cancelled",
    "closed_output": "failed",
    "closed_input": "failed",
    "leaves": "failed",
    "offspring": "failed",
}
"""How a job with each part of bad_engine.py ends; those that go on for ever are cancelled."""
LONGEST_PUMP = 0.5
"""Seconds that Blender's window may stand still. Ours: tens of times the honest value, since the
machine may be busy."""
HELLO, NO_HELLO = PATIENCE, 5.0
"""Seconds until an engine has to say hello: honest ones, and those that may never do."""
NEVER_HELLO = ("mute", "leaves")
TIMING = {"hello": HELLO, "leave": 0.5, "interrupt": 0.3, "kill": 0.6, "close": 0.5}


class Client:
    """The add-on's engine client, without Blender. patient: with the add-on's own timing."""

    def __init__(self, scratch: Path, patient: bool = False) -> None:
        if NAME not in sys.modules:
            name_outer_package(ROOT)
        self._session = _module("uvapm_blender.engine_client.session")
        self._launch = _module("uvapm_blender.engine_client.launch")
        self._job = _module("engine.protocol.job")
        self.scratch = scratch
        self.session: Any = self._session.EngineSession(
            self._session.Timing(**({} if patient else TIMING))
        )
        self.slowest = 0.0

    def launch(self, *command: str) -> Any:
        """A Launch of the command."""
        return self._launch.Launch(command, str(ROOT), ())

    def real(self, python: Path, environment: dict[str, str]) -> Any:
        """Launch of the real worker, as the add-on starts it."""
        return self._launch.engine_launch(python, ROOT, environment)

    @property
    def good(self) -> Any:
        """Launch of the tiny worker."""
        return self.launch(*TINY_WORKER, str(self.scratch))

    def start(
        self, launch: Any, photos: tuple[str, ...], output: Path, seed: int, size: int
    ) -> None:
        """Begin a job; see tiny_worker.py for what size means."""
        job = self._job.FitJob(photos, str(output), seed=seed, texture_size=size)
        self.session.start(launch, job)

    def hello_within(self, seconds: float) -> None:
        """How long the session waits for an engine's first message."""
        self.session._timing = replace(self.session._timing, hello=seconds)

    def pump(self) -> bool:
        """As Blender's timer does. True while the job goes on."""
        began = time.monotonic()
        self.session.pump()
        self.slowest = max(self.slowest, time.monotonic() - began)
        return bool(self.session.busy)

    def finish(self, expected: str, patience: float = PATIENCE) -> None:
        """Pump to the end of the job. Raises Fault when it ends in another way."""
        until(lambda: not self.pump(), "the job's end", patience)
        status = self.session.status
        if status.state.value != expected:
            raise Fault(
                f"the job {status.state.value}, not {expected}: {status.error} {status.log[-200:]}"
            )
        if status.error is not None:
            check_words(status.error.message, status.error.hint, *status.warnings)

    def good_job(self, template: Path, output: Path, seed: int) -> None:
        """The next job works."""
        self.start(self.good, (str(template),), output, seed, 256)
        self.finish("done")

    @property
    def pid(self) -> int | None:
        """Of the engine that is there."""
        return self.session._process.pid if self.session.warm else None


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{name}")


def check_words(*texts: str) -> None:
    """Raises Fault for what Blender cannot show."""
    for text in texts:
        if len(text) > 2100 or not text.replace("\n", "").isprintable():
            raise Fault(f"a text that Blender cannot show, {len(text)} letters")


def client_rows(template: Path, scratch: Path, count: int, seed: int) -> Iterator[Row]:
    """The rows of this campaign; count: attempts of each kind."""
    for part, end in ENDS.items():
        tally, chance = Tally(f"client: {part.replace('_', ' ')} engine"), random.Random(seed)
        client = Client(scratch)
        for number in range(count):
            with tally.attempt():
                _attempt(client, part, end, template, chance, number)
        client.session.close()
        yield tally.row()


def _attempt(
    client: Client, part: str, end: str, template: Path, chance: random.Random, number: int
) -> None:
    session, client.slowest = client.session, 0.0
    command = (*BAD_ENGINE, part, str(chance.randrange(2**31)), str(PROTOCOL_VERSION))
    long = part == "not_reading"  # more than a pipe holds
    photos = tuple(f"/{number}/{'x' * 20000}" for number in range(16)) if long else (str(template),)
    client.hello_within(NO_HELLO if part in NEVER_HELLO else HELLO)
    client.start(client.launch(*command), photos, client.scratch / "next", number, 256)
    pid = client.pid
    if end == "cancelled" and part != "strangers":
        until(lambda: client.pump() and session.status.state.value == "running", "the start")
        stop = time.monotonic() + 0.1 + 0.2 * chance.random()
        while time.monotonic() < stop:
            client.pump()
            time.sleep(0.01)
        session.cancel()
    client.finish(end)
    client.hello_within(HELLO)
    client.good_job(template, client.scratch / "next", number)
    if pid is not None:
        until(lambda: not alive(pid), "the bad engine's end", 5.0)
    if client.slowest > LONGEST_PUMP:
        raise Fault(f"Blender stood still for {client.slowest:.2f} s")
