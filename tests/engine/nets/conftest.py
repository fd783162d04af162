"""Networks, the portrait and the recorded reference outputs for the tests of engine/nets."""

import importlib.util

import cv2
import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def nets(default_pack):
    """The networks of the built pack."""
    from engine.nets.bundle import load_nets

    return load_nets(default_pack)


@pytest.fixture(scope="session")
def portrait_bytes(astronaut):
    """(512, 512, 3) uint8 RGB."""
    return np.ascontiguousarray(cv2.imread(str(astronaut), cv2.IMREAD_COLOR)[:, :, ::-1])


@pytest.fixture(scope="session")
def portrait(portrait_bytes):
    """(512, 512, 3) float32 in [0, 1]."""
    return portrait_bytes.astype(np.float32) / 255


@pytest.fixture(scope="session")
def reference_inputs(root):
    """The module that makes the inputs of the recorded outputs."""
    path = root / "tests" / "fixtures" / "nets" / "inputs.py"
    spec = importlib.util.spec_from_file_location("reference_inputs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def reference(root):
    """Outputs of LiteRT and dlib by name, see tests/fixtures/nets/record.py."""
    with np.load(root / "tests" / "fixtures" / "nets" / "reference.npz") as file:
        return dict(file)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Two threads are slower than one for networks this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
