"""The Inception of the FID: structure, and files that are not it. No real weights needed."""

from pathlib import Path

import pytest
import torch

from engine.nets.inception import FEATURES, InceptionFeatures, load_inception
from engine.protocol.errors import EngineError, ErrorCode


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    # One number behind every entry of a tensor: the files stay small and the tests fast.
    values = InceptionFeatures().state_dict().items()
    return {name: torch.tensor(0.01).expand(value.shape) for name, value in values}


def test_published_parameter_count(state: dict[str, torch.Tensor]) -> None:
    """21,802,784 numbers in Keras' Inception v3 without its top, which has no gains: there a norm
    holds offset, mean and variance, here gain and offset are trained and the others are not."""
    channels = sum(v.numel() for k, v in state.items() if k.endswith("bn.bias"))
    convolutions = sum(v.numel() for k, v in state.items() if k.endswith("conv.weight"))
    assert convolutions + 3 * channels == 21_802_784


def test_names_of_the_published_file(state: dict[str, torch.Tensor]) -> None:
    shapes = {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
        "Mixed_6b.branch7x7dbl_5.conv.weight": (192, 128, 1, 7),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_3b.bn.running_var": (384,),
        "Mixed_7c.branch1x1.conv.weight": (320, 2048, 1, 1),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_a_file_is_read_and_gives_features(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    extra = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    counted = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(counted | extra, tmp_path / "weights.pth")
    net = load_inception(tmp_path / "weights.pth")
    assert not net.training
    features = net(torch.rand(1, 3, 64, 64))
    assert features.shape == (1, FEATURES)
    assert torch.isfinite(features).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Mixed_6a.branch3x3.bn.bias": None}, "is missing"),
        ({"Mixed_9z.conv.weight": torch.zeros(1)}, "is unknown"),
        ({"Mixed_6a.branch3x3.bn.bias": torch.zeros(3)}, "the shape"),
        ({"Mixed_6a.branch3x3.bn.bias": torch.full((384,), torch.inf)}, "not finite"),
        ({"Mixed_6a.branch3x3.bn.bias": 3}, "no table of tensors"),
    ],
)
def test_other_weights_are_refused(
    tmp_path: Path, state: dict[str, torch.Tensor], change: dict, words: str
) -> None:
    changed = {k: v for k, v in (state | change).items() if v is not None}
    torch.save(changed, tmp_path / "weights.pth")
    with pytest.raises(EngineError, match=words) as caught:
        load_inception(tmp_path / "weights.pth")
    assert caught.value.code == ErrorCode.BAD_INPUT


def test_files_that_hold_no_tensors_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    torch.save({"a": Path("code")}, tmp_path / "object.pth")
    for name in ("text.pth", "object.pth", "absent.pth"):
        with pytest.raises(EngineError) as caught:
            load_inception(tmp_path / name)
        assert caught.value.code == ErrorCode.BAD_INPUT
