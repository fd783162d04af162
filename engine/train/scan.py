"""The first reading of all maps: which are kept, which are left out and why."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..protocol.albedo import CHANNELS
from ..protocol.errors import EngineError
from ..reporter import Reporter
from .texels import CachedTexels, TexelLayout, digest_of, texels_of
from .waiting import ordered
from .work import WorkFolder


@dataclass(frozen=True)
class LeftOut:
    """A file that is not trained on, and the reason in plain words."""

    file: Path
    reason: str


@dataclass(frozen=True)
class Scan:
    """kept: files to train on, in order. left_out: the others. cached: the texels of the kept
    ones on disk, or None when they are decoded again in every pass."""

    kept: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]
    cached: CachedTexels | None


@dataclass(frozen=True, eq=False)
class Looked:
    """One file looked at. digest: of its texels, "" when unusable. reason: why it is unusable.
    texels: (3, N) uint8, or None."""

    digest: str
    reason: str
    texels: np.ndarray | None


def look_at(file: Path, layout: TexelLayout, keep_texels: bool) -> Looked:
    """Read one file."""
    try:
        texels = texels_of(file, layout)
    except EngineError as error:
        return Looked("", error.message, None)
    return Looked(digest_of(texels), "", texels if keep_texels else None)


def scan_maps(
    files: Sequence[Path],
    layout: TexelLayout,
    work: WorkFolder,
    cache: bool,
    threads: int,
    report: Reporter,
) -> Scan:
    """Look at every file once, in order; of equal pictures the first is kept.

    cache: also write the texels of the kept maps to disk. What an earlier, killed run of the same
    training had looked at is not read again.
    """
    records = _records(work, layout.count if cache else 0)
    first: dict[str, Path] = {}
    kept = sum(
        1
        for index, (digest, reason) in enumerate(records)
        if not _reason(files[index], digest, reason, first)
    )

    def tick() -> None:
        report.progress(len(records), len(files))

    with work.scan_file.open("a", encoding="utf-8") as lines, _cache(work, cache) as texels:
        tasks = [(file, layout, cache) for file in files[len(records) :]]
        for looked in ordered(look_at, tasks, threads, tick):
            file = files[len(records)]
            reason = _reason(file, looked.digest, looked.reason, first)
            if texels is not None and looked.texels is not None and not reason:
                texels.write(looked.texels.data)
                texels.flush()  # before its line: a line says that the texels are there
            records.append((looked.digest, looked.reason))
            kept += not reason
            lines.write(json.dumps(records[-1]) + "\n")
            lines.flush()
            tick()
    cached = CachedTexels(work.cache_file, kept, layout.count) if cache else None
    return scan_of(files, records, cached)


def scan_of(
    files: Sequence[Path], records: Sequence[tuple[str, str]], cached: CachedTexels | None = None
) -> Scan:
    """Sort files into kept and left out, by the (digest, reason) of each."""
    first: dict[str, Path] = {}
    kept, left_out = [], []
    for file, (digest, reason) in zip(files, records, strict=True):
        reason = _reason(file, digest, reason, first)
        if reason:
            left_out.append(LeftOut(file, reason))
        else:
            kept.append(file)
    return Scan(tuple(kept), tuple(left_out), cached)


def _reason(file: Path, digest: str, reason: str, first: dict[str, Path]) -> str:
    """Why a file is left out, "" when it is kept; notes its digest in `first`."""
    if reason:
        return reason
    twin = first.setdefault(digest, file)
    return "" if twin == file else f"{file.name} shows the same picture as {twin}."


def _records(work: WorkFolder, texels: int) -> list[tuple[str, str]]:
    """What a killed run had noted. texels: N when texels are cached, else 0."""
    records: list[tuple[str, str]] = []
    whole = 0
    if work.scan_file.is_file():
        with work.scan_file.open("rb") as file:
            for line in file:
                try:
                    digest, reason = json.loads(line)
                except ValueError:  # the kill came in the middle of a line
                    break
                records.append((digest, reason))
                whole += len(line)
        os.truncate(work.scan_file, whole)
    if texels:
        rows = len(scan_of([Path(str(i)) for i in range(len(records))], records).kept)
        bytes_wanted = rows * CHANNELS * texels
        if not work.cache_file.is_file():
            work.cache_file.touch()
        if work.cache_file.stat().st_size < bytes_wanted:  # the disk lost what had been written
            records.clear()
            os.truncate(work.scan_file, 0)
            bytes_wanted = 0
        os.truncate(work.cache_file, bytes_wanted)
    return records


@contextmanager
def _cache(work: WorkFolder, wanted: bool) -> Iterator[BinaryIO | None]:
    if not wanted:
        yield None
        return
    with work.cache_file.open("ab") as file:
        yield file
