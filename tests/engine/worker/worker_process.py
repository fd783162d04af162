"""A worker process with fake work, as its client sees it."""

import subprocess
import sys
from pathlib import Path

from engine.protocol.job import FitJob
from engine.protocol.messages import (
    TERMINAL,
    DecodeRequest,
    JobRequest,
    Message,
    decode,
    encode,
)

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-E", "-u", "-m", "tests.engine.worker.fake_worker"]


class Client:
    """One worker process."""

    def __init__(self, idle: float = 30.0) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, str(idle)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )

    def write(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def ask(self, id: str, what: str) -> None:
        self.write(encode(JobRequest(id, FitJob(("photo.png",), what))))

    def ask_decode(self, id: str, what: str) -> None:
        self.write(encode(DecodeRequest(id, (1.0,), pack=what)))

    def read(self) -> Message:
        return decode(self.process.stdout.readline())

    def answers(self, id: str) -> list[Message]:
        """Messages up to and including the terminal one of a job."""
        heard = [self.read()]
        while not (isinstance(heard[-1], TERMINAL) and heard[-1].id == id):
            heard.append(self.read())
        return heard

    def end(self) -> tuple[list[Message], str, int]:
        """Close the input; what was still said, the log, the exit code."""
        self.process.stdin.close()
        rest = [decode(line) for line in self.process.stdout]
        log = self.process.stderr.read().decode()
        return rest, log, self.process.wait(timeout=20)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
