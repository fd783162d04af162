"""How a training fits the memory it may use."""

from dataclasses import dataclass

from ..protocol.albedo import CHANNELS
from ..protocol.errors import EngineError, ErrorCode
from .reduction import BLOCK
from .settings import GIGABYTE, TrainSettings

BASE_BYTES = 270 * 10**6
"""Python, numpy, OpenCV and their buffers (measured: 200 MB), with some room."""
LAYOUT_BYTES = 200
"""Per texel: the layout's masks, which stay in memory, and small temporary arrays."""
MOST_BATCH = 64
"""Maps per matrix product; more are no faster."""
LEAST_BATCH = 4
SAMPLE_PER_WIDTH = 5
"""Maps of the first sample per direction: its own directions are then good to start from."""
LOCAL_COPIES = 2
"""The directions and their images."""
CLUSTER_COPIES = 4
"""As well the images of another part, and the sum of both, while parts are merged."""
_DECODING = 24
"""Bytes per texel that a thread needs while it decodes and checks a map."""


@dataclass(frozen=True)
class Plan:
    """width: L, directions per channel. exact: all maps are the sample, no power passes.
    sample: maps of the first block. groups: channels that are followed together in a power pass.
    batch: maps per product in a power pass. final_batch: in the last pass."""

    width: int
    exact: bool
    sample: int
    groups: tuple[tuple[int, ...], ...]
    batch: int
    final_batch: int


def make_plan(
    settings: TrainSettings, texels: int, maps: int, cached: bool, copies: int = LOCAL_COPIES
) -> Plan:
    """Raises EngineError(BAD_SETTINGS) when the memory cannot do.

    texels: N. maps: number of maps kept. cached: their texels lie on disk at the right size.
    copies: matrices of the size of the directions that a power pass holds per channel.
    """
    width = min(settings.components + settings.oversampling, maps - 1)
    free = settings.memory_gb * GIGABYTE - BASE_BYTES
    free -= (LAYOUT_BYTES + settings.threads * _DECODING) * texels
    matrix = 4 * texels * width
    row = CHANNELS * texels
    # Sampling: the sample's bytes, the directions of one channel, float blocks.
    room = (free - matrix - 8 * BLOCK * 64 * 3) / row
    exact = maps <= settings.exact_limit and (cached or maps <= room)
    sample = maps if exact else min(maps, SAMPLE_PER_WIDTH * width)
    if not cached:
        sample = min(sample, int(room))
    final = _batch(free - CHANNELS * matrix, CHANNELS, texels, width)
    together = _batch(free - copies * CHANNELS * matrix, CHANNELS, texels, width)
    alone = _batch(free - copies * matrix, 1, texels, width)
    if min(final, max(together, alone)) < LEAST_BATCH or sample <= 1:
        least = (CHANNELS * matrix + LEAST_BATCH * _map_bytes(CHANNELS, texels)) / GIGABYTE
        least += (settings.memory_gb * GIGABYTE - free) / GIGABYTE
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"{settings.components} components of {texels} texels do not fit "
            f"{settings.memory_gb:g} GB of memory; about {least + 0.2:.1f} GB are needed.",
            "Allow more memory, or take a smaller size or fewer components.",
        )
    split = together < LEAST_BATCH
    groups = ((0,), (1,), (2,)) if split else ((0, 1, 2),)
    return Plan(width, exact, sample, groups, alone if split else together, final)


def _map_bytes(channels: int, texels: int) -> int:
    """Of one map in a batch: its bytes, those of the next batch, one channel as float32."""
    return texels * (2 * channels + 4)


def _batch(free: float, channels: int, texels: int, width: int) -> int:
    sums = 8 * channels * texels + 2 * 4 * BLOCK * width
    return int(min((free - sums) / _map_bytes(channels, texels), MOST_BATCH))
