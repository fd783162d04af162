"""An engine that breaks the protocol: `python bad_engine.py PART SEED`. Standard library only, and
none of our own code: it writes what ours never would.
"""

import json
import os
import random
import sys
import time

OUT, IN = 1, 0
LINE = 2**20
"""The protocol's longest line."""
PATIENCE = 60.0
"""Seconds that a part which says nothing stays alive."""


def say(**message: object) -> None:
    """A message as ours would be."""
    write(json.dumps(message).encode() + b"\n")


def write(data: bytes) -> None:
    """All bytes."""
    while data:
        data = data[os.write(OUT, data) :]


def hello(protocol: object = None) -> None:
    """The first message; protocol: None for the right one (third argument)."""
    version = int(sys.argv[3]) if protocol is None else protocol
    say(type="hello", protocol=version, engine="0", device="cpu", packs=[])


def hear() -> str:
    """The id of the next job."""
    data = b""
    while not data.endswith(b"\n"):
        data += os.read(IN, 1) or sys.exit(0)
    return json.loads(data)["id"]


def garbage(chance: random.Random) -> None:
    """Bytes of chance in lines."""
    hello()
    hear()
    while True:
        write(chance.randbytes(chance.randrange(1, 400)) + b"\n")


def huge_line(chance: random.Random) -> None:
    """A line without an end."""
    hello()
    hear()
    while True:
        write(bytes([chance.randrange(32, 127)]) * 65536)


def long_words(chance: random.Random) -> None:
    """Messages just below the longest line, in letters that no label can show."""
    hello()
    id = hear()
    word = chance.choice(("\ud800", "\0", "x", "\u202e", "\n")) * (LINE // 12 - 100)
    for _ in range(chance.randrange(1, 40)):
        say(type="warning", id=id, text=word)
    say(type="error", id=id, code="internal", message=word, hint=word)
    time.sleep(PATIENCE)


def wrong_version(chance: random.Random) -> None:
    """Says hello in a way that is not today's."""
    right = int(sys.argv[3])
    hello(chance.choice((right + 1, 0, -right, 2**70, "1", 1.5, [right])))
    time.sleep(PATIENCE)


def truncated(chance: random.Random) -> None:
    """Ends, or goes on, in the middle of a message."""
    hello()
    line = json.dumps({"type": "result", "id": hear(), "path": "/tmp/x"}).encode()
    write(line[: chance.randrange(1, len(line))])
    if chance.random() < 0.5:
        write(b"\n")
        time.sleep(PATIENCE)


def flood(chance: random.Random) -> None:
    """Honest messages without an end."""
    hello()
    id, number = hear(), 0
    while True:
        number += 1
        kind = chance.randrange(3)
        if kind == 0:
            say(type="progress", id=id, stage="s", step=number % 2**31, total=2**31 - 1)
        elif kind == 1:
            say(type="warning", id=id, text=f"number {number}")
        else:
            say(type="preview", id=chance.choice((id, "other")), path="p" * 100)


def numbers(chance: random.Random) -> None:
    """Counts that no bar can show."""
    hello()
    id = hear()
    count = chance.choice((-1, 10**4000, 1e308, True, None, 2**31))
    say(type="progress", id=id, stage="s", step=count, total=chance.choice((0, 1, count)))
    time.sleep(PATIENCE)


def strangers(chance: random.Random) -> None:
    """Answers to jobs that nobody sent, hello again and again, then the right answer."""
    for _ in range(chance.randrange(1, 5)):
        hello()
    id = hear()
    for _ in range(chance.randrange(200)):
        other = chance.choice(("0", "99", "x" * 64))
        if chance.random() < 0.5:
            say(type="cancelled", id=other)
        else:
            say(type="result", id=other, path="/x")
    hello()
    say(type="cancelled", id=id)
    time.sleep(PATIENCE)


def mute(chance: random.Random) -> None:
    """Never says hello."""
    time.sleep(PATIENCE)


def silent(chance: random.Random) -> None:
    """Takes the job and never answers."""
    hello()
    hear()
    time.sleep(PATIENCE)


def not_reading(chance: random.Random) -> None:
    """Never reads what it is sent."""
    hello()
    time.sleep(PATIENCE)


def closed_output(chance: random.Random) -> None:
    """Closes its output in a job, and lives on."""
    hello()
    hear()
    os.close(OUT)
    time.sleep(PATIENCE)


def closed_input(chance: random.Random) -> None:
    """Closes its input before the job comes, and lives on."""
    os.close(IN)
    hello()
    time.sleep(PATIENCE)


def leaves(chance: random.Random) -> None:
    """Ends at some moment with some code."""
    if chance.random() < 0.7:
        hello()
    if chance.random() < 0.5:
        hear()
    os._exit(chance.randrange(256))


def offspring(chance: random.Random) -> None:
    """Starts a process that keeps its pipes open, and ends."""
    hello()
    hear()
    if os.fork() == 0:
        time.sleep(PATIENCE)
    os._exit(3)


PARTS = (
    *(garbage, huge_line, long_words, wrong_version, truncated, flood, numbers, strangers),
    *(mute, silent, not_reading, closed_output, closed_input, leaves, offspring),
)

if __name__ == "__main__":
    parts = {part.__name__: part for part in PARTS}
    parts[sys.argv[1]](random.Random(int(sys.argv[2])))
