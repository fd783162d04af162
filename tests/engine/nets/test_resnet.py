"""The residual network: its size as published, and weights that are brought along."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.nets.resnet import ResNet, ResNetShape, load_start_weights
from engine.protocol.errors import EngineError
from engine.protocol.safetensors import write_safetensors

SMALL = ResNetShape((4, 8), (1, 2))
PUBLISHED_PARAMETERS = 25_557_032
"""Of torchvision's resnet50, 1000 classes."""


def _weights(seed: int = 0, inputs: int = 3) -> dict[str, np.ndarray]:
    torch.manual_seed(seed)
    state = ResNet(SMALL, inputs, 7).state_dict()
    return {name: value.numpy() for name, value in state.items()}


def _written(folder: Path, table: dict[str, np.ndarray]) -> Path:
    path = folder / "start.safetensors"
    write_safetensors(path, table)
    return path


def test_the_default_is_resnet_50() -> None:
    with torch.device("meta"):
        net = ResNet(ResNetShape(), 3, 1000)
    assert sum(p.numel() for p in net.parameters()) == PUBLISHED_PARAMETERS
    names = net.state_dict()
    for name in (
        "conv1.weight",
        "layer1.0.downsample.0.weight",
        "layer3.5.bn2.running_var",
        "layer4.2.conv3.weight",
        "fc.bias",
    ):
        assert name in names
    assert names["layer4.0.conv2.weight"].shape == (512, 512, 3, 3)
    assert net.layer4[0].conv2.stride == (2, 2) and net.layer4[0].conv1.stride == (1, 1)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (45, 70)])
def test_takes_pictures_of_any_size(height: int, width: int) -> None:
    net = ResNet(SMALL, 4, 5).eval()
    with torch.inference_mode():
        assert net(torch.rand(2, 4, height, width)).shape == (2, 5)


def test_start_weights_with_a_fourth_channel_change_nothing_at_first(tmp_path: Path) -> None:
    table = _weights()
    path = _written(tmp_path, table)
    theirs, ours = ResNet(SMALL, 3, 7).eval(), ResNet(SMALL, 4, 9).eval()
    load_start_weights(theirs, path)
    load_start_weights(ours, path)
    with torch.no_grad():
        theirs.fc.weight.copy_(torch.from_numpy(table["fc.weight"]))
        ours.fc.weight[:7].copy_(theirs.fc.weight)
        pictures = torch.rand(2, 4, 40, 40)
        torch.testing.assert_close(ours(pictures)[:, :7], theirs(pictures[:, :3]))


def test_half_floats_and_files_without_counters_are_taken(tmp_path: Path) -> None:
    table = {
        name: array.astype(np.float16)
        for name, array in _weights().items()
        if not name.endswith("num_batches_tracked") and not name.startswith("fc.")
    }
    net = ResNet(SMALL, 3, 7)
    load_start_weights(net, _written(tmp_path, table))
    found = net.layer2[0].conv2.weight.detach().numpy()
    np.testing.assert_array_equal(found, table["layer2.0.conv2.weight"].astype(np.float32))


@pytest.mark.parametrize("fault", ["missing", "unknown", "shape", "nan", "integers", "cut"])
def test_unfit_start_weights_are_refused_and_change_nothing(tmp_path: Path, fault: str) -> None:
    table, name = _weights(), "layer1.0.conv2.weight"
    if fault == "missing":
        del table[name]
    elif fault == "unknown":
        table["layer9.weight"] = table[name]
    elif fault == "shape":
        table[name] = table[name][:2]
    elif fault == "nan":
        table[name] = np.full_like(table[name], np.nan)
    elif fault == "integers":
        table[name] = table[name].astype(np.int32)
    path = _written(tmp_path, table)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    net = ResNet(SMALL, 3, 7)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(EngineError, match="start weights"):
        load_start_weights(net, path)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


@pytest.mark.parametrize("shape", [((64,), (3, 4)), ((0, 4), (1, 1)), ((), ())])
def test_impossible_shapes_are_refused(shape) -> None:
    with pytest.raises(EngineError, match="widths"):
        ResNetShape(*shape)
