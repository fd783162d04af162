"""Networks, the portrait and the recorded reference outputs for the tests of engine/nets."""

import importlib.util

import cv2
import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def nets(root, tmp_path_factory, request):
    """The networks of the built pack, or made from downloads that lie on this machine."""
    from engine.nets.bundle import load_nets, write_nets
    from engine.nets.sources import read_members
    from engine.packs.build.download import SOURCES, default_cache, has_file

    if (root / "packs" / "default" / "pack.json").is_file():
        return load_nets(root / "packs" / "default")
    names = ("mediapipe", "face_recognition_models")
    if not all(has_file(default_cache(), SOURCES[name]) for name in names):
        request.getfixturevalue("default_pack")  # skips or fails, as asked for
    folder = tmp_path_factory.mktemp("nets")
    write_nets(folder, read_members({n: default_cache() / SOURCES[n].file for n in names}))
    return load_nets(folder)


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
