"""A head of the default pack with known parameters is rendered, and the stages find it again."""

import numpy as np
import pytest
import torch

from engine.fit.albedo.occluders import fit_uncovered_albedos
from engine.fit.albedo.stage import fit_albedo
from engine.fit.eyes.white import log_tint
from engine.fit.loaded import LoadedPack, evidence_mask, load_pack, skin_atlas
from engine.fit.pictures import part_materials
from engine.fit.reconstruct import coarse_albedo
from engine.fit.seen.geometry import head_shape, render_depth
from engine.fit.seen.observe import FittedView, observe, observe_normals
from engine.fit.seen.texels import observe_texels
from engine.fit.settings import FitSettings, ShapeSettings
from engine.fit.shape.stage import fit_shape
from engine.fit.shape.view import ShapeView
from engine.head.camera import Camera, project
from engine.head.transfer import picture_to_linear
from engine.photo.prepare import WorkingCrop
from engine.protocol.conventions import (
    FRONTAL_ROTATION,
    ambient_light,
    linear_to_srgb,
    srgb_to_linear,
)
from engine.render.render import render_head
from engine.reporter import NullReporter

SIZE, FOCAL, DISTANCE = 384, 1300.0, 1.2


@pytest.fixture(scope="module")
def loaded(default_pack) -> LoadedPack:
    return load_pack(default_pack)


@pytest.fixture(scope="module")
def truth(loaded: LoadedPack) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    identity = rng.normal(0, 0.6, len(loaded.head.identity))
    expression = np.zeros(len(loaded.head.expression))
    for name in ("mouthSmileLeft", "mouthSmileRight"):
        expression[loaded.head.expression_names.index(name)] = 0.5
    return identity, expression


def camera() -> Camera:
    yaw = np.radians(12.0)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    rotation = torch.from_numpy(FRONTAL_ROTATION @ turn).float()
    k = torch.tensor([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]])
    return Camera(k, rotation, torch.tensor([0.0, 0.0, DISTANCE]), SIZE, SIZE)


def landmarks_of(loaded: LoadedPack, vertices: np.ndarray) -> np.ndarray:
    """What a perfect landmark net would see."""
    embedding = loaded.head.landmarks468
    corners = vertices[loaded.head.triangles[embedding.triangles]]
    points = (corners * embedding.barycentric[..., None]).sum(axis=1)
    pixels, depth = project(torch.from_numpy(points).float(), camera())
    relative = (depth - DISTANCE) * FOCAL / DISTANCE
    return np.column_stack([pixels.numpy(), relative.numpy()])


def test_shape_is_found_from_its_landmarks(loaded, truth) -> None:
    vertices, _ = head_shape(loaded.head, *truth)
    fit = fit_shape(
        loaded.landmarks,
        loaded.head.expression_names,
        ShapeView(landmarks_of(loaded, vertices), (SIZE, SIZE), FOCAL),
        ShapeSettings(landmark_sigma=0.004, depth_sigma=0.02),
        NullReporter(),
    )
    found, _ = head_shape(loaded.head, fit.identity, fit.expression)
    face = loaded.head.groups["face"] > 0.5
    world = vertices @ camera().rotation.numpy().T + camera().translation.numpy()
    seen = found @ fit.rotation.T + fit.translation
    seen = seen * (DISTANCE / fit.translation[2])  # distance and size are one from one photo
    error = np.linalg.norm(seen[face] - world[face], axis=1)
    mean_error = np.linalg.norm((loaded.head.mean - vertices)[face], axis=1).mean()
    assert fit.relative_error < 0.004
    assert error.mean() < 0.6 * mean_error
    smile = loaded.head.expression_names.index("mouthSmileLeft")
    assert fit.expression[smile] > 0.2


@pytest.mark.parametrize("tone", [-1.0, 1.0])
def test_albedo_is_found_under_side_light(loaded, truth, tone: float) -> None:
    head = loaded.head
    coefficients = np.zeros(loaded.albedo.sigma.shape)
    coefficients[:, 0] = tone
    albedo = coarse_albedo(loaded, coefficients, 256)
    light = ambient_light(0.8)
    light[3], light[2] = 0.7, 0.5
    vertices = torch.from_numpy(head_shape(head, *truth)[0])
    part = torch.from_numpy(np.repeat(head.face_part, 2).astype(np.int64))
    uv = torch.from_numpy(head.triangle_uv)
    materials = part_materials(loaded, albedo)
    shaded = torch.from_numpy(light).float()
    picture = render_head(
        vertices, loaded.triangles, uv, part, materials, shaded, camera(), supersample=2
    )
    photo = linear_to_srgb(picture.rgb.clamp(0, 1).numpy()).astype(np.float32)
    depth = render_depth(vertices, loaded.triangles[loaded.solid], camera()).depth
    seen = observe_texels(
        vertices,
        loaded.triangles,
        skin_atlas(loaded, 256),
        camera(),
        depth,
        picture_to_linear(photo),
        picture.alpha.numpy(),
    )
    mask = evidence_mask(head, 256)
    fit = fit_albedo(loaded.albedo, seen, mask, FitSettings().albedo, NullReporter())
    found = coarse_albedo(loaded, fit.coefficients, 256)
    face = fit.skin > 0.3
    assert face.sum() > 3000
    difference = (found - albedo)[face]
    assert np.abs(difference).mean() < 0.06
    columns = np.broadcast_to(np.arange(256)[None], (256, 256))[face]
    left, right = difference[columns < 110].mean(), difference[columns > 146].mean()
    assert abs(left - right) < 0.03


def view_in(loaded: LoadedPack, vertices: torch.Tensor, colour: list[float]) -> FittedView:
    """A photo of the head with the pack's mean skin, in soft light of a colour."""
    head = loaded.head
    light = ambient_light(0.7)
    light[2] = 0.4
    part = torch.from_numpy(np.repeat(head.face_part, 2).astype(np.int64))
    albedo = coarse_albedo(loaded, np.zeros(loaded.albedo.sigma.shape), 256)
    picture = render_head(
        vertices,
        loaded.triangles,
        torch.from_numpy(head.triangle_uv),
        part,
        part_materials(loaded, albedo),
        torch.from_numpy(light * colour).float(),
        camera(),
        supersample=2,
    )
    photo = linear_to_srgb(picture.rgb.clamp(0, 1).numpy()).astype(np.float32)
    depth = render_depth(vertices, loaded.triangles[loaded.solid], camera()).depth
    crop = WorkingCrop(photo, picture.alpha.numpy(), 0.0, 0.0, 1.0)
    return FittedView(vertices, camera(), depth, crop, picture_to_linear(photo))


def test_normals_alone_are_those_of_the_observation(loaded) -> None:
    view = view_in(loaded, torch.from_numpy(loaded.head.mean), [1.0, 1.0, 1.0])
    normals = observe_normals(loaded, view, 256)
    assert np.abs(normals).max() > 0.9
    np.testing.assert_array_equal(normals, observe(loaded, view, 256).normal)


def test_the_eyes_keep_the_lights_colour_out_of_the_skin(loaded) -> None:
    vertices = torch.from_numpy(loaded.head.mean)
    face = evidence_mask(loaded.head, 256) > 0.9
    tints = []
    for colour in ([1.2, 1.0, 0.8], [0.85, 1.0, 1.15]):
        view = view_in(loaded, vertices, colour)
        found, _ = fit_uncovered_albedos(
            loaded, [view], FitSettings(), NullReporter(), None, frozenset()
        )
        albedo = srgb_to_linear(coarse_albedo(loaded, found[0].coefficients, 256)[face])
        tints.append(log_tint(albedo.mean(axis=0)) @ [1.0, 0.0, -1.0])
    lights = np.log(1.2 / 0.8) - np.log(0.85 / 1.15)
    assert abs(tints[0] - tints[1]) < 0.26 * lights  # without eyes 0.33
