"""Progress on a terminal and in a file, and cancelling out of every call."""

from io import StringIO

import pytest

from engine.protocol.errors import Cancelled
from engine.protocol.messages import WorkerMessage
from engine.reporter import (
    CLEAR_LINE,
    CancelToken,
    ConsoleReporter,
    MessageReporter,
    NullReporter,
    Reporter,
)


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def reporters(token: CancelToken, sent: list[WorkerMessage]) -> list[Reporter]:
    return [
        NullReporter(token),
        ConsoleReporter(StringIO(), token),
        ConsoleReporter(Terminal(), token),
        MessageReporter("job", sent.append, token),
    ]


def test_every_call_raises_once_cancelled() -> None:
    token, sent = CancelToken(), []
    for reporter in reporters(token, sent):
        reporter.stage("shape", 0, 1)
        reporter.progress(1, 2)
    count = len(sent)
    token.cancel()
    for reporter in reporters(token, sent):
        for call in (
            lambda each: each.stage("shape", 0, 1),
            lambda each: each.progress(1, 2),
            lambda each: each.preview("a.png"),
            lambda each: each.warning("careful"),
        ):
            with pytest.raises(Cancelled):
                call(reporter)
    assert len(sent) == count


def test_a_file_gets_plain_lines() -> None:
    stream = StringIO()
    reporter = ConsoleReporter(stream, CancelToken())
    reporter.stage("shape", 0, 2)
    for step in range(100):
        reporter.progress(step, 100)
    reporter.warning("dark")
    reporter.close()
    assert stream.getvalue() == "[1/2] shape\nWarning: dark\n"


def test_a_terminal_gets_one_line_that_changes_and_goes() -> None:
    stream = Terminal()
    reporter = ConsoleReporter(stream, CancelToken())
    reporter.stage("shape", 0, 2)
    reporter.progress(1, 4)
    reporter.warning("dark")
    reporter.close()
    said = stream.getvalue()
    assert "25 %" in said and said.count("\n") == 1
    assert f"{CLEAR_LINE}Warning: dark\n" in said and said.endswith(CLEAR_LINE)


def test_no_steps_at_all_is_no_division_by_zero() -> None:
    reporter = ConsoleReporter(Terminal(), CancelToken())
    reporter.stage("shape", 0, 1)
    reporter.progress(0, 0)
