"""What a session tells about its job."""

from dataclasses import dataclass
from enum import Enum

from ...engine.protocol.errors import EngineError, ErrorCode

MOST_LETTERS = 2000
"""Of a text that the engine sends. Ours: a sidebar full of words, and no more."""
MOST_WARNINGS = 100
"""Of a job."""


class State(Enum):
    """Where a job is."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


BUSY = frozenset({State.STARTING, State.RUNNING, State.CANCELLING})


@dataclass(frozen=True)
class Timing:
    """Seconds. hello: from start to the first message (a cold disk and PyTorch need time).
    leave: from the end of one of its pipes, or its own, until it is ended. interrupt, kill: after a
    cancel request. close: for a polite end.
    """

    hello: float = 120.0
    leave: float = 2.0
    interrupt: float = 3.0
    kill: float = 6.0
    close: float = 0.5


@dataclass(frozen=True)
class Status:
    """What the interface shows. index and step count from 0 and may equal their totals (0:
    unknown). error: set when FAILED. log: end of the engine's log when it died. result: folder
    of the finished job.
    """

    state: State = State.IDLE
    stage: str = ""
    index: int = 0
    stages: int = 0
    step: int = 0
    steps: int = 0
    preview: str = ""
    warnings: tuple[str, ...] = ()
    error: EngineError | None = None
    log: str = ""
    result: str = ""

    @property
    def fraction(self) -> float:
        """Part of the job that is done, [0, 1]; every stage counts the same."""
        if not self.stages:
            return 0.0
        inner = min(self.step / self.steps, 1.0) if self.steps else 0.0
        return min((self.index + inner) / self.stages, 1.0)


def plain_words(text: str) -> str:
    """A text of the engine as Blender can show it: of bounded length, nothing unprintable."""
    cut = text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 3] + "..."
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}"
        for letter in cut
    )


def death(code: int | None) -> EngineError:
    """The error of an engine that ended without an answer; code: of its end, when it ended."""
    how = "closed its output" if code is None else f"ended with code {code}"
    return EngineError(
        ErrorCode.INTERNAL,
        f"The engine {how} and gave no answer.",
        "It may have run out of memory; the end of its log says more.",
    )


def silence(seconds: float) -> EngineError:
    """The error of an engine that did not say hello."""
    return EngineError(
        ErrorCode.ENGINE_MISSING,
        f"The engine did not answer within {seconds:.0f} seconds.",
        "Choose another Python interpreter.",
    )
