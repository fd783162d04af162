"""The detail VAE: its linear start against plain principal components, and its grid."""

import numpy as np
import pytest
import torch

from engine.nets.detail_vae import DetailVae, Spread
from engine.nets.fovea import grid_matrices, map_matrices, resample
from engine.protocol.conventions import mirror_texels
from engine.protocol.detail_pack import DetailInfo

INFO = DetailInfo(64, 4, 4, (4, 8, 8), 1, 2)


def smooth_patches(count: int) -> torch.Tensor:
    """(count, 16, 16) patches of few frequencies, around 0.02."""
    rng = np.random.default_rng(3)
    x = np.arange(16) + 0.5
    waves = np.stack([np.cos(np.pi * x * k / 16) for k in range(3)])
    weights = rng.normal(0.0, [[0.02, 0.01, 0.001]] * 3, (count, 3, 3))
    return torch.from_numpy(np.einsum("nij,ia,jb->nab", weights, waves, waves)).float()


def test_the_start_is_the_principal_components_of_patches() -> None:
    vae, patches = DetailVae(INFO), smooth_patches(400)
    vae.start_linear(patches)
    flat = patches.reshape(400, -1).numpy()
    rows = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:4]
    with torch.no_grad():
        mean, log_variance = vae.encode(patches[:, None])
        found = vae.decode(mean)[:, 0].reshape(400, -1).numpy()
    assert found == pytest.approx(flat @ rows.T @ rows, abs=2e-5)
    assert mean.std((0, 2, 3)).numpy() == pytest.approx(np.ones(4), abs=0.1)
    assert float(log_variance.max()) < -4.0


def test_a_few_steps_beat_the_start() -> None:
    torch.manual_seed(0)
    vae, patches = DetailVae(INFO), smooth_patches(64)
    vae.start_linear(patches)
    # the same patch, side by side with its negative: a net that sees the neighbour can tell more
    maps = torch.cat([patches, -patches], 2)[:, None].repeat(1, 1, 2, 1)

    def error() -> torch.Tensor:
        return ((vae.decode(vae.encode(maps)[0]) - maps) ** 2).mean() / vae.scale**2

    before = float(error().detach())
    trained = [weights for weights in vae.parameters() if weights.requires_grad]
    optimiser = torch.optim.Adam(trained, 3e-3)
    for _ in range(80):
        optimiser.zero_grad()
        loss = error()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.8 * before


def test_crops_are_treated_as_their_part_of_the_whole() -> None:
    vae = DetailVae(INFO)
    vae.start_linear(smooth_patches(64))
    whole = torch.randn(1, 1, 256, 256) * 0.02
    with torch.no_grad():
        large = vae.encode(whole)[0]
        small = vae.encode(whole[..., 64:, 64:])[0]
    # the middle of the crop is far from its rim
    assert small[..., 5:-1, 5:-1] == pytest.approx(large[..., 9:-1, 9:-1], abs=1e-5)


def test_the_grid_enlarges_the_face_and_nearly_keeps_its_symmetry() -> None:
    place = np.arange(512) + 0.5
    face = np.exp(-0.5 * ((place - 200) / 4) ** 2)[:, None] * np.exp(-(((place - 180) / 8) ** 2))
    there = resample(face, grid_matrices())
    assert there.sum() / face.sum() == pytest.approx(1.36**2, rel=0.03)
    other = mirror_texels(resample(mirror_texels(face), grid_matrices()))
    middle = [(image.sum(0) * place).sum() / image.sum() for image in (there, other)]
    assert middle[0] == pytest.approx(middle[1], abs=2.0)


def test_smooth_maps_survive_the_grid() -> None:
    x = np.linspace(0.0, 1.0, 512)
    smooth = np.sin(2 * np.pi * 9 * x)[:, None] * np.cos(2 * np.pi * 7 * x)[None, :]
    back = resample(resample(smooth, grid_matrices()), map_matrices())
    # filters at the rim of the map are cut off
    assert np.abs(back - smooth)[16:-16, 16:-16].max() < 0.02


def test_the_grid_is_the_same_for_arrays_and_tensors() -> None:
    maps = np.random.default_rng(0).random((2, 512, 512), dtype=np.float32)
    matrices = grid_matrices()
    tensors = tuple(torch.from_numpy(matrix) for matrix in matrices)
    found = resample(torch.from_numpy(maps), tensors).numpy()
    assert found == pytest.approx(resample(maps, matrices), abs=1e-4)


def test_depth_to_space_is_torchs_own() -> None:
    x = torch.randn(2, 12, 5, 7)
    assert torch.equal(Spread(2)(x), torch.nn.functional.pixel_shuffle(x, 2))
