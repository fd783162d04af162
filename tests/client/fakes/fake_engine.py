"""An engine that plays a part: `fake_engine.py START [IGNORED]`, run from the repository root.

START: well, mute (never says hello), old (another protocol), dead (ends before hello).
The stem of a job's first photo says what the job does: ok, error, garbage, crash, slow (until
cancelled), deaf (ignores cancel and interrupt), stubborn (ignores cancel only), lines, quit.
A result is copied from the folder in FAKE_RESULT when that is set.
"""

import os
import queue
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, os.getcwd())

from engine.protocol.errors import ErrorCode
from engine.protocol.messages import (
    CancelRequest,
    Failed,
    Finished,
    Hello,
    JobRequest,
    Preview,
    Progress,
    Shutdown,
    StageStarted,
    Warned,
    WasCancelled,
    decode,
    encode,
)
from engine.protocol.version import PROTOCOL_VERSION

STAGES = ("photo", "shape", "albedo")
requests: "queue.Queue[JobRequest]" = queue.Queue()
cancelled: set[str] = set()


def say(message):
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


def listen():
    for line in sys.stdin.buffer:
        message = decode(line)
        if isinstance(message, JobRequest):
            requests.put(message)
        elif isinstance(message, CancelRequest):
            cancelled.add(message.id)
        elif isinstance(message, Shutdown):
            break
    os._exit(0)


def play_ok(request):
    for index, stage in enumerate(STAGES):
        say(StageStarted(request.id, stage, index, len(STAGES)))
        for step in range(1, 3):
            say(Progress(request.id, stage, step, 2))
    say(Preview(request.id, "/tmp/preview.png"))
    say(Warned(request.id, "The photo is small."))
    source, output = os.environ.get("FAKE_RESULT"), Path(request.job.output)
    if source:
        shutil.copytree(source, output)
    say(Finished(request.id, str(output)))


def play_slow(request):
    say(StageStarted(request.id, "shape", 1, 3))
    while request.id not in cancelled:
        time.sleep(0.02)
    say(WasCancelled(request.id))


def play_deaf(request):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say(StageStarted(request.id, "shape", 1, 3))
    while True:
        time.sleep(1)


def play_stubborn(request):
    say(StageStarted(request.id, "shape", 1, 3))
    while True:
        time.sleep(1)


def play_crash(request):
    say(StageStarted(request.id, "shape", 1, 3))
    for number in range(1000):
        print(f"line {number}", file=sys.stderr)
    print("Segmentation fault", file=sys.stderr, flush=True)
    os._exit(9)


def play_garbage(request):
    sys.stdout.buffer.write(b"Loading weights...\n")
    sys.stdout.buffer.flush()
    time.sleep(60)


def play_error(request):
    say(Failed(request.id, ErrorCode.NO_FACE, "No face was found.", "Choose another photo."))


def play_quit(request):
    """Leaves as an idle worker would, just when a second job comes."""
    if request.id == "1":
        play_ok(request)
    else:
        os._exit(0)


def main():
    start = sys.argv[1]
    if start == "dead":
        print("No module named torch", file=sys.stderr)
        sys.exit(1)
    if start == "mute":
        time.sleep(60)
    threading.Thread(target=listen, daemon=True).start()
    say(Hello(PROTOCOL_VERSION + (start == "old"), "0", "cpu", ("default",)))
    while True:
        request = requests.get()
        globals()["play_" + Path(request.job.photos[0]).stem](request)


main()
