"""ArcFace's network: structure, alignment, and files that are not it. No real weights needed."""

import numpy as np
import pytest
import torch

from engine.nets.arcface import MESH_POINTS, TEMPLATE, ArcFace, load_arcface
from engine.protocol.errors import EngineError, ErrorCode


@pytest.fixture(scope="module")
def state():
    # One number behind every entry of a tensor: the files stay small and the tests fast.
    with torch.device("meta"):
        values = ArcFace().state_dict().items()
    return {name: torch.tensor(0.01).expand(value.shape) for name, value in values}


def test_size_and_names_of_the_published_network(state):
    """43,590,848 learned numbers, as public tables of InsightFace's networks give for R50."""
    learned = {k: v for k, v in state.items() if "running" not in k and "num_batches" not in k}
    assert sum(v.numel() for v in learned.values()) == 43_590_848
    shapes = {
        "conv1.weight": (64, 3, 3, 3),
        "layer1.0.downsample.0.weight": (64, 64, 1, 1),
        "layer2.0.bn1.weight": (64,),
        "layer3.13.conv2.weight": (256, 256, 3, 3),
        "layer4.0.downsample.1.running_var": (512,),
        "layer4.2.prelu.weight": (512,),
        "bn2.weight": (512,),
        "fc.weight": (512, 25088),
        "features.bias": (512,),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_a_file_is_read_and_embeds(tmp_path, state):
    halves = {k: v.half() for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(halves, tmp_path / "backbone.pth")
    net = load_arcface(tmp_path / "backbone.pth")
    assert not net.training and net.fc.weight.dtype == torch.float32
    points = np.zeros((468, 3))
    for chosen, place in zip(MESH_POINTS, TEMPLATE, strict=True):
        points[list(chosen), :2] = place
    picture = np.random.default_rng(0).random((112, 112, 3)).astype(np.float32)
    embedded = net.embed(picture, points)
    assert embedded.shape == (512,)
    with torch.no_grad():  # the points are the template's own: the chip is the picture
        whole = net(torch.from_numpy(picture).permute(2, 0, 1)[None])[0]
    torch.testing.assert_close(embedded, whole, rtol=1e-3, atol=1e-4)


def test_other_weights_are_refused(tmp_path, state):
    """More cases: test_inception.py; the three networks are read alike."""
    torch.save({k: v for k, v in state.items() if k != "fc.bias"}, tmp_path / "weights.pth")
    with pytest.raises(EngineError, match=r"weights\.pth .* ArcFace.*fc.bias is missing") as caught:
        load_arcface(tmp_path / "weights.pth")
    assert caught.value.code is ErrorCode.BAD_INPUT
    with pytest.raises(EngineError, match=r"No such file|cannot be read"):
        load_arcface(tmp_path / "none.pth")
