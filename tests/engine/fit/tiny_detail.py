"""A tiny linear detail model, and a flat face in front of a camera with its photo."""

from dataclasses import dataclass

import numpy as np
import torch

from engine.fit.seen.face_view import FaceView, SkinGeometry, face_view
from engine.fit.settings import DetailSettings
from engine.head.camera import Camera
from engine.protocol.conventions import (
    FRONTAL_ROTATION,
    ambient_light,
    linear_to_srgb,
    srgb_to_linear,
)
from engine.protocol.detail import add_detail
from engine.protocol.detail_pack import DetailModel
from engine.protocol.pack_manifest import DetailInfo

CELLS, CELL = 4, 8
SIZE = CELLS * CELL


class LinearCoder:
    """Each latent cell weighs two waves, one across and one down: encode undoes decode."""

    def __init__(self, amplitude: float = 0.03) -> None:
        wave = np.sqrt(2.0) * np.cos(2.0 * np.pi * (np.arange(CELL) + 0.5) / CELL)
        flat = np.ones(CELL)
        waves = np.stack([np.outer(flat, wave), np.outer(wave, flat)])
        self._waves = torch.from_numpy(amplitude * waves).float()[:, None]
        self._back = self._waves / (self._waves**2).sum((2, 3), keepdim=True)
        shape = (2, CELLS, CELLS)
        rng = np.random.default_rng(7)
        directions = (
            0.6 * rng.normal(size=(3, *shape)) / np.sqrt([1.0, 2.0, 3.0])[:, None, None, None]
        )
        info = DetailInfo(
            size=SIZE,
            latent_channels=2,
            latent_size=CELLS,
            widths=(1, 1, 1),
            blocks=1,
            directions=3,
        )
        self.model = DetailModel(
            info,
            {},
            np.zeros(shape, np.float32),
            np.ones(shape, np.float32),
            directions.astype(np.float32),
            np.full(shape, 0.7, np.float32),
        )

    def encode(self, detail: torch.Tensor) -> torch.Tensor:
        back = self._back.to(detail.dtype)
        return torch.nn.functional.conv2d(detail[None, None], back, stride=CELL)[0]

    def decode(self, alpha: torch.Tensor) -> torch.Tensor:
        waves = self._waves.to(alpha.dtype)
        return torch.nn.functional.conv_transpose2d(alpha[None], waves, stride=CELL)[0, 0]

    def decode_part(self, alpha: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
        part = torch.zeros(SIZE, SIZE, dtype=alpha.dtype)
        box = tuple(slice(s.start * CELL, s.stop * CELL) for s in (rows, columns))
        part[box] = self.decode(alpha)[box]
        return part

    def encode_part(self, detail: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
        part = torch.zeros(2, CELLS, CELLS, dtype=detail.dtype)
        part[:, rows, columns] = self.encode(detail)[:, rows, columns]
        return part

    def gather(self, texels: np.ndarray) -> np.ndarray:
        return texels.reshape(CELLS, CELL, CELLS, CELL).sum((1, 3))

    def spread(self, cells: np.ndarray) -> np.ndarray:
        return np.kron(cells, np.ones((CELL, CELL), np.float32))


@dataclass(frozen=True, eq=False)
class FlatFace:
    """A unit square one metre away that carries the whole texture, and its camera."""

    geometry: SkinGeometry
    camera: Camera

    def look(
        self, image: np.ndarray, trust: np.ndarray, scale: float = 1.0, samples: int = 1
    ) -> FaceView:
        face = np.ones(image.shape[:2], np.float32)
        return face_view(self.geometry, self.camera, image, face, scale, samples).trusting(trust)


def flat_face(pixels: int, light: np.ndarray) -> FlatFace:
    """The square fills a picture of pixels x pixels."""
    corners = torch.tensor([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
    uv = corners[:, :2] + 0.5
    triangles = torch.tensor([[0, 1, 2], [0, 2, 3]])
    k = torch.tensor([[float(pixels), 0, pixels / 2], [0, float(pixels), pixels / 2], [0, 0, 1]])
    rotation = torch.from_numpy(FRONTAL_ROTATION).float()
    camera = Camera(k, rotation, torch.tensor([0.0, 0.0, 1.0]), pixels, pixels)
    geometry = SkinGeometry(
        corners,
        triangles,
        uv[triangles],
        torch.ones(2, dtype=torch.bool),
        torch.from_numpy(light).float(),
    )
    return FlatFace(geometry, camera)


LIGHT = ambient_light(0.9)
LIGHT[2] += 0.15  # from the front
SETTINGS = DetailSettings(highpass_sigma=0.2, samples=24 * 24, correlation=1.0)


def coarse_map() -> np.ndarray:
    across = np.linspace(0.0, 1.0, SIZE)[None, :, None]
    return (np.array([0.7, 0.5, 0.4]) * (0.8 + 0.2 * across) * np.ones((SIZE, 1, 1))).astype("f4")


def photo_of(detail: np.ndarray, pixels: int = 24) -> np.ndarray:
    """The flat face in the light, pixel by pixel with bilinear lookups: the slow twin."""
    albedo = add_detail(coarse_map(), detail)
    shading = 0.9 + 0.15 * np.sqrt(3.0 / (4.0 * np.pi))
    picture = np.zeros((pixels, pixels, 3))
    for row in range(pixels):
        for column in range(pixels):
            x = np.clip((column + 0.5) * SIZE / pixels - 0.5, 0, SIZE - 1)
            y = np.clip((row + 0.5) * SIZE / pixels - 0.5, 0, SIZE - 1)
            x0, y0 = min(int(x), SIZE - 2), min(int(y), SIZE - 2)
            fx, fy = x - x0, y - y0
            near = (1 - fx) * albedo[y0, x0] + fx * albedo[y0, x0 + 1]
            far = (1 - fx) * albedo[y0 + 1, x0] + fx * albedo[y0 + 1, x0 + 1]
            colour = srgb_to_linear((1 - fy) * near + fy * far) * shading
            picture[row, column] = linear_to_srgb(np.clip(colour, 0.0, 1.0))
    return picture.astype(np.float32)


def random_detail(coder: LinearCoder, seed: int) -> np.ndarray:
    alpha = np.random.default_rng(seed).standard_normal((2, CELLS, CELLS))
    return coder.decode(torch.from_numpy(alpha).float()).numpy()
