"""A prepared head of the default pack with a few skins of plain colours."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.protocol.headpack import HeadPack, read_pack
from engine.train.regressor.samples import SampleSource
from engine.train.regressor.stage import Stage, build_stage


@pytest.fixture(scope="session")
def skins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Three skin maps."""
    folder = tmp_path_factory.mktemp("skins")
    rng = np.random.default_rng(3)
    for number, level in enumerate((200, 140, 80)):
        plain = np.full((256, 256, 3), (0.7 * level, 0.8 * level, level))
        noisy = np.clip(plain + rng.normal(0.0, 6.0, plain.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:06d}.png"), noisy)
    return tuple(sorted(folder.glob("*.png")))


@pytest.fixture(scope="session")
def source(default_pack: Path, skins: tuple[Path, ...]) -> SampleSource:
    return SampleSource(default_pack, skins, 5)


@pytest.fixture(scope="session")
def head(default_pack: Path) -> HeadPack:
    return read_pack(default_pack).head


@pytest.fixture(scope="session")
def stage(head: HeadPack, skins: tuple[Path, ...]) -> Stage:
    return build_stage(head, skins)
