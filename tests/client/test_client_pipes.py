"""The boxes between Blender and an engine: bounded, in order, and never in Blender's way."""

import io
import os
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

LIMIT = 2**20


@pytest.fixture(scope="module")
def pipes():
    import importlib

    return importlib.import_module("uvapm.uvapm_blender.engine_client.pipes")


def taken(inbox):
    lines = []
    while batch := inbox.take():
        lines += batch
    return lines


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=30))
def test_lines_come_in_order_and_half_a_line_does_not(pipes, lines):
    inbox = pipes.Inbox()
    pipes.read_lines(io.BytesIO(b"".join(line + b"\n" for line in lines) + b"half"), inbox)
    assert taken(inbox) == [*(line + b"\n" for line in lines), None]


def test_a_line_that_is_too_long_is_not_swallowed(pipes):
    inbox = pipes.Inbox()
    pipes.read_lines(io.BytesIO(b"x" * (LIMIT + 5)), inbox)
    assert len(taken(inbox)[0]) == LIMIT + 1, "the reader of messages must complain"


def test_a_flood_waits_and_is_taken_in_portions(pipes):
    inbox, count = pipes.Inbox(), 200_000
    flood = threading.Thread(target=pipes.read_lines, args=(io.BytesIO(b"{}\n" * count), inbox))
    flood.start()
    time.sleep(0.2)
    assert flood.is_alive(), "it waits"
    heard, most = 0, 0
    while flood.is_alive() or most:
        most = len(inbox.take())
        heard += most
        assert most <= pipes.MOST_LINES
    flood.join()
    assert heard == count + 1


def test_closing_lets_a_waiting_reader_go(pipes):
    inbox = pipes.Inbox()
    flood = threading.Thread(target=pipes.read_lines, args=(io.BytesIO(b"x\n" * 10**6), inbox))
    flood.start()
    inbox.close()
    flood.join(10)
    assert not flood.is_alive() and inbox.take() == []


def test_sending_to_a_process_that_does_not_read_never_waits(pipes):
    source, sink = os.pipe()
    outbox = pipes.Outbox(os.fdopen(sink, "wb"))
    began = time.monotonic()
    for _ in range(50):
        outbox.send(b"x" * 100_000 + b"\n")
    assert time.monotonic() - began < 1.0 and not outbox.broken
    os.close(source)
    outbox.close()
    outbox.join(10)
    assert outbox.broken
