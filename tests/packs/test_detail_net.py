"""A detail pack's weights and its description must make one network."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.nets.detail import DetailNet
from engine.protocol.detail_pack import read_detail_pack
from engine.protocol.errors import EngineError, ErrorCode


@pytest.fixture(scope="module")
def model(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("net") / "skin"
    return read_detail_pack(tiny.write_tiny_detail_pack(folder)).model


def complaint(model):
    with pytest.raises(EngineError) as caught:
        DetailNet(model)
    assert caught.value.code is ErrorCode.PACK_INVALID and caught.value.hint
    return caught.value.message


def test_a_pack_read_is_a_network_that_runs(model):
    net = DetailNet(model)
    alpha = torch.zeros(4, 32, 32)
    with torch.no_grad():
        detail = net.decode(alpha)
        assert detail.shape == (512, 512) and torch.isfinite(detail).all()
        assert net.encode(detail).shape == alpha.shape


def without(net, name):
    return {key: array for key, array in net.items() if key != name}


NET_RULES = {
    "missing": (lambda n: without(n, "encoder.mean.bias"), "encoder.mean.bias is missing"),
    "unknown": (lambda n: {**n, "x": np.zeros(1, np.float32)}, "x is unknown"),
    "shape": (
        lambda n: {**n, "decoder.linear.weight": n["decoder.linear.weight"][:, :, 1:]},
        "decoder.linear.weight must have shape",
    ),
}


@pytest.mark.parametrize("rule", NET_RULES)
def test_weights_of_another_network(model, rule):
    change, words = NET_RULES[rule]
    assert words in complaint(replace(model, net=change(model.net)))


@pytest.mark.parametrize("change", [{"widths": (4, 6, 10)}, {"blocks": 2}])
def test_a_description_of_another_network(model, change):
    complaint(replace(model, info=replace(model.info, **change)))


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory the way of Linux")
def test_a_description_of_a_huge_network_takes_no_memory(model):
    """Its weights would fill seven gigabytes."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    complaint(replace(model, info=replace(model.info, widths=(1024, 1024, 1024), blocks=16)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kilobytes
