"""Likeness of a render to its photo, and the pairs of another method."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from engine.evaluate.likeness import (
    CROP_SIZE,
    FaceCrop,
    Judge,
    Likeness,
    crop_at,
    face_crop,
    flat_face,
)
from engine.evaluate.peer import OUTPUT_FILE, locate_crop, read_pairs, similarity_2d
from engine.evaluate.peer_pairs import PairOutcome, ahead, mean_likeness
from engine.nets.crop import resample
from engine.protocol.errors import EngineError


def blobs(size: int, seed: int = 0) -> np.ndarray:
    """A smooth coloured picture (size, size, 3)."""
    import cv2

    noise = np.random.default_rng(seed).random((size, size, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), size / 40.0)
    return np.clip((smooth - smooth.min()) / np.ptp(smooth), 0.05, 1.0)


class TinyNet(nn.Module):
    """Stands in for the identity network: mean colours of a 2 x 2 grid, and pooled pictures."""

    def forward(self, chips: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(chips, 2).flatten(1)

    def features(self, pictures: torch.Tensor, count: int) -> list[torch.Tensor]:
        return [nn.functional.avg_pool2d(pictures, 2 + n) for n in range(count + 1)]


@dataclass(frozen=True)
class TinyNets:
    identity: TinyNet
    arcface: object | None = None


@pytest.fixture
def judge() -> Judge:
    return Judge(TinyNets(TinyNet()))


@pytest.fixture
def crop() -> FaceCrop:
    photo = blobs(300)
    points = 60.0 + 180.0 * np.random.default_rng(1).random((468, 3))
    return face_crop(photo, points)


@pytest.fixture
def region() -> np.ndarray:
    inside = np.zeros((CROP_SIZE, CROP_SIZE), bool)
    inside[60:160, 70:150] = True
    return inside


def test_the_photo_itself_is_perfect_and_worse_renders_rank_lower(judge, crop, region) -> None:
    same = judge.likeness(crop, crop.picture, region)
    assert same.psnr == 100.0 and same.ssim == pytest.approx(1.0)
    assert same.identity == pytest.approx(0.0, abs=1e-6)
    assert same.feature == pytest.approx(0.0, abs=1e-6)
    near = judge.likeness(crop, crop.picture * 0.9, region)
    flat = judge.likeness(crop, flat_face(crop, region), region)
    assert same.psnr > near.psnr > flat.psnr and same.ssim > near.ssim > flat.ssim
    assert near.feature < flat.feature


def test_what_lies_outside_the_region_has_no_say(judge, crop, region) -> None:
    render = crop.picture * 0.8
    spoiled = np.where(region[..., None], render, 0.0).astype(np.float32)
    assert judge.likeness(crop, spoiled, region) == judge.likeness(crop, render, region)


def test_crop_keeps_points_on_what_they_marked(crop) -> None:
    photo = blobs(300)
    matrix = np.array([[0.9, 0.0, 31.0], [0.0, 0.9, 17.0]])
    found = crop_at(photo, np.full((468, 3), 120.0), matrix)
    back = found.points @ matrix[:, :2].T + matrix[:, 2]
    assert back == pytest.approx(np.full((468, 2), 120.0))
    assert found.to_crop() @ np.array([120.0, 120.0, 1.0]) == pytest.approx([*found.points[0], 1.0])


def test_a_crop_is_found_again_to_a_tenth_of_a_pixel() -> None:
    photo = blobs(500)
    matrix = np.array([[1.37, 0.0, 61.3], [0.0, 1.37, 80.8]])
    picture = resample(photo, matrix, CROP_SIZE)
    start = matrix + np.array([[0.015, 0.0, 1.5], [0.0, 0.015, -2.5]])
    found = locate_crop(photo, picture, start)
    corners = np.array([[0.0, 0.0, 1.0], [CROP_SIZE, CROP_SIZE, 1.0]])
    assert corners @ found.T == pytest.approx(corners @ matrix.T, abs=0.15)


def test_similarity_without_rotation() -> None:
    source = np.random.default_rng(2).random((9, 2))
    assert similarity_2d(source, 2.5 * source + [3.0, -1.0]) == pytest.approx(
        np.array([[2.5, 0.0, 3.0], [0.0, 2.5, -1.0]])
    )


def write_pair(folder, **arrays: np.ndarray) -> None:
    folder.mkdir()
    (folder / "input.png").write_bytes(b"photo")
    np.savez(folder / OUTPUT_FILE, **arrays)


def test_pairs_are_read_with_what_they_cover(tmp_path) -> None:
    picture = np.full((224, 224, 3), 90, np.uint8)
    render = np.zeros_like(picture)
    render[50:100, 60:90, 1] = 7
    write_pair(tmp_path / "a", cropped_img_rgb=picture, recon_img_rgb=render)
    (pair,) = read_pairs(tmp_path)
    assert pair.name == "a" and pair.covered.sum() == 50 * 30
    assert pair.picture.max() == pytest.approx(90 / 255)


def test_bad_pairs_are_refused_in_plain_words(tmp_path) -> None:
    with pytest.raises(EngineError, match="No pairs"):
        read_pairs(tmp_path)
    write_pair(tmp_path / "a", cropped_img_rgb=np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(EngineError, match="cannot be used"):
        read_pairs(tmp_path)


def outcome(peer: Likeness, ours: Likeness) -> PairOutcome:
    return PairOutcome("x", {"peer": peer, "detail": ours}, 1, 0.0, "", [])


def test_ahead_knows_which_way_is_better() -> None:
    peer, ours = Likeness(20.0, 0.7, 0.04, 1.2, None), Likeness(21.0, 0.6, 0.03, 1.3, None)
    failed = PairOutcome("y", {}, 0, 0.0, "no face", [])
    counts = ahead([outcome(peer, ours), failed], "detail")
    assert counts == {"psnr": 1, "ssim": 0, "identity": 1, "feature": 0}


def test_means_leave_failed_photos_out() -> None:
    rows = [{"detail": Likeness(20.0, 0.5, 0.1, 1.0, None)}, {}]
    rows.append({"detail": Likeness(22.0, 0.7, 0.3, 2.0, 0.2)})
    assert mean_likeness(rows, "detail") == Likeness(21.0, 0.6, 0.2, 1.5, 0.2)
    assert mean_likeness([{}], "detail") is None


def test_arcface_takes_the_place_of_the_pack_s_network(judge: Judge) -> None:
    class Named:
        def embed(self, picture: np.ndarray, points: np.ndarray) -> torch.Tensor:
            return torch.tensor([float(picture.mean()), float(len(points))])

    told = Judge(replace(judge.nets, arcface=Named()))
    picture = blobs(64)
    expected = torch.tensor([float(picture.mean()), 468.0])
    torch.testing.assert_close(told.embed(picture, np.zeros((468, 2))), expected)
