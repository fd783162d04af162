"""One training in a process of its own, for `bench albedo`: seconds, peak memory, variance kept.

`python -m engine.evaluate.bench_albedo_child ours|incremental MAPS SIZE COMPONENTS CACHE_GB WORK`
prints one JSON object. "incremental" is scikit-learn's IncrementalPCA, one per channel, fed with
the same maps by the same reader.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ..protocol.albedo import CHANNELS
from ..protocol.conventions import BYTE_MAX
from ..reporter import NullReporter
from ..train.albedo_pca import train_albedo
from ..train.maps import list_maps
from ..train.passes import batches
from ..train.reduction import silent
from ..train.scan import scan_maps
from ..train.settings import TrainSettings
from ..train.texels import texel_layout
from ..train.work import open_work

KILOBYTE = 1024


@dataclass
class StageTime:
    """Seconds until all maps were done, and of what came after them."""

    name: str
    maps: float = 0.0
    rest: float = 0.0


@dataclass
class StageClock(NullReporter):
    """Notes how long each stage takes. The maps are done when progress first reaches the total."""

    stages: list[StageTime] = field(default_factory=list)
    began: float = 0.0

    def stage(self, name: str, index: int, total: int) -> None:
        """See Reporter."""
        self.stop()
        self.stages.append(StageTime(name))
        self.began = time.monotonic()

    def progress(self, step: int, total: int) -> None:
        """See Reporter."""
        if step >= total and self.stages[-1].maps == 0.0:
            self.stages[-1].maps = time.monotonic() - self.began

    def stop(self) -> None:
        """The last stage is over."""
        if self.stages:
            self.stages[-1].rest = time.monotonic() - self.began - self.stages[-1].maps


def run_ours(
    files: tuple[Path, ...], size: int, components: int, cache_gb: float, work: Path
) -> dict[str, object]:
    """The randomised training as `train albedo` does it for many maps."""
    settings = TrainSettings(components=components, exact_limit=0, cache_gb=cache_gb)
    clock = StageClock()
    trained = train_albedo(files, size, settings, clock, work)
    clock.stop()
    return {
        "variance": float(np.sum(trained.model.sigma.astype(np.float64) ** 2)),
        "count": trained.count,
        "power_passes": trained.passes,
        "stages": [asdict(stage) for stage in clock.stages],
    }


def run_incremental(
    files: tuple[Path, ...], size: int, components: int, work: Path
) -> dict[str, object]:
    """IncrementalPCA with batches of as many maps as components, its least.

    Channel after channel, which takes the least memory, from texels that are decoded once.
    """
    from sklearn.decomposition import IncrementalPCA

    layout, settings, report = texel_layout(size, None), TrainSettings(), NullReporter()
    folder = open_work(work, files, layout, settings, report)
    texels = scan_maps(files, layout, folder, True, settings.threads, report).cached
    assert texels is not None
    variance = 0.0
    for channel in range(CHANNELS):
        model = IncrementalPCA(components, copy=False)
        for maps in batches(texels, (channel,), 0, components, settings.threads, silent):
            model.partial_fit(maps[:, 0] * np.float32(1.0 / BYTE_MAX))
        variance += float(model.explained_variance_.sum())
    folder.remove()
    return {"variance": variance, "count": len(texels)}


def peak_memory() -> int:
    """Most bytes that this process ever had in memory; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    found = [line for line in lines if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) * KILOBYTE if found else 0


def main(arguments: list[str]) -> int:
    """Run one training and print what it took."""
    kind, maps, size, components, cache_gb, work = arguments
    files = list_maps(maps)
    start = time.monotonic()
    if kind == "ours":
        found = run_ours(files, int(size), int(components), float(cache_gb), Path(work))
    else:
        found = run_incremental(files, int(size), int(components), Path(work))
    seconds = time.monotonic() - start
    found |= {"seconds": seconds, "cpu": time.process_time(), "peak": peak_memory()}
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
