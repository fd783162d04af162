"""Wishes for detail maps while somebody drags a slider: the newest counts, one is on its way.

What to send and what an answer means; the session owns the process.
"""

from dataclasses import dataclass
from enum import Enum

from ...engine.protocol.errors import EngineError
from ...engine.protocol.messages import (
    Decoded,
    DecodeRequest,
    Failed,
    WorkerMessage,
)
from .status import plain_words


class DecodeState(Enum):
    """Where the newest wish is."""

    IDLE = "idle"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Wish:
    """The detail map of the result directory `result`, moved by `offsets` (at most 20, standard
    deviations along the first principal directions)."""

    result: str
    offsets: tuple[float, ...]


@dataclass(frozen=True)
class DecodeStatus:
    """What the interface shows. error: set when FAILED; log: end of the engine's log when it
    died. made: the last wish that came true, with the path of its map."""

    state: DecodeState = DecodeState.IDLE
    error: EngineError | None = None
    log: str = ""
    made: tuple[Wish, str] | None = None


class Decoding:
    """The newest wish and the request that is on its way."""

    def __init__(self) -> None:
        self.status = DecodeStatus()
        self._next: Wish | None = None
        self._asked: Wish | None = None
        self._request: DecodeRequest | None = None
        self._count = 0
        self._retried = False

    @property
    def active(self) -> bool:
        """True while a wish has no answer."""
        return self.status.state is DecodeState.WAITING

    def want(self, wish: Wish) -> None:
        """A new wish takes the place of one that was not sent yet."""
        self._next, self._retried = wish, False
        self.status = DecodeStatus(DecodeState.WAITING, made=self.status.made)

    def take(self) -> DecodeRequest | None:
        """The request to send now, None while one is on its way or nothing is wished."""
        if self._request is not None or self._next is None:
            return None
        self._asked, self._next = self._next, None
        self._count += 1
        self._request = DecodeRequest(
            f"detail-{self._count}", self._asked.offsets, self._asked.result
        )
        return self._request

    def owns(self, message: WorkerMessage) -> bool:
        """True for an answer to the request on its way."""
        return self._request is not None and getattr(message, "id", None) == self._request.id

    def on_answer(self, message: WorkerMessage) -> None:
        """Take in an answer that `owns` recognised."""
        wish, self._asked, self._request = self._asked, None, None
        waiting = DecodeState.IDLE if self._next is None else DecodeState.WAITING
        if isinstance(message, Decoded):
            self.status = DecodeStatus(waiting, made=(wish, message.path))
        elif isinstance(message, Failed) and self._next is None:
            words = plain_words(message.message), plain_words(message.hint)
            self.fail(EngineError(message.code, *words))
        else:
            self.status = DecodeStatus(waiting, made=self.status.made)

    def requeue(self) -> bool:
        """The engine is gone: ask the next one. False when that was tried already."""
        if self._retried:
            return False
        self._retried = True
        self._next = self._next or self._asked
        self._asked = self._request = None
        return self.active

    def fail(self, error: EngineError, log: str = "") -> None:
        """Give up what was wished."""
        if self.active:
            self._next = self._asked = self._request = None
            self.status = DecodeStatus(DecodeState.FAILED, error, log)

    def drop(self) -> None:
        """Forget everything, also a map: it goes with its engine."""
        self._next = self._asked = self._request = None
        self.status = DecodeStatus()
