"""BiSeNet for faces: structure, mask, and files that are not it. No real weights needed."""

import numpy as np
import pytest
import torch

from engine.nets.face_parsing import BARE, CLASSES, FaceParsing, bare_mask, load_face_parsing
from engine.protocol.errors import EngineError, ErrorCode


@pytest.fixture(scope="module")
def state():
    # One number behind every entry of a tensor: the files stay small and the tests fast.
    with torch.device("meta"):
        values = FaceParsing().state_dict().items()
    return {name: torch.tensor(0.01).expand(value.shape) for name, value in values}


def test_names_of_the_published_file(state):
    shapes = {
        "cp.resnet.conv1.weight": (64, 3, 7, 7),
        "cp.resnet.layer1.1.bn2.running_mean": (64,),
        "cp.resnet.layer2.0.downsample.0.weight": (128, 64, 1, 1),
        "cp.resnet.layer4.1.conv2.weight": (512, 512, 3, 3),
        "cp.arm16.conv.conv.weight": (128, 256, 3, 3),
        "cp.arm32.conv_atten.weight": (128, 128, 1, 1),
        "cp.arm32.bn_atten.bias": (128,),
        "cp.conv_head16.bn.weight": (128,),
        "cp.conv_avg.conv.weight": (128, 512, 1, 1),
        "ffm.convblk.conv.weight": (256, 256, 1, 1),
        "ffm.conv2.weight": (256, 64, 1, 1),
        "conv_out.conv.bn.bias": (256,),
        "conv_out.conv_out.weight": (19, 256, 1, 1),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    assert len(CLASSES) == 19 and set(BARE) < set(CLASSES)
    backbone = (v.numel() for k, v in state.items() if k.startswith("cp.resnet.layer"))
    assert sum(backbone) > 11_000_000  # He et al. 2016: 11.7 million with stem and classifier


def test_a_file_is_read_and_gives_scores(tmp_path, state):
    extra = {"conv_out16.conv.bn.bias": torch.zeros(64), "conv_out32.x": torch.zeros(1)}
    torch.save(dict(state) | extra, tmp_path / "79999_iter.pth")
    net = load_face_parsing(tmp_path / "79999_iter.pth")
    scores = net(torch.rand(1, 3, 64, 96))
    assert not net.training and scores.shape == (1, 19, 64, 96)
    assert torch.isfinite(scores).all()


class Painted(torch.nn.Module):
    """Stands in for the network: red is skin, green hair, the rest background; sure of it."""

    def forward(self, pictures):
        scores = torch.zeros(len(pictures), 19, *pictures.shape[2:])
        scores[:, CLASSES.index("skin")] = 40.0 * pictures[:, 0]
        scores[:, CLASSES.index("hair")] = 40.0 * pictures[:, 1]
        scores[:, 0] = 20.0
        return scores


def test_the_mask_lies_where_the_skin_is():
    photo = np.zeros((90, 130, 3), np.float32)
    photo[20:70, 30:100, 0] = 1.0
    photo[20:40, 30:100] = (0.0, 1.0, 0.0)
    mask = bare_mask(Painted(), photo)
    assert mask.shape == (90, 130) and mask.dtype == np.float32
    assert mask[45:65, 35:95].min() > 0.99
    assert mask[:38].max() < 0.01 and mask[75:].max() < 0.01 and mask[:, :25].max() < 0.01


def test_other_weights_are_refused(tmp_path, state):
    """More cases: test_inception.py; the three networks are read alike."""
    torch.save(dict(state) | {"sp.conv1.conv.weight": torch.zeros(1)}, tmp_path / "weights.pth")
    with pytest.raises(EngineError, match=r"weights\.pth .* BiSeNet.* is unknown") as caught:
        load_face_parsing(tmp_path / "weights.pth")
    assert caught.value.code is ErrorCode.BAD_INPUT
