"""Renders that are judged: the fitted head in the photo's crop, and from the front."""

import numpy as np
import torch

from ..fit.loaded import LoadedPack, uv_mask
from ..fit.pictures import pack_geometry, painted, part_materials, render_lit
from ..fit.reconstruct import Reconstruction
from ..fit.seen.geometry import photo_camera
from ..head.camera import Camera, project
from ..head.lighting import directional_light
from ..protocol.conventions import ambient_light
from ..protocol.headpack import MASK_SIZE
from ..render.render import Material, clay_materials, orbit_camera, render_head, render_views
from .likeness import CROP_SIZE, FaceCrop

SAMPLES = 3
"""A side of a pixel of a crop. Ours: with more the figures stay."""
FRONT_SIZE = 448
"""Pixels a side of the frontal picture: its face is about as large as the network's chip."""


def crop_camera_of(result: Reconstruction, crop: FaceCrop) -> Camera:
    """The fitted camera in pixels of a crop."""
    photo = result.prepared.photo
    camera = photo_camera(result.shape, photo.width, photo.height)
    to_crop = torch.from_numpy(crop.to_crop()).float()
    return Camera(
        to_crop @ camera.intrinsics, camera.rotation, camera.translation, CROP_SIZE, CROP_SIZE
    )


def crop_render(
    result: Reconstruction, loaded: LoadedPack, albedo: np.ndarray, crop: FaceCrop
) -> tuple[np.ndarray, np.ndarray]:
    """The fitted head in the fitted light with an albedo: sRGB (224, 224, 3), alpha (224, 224)."""
    looks = painted(result, loaded, albedo)
    return render_lit(result, loaded, looks, crop_camera_of(result, crop), SAMPLES)


def face_region(result: Reconstruction, loaded: LoadedPack, crop: FaceCrop) -> np.ndarray:
    """(224, 224) bool: pixels of the face's skin, lips and eyes; not hair, ears, inner mouth."""
    head = loaded.head
    hidden = uv_mask(head, ("scalp", "mouth"), MASK_SIZE)
    mask = uv_mask(head, ("face",), MASK_SIZE) * (1.0 - hidden)
    black, white = torch.zeros(3), torch.ones(3)
    materials = clay_materials(len(head.part_names))
    for number, name in enumerate(head.part_names):
        if name == "skin":
            texture = torch.from_numpy(np.repeat(mask[..., None], 3, axis=-1).astype(np.float32))
            materials[number] = Material(white, texture)
        elif name.startswith("lashes"):
            materials[number] = Material(black, torch.zeros(1, 1, 4))
        else:
            materials[number] = Material(white if name.startswith("eye") else black)
    light = torch.from_numpy(ambient_light()).float()
    output = render_head(
        torch.from_numpy(result.vertices),
        *pack_geometry(loaded),
        materials,
        light,
        crop_camera_of(result, crop),
        SAMPLES,
    )
    return output.rgb[..., 0].numpy() > 0.5


def neutral_light() -> torch.Tensor:
    """(9, 3): white, from all sides, a little more from in front. Ours: hides and adds nothing."""
    front = directional_light(torch.tensor([0.0, 0.3, 0.954]), torch.full((3,), 0.45))
    return torch.from_numpy(ambient_light(0.55)).float() + front


def front_render(
    result: Reconstruction, loaded: LoadedPack, albedo: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The head from the front in neutral light, (448, 448, 3) sRGB, and its 468 points in it."""
    vertices = torch.from_numpy(result.vertices)
    picture = render_views(
        vertices,
        *pack_geometry(loaded),
        part_materials(loaded, albedo, result.eye),
        ((0.0, 0.0),),
        FRONT_SIZE,
        neutral_light(),
    )[0]
    basis = loaded.landmarks
    points = basis.mean + np.tensordot(result.shape.identity, basis.identity, 1)
    points = points + np.tensordot(result.shape.expression, basis.expression, 1)
    camera = orbit_camera(vertices, 0.0, 0.0, FRONT_SIZE)
    pixels, _ = project(torch.from_numpy(points).float(), camera)
    return picture.numpy(), pixels.numpy()
