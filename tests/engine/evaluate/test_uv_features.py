"""What the default pack's identity network sees in a skin map."""

from pathlib import Path

import numpy as np
import pytest

from engine.evaluate import uv_features
from engine.evaluate.uv_features import identity_net
from engine.nets.dlib_file import EMBEDDING_SIZE
from engine.packs.registry import PACKS_VARIABLE
from engine.skin.dataset import skin_of


def test_persons_are_further_apart_than_sizes_of_one(default_pack: Path) -> None:
    net = identity_net()
    assert net is not None and net.needed == EMBEDDING_SIZE + 1
    first, second = (np.clip(skin_of(0, index, 256)[1], 0.0, 1.0) for index in (0, 1))
    small = first.reshape(128, 2, 128, 2, 3).mean(axis=(1, 3))
    seen = net.extract(first)
    assert seen.shape == (EMBEDDING_SIZE,)
    apart = np.linalg.norm(seen - net.extract(second))
    assert np.linalg.norm(seen - net.extract(small)) < 0.5 * apart


def test_without_the_default_pack_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path))
    monkeypatch.setattr(uv_features, "DEFAULT_PACK", "absent")
    assert identity_net() is None
