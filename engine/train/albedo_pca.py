"""Coarse albedo model: one PCA per colour channel over the valid texels of skin maps (UVAPM).

Exact for few maps (Gram matrix), else randomised subspace iteration (Halko, Martinsson & Tropp,
SIAM Review 53(2), 2011, algorithm 4.4) whose passes are sums over the maps, so that memory does
not grow with their number and a cluster can share the work.

The channels are independent in the model. Real skins are not: their tone moves all three together,
so the joint covariance of the 3 K coefficients comes with it, for a joint Gaussian prior in a fit.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol.albedo import CHANNELS
from ..protocol.albedo_pack import AlbedoModel
from ..protocol.errors import EngineError, ErrorCode
from ..reporter import Reporter
from .plan import CLUSTER_COPIES, LOCAL_COPIES, make_plan
from .scan import LeftOut, Scan, scan_maps
from .settings import GIGABYTE, TrainSettings
from .steps import Cluster, Steps
from .texels import FileTexels, texel_layout
from .work import WorkFolder, open_work


@dataclass(frozen=True, eq=False)
class TrainedAlbedo:
    """A model and how it came about.

    count: maps trained on. left_out: files that were not, with reasons. explained: per channel the
    share of the (weighted) variance that the components carry. exact: by the Gram matrix. width:
    directions followed per channel. passes: power passes over the maps. seconds: of this run.
    """

    model: AlbedoModel
    count: int
    left_out: tuple[LeftOut, ...]
    explained: tuple[float, ...]
    exact: bool
    width: int
    passes: int
    seconds: float


def train_albedo(
    files: Sequence[Path],
    size: int,
    settings: TrainSettings,
    report: Reporter,
    work_path: Path,
    weights: np.ndarray | None = None,
    cluster: Cluster | None = None,
    keep_work: bool = False,
) -> TrainedAlbedo:
    """Train on map files (`maps.list_maps`) at a size in texels.

    weights: (size, size) positive texel weights or None; the PCA runs on values times the root of
    the weight, and the basis is given in plain values. work_path: folder for what a killed run
    leaves; an equal call goes on from it with the same result, and removes it at the end, unless
    keep_work says that the caller does once the model is safe. On a cluster a run goes on from the
    last complete pass.
    The sign of each component is such that its entry of largest magnitude is positive.
    Raises EngineError(BAD_SETTINGS) for too few maps or too little memory, Cancelled.
    """
    start = time.monotonic()
    layout = texel_layout(size, weights, settings.check_layout)
    work = open_work(work_path, files, layout, settings, report)
    report.stage("reading the maps", 0, 3 + settings.passes)
    if cluster is not None:
        scan = cluster.scan(files, layout, report)
    else:
        cache = CHANNELS * layout.count * len(files) <= _disk_for_cache(settings, work)
        scan = scan_maps(files, layout, work, cache, settings.threads, report)
    if len(scan.kept) <= settings.components:
        raise _too_few(settings.components, scan)
    copies = LOCAL_COPIES if cluster is None else CLUSTER_COPIES
    plan = make_plan(settings, layout.count, len(scan.kept), scan.cached is not None, copies)
    source = scan.cached or FileTexels(scan.kept, layout)
    steps = Steps(layout, settings, plan, source, work, cluster, report)
    model, explained = steps.run()
    if not keep_work:
        work.remove()
    return TrainedAlbedo(
        model,
        len(scan.kept),
        scan.left_out,
        explained,
        plan.exact,
        plan.width,
        steps.power_passes,
        time.monotonic() - start,
    )


def _disk_for_cache(settings: TrainSettings, work: WorkFolder) -> float:
    free = shutil.disk_usage(work.path).free + work.cached_bytes
    return min(settings.cache_gb * GIGABYTE, free / 2)  # half: the disk is not ours alone


def _too_few(components: int, scan: Scan) -> EngineError:
    left = "; ".join(item.reason.rstrip(".") for item in scan.left_out[:3])
    return EngineError(
        ErrorCode.BAD_SETTINGS,
        f"{components} components need more than {components} maps, got {len(scan.kept)}"
        + (f" ({len(scan.left_out)} left out: {left})." if left else "."),
        "Train on more maps or ask for fewer components.",
    )
