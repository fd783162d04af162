"""Where a download goes on, against servers of all kinds; without pip and without a network."""

import hashlib
import re
from contextlib import contextmanager

import pytest

from engine.install import resuming
from engine.install.resuming import OtherFile, Wanted, complete

DATA = bytes(range(256)) * 40


class Broken(Exception):
    """A connection that ends."""


class Server:
    """Gives `data`, breaks off after `cut` bytes of an answer; `sent` counts bytes."""

    def __init__(self, data=DATA, cut=10**9, ranges=True, length=True):
        self.data, self.cut, self.ranges, self.length = data, cut, ranges, length
        self.asked, self.sent = [], 0

    @contextmanager
    def get(self, headers):
        self.asked.append(headers.get("Range"))
        asked = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        self.first = int(asked[1]) if asked and self.ranges else 0
        self.status, self.headers = 200, {}
        if asked and self.ranges:
            self.status = 206 if self.first < len(self.data) else 416
            self.headers["Content-Range"] = self.content_range()
        elif self.length:
            self.headers["Content-Length"] = str(len(self.data))
        yield self

    def content_range(self):
        return f"bytes {self.first}-{len(self.data) - 1}/{len(self.data)}"

    def chunks(self):
        end = min(self.first + self.cut, len(self.data))
        for begin in range(self.first, end, 1000):
            chunk = self.data[begin : min(begin + 1000, end)]
            self.sent += len(chunk)
            yield chunk
        if end < len(self.data):
            raise Broken


@pytest.fixture
def wanted(tmp_path):
    return Wanted(tmp_path / "some.whl.part", len(DATA), hashlib.sha256(DATA).hexdigest())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(resuming, "PAUSE", 0.0)


def run(wanted, server):
    told = []
    complete(wanted, server.get, (Broken,), told.append)
    assert wanted.part.read_bytes() == DATA and told[-1] == len(DATA)
    return told


@pytest.mark.parametrize("there", [0, 1, 5000, len(DATA) - 1, len(DATA)])
def test_only_what_lacks_is_sent(wanted, there):
    if there:
        wanted.part.write_bytes(DATA[:there])
    server = Server()
    complete(wanted, server.get, (Broken,), lambda count: None)
    assert wanted.part.read_bytes() == DATA and server.sent == len(DATA) - there


def test_it_goes_on_as_often_as_bytes_come(wanted):
    server = Server(cut=700)
    assert run(wanted, server) and server.sent == len(DATA)
    assert len(server.asked) > resuming.RETRIES * 2


def test_a_server_that_ignores_ranges_gives_all_anew(wanted):
    wanted.part.write_bytes(DATA[:5000])
    server = Server(ranges=False)
    assert run(wanted, server)[0] == 0
    assert server.asked == ["bytes=5000-"] and server.sent == len(DATA)


def test_it_gives_up_when_nothing_more_comes(wanted):
    server = Server(cut=3000, ranges=False)
    with pytest.raises(Broken):
        run(wanted, server)
    assert len(server.asked) == resuming.RETRIES + 2
    assert wanted.part.stat().st_size == 3000, "kept for the next run"


@pytest.mark.parametrize("answer", ["bytes 0-9/10", "bytes 1-2/*", "nonsense", ""])
def test_a_range_that_was_not_asked_for_is_never_appended(wanted, answer):
    wanted.part.write_bytes(DATA[:5000])
    server = Server()
    server.content_range = lambda: answer
    run(wanted, server)
    assert server.asked == ["bytes=5000-", None]


def test_a_file_of_another_size_is_told_before_it_is_fetched(wanted):
    wanted.part.write_bytes(DATA[:5000])
    server = Server(DATA + b"more")
    with pytest.raises(OtherFile):
        run(wanted, server)
    wanted.part.unlink()
    with pytest.raises(OtherFile):
        run(wanted, server)
    assert server.sent == 0


def test_an_endless_answer_is_cut(wanted):
    server = Server(DATA * 100, length=False)
    with pytest.raises(OtherFile):
        run(wanted, server)
    assert server.sent <= len(DATA) + 1000 >= wanted.part.stat().st_size


@pytest.mark.parametrize("part", [b"x" * 5000, b"x" * len(DATA), b"x" * (len(DATA) + 5)])
def test_a_part_of_something_else_goes_and_all_comes_anew(wanted, part):
    wanted.part.write_bytes(part)
    run(wanted, Server())


def test_wrong_bytes_leave_no_part(wanted):
    wanted.part.write_bytes(DATA[:5000])
    server = Server(DATA[:-1] + b"x")
    with pytest.raises(OtherFile):
        run(wanted, server)
    assert server.asked == ["bytes=5000-", None] and not wanted.part.exists()


def test_a_file_that_got_shorter(wanted):
    wanted.part.write_bytes(DATA[:5000])
    server = Server(DATA[:4000])
    with pytest.raises(OtherFile):
        run(wanted, server)
    assert server.asked == ["bytes=5000-", None] and server.sent == 0
