"""An engine that plays a part: `fake_engine.py START [FOLDER]`, run from the repository root.

START: well, mute (never says hello), old (another protocol), dead (ends before hello).
The stem of a job's first photo (file, for an import) says what the job does: ok, error, garbage,
crash, slow (until cancelled), deaf (ignores cancel and interrupt), stubborn (ignores cancel only),
lines, quit.
Decodes, into FOLDER: a tenth of the first offset everywhere. START slow_decode: each takes a
while; no_decode: none works; dying_decode: the first ends the process, unless FAKE_ONCE names a
file that exists (it is made then).
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

import numpy as np

sys.path.insert(0, os.getcwd())

from engine.protocol import messages as protocol
from engine.protocol.errors import ErrorCode
from engine.protocol.job import FitJob
from engine.protocol.version import PROTOCOL_VERSION

STAGES = ("photo", "shape", "albedo")
requests: "queue.Queue[protocol.JobRequest | protocol.DecodeRequest]" = queue.Queue()
cancelled: set[str] = set()


def say(message):
    sys.stdout.buffer.write(protocol.encode(message))
    sys.stdout.buffer.flush()


def listen():
    for line in sys.stdin.buffer:
        message = protocol.decode(line)
        if isinstance(message, protocol.JobRequest | protocol.DecodeRequest):
            requests.put(message)
        elif isinstance(message, protocol.CancelRequest):
            cancelled.add(message.id)
        elif isinstance(message, protocol.Shutdown):
            break
    os._exit(0)


def play_ok(request):
    for index, stage in enumerate(STAGES):
        say(protocol.StageStarted(request.id, stage, index, len(STAGES)))
        for step in range(1, 3):
            say(protocol.Progress(request.id, stage, step, 2))
    say(protocol.Preview(request.id, "/tmp/preview.png"))
    say(protocol.Warned(request.id, "The photo is small."))
    source, output = os.environ.get("FAKE_RESULT"), Path(request.job.output)
    if source:
        shutil.copytree(source, output)
    say(protocol.Finished(request.id, str(output)))


def decode_detail(request, start):
    if start == "no_decode":
        say(protocol.Failed(request.id, ErrorCode.PACK_MISSING, "There is no pack.", "Build it."))
        return
    once = os.environ.get("FAKE_ONCE")
    if start == "dying_decode" and not (once and Path(once).exists()):
        if once:
            Path(once).touch()
        os._exit(7)
    if start == "slow_decode":
        time.sleep(0.2)
    path = Path(sys.argv[2], f"{request.id}.npy")
    level = np.float32(0.1 * (request.offsets[0] if request.offsets else 0.0))
    np.save(path, np.full((512, 512), level, np.float32))
    say(protocol.Decoded(request.id, str(path)))


def play_slow(request):
    say(protocol.StageStarted(request.id, "shape", 1, 3))
    while request.id not in cancelled:
        time.sleep(0.02)
    say(protocol.WasCancelled(request.id))


def play_deaf(request):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say(protocol.StageStarted(request.id, "shape", 1, 3))
    while True:
        time.sleep(1)


def play_stubborn(request):
    say(protocol.StageStarted(request.id, "shape", 1, 3))
    while True:
        time.sleep(1)


def play_crash(request):
    say(protocol.StageStarted(request.id, "shape", 1, 3))
    for number in range(1000):
        print(f"line {number}", file=sys.stderr)
    print("Segmentation fault", file=sys.stderr, flush=True)
    os._exit(9)


def play_garbage(request):
    sys.stdout.buffer.write(b"Loading weights...\n")
    sys.stdout.buffer.flush()
    time.sleep(60)


def play_error(request):
    say(
        protocol.Failed(
            request.id, ErrorCode.NO_FACE, "No face was found.", "Choose another photo."
        )
    )


def play_quit(request):
    """Leaves as an idle worker would, just when a second job comes."""
    if request.id == "1":
        play_ok(request)
    else:
        os._exit(0)


def _play_of(job):
    paths = job.photos if isinstance(job, FitJob) else getattr(job, "paths", ("ok",))
    return Path(paths[0]).stem


def main():
    start = sys.argv[1]
    if start == "dead":
        print("No module named torch", file=sys.stderr)
        sys.exit(1)
    if start == "mute":
        time.sleep(60)
    threading.Thread(target=listen, daemon=True).start()
    say(protocol.Hello(PROTOCOL_VERSION + (start == "old"), "0", "cpu", ("default",)))
    while True:
        request = requests.get()
        if isinstance(request, protocol.DecodeRequest):
            decode_detail(request, start)
            continue
        globals()["play_" + _play_of(request.job)](request)


main()
