"""Decoding for sliders, beside the jobs of a worker with fake work."""

import time

import pytest

from engine.protocol.errors import ErrorCode
from engine.protocol.messages import (
    TERMINAL,
    CancelRequest,
    Decoded,
    Failed,
    Finished,
    WasCancelled,
    encode,
)
from tests.engine.worker.worker_process import ROOT, Client


def test_a_decode_is_answered_with_a_path(client: Client) -> None:
    client.ask_decode("d", "made")
    assert client.read() == Decoded("d", str(ROOT / "made"))


@pytest.mark.parametrize(
    ("what", "code"), [("missing", ErrorCode.PACK_MISSING), ("defect", ErrorCode.INTERNAL)]
)
def test_a_failed_decode_is_an_error_and_the_worker_goes_on(
    client: Client, what: str, code: ErrorCode
) -> None:
    client.ask_decode("bad", what)
    answer = client.read()
    assert isinstance(answer, Failed) and (answer.id, answer.code) == ("bad", code)
    client.ask_decode("good", "made")
    assert isinstance(client.read(), Decoded)


def test_the_newest_decode_wins(client: Client) -> None:
    """While one runs, each newer one takes the place of the one that waits."""
    client.ask_decode("1", "slow")
    time.sleep(0.2)  # it runs now
    for id in ("2", "3", "4"):
        client.ask_decode(id, "made")
    heard = [client.read() for _ in range(4)]
    assert heard[:2] == [WasCancelled("2"), WasCancelled("3")]
    assert heard[2:] == [Decoded("1", str(ROOT / "slow")), Decoded("4", str(ROOT / "made"))]


def test_a_decode_waits_for_the_running_job_and_goes_before_the_next(client: Client) -> None:
    client.ask("one", "forever")
    client.read()
    client.ask("two", "result")
    client.ask_decode("d", "made")
    client.write(encode(CancelRequest("one")))
    ends = [m for m in client.answers("two") if isinstance(m, TERMINAL)]
    assert [message.id for message in ends] == ["one", "d", "two"]
    assert [type(message) for message in ends] == [WasCancelled, Decoded, Finished]


def test_a_waiting_decode_can_be_cancelled_and_ends_with_the_worker(client: Client) -> None:
    client.ask("one", "forever")
    client.read()
    client.ask_decode("d", "made")
    client.write(encode(CancelRequest("d")))
    assert client.answers("d")[-1] == WasCancelled("d")
    client.ask_decode("one", "made")
    assert client.answers("one")[-1].code == ErrorCode.PROTOCOL  # an id in use
    client.ask_decode("e", "made")
    rest, _, _ = client.end()
    ends = {message.id: type(message) for message in rest if isinstance(message, TERMINAL)}
    assert ends == {"one": WasCancelled, "e": WasCancelled}
