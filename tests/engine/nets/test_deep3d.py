"""Checkpoints of Deep3D's kind: read as they are released, refused in words otherwise."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.nets.deep3d import SIDE, read_deep3d
from engine.nets.resnet import ResNet, ResNetShape
from engine.protocol.errors import EngineError, ErrorCode

SHAPE = ResNetShape((2, 2, 2, 2), (1, 1, 1, 1))
GROUPS = (5, 4, 6, 3, 27, 2, 1)
State = dict[str, Tensor]


def checkpoint(relu: bool = True) -> State:
    """The table of a network with small random weights."""
    torch.manual_seed(0)
    trunk = ResNet(SHAPE, 3, 1)
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.running_mean, 0.0, 0.2)
    state = {f"backbone.{k}": v for k, v in trunk.state_dict().items() if not k.startswith("fc")}
    for number, count in enumerate(GROUPS):
        name = f"final_layers.{number}" + (".0" if relu and number == 1 else "")
        state[f"{name}.weight"] = torch.randn(count, 8, 1, 1)
        state[f"{name}.bias"] = torch.randn(count)
    return state


@pytest.mark.parametrize("relu", [True, False])
def test_outputs_are_those_of_the_layers_by_themselves(tmp_path: Path, relu: bool) -> None:
    state, path = checkpoint(relu), tmp_path / "net.pth"
    torch.save({"net_recon": state, "opt_00": {"lr": 0.1}}, path)
    net = read_deep3d(path, SHAPE)
    picture = np.random.default_rng(0).random((SIDE, SIDE, 3))
    told = net.read(picture)
    trunk = ResNet(SHAPE, 3, 1).eval()
    prefix = "backbone."
    weights = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    trunk.load_state_dict(weights, strict=False)
    trunk.fc = nn.Identity()
    with torch.no_grad():
        features = trunk(torch.tensor(picture).permute(2, 0, 1)[None].float())[0]
    out = {}
    for number in range(7):
        name = f"final_layers.{number}" + (".0" if relu and number == 1 else "")
        value = state[f"{name}.weight"][:, :, 0, 0] @ features + state[f"{name}.bias"]
        out[number] = value.numpy()
    expression = np.maximum(out[1], 0.0) if relu else out[1]
    close = {"rtol": 1e-4, "atol": 1e-4}
    np.testing.assert_allclose(told.identity, out[0], **close)
    np.testing.assert_allclose(told.expression, expression, **close)
    np.testing.assert_allclose(told.texture, out[2], **close)
    np.testing.assert_allclose(told.angle, out[3], **close)
    np.testing.assert_allclose(told.light, out[4].reshape(3, 9), **close)
    np.testing.assert_allclose(told.translation, [*out[5], *out[6]], **close)
    assert net.groups == GROUPS


def _with(key: str, change: Callable[[Tensor], Tensor]) -> Callable[[State], object]:
    return lambda state: {**state, key: change(state[key])}


BROKEN = {
    "no head": (lambda s: {k: v for k, v in s.items() if "layers.3" not in k}, "final_layers.3"),
    "no trunk": (lambda s: {k: v for k, v in s.items() if "layer4" not in k}, "backbone.layer4"),
    "a further weight": (lambda s: {**s, "backbone.extra": torch.ones(1)}, "backbone.extra"),
    "angles": (_with("final_layers.3.weight", lambda a: a[:2]), "final_layers.3.weight"),
    "wider": (_with("final_layers.0.weight", lambda a: torch.cat([a, a], 1)), "(5, 8, 1, 1)"),
    "a stem of grey": (_with("backbone.conv1.weight", lambda a: a[:, :1]), "backbone.conv1"),
    "not finite": (_with("backbone.conv1.weight", lambda a: a * torch.nan), "not finite"),
    "a list": (lambda s: list(s.values()), "net_recon"),
    "numbers": (lambda s: {"net_recon": {"x": 1.0}}, "net_recon"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_other_files_are_refused_in_words(tmp_path: Path, name: str) -> None:
    change, words = BROKEN[name]
    path = tmp_path / "net.pth"
    torch.save(change(checkpoint()), path)
    _refused(path, words)


def test_files_with_code_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({"net_recon": nn.Linear(2, 2)}, path)
    _refused(path, "more than plain tensors")
    path.write_bytes(b"<html>sign in</html>")
    _refused(path, "damaged")
    _refused(tmp_path / "absent.pth", "No such file")


def _refused(path: Path, words: str) -> None:
    with pytest.raises(EngineError) as raised:
        read_deep3d(path, SHAPE)
    assert raised.value.code == ErrorCode.BAD_INPUT
    assert path.name in raised.value.message and words in raised.value.message
