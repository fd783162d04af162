"""The passes of a training on a Dask cluster: rows of files to partial sums, merged as a tree.

The workers run the same functions as one machine does (`scan.look_at`, `reduction.accumulate`)
and read the files by path, so they need the maps and this engine where the client has them.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ..cluster import connect_client
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from .passes import batches
from .reduction import Frame, PassSums, accumulate, add_sums, copied, empty_sums, silent
from .scan import Scan, look_at, scan_of
from .texels import FileTexels, TexelLayout
from .waiting import CANCEL_SECONDS

if TYPE_CHECKING:
    from distributed import Client, Future

PARTS_PER_THREAD = 4
"""Parts of a pass per worker thread: slow and lost workers cost little."""
LARGE_SUMS = 256 * 10**6
"""Bytes of partial sums from which a thread gets one part only: they travel and are held."""
SCAN_PART = 64
"""Files per task of the first reading."""


@contextmanager
def connect(address: str) -> Iterator["DaskCluster"]:
    """The cluster at a scheduler's address; see `cluster.connect_client`."""
    with connect_client(address) as client:
        yield DaskCluster(client)


@dataclass(frozen=True)
class DaskCluster:
    """Runs the readings of the maps on the workers of a client."""

    client: "Client"

    def scan(self, files: Sequence[Path], layout: TexelLayout, report: Reporter) -> Scan:
        """Look at every file; see scan.scan_maps."""
        shared = self.client.scatter(layout, broadcast=True, hash=False)
        parts = [files[i : i + SCAN_PART] for i in range(0, len(files), SCAN_PART)]
        tasks = [self.client.submit(_look_at_all, part, shared, pure=False) for part in parts]
        self._wait(tasks, [len(part) for part in parts], report)
        return scan_of(files, [record for task in tasks for record in task.result()])

    def run_pass(
        self, source: FileTexels, frame: Frame, with_images: bool, batch: int, report: Reporter
    ) -> PassSums:
        """Sums over all maps, as passes.local_pass."""
        client, layout = self.client, source.layout
        shared = client.scatter(_Shared(layout, frame, with_images, batch), True, hash=False)
        parts = self._parts(len(source), frame, with_images, batch)
        tasks = [
            client.submit(_part_of_pass, source.files[part], shared, pure=False) for part in parts
        ]
        self._wait(tasks, [part.stop - part.start for part in parts], report)
        while len(tasks) > 1:
            pairs = zip(tasks[::2], tasks[1::2], strict=False)
            merged = [client.submit(_merged, one, other, pure=False) for one, other in pairs]
            self._wait(merged, [0] * len(merged), report)
            tasks = merged + tasks[len(merged) * 2 :]
        return tasks[0].result()

    def _parts(self, count: int, frame: Frame, with_images: bool, batch: int) -> list[slice]:
        threads = sum(self.client.nthreads().values())
        size = sum(q.nbytes for q in frame.directions) if with_images else 0
        wanted = threads * (1 if size > LARGE_SUMS else PARTS_PER_THREAD)
        number = max(min(wanted, -(-count // batch)), 1)
        bounds = [count * i // number for i in range(number + 1)]
        return [slice(start, stop) for start, stop in pairwise(bounds)]

    def _wait(self, tasks: Sequence["Future"], sizes: Sequence[int], report: Reporter) -> None:
        """Until all are done. A failure is raised; a cancel takes the rest off the cluster."""
        total = sum(sizes)
        try:
            while not all(task.done() for task in tasks):
                ended = sum(n for task, n in zip(tasks, sizes, strict=True) if task.done())
                report.progress(ended, total)
                for task in tasks:
                    _raise_failure(task)
                time.sleep(CANCEL_SECONDS)
        except BaseException:
            self.client.cancel(list(tasks))
            raise
        for task in tasks:
            _raise_failure(task)
        report.progress(total, total)


@dataclass(frozen=True, eq=False)
class _Shared:
    """What every part of a pass needs, sent to each worker once."""

    layout: TexelLayout
    frame: Frame
    with_images: bool
    batch: int


def _raise_failure(task: "Future") -> None:
    if task.status == "error":
        raise task.exception()
    if task.status in ("cancelled", "lost"):
        raise EngineError(
            ErrorCode.INTERNAL,
            "The cluster lost a part of the work.",
            "Look at its workers, then give the same command again: done passes are kept.",
        )


def _look_at_all(files: Sequence[Path], layout: TexelLayout) -> list[tuple[str, str]]:
    looked = [look_at(file, layout, keep_texels=False) for file in files]
    return [(one.digest, one.reason) for one in looked]


def _part_of_pass(files: Sequence[Path], shared: _Shared) -> PassSums:
    sums = empty_sums(shared.frame, shared.with_images)
    source = FileTexels(files, shared.layout)
    for maps in batches(source, shared.frame.channels, 0, shared.batch, 1, silent):
        accumulate(sums, maps, shared.frame)
    return sums


def _merged(first: PassSums, second: PassSums) -> PassSums:
    """A task must not change its inputs: they may be used again when a worker is lost."""
    return add_sums(copied(first), second)
