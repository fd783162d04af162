"""`bench faults --files`: files of strangers, and what became of reading them."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from ..packs.registry import find_pack
from ..protocol.errors import EngineError, ErrorCode
from ..protocol.pack_manifest import HEAD_FILE, PACK_JSON
from ..result.write import write_result
from . import bad_folders, bad_photos
from .file_trial import MEGABYTE, SECONDS, Case, Verdict
from .processes import ROOT
from .small_result import small_contents
from .table import Fault, Row, Tally

COUNT = 200
"""Random files of each kind."""
ROOM = {"photo": 3000, "pack": 400, "result": 100}
"""Megabytes that reading may take. Ours: a photo of 50 million pixels of 16 bits with alpha is the
largest that is taken; a pack's head is 11 MB, over fine vertices twenty times that."""
PATIENCE = 30.0
"""Seconds that a file may take, on a loaded machine."""

Make = Callable[[Path, Path], list[Case]]


def file_rows(seed: int, count: int = COUNT) -> Iterator[Row]:
    """Rows of photos, packs and results. count: random ones of each kind.

    Raises EngineError(BAD_SETTINGS) but on Linux."""
    if sys.platform != "linux":
        raise EngineError(ErrorCode.BAD_SETTINGS, "Only Linux tells the memory of each reading.")
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="uvapm-files-") as name:
        scratch = Path(name)
        for kind, make in _kinds(count, chance, scratch):
            yield _row(kind, make, scratch)


def _kinds(count: int, chance: random.Random, scratch: Path) -> Iterator[tuple[str, Make]]:
    photos = bad_photos.photo_cases
    yield "photos: bombs", lambda folder, alarm: photos(folder, bad_photos.bombs())
    yield "photos: polyglots", lambda folder, alarm: photos(folder, bad_photos.polyglots(alarm))
    yield "photos: broken", lambda folder, alarm: photos(folder, bad_photos.broken(count, chance))
    result = write_result(scratch / "good" / "result", small_contents())
    yield from _folder_kinds("result", result, ("mesh.safetensors", "maps/albedo.png"), chance)
    yield "results: pictures", _folders("result", result, bad_folders.bad_maps)
    edits = bad_folders.random_edits
    spoils = lambda: edits("result.json", count, chance)  # noqa: E731
    yield "results: random edits", _folders("result", result, spoils, refuse=False)
    pack = _small_pack(scratch / "good" / "pack")
    yield from _folder_kinds("pack", pack, (HEAD_FILE,), chance)
    spoils = lambda: edits(PACK_JSON, count // 4, chance)  # noqa: E731
    yield "packs: random edits", _folders("pack", pack, spoils, refuse=False)


def _folder_kinds(
    reader: str, template: Path, files: tuple[str, ...], chance: random.Random
) -> Iterator[tuple[str, Make]]:
    manifest = bad_folders.MANIFESTS[reader]

    def strange(alarm: Path) -> Iterator[tuple[str, bad_folders.Spoil]]:
        names = (manifest, *files)
        return chain(*(bad_folders.strange_files(manifest, name, alarm) for name in names))

    def make(folder: Path, alarm: Path) -> list[Case]:
        return bad_folders.folder_cases(reader, template, folder, strange(alarm), True)

    yield f"{reader}s: names, links, devices, pickles", make
    tensors = lambda: bad_folders.bad_tensors(manifest, files[0])  # noqa: E731
    yield f"{reader}s: absurd shapes", _folders(reader, template, tensors)
    numbers = lambda: bad_folders.bad_numbers(manifest, files[0])  # noqa: E731
    yield f"{reader}s: NaN and far numbers", _folders(reader, template, numbers)


def _folders(
    reader: str,
    template: Path,
    spoils: Callable[[], Iterator[tuple[str, bad_folders.Spoil]]],
    refuse: bool = True,
) -> Make:
    def make(folder: Path, alarm: Path) -> list[Case]:
        return bad_folders.folder_cases(reader, template, folder, spoils(), refuse)

    return make


def _small_pack(folder: Path) -> Path:
    """The default pack's head alone."""
    source = find_pack()
    folder.mkdir(parents=True)
    shutil.copy(source / HEAD_FILE, folder)
    plain = json.loads((source / PACK_JSON).read_text(encoding="utf-8"))
    plain.update(albedo=None, detail=None, encoder=None)
    plain["files"] = {HEAD_FILE: plain["files"][HEAD_FILE]}
    (folder / PACK_JSON).write_text(json.dumps(plain), encoding="ascii")
    return folder


def _row(kind: str, make: Make, scratch: Path) -> Row:
    """Make the files, read each in a process of its own, judge."""
    tally, folder, alarm = Tally(kind), scratch / "cases", scratch / "alarm"
    kept = scratch / "kept.txt"
    kept.write_text("of the artist", encoding="ascii")
    cases = make(folder, alarm)
    verdicts = list(_read(cases, scratch))
    for case, verdict in zip(cases, verdicts, strict=True):
        with tally.attempt():
            judge(case, verdict)
            if alarm.exists() or kept.read_text(encoding="ascii") != "of the artist":
                raise Fault(f"{case.name}: something ran or was written", lost=True)
        tally.longest = max(tally.longest, verdict.seconds)
    shutil.rmtree(folder)
    row = tally.row()
    peak = max(verdict.peak for verdict in verdicts) / MEGABYTE
    refused = sum(verdict.end == "refused" for verdict in verdicts)
    text = f"{kind} ({refused} refused, {peak:.0f} MB)"
    return Row(text, row.tried, row.survived, row.lost, row.longest, row.complaints)


def _read(cases: list[Case], scratch: Path) -> Iterator[Verdict]:
    listing = scratch / "cases.json"
    listing.write_text(json.dumps([vars(case) for case in cases]), encoding="ascii")
    command = [sys.executable, "-m", "engine.hostile.file_trial", str(listing)]
    limit = 60.0 + SECONDS * len(cases)
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=one_thread, capture_output=True, text=True, timeout=limit
    )
    if done.returncode:
        raise Fault(done.stderr[-300:])
    return (Verdict(**json.loads(line)) for line in done.stdout.splitlines())


def judge(case: Case, verdict: Verdict) -> None:
    """Raises Fault unless a file was refused in plain words, or read where it may be, in time."""
    if verdict.end not in ("refused", "read"):
        raise Fault(f"{case.name}: {verdict.end}: {verdict.message}")
    if case.refuse and verdict.end == "read":
        raise Fault(f"{case.name}: it was taken")
    if not verdict.message.isprintable() or len(verdict.message) > 1000:
        raise Fault(f"{case.name}: not plain words: {verdict.message[:100]!a}")
    if verdict.seconds > PATIENCE:
        raise Fault(f"{case.name}: {verdict.seconds:.0f} s")
    if verdict.peak > ROOM[case.reader] * MEGABYTE:
        raise Fault(f"{case.name}: {verdict.peak / MEGABYTE:.0f} MB")
