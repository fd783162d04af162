"""The worker's pipes: lines however they arrive, and whole messages whatever interrupts."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli.worker import remove_old_scratch
from engine.protocol.messages import Warned, decode
from engine.worker.channel import MessageWriter, client_left, read_lines
from engine.worker.serve import _Running

posix = pytest.mark.skipif(os.name == "nt", reason="signals and pipes as POSIX has them")
LIMIT = 50


def lines_of(pieces: list[bytes]) -> list[bytes | None]:
    source, sink = os.pipe()

    def write() -> None:
        for piece in pieces:
            os.write(sink, piece)
        os.close(sink)

    writer = threading.Thread(target=write)
    writer.start()
    heard = list(read_lines(source, LIMIT))
    writer.join()
    os.close(source)
    return heard


def expected(data: bytes) -> list[bytes | None]:
    """The slow twin: split at once."""
    whole = data.split(b"\n")[:-1]
    return [line if len(line) < LIMIT else None for line in whole]


PIECE = st.one_of(
    st.binary(max_size=20), st.just(b"\n"), st.just(b"x" * 70), st.just(b"\n\n\n{}\n")
)


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECE, max_size=20))
def test_lines_are_the_same_however_they_arrive(pieces: list[bytes]) -> None:
    assert lines_of(pieces) == expected(b"".join(pieces)) == lines_of([b"".join(pieces)])


def test_a_million_empty_lines_take_no_time() -> None:
    source, sink = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(sink, b"\n" * 10**6), os.close(sink)))
    writer.start()
    began = time.process_time()
    assert sum(1 for _ in read_lines(source)) == 10**6
    assert time.process_time() - began < 5.0
    writer.join()
    os.close(source)


def test_scratch_of_killed_workers_goes_and_nothing_else(tmp_path: Path) -> None:
    old, new, other, kept = (
        tmp_path / name for name in ("uvapm-worker-a", "uvapm-worker-b", "uvapm-c", "kept")
    )
    for folder in (old, new, other, kept):
        folder.mkdir()
        (folder / "detail-1.npy").touch()
    if os.name != "nt":
        (tmp_path / "uvapm-worker-link").symlink_to(kept)
    for folder in (old, other, kept):
        os.utime(folder, (0, 0))
    remove_old_scratch(tmp_path)
    assert not old.exists()
    assert all((folder / "detail-1.npy").exists() for folder in (new, other, kept))


@posix
def test_it_is_seen_that_the_client_left_though_lines_wait() -> None:
    source, sink = os.pipe()
    os.write(sink, b"unread\n")
    assert not client_left(source)
    os.close(sink)
    assert client_left(source)
    os.close(source)


@posix
def test_an_interrupt_never_cuts_a_message_in_two() -> None:
    """Two messages longer than a pipe; the signal comes while the first one is being written."""
    source, sink = os.pipe()
    state, writer = _Running(), MessageWriter(sink)
    before = signal.signal(signal.SIGINT, lambda number, frame: state.interrupt())
    text, heard = "x" * 300_000, []

    def read() -> None:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        heard.extend(read_lines(source))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        state.interruptible = True
        with pytest.raises(KeyboardInterrupt):
            state.send(writer, Warned("1", text))
        state.send(writer, Warned("2", text))
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(sink)
        reader.join()
        os.close(source)
    assert [decode(line) for line in heard] == [Warned("1", text), Warned("2", text)]
