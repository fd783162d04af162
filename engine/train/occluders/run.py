"""The whole training of the occluder net, and the file that it comes to."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...nets.occluders import OccluderNet
from ...protocol.safetensors import write_safetensors
from ...reporter import Reporter
from ..gradient.distributed import World
from ..gradient.loop import train
from ..gradient.settings import LoopSettings
from .layout import Skins
from .task import OccluderTask, OccluderTraining


def train_occluders(
    skins: Skins,
    settings: OccluderTraining,
    loop: LoopSettings,
    world: World,
    work: Path,
    report: Reporter,
    note: Callable[[str], None],
) -> OccluderNet:
    """Train in the folder `work`, or go on there; the net has the averaged weights.

    Raises what `gradient.loop.train` raises.
    """
    state = train(OccluderTask(skins, settings, world.device), loop, world, work, report, note)
    assert isinstance(state.averaged, OccluderNet)
    return state.averaged


def write_net(path: Path, net: OccluderNet) -> None:
    """Weights by name, 16-bit floats."""
    arrays = {name: value.detach().cpu().numpy() for name, value in net.state_dict().items()}
    write_safetensors(path, {name: array.astype(np.float16) for name, array in arrays.items()})
