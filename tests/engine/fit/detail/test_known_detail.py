"""A head of the default pack with known detail is rendered, and stage 3 finds the detail again."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.beside import beside
from engine.fit.albedo.stage import AlbedoFit
from engine.fit.detail.layers import LayerTask, fit_layers
from engine.fit.detail.stage import DetailFit
from engine.fit.loaded import LoadedPack, evidence_mask, load_pack
from engine.fit.pictures import part_materials
from engine.fit.reconstruct import coarse_albedo
from engine.fit.request import FitRequest
from engine.fit.seen.fitted_photo import FittedPhoto
from engine.fit.seen.geometry import face_pixels, render_depth
from engine.fit.seen.observe import FittedView
from engine.fit.settings import DetailSettings, FitSettings
from engine.head.camera import Camera
from engine.head.transfer import picture_to_linear
from engine.nets.detail import DetailNet
from engine.nets.detail_vae import DetailVae
from engine.photo.prepare import WorkingCrop
from engine.protocol.conventions import FRONTAL_ROTATION, ambient_light, linear_to_srgb
from engine.protocol.detail import add_detail
from engine.protocol.detail_pack import DetailModel
from engine.protocol.pack_manifest import DetailInfo
from engine.render.render import render_head
from engine.reporter import NullReporter

SIZE, FOCAL, DISTANCE = 320, 1100.0, 1.0
LATENT = (4, 32, 32)
SETTINGS = FitSettings(detail=DetailSettings(iterations=5))


def linear_net() -> DetailNet:
    """The real network as it starts: principal components of patches of smooth noise."""
    info = DetailInfo(
        size=512, latent_channels=4, latent_size=32, widths=(4, 4, 4), blocks=0, directions=2
    )
    torch.manual_seed(0)
    noise = torch.nn.functional.avg_pool2d(torch.randn(2000, 1, 26, 26), 11, stride=1)[:, 0]
    vae = DetailVae(info)
    vae.start_linear(noise / noise.std() * 0.04)
    net = {name: tensor.detach().numpy() for name, tensor in vae.state_dict().items()}
    zeros, ones = np.zeros(LATENT, np.float32), np.ones(LATENT, np.float32)
    directions = np.zeros((2, *LATENT), np.float32)
    return DetailNet(DetailModel(info, net, zeros, ones, directions, ones))


@pytest.fixture(scope="module")
def loaded(default_pack) -> LoadedPack:
    return replace(load_pack(default_pack), detail=linear_net())


@pytest.fixture(scope="module")
def truth(loaded: LoadedPack) -> np.ndarray:
    alpha = np.random.default_rng(1).standard_normal(LATENT).astype(np.float32)
    with torch.no_grad():
        return loaded.detail.decode(torch.from_numpy(alpha)).numpy()


def task(loaded: LoadedPack, detail: np.ndarray, side: float, seed: int = 0) -> LayerTask:
    """A photo from the front in light from one side, all of its fit but stage 3 right."""
    head = loaded.head
    coarse = coarse_albedo(loaded, np.zeros(loaded.albedo.sigma.shape), 512)
    light = ambient_light(0.8)
    light[3], light[2] = side, 0.3
    k = torch.tensor([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]])
    rotation = torch.from_numpy(FRONTAL_ROTATION).float()
    camera = Camera(k, rotation, torch.tensor([0.0, 0.0, DISTANCE]), SIZE, SIZE)
    vertices = torch.from_numpy(head.mean.astype(np.float32))
    materials = part_materials(loaded, add_detail(coarse, detail).astype(np.float32))
    part = torch.from_numpy(np.repeat(head.face_part, 2).astype(np.int64))
    uv, shaded = torch.from_numpy(head.triangle_uv), torch.from_numpy(light).float()
    picture = render_head(vertices, loaded.triangles, uv, part, materials, shaded, camera, 2)
    image = linear_to_srgb(picture.rgb.clamp(0, 1).numpy()).astype(np.float32)
    buffer = render_depth(vertices, loaded.triangles[loaded.solid], camera)
    crop = WorkingCrop(image, picture.alpha.numpy(), 0.0, 0.0, 1.0)
    view = FittedView(vertices, camera, buffer.depth, crop, picture_to_linear(image))
    skin = np.ones((256, 256), np.float32)
    albedo = AlbedoFit(np.zeros(loaded.albedo.sigma.shape), light, skin, 0.0)
    clear = np.zeros((256, 256), np.float32)
    photo = FittedPhoto(None, None, head.mean, view, face_pixels(loaded, buffer), albedo, clear)
    return LayerTask(loaded, (photo,), coarse, FitRequest(texture_size=512, seed=seed))


def middle(head) -> np.ndarray:
    """The face's texels that a camera in front sees well."""
    inside = evidence_mask(head, 512) > 0.9
    inside[:, :190] = inside[:, 322:] = False
    inside[:140] = inside[330:] = False
    return inside


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def layers_of(layers: LayerTask) -> tuple[DetailFit, dict[str, float]]:
    with beside() as start:
        found = fit_layers(layers, SETTINGS, NullReporter(), start)
    return found.fit, found.errors


def test_detail_is_found_and_does_not_depend_on_the_light(loaded, truth) -> None:
    left, errors = layers_of(task(loaded, truth, 0.35))
    right, _ = layers_of(task(loaded, truth, -0.35))
    face = middle(loaded.head)
    assert correlation(left.detail[face], truth[face]) > 0.7
    assert correlation(left.detail[face], right.detail[face]) > 0.9
    spread = left.detail[face] - right.detail[face]
    assert abs(float(spread.mean())) < 0.003
    assert errors["residual_detail"] < 0.8 * errors["residual_coarse"]
    assert errors["residual_photo"] < errors["residual_detail"]
    assert errors["share_detail"] > 0.0
    assert np.isfinite(left.albedo).all()


def test_equal_seeds_give_equal_results(loaded, truth) -> None:
    first, _ = layers_of(task(loaded, truth, 0.3, 5))
    second, _ = layers_of(task(loaded, truth, 0.3, 5))
    other, _ = layers_of(task(loaded, truth, 0.3, 6))
    np.testing.assert_array_equal(first.alpha, second.alpha)
    np.testing.assert_array_equal(first.albedo, second.albedo)
    assert not np.array_equal(first.alpha, other.alpha)


def test_a_pack_without_a_detail_model_leaves_the_detail_out(loaded, truth) -> None:
    plain = replace(loaded, detail=None)
    fit, errors = layers_of(task(plain, truth, 0.3))
    assert fit.alpha is None
    assert not fit.detail.any()
    assert errors["share_detail"] == 0.0
    assert errors["residual_photo"] < 0.7 * errors["residual_coarse"]
