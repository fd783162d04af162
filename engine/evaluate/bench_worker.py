"""A worker for measurements: started as the add-on starts it, asked one thing at a time."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.messages import ClientMessage, Hello, Message, Shutdown, decode, encode

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class BenchWorker:
    """A worker that has said hello. start: seconds until then."""

    process: "subprocess.Popen[bytes]"
    start: float

    def send(self, message: ClientMessage) -> None:
        """One message to the worker."""
        assert self.process.stdin is not None
        self.process.stdin.write(encode(message))
        self.process.stdin.flush()

    def messages(self) -> Iterator[Message]:
        """What the worker says. Raises EngineError(INTERNAL) at its end."""
        return _messages(self.process)

    def memory(self, field: str) -> int:
        """A figure of /proc/PID/status in bytes; 0 where there is none (not Linux)."""
        try:
            text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        lines = [line for line in text.splitlines() if line.startswith(f"{field}:")]
        return int(lines[0].split()[1]) * 1024 if lines else 0

    def entries(self, folder: str) -> int:
        """How many there are in /proc/PID/`folder`: task (threads), fd (open files); 0 without."""
        try:
            return len(os.listdir(f"/proc/{self.process.pid}/{folder}"))
        except OSError:
            return 0

    def processor(self) -> float:
        """Seconds of processor time of all its threads (proc(5): stat, fields 14 and 15); 0 where
        there is no /proc."""
        try:
            text = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _messages(process: "subprocess.Popen[bytes]") -> Iterator[Message]:
    assert process.stdout is not None
    for line in process.stdout:
        yield decode(line)
    raise EngineError(ErrorCode.INTERNAL, "The worker ended without an answer.")


@contextmanager
def bench_worker() -> Iterator[BenchWorker]:
    """A worker for the time of the block. Raises EngineError."""
    command = [sys.executable, "-u", "-m", "engine", "worker"]
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    ) as process:
        if not isinstance(next(_messages(process)), Hello):
            raise EngineError(ErrorCode.PROTOCOL, "The worker did not say hello first.")
        worker = BenchWorker(process, time.perf_counter() - began)
        try:
            yield worker
            worker.send(Shutdown())
        finally:
            assert process.stdin is not None
            process.stdin.close()
