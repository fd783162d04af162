"""The training on made-up samples that hold what is to be found."""

import numpy as np
import torch

from engine.fit.shape.landmark_basis import LandmarkBasis
from engine.nets.regressor import POINTS
from engine.reporter import NullReporter
from engine.train.gradient.distributed import World
from engine.train.gradient.loop import train
from engine.train.gradient.settings import LoopSettings
from engine.train.regressor.data import RegressorData
from engine.train.regressor.run import as_shipped
from engine.train.regressor.settings import RegressorInfo, RegressorSettings
from engine.train.regressor.task import RegressorTask

INFO = RegressorInfo(identity=3, expression=2, hidden=16)
SETTINGS = RegressorSettings(samples=400, batch=32, net=INFO, noise=0.0, blur=0.0, ridge=1e-3)


def _basis(rng: np.random.Generator) -> LandmarkBasis:
    shape = (POINTS, 3)
    normals = np.tile([0.0, 0.0, 1.0], (POINTS, 1))
    modes = rng.normal(0.0, 0.003, (3, *shape))
    return LandmarkBasis(
        rng.normal(0.0, 0.05, shape), modes, np.zeros((2, *shape)), normals, np.ones(POINTS)
    )


def _data(rng: np.random.Generator) -> RegressorData:
    """The embedding tells the first two coefficients, and nothing tells the third."""
    count = 400
    identity = rng.standard_normal((count, 3))
    embedding = np.zeros((count, 128), np.float32)
    embedding[:, :2] = identity[:, :2]
    embedding += 0.02 * rng.standard_normal(embedding.shape)
    targets = np.zeros((count, sum(INFO.groups().values())), np.float32)
    targets[:, :3] = identity
    targets[:, 3:] = 0.1 * rng.standard_normal((count, targets.shape[1] - 3))
    points = 0.1 * rng.standard_normal((count, 3 * POINTS + 9), np.float32)
    return RegressorData(embedding.astype(np.float32), points, targets, np.arange(count), identity)


def test_what_can_be_told_is_told_and_what_cannot_is_admitted(tmp_path) -> None:
    rng = np.random.default_rng(0)
    basis, data = _basis(rng), _data(rng)
    world = World(0, 1, torch.device("cpu"))
    task = RegressorTask(data, "made", basis, SETTINGS, 0, world.device)
    loop = LoopSettings(steps=120, warmup=10, log_every=20, examine_every=120)
    state = train(task, loop, world, tmp_path, NullReporter())
    net = as_shipped(state.averaged)
    out = task.predict(net, task.held, lambda: None, with_points=False)
    error = data.targets[task.held] - out[:, 0]
    rms, sigma = np.sqrt((error**2).mean(0)), np.exp(out[:, 1]).mean(0)
    assert (rms[:2] < 0.35).all()
    assert rms[2] > 0.7
    assert 0.6 < sigma[2] < 1.5  # it knows that it does not know
    assert (sigma[:2] < 0.8 * sigma[2]).all()
    figures = task.examine(net, 120, lambda: None).figures
    assert figures["held_picture_shape_mm"] < 0.8 * figures["held_shape_mean_mm"]
    assert np.isfinite(list(figures.values())).all()


def test_batches_depend_on_step_and_rank_alone() -> None:
    rng = np.random.default_rng(1)
    task = RegressorTask(_data(rng), "made", _basis(rng), SETTINGS, 0, torch.device("cpu"))
    one, same, other = task.batch(3, 0), task.batch(3, 0), task.batch(3, 1)
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])
    assert set(np.unique(one[3].numpy())) <= {0.0, 1.0}
    assert (one[3].sum(1) > 0).all()  # never blind on both
