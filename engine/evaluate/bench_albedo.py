"""`bench albedo`: the training beside scikit-learn's IncrementalPCA, and what a large one takes."""

import importlib.util
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..protocol.albedo import CHANNELS, decode_albedo
from ..protocol.conventions import unit_to_bytes
from ..protocol.errors import EngineError, ErrorCode
from ..skin.dataset import generate_maps
from ..skin.layout import region_masks
from ..train.settings import TrainSettings
from .bench_albedo_child import StageTime

ROOT = Path(__file__).resolve().parents[2]
MANY_MAPS = 100_000
"""Maps of the estimate, as many as the paper's."""
CLUSTER_WORKERS = 16
NETWORK = 1.25e9
"""Bytes a second between machines of the estimate: 10 Gbit Ethernet."""
HOUR = 3600.0
PEOPLE = 16
"""Generated skins that the bench's maps are mixed from."""
DECODE_SIZE, DECODE_COMPONENTS, DECODE_REPEATS = 256, 100, 60


@dataclass(frozen=True)
class Run:
    """One training in a process of its own. cpu: seconds of all its threads, which other work on
    the machine hardly changes. peak: bytes. variance: kept, summed over channels. stages: of ours
    only."""

    count: int
    seconds: float
    cpu: float
    peak: int
    variance: float
    stages: tuple[StageTime, ...] = ()

    @property
    def rate(self) -> float:
        """Maps a second, everything included."""
        return self.count / self.seconds


@dataclass(frozen=True)
class SizeBench:
    """Both at one size; incremental is None without scikit-learn, or when it ran out of memory."""

    size: int
    ours: Run
    incremental: Run | None


def bench_sizes(
    maps: Path,
    sizes: Sequence[int],
    components: int,
    work: Path,
    twin: bool,
    say: Callable[[str], None],
) -> Iterator[SizeBench]:
    """Train at every size on the maps of a folder, with both, one after the other.

    twin: also with scikit-learn, where it is installed.
    """
    twin = twin and importlib.util.find_spec("sklearn") is not None
    count = sum(1 for _ in maps.iterdir())
    cache_gb = TrainSettings().cache_gb * count / MANY_MAPS  # cached or not as MANY_MAPS would be
    for size in sizes:
        say(f"training at {size}")
        fixed = [str(maps), str(size), str(components), str(cache_gb), str(work)]
        ours = _child("ours", fixed)
        if ours is None:
            raise EngineError(ErrorCode.OUT_OF_MEMORY, "The system ended the training.")
        incremental = None
        if twin:
            say(f"scikit-learn at {size}")
            incremental = _child("incremental", fixed)
            if incremental is None:
                say("the system ended it: not enough memory")
        yield SizeBench(size, ours, incremental)


def _child(kind: str, arguments: list[str]) -> Run | None:
    """None when the system ended the process, as it does when memory runs out."""
    command = [sys.executable, "-m", "engine.evaluate.bench_albedo_child", kind, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode < 0:
        return None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(ErrorCode.INTERNAL, f"The training ({kind}) failed: {why}")
    found = json.loads(done.stdout.splitlines()[-1])
    stages = tuple(StageTime(**stage) for stage in found.get("stages", ()))
    figures = (found[name] for name in ("count", "seconds", "cpu", "peak", "variance"))
    return Run(*figures, stages)


def write_bench_maps(folder: Path, count: int, size: int, seed: int) -> None:
    """PNG files of mixtures of a few generated skins: as detailed as skins, quickly made."""
    people = [m.astype(np.float32) for m in generate_maps(PEOPLE, size, seed, 1)]
    rng = np.random.default_rng(seed)
    for index in range(count):
        chosen = rng.choice(PEOPLE, 3, replace=False)
        share = rng.dirichlet((0.7, 0.7, 0.7)).astype(np.float32)
        image = sum(s * people[k] for s, k in zip(share, chosen, strict=True))
        image = image + rng.normal(0.0, 0.004, (size, size, 1)).astype(np.float32)  # each its own
        data = cv2.imencode(".png", unit_to_bytes(image)[..., ::-1])[1]
        (folder / f"{index:06d}.png").write_bytes(data.tobytes())


def decode_seconds(seed: int) -> float:
    """Median seconds of the numpy decode of a coarse map at 256 from 3 x 100 coefficients."""
    rng = np.random.default_rng(seed)
    valid = region_masks(DECODE_SIZE)["valid"] > 0
    texels = int(valid.sum())
    mean = rng.random((CHANNELS, texels), np.float32)
    basis = rng.standard_normal((CHANNELS, DECODE_COMPONENTS, texels), np.float32)
    times = []
    for _ in range(DECODE_REPEATS):
        coefficients = rng.standard_normal((CHANNELS, DECODE_COMPONENTS))
        start = time.perf_counter()
        decode_albedo(mean, basis, valid, coefficients)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@dataclass(frozen=True)
class Estimate:
    """Hours for MANY_MAPS, and the arithmetic in lines."""

    here: float
    cluster: float
    lines: tuple[str, ...]


def estimate(run: Run, size: int, components: int, cores: int) -> Estimate:
    """What MANY_MAPS would take, from the stages of a measured run without a cache.

    here: per map the seconds of every reading, plus what does not grow with the maps. cluster:
    CLUSTER_WORKERS of one such core each and the memory of one training: the power passes go
    channel by channel there, so that a map is read three times in each.
    """
    by = {stage.name.split(" ")[0]: stage for stage in run.stages}
    powers = [stage for stage in run.stages if stage.name.startswith("power")]
    read, last = by["reading"].maps / run.count, by["measuring"].maps / run.count
    power = sum(stage.maps for stage in powers) / len(powers) / run.count
    fixed = sum(stage.rest for stage in run.stages) + by["first"].maps
    passes, products = len(powers), max(power - read, 0.0)
    here = MANY_MAPS * (read + passes * power + last) + fixed

    matrix = 4.0 * int(region_masks(size)["valid"].sum())
    matrix *= components + TrainSettings().oversampling
    sends = CLUSTER_WORKERS + math.ceil(math.log2(CLUSTER_WORKERS)) + 1  # out, merged, back
    sent = CHANNELS * matrix * (passes * sends + CLUSTER_WORKERS)
    spread = read + passes * (CHANNELS * read + products) + last
    cluster = MANY_MAPS * spread * cores / CLUSTER_WORKERS + fixed + sent / NETWORK

    r, p, q, m = (f"{1e3 * value:.1f}" for value in (read, power, products, last))
    measured = (
        f"per map: reading {r} ms, a power pass {p} ms (reading again and {q} ms of products), "
        f"the last pass {m} ms; once: {fixed:.0f} s"
    )
    alone = (
        f"here: {MANY_MAPS} x ({r} + {passes} x {p} + {m}) ms + {fixed:.0f} s = {here / HOUR:.1f} h"
    )
    shared = (
        f"{CLUSTER_WORKERS} workers of one core each: {MANY_MAPS} x ({r} + {passes} x "
        f"({CHANNELS} x {r} + {q}) + {m}) ms x {cores} / {CLUSTER_WORKERS} + {fixed:.0f} s + "
        f"{sent / 1e9:.0f} GB at {NETWORK / 1e9:.2f} GB/s = {cluster / HOUR:.1f} h"
    )
    return Estimate(here / HOUR, cluster / HOUR, (measured, alone, shared))
