"""`bench faults --places`: the real engine where disks are full, memory ends, folders are odd,
machines sleep and clocks jump. Linux."""

import os
import random
import resource
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..protocol.errors import EngineError, ErrorCode
from ..protocol.job import FitJob
from ..protocol.messages import Failed, Finished, Message
from ..protocol.result import read_manifest, read_result
from .real_worker import RealWorker, portrait
from .table import Fault, Row, Tally

COUNT = 8
"""Attempts of each kind; each is a fit of some seconds."""
ODD_NAMES = (
    *("Übung ä ß", "写真 フォルダ", "😀 two  spaces ", 'it\'s "quoted" $HOME; rm #%20&', "-rf"),
    *("x" * 200, "e\u0301 combining", "\u202eright to left", "bytes \udcff\udc80", "dot."),
)
ROOM = 700 * 2**20
"""Bytes beyond those of a warm worker; a photo of 49 million pixels needs about as much."""
LONG = 3900
"""Letters of a path; Linux takes 4095."""

Stage = Callable[[], None]


def place_rows(seed: int, count: int = COUNT) -> Iterator[Row]:
    """Rows of each kind of place. Raises Fault without a photo, EngineError but on Linux."""
    if not Path("/proc/self/status").is_file():
        raise EngineError(ErrorCode.BAD_SETTINGS, "These limits are Linux's.")
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="uvapm-places-") as name:
        scratch = Path(name)
        photo = Path(shutil.copy(portrait(), scratch / "photo.png"))
        worker = RealWorker()
        try:
            good = _fitted(worker, photo, scratch / "good")
            yield _odd_folders(worker, photo, scratch)
            yield _no_room(worker, photo, scratch, count, chance)
            yield _no_memory(worker, photo, scratch, count, chance)
            yield _read_only(worker, photo)
            yield _asleep(worker, photo, scratch, count, chance, good)
            yield _two_clients(worker, photo, scratch, count)
        finally:
            worker.close()
        yield _other_clock(photo, scratch, count, good)


def _job(photo: Path, output: Path) -> FitJob:
    return FitJob((str(photo),), str(output), files="blender")


def _run(worker: RealWorker, photo: Path, output: Path) -> Message | None:
    worker.send(_job(photo, output))
    return worker.answer()


def _fitted(worker: RealWorker, photo: Path, output: Path) -> dict[str, str]:
    """sha256 of the files of a fit that must work."""
    message = _run(worker, photo, output)
    if not isinstance(message, Finished):
        raise Fault(f"the next job failed: {message}")
    return read_result(output).manifest.files


def _refused(message: Message | None, *codes: ErrorCode) -> None:
    """Raises Fault unless a job failed like that, in words."""
    if not isinstance(message, Failed) or message.code not in codes:
        raise Fault(f"expected {' or '.join(codes)}, got {message}")
    if not message.message.replace("\udcff", "").isprintable():
        raise Fault(f"not plain words: {message.message!a}")


@contextmanager
def _keeping(output: Path) -> Iterator[None]:
    """Afterwards `output` holds the same result as before, and nothing lies beside it."""
    before, beside = read_manifest(output), sorted(output.parent.iterdir())
    yield
    if read_result(output).manifest != before:
        raise Fault("the earlier result was changed", lost=True)
    left = set(output.parent.iterdir()) - set(beside)
    if left:
        raise Fault(f"something was left: {min(left).name!a}")


def _odd_folders(worker: RealWorker, photo: Path, scratch: Path) -> Row:
    tally = Tally("folders: odd, long and not ASCII names")
    for name in ODD_NAMES:
        with tally.attempt():
            folder = scratch / name
            folder.mkdir()
            _fitted(worker, Path(shutil.copy(photo, folder / f"{name[:40]}.png")), folder / name)
    deep = scratch
    while len(str(deep)) < LONG - 200:
        deep /= "d" * min(199, LONG - 199 - len(str(deep)))
    with tally.attempt():
        _fitted(worker, photo, deep / "result")
    with tally.attempt():  # no system has such a place
        far = deep.joinpath("n" * 250, "n" * 250, "result")
        _refused(_run(worker, photo, far), ErrorCode.BAD_OUTPUT)
    with tally.attempt():
        _refused(_run(worker, photo, scratch / ("n" * 300)), ErrorCode.BAD_OUTPUT)
    with tally.attempt():
        _fitted(worker, photo, scratch / "after")
    return tally.row()


def _no_room(
    worker: RealWorker, photo: Path, scratch: Path, count: int, chance: random.Random
) -> Row:
    """No file may grow beyond some size: the write in which that happens is any."""
    tally, output = Tally("disks: no more room in some file, then room again"), scratch / "good"
    largest = max(path.stat().st_size for path in output.rglob("*") if path.is_file())
    for _ in range(count):
        with tally.attempt():
            room = chance.randrange(largest)
            with _keeping(output):
                with worker.limited(resource.RLIMIT_FSIZE, room):
                    _refused(_run(worker, photo, output), ErrorCode.BAD_OUTPUT)
            _fitted(worker, photo, output)
    return tally.row()


def _no_memory(
    worker: RealWorker, photo: Path, scratch: Path, count: int, chance: random.Random
) -> Row:
    """Memory ends at some moment. A worker that dies of it is started again."""
    kind, output = "memory: ends at some moment, then is back", scratch / "good"
    tally, before, enough = Tally(kind), worker.deaths, 0
    large = _grown(photo, scratch / "large.png")
    for number in range(count):
        with tally.attempt():
            link = scratch / f"large_{number}.png"
            link.symlink_to(large)  # a worker remembers the last photo by its path
            with _keeping(output):
                room = worker.mapped() + chance.randrange(ROOM)
                with worker.limited(resource.RLIMIT_AS, room):
                    message = _run(worker, link, scratch / "other")
                if isinstance(message, Finished):
                    enough += 1
                    shutil.rmtree(scratch / "other")
                elif message is not None:
                    _refused(message, ErrorCode.OUT_OF_MEMORY)
            _fitted(worker, photo, output)
    row, deaths = tally.row(), worker.deaths - before
    text = f"{kind} ({deaths} deaths, {enough} had enough)"
    return Row(text, row.tried, row.survived, row.lost, row.longest, row.complaints)


def _grown(photo: Path, target: Path) -> Path:
    """The photo at 49 million pixels, for which a warm worker needs more memory than it has."""
    from PIL import Image

    with Image.open(photo) as picture:
        picture.resize((7000, 7000), Image.Resampling.NEAREST).save(target, compress_level=1)
    return target


def _read_only(worker: RealWorker, photo: Path) -> Row:
    tally = Tally("folders: where nothing can be written")
    for place in (
        "/sys/kernel/result",
        "/proc/result",
        "/proc/self/fd",
        "/dev/null",
        "/dev/null/x",
    ):
        with tally.attempt():
            _refused(_run(worker, photo, Path(place)), ErrorCode.BAD_OUTPUT)
    return tally.row()


def _asleep(
    worker: RealWorker,
    photo: Path,
    scratch: Path,
    count: int,
    chance: random.Random,
    good: dict[str, str],
) -> Row:
    tally = Tally("laptops: asleep for seconds in a job, same bits")
    for number in range(count):
        with tally.attempt():
            copy = Path(shutil.copy(photo, scratch / f"sleep_{number}.png"))
            worker.send(_job(copy, scratch / "slept"))
            worker.until_stage(chance.randrange(4))
            os.kill(worker.pid, signal.SIGSTOP)
            time.sleep(chance.uniform(0.5, 3.0))
            os.kill(worker.pid, signal.SIGCONT)
            if not isinstance(message := worker.answer(), Finished):
                raise Fault(f"after the sleep: {message}")
            _same(read_result(scratch / "slept").manifest.files, good)
    return tally.row()


def _same(files: dict[str, str], good: dict[str, str]) -> None:
    changed = sorted(name for name in good if files.get(name) != good[name])
    if changed or files.keys() != good.keys():
        raise Fault(f"other bits in {', '.join(changed) or 'the list of files'}")


def _two_clients(worker: RealWorker, photo: Path, scratch: Path, count: int) -> Row:
    tally, other = Tally("clients: two at once on one output"), RealWorker()
    output = scratch / "both"
    try:
        other.start()
        for _ in range(count):
            with tally.attempt():
                worker.send(_job(photo, output))
                other.send(_job(photo, output))
                ends = [worker.answer(), other.answer()]
                if not any(isinstance(end, Finished) for end in ends):
                    raise Fault(f"neither ended well: {ends[0]}")
                for end in ends:
                    if not isinstance(end, Finished):
                        _refused(end, ErrorCode.BAD_OUTPUT)
                read_result(output)
                if left := [path.name for path in scratch.glob(".both.*")]:
                    raise Fault(f"left behind: {left[0]}")
    finally:
        other.close()
    return tally.row()


CLOCK = """
import time
_true, _calls = time.time, [0]
def jumping():
    _calls[0] += 1
    return max(1.0, _true() + (3.2e7, -3.2e7, 0.0, 7200.0)[_calls[0] % 4])
time.time = jumping
"""
"""A clock that jumps by a year, back, and by two hours, whenever somebody looks."""


def _other_clock(photo: Path, scratch: Path, count: int, good: dict[str, str]) -> Row:
    tally, folder = Tally("clocks: jump by years and hours in a job, same bits"), scratch / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK, encoding="ascii")
    worker = RealWorker({"PYTHONPATH": str(folder)})
    try:
        for _ in range(count):
            with tally.attempt():
                _same(_fitted(worker, photo, scratch / "jumped"), good)
    finally:
        worker.close()
    return tally.row()
