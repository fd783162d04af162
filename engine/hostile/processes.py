"""Processes of a campaign: started, listened to with a limit, and looked for afterwards. POSIX."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..protocol.messages import TERMINAL, Hello, Message, decode, encode
from .table import Fault

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds until something counts as hung. Ours: a loaded machine may need many."""
TINY_WORKER = (sys.executable, "-E", "-u", "-m", "engine.hostile.tiny_worker")
BAD_ENGINE = (sys.executable, "-E", "-S", "-u", str(Path(__file__).with_name("bad_engine.py")))


def state(pid: int) -> str:
    """ "" for no such process, "Z" for a zombie, else another letter of ps(1)."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip()[:1]


def alive(pid: int) -> bool:
    """True unless it has ended; a zombie has."""
    return state(pid) not in ("", "Z")


def zombies() -> list[int]:
    """Children of this process that have ended and were not collected."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True)
    rows = [row.split() for row in found.stdout.splitlines()]
    return [int(pid) for pid, parent, stat in rows if int(parent) == os.getpid() and stat[0] == "Z"]


def until(done: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait. Raises Fault when it does not happen in time."""
    end = time.monotonic() + patience
    while not done():
        if time.monotonic() > end:
            raise Fault(f"{what}: not within {patience:g} s")
        time.sleep(0.01)


class RawWorker:
    """A tiny worker and its pipes, without any of the add-on's care."""

    def __init__(self, scratch: Path) -> None:
        self.process = subprocess.Popen(
            [*TINY_WORKER, str(scratch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            start_new_session=True,
        )
        self._heard: queue.SimpleQueue[Message | Exception | None] = queue.SimpleQueue()
        self.reading = threading.Event()
        self.reading.set()
        threading.Thread(target=self._listen, daemon=True).start()
        self.expect(Hello)

    def _listen(self) -> None:
        out = self.process.stdout
        while True:
            self.reading.wait()
            try:
                line = out.readline()
                self._heard.put(decode(line) if line else None)
            except (OSError, ValueError):
                line = b""
                self._heard.put(None)
            except Exception as error:  # noqa: BLE001 raised where it is awaited
                self._heard.put(error)
            if not line:
                return

    def write(self, data: bytes) -> None:
        """Raw bytes to the worker."""
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Message) -> None:
        """A message as it should be."""
        self.write(encode(message))

    def hear(self, patience: float = PATIENCE) -> Message | None:
        """The next message, None at the end. Raises Fault, and what is no message."""
        try:
            found = self._heard.get(timeout=patience)
        except queue.Empty:
            raise Fault(f"the worker says nothing for {patience:g} s") from None
        if isinstance(found, Exception):
            raise found
        return found

    def expect(self, kind: type[Message]) -> Message:
        """The next message, which is of this kind."""
        message = self.hear()
        if not isinstance(message, kind):
            raise Fault(f"expected {kind.__name__}, heard {str(message)[:100]}")
        return message

    def answer(self, id: str) -> Message:
        """The one that ends the job `id`."""
        while (message := self.hear()) is not None:
            if isinstance(message, TERMINAL) and message.id == id:
                return message
        raise Fault("the worker ended without an answer")

    def stop_listening(self) -> None:
        """Close the reading end of its output."""
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), self.process.stdout.fileno())

    def leave(self, patience: float = PATIENCE) -> None:
        """Close its input; it must end. Raises Fault when it does not."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        self.collect(patience)

    def collect(self, patience: float = PATIENCE) -> None:
        """Wait for its end. Raises Fault when it does not come."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Fault(f"the worker lives {patience:g} s later") from None

    def kill(self) -> None:
        """End it, whatever it does, and free the pipes."""
        self.reading.set()
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
