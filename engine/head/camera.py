"""Pinhole camera, its weak-perspective case, and rotation vectors."""

import math
from dataclasses import dataclass

import torch

_MIN_DEPTH = 1e-6
"""Metres. Points nearer than this (or behind) divide by it, so that `project` stays finite."""

_SMALL_ANGLE = 1e-2
"""Radians; below it series replace sin and cos quotients. Ours: the next series term is then
smaller than 1e-14, under double rounding of the quotients themselves."""


@dataclass(frozen=True, eq=False)
class Camera:
    """Pinhole camera `pixel ~ K (R x + t)`; axes and pixel coordinates as in `conventions`.

    intrinsics: (3, 3) K in pixels. rotation: (3, 3) R, model to camera. translation: (3,) t in
    metres. width, height: image size in pixels.
    """

    intrinsics: torch.Tensor
    rotation: torch.Tensor
    translation: torch.Tensor
    width: int
    height: int

    def to(self, like: torch.Tensor) -> "Camera":
        """The same camera with the dtype and device of `like`."""
        return Camera(
            self.intrinsics.to(like),
            self.rotation.to(like),
            self.translation.to(like),
            self.width,
            self.height,
        )


def camera_centre(camera: Camera) -> torch.Tensor:
    """(3,) position of the camera in model space, metres."""
    return -camera.translation @ camera.rotation


def project(points: torch.Tensor, camera: Camera) -> tuple[torch.Tensor, torch.Tensor]:
    """Model-space points to pixels and depth. Differentiable in points and camera.

    points: (..., 3) metres. Returns pixels (..., 2), continuous coordinates (centre of the first
    pixel at 0.5, 0.5), and depth (...), metres along the optical axis. Where depth is not
    positive the pixel has no meaning but is finite; the rasteriser drops such triangles.
    """
    shape = points.shape[:-1]
    # A row an axis: sums and quotients of rows take a fifth of the time of those of columns.
    in_camera = camera.rotation @ points.reshape(-1, 3).T + camera.translation[:, None]
    homogeneous = camera.intrinsics @ in_camera
    pixels = homogeneous[:2] / homogeneous[2].clamp(min=_MIN_DEPTH)
    return pixels.T.contiguous().reshape(*shape, 2), in_camera[2].reshape(shape)


def weak_perspective_camera(
    scale: torch.Tensor | float,
    rotation: torch.Tensor,
    centre: torch.Tensor,
    width: int,
    height: int,
    distance: float = 100.0,
) -> Camera:
    """Scaled orthography as the long-focal case of the pinhole camera. Differentiable.

    scale: pixels per metre in the plane of the model origin. rotation: (3, 3), model to camera.
    centre: (2,) pixel of the model origin. distance: metres from the camera to the origin; the
    deviation from true weak perspective at depth offset d is about d / distance.
    """
    scale = torch.as_tensor(scale, dtype=rotation.dtype, device=rotation.device)
    focal = scale * distance
    zero, one = torch.zeros_like(focal), torch.ones_like(focal)
    intrinsics = torch.stack([focal, zero, centre[0], zero, focal, centre[1], zero, zero, one])
    translation = rotation.new_tensor([0.0, 0.0, distance])
    return Camera(intrinsics.reshape(3, 3), rotation, translation, width, height)


def resize_camera(camera: Camera, width: int, height: int) -> Camera:
    """The camera of the same picture resized to width x height pixels; exact per axis."""
    factors = [width / camera.width, height / camera.height, 1.0]
    intrinsics = camera.intrinsics.new_tensor(factors)[:, None] * camera.intrinsics
    return Camera(intrinsics, camera.rotation, camera.translation, width, height)


def scale_camera(camera: Camera, factor: float) -> Camera:
    """The camera of the picture resized by `factor`, its size rounded to whole pixels.

    The intrinsics follow the rounded size, so the camera is exact for the resized image.
    """
    width = max(1, round(camera.width * factor))
    height = max(1, round(camera.height * factor))
    return resize_camera(camera, width, height)


def crop_camera(
    camera: Camera,
    x0: float,
    y0: float,
    width: int | None = None,
    height: int | None = None,
) -> Camera:
    """The camera of the crop whose upper left corner is pixel coordinate (x0, y0); exact.

    width, height: size of the crop; the rest of the picture to the right and below by default.
    """
    width = max(1, math.ceil(camera.width - x0)) if width is None else width
    height = max(1, math.ceil(camera.height - y0)) if height is None else height
    shift = torch.eye(3).to(camera.intrinsics)
    shift[0, 2], shift[1, 2] = -x0, -y0
    return Camera(shift @ camera.intrinsics, camera.rotation, camera.translation, width, height)


def rotation_from_vector(vector: torch.Tensor) -> torch.Tensor:
    """Rotation vectors (..., 3), axis times angle in radians, to matrices (..., 3, 3).

    Rodrigues' formula `I + a [v]x + b [v]x^2`, a = sin(t)/t, b = (1 - cos(t))/t^2, with series
    near zero, so value and gradient are right at the zero vector.
    """
    squared = (vector * vector).sum(-1)
    small = squared < _SMALL_ANGLE**2
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = torch.sqrt(safe)
    a = torch.where(small, _series(squared, 6, 20, 42), torch.sin(angle) / angle)
    half = torch.sin(0.5 * angle) / angle  # 1 - cos t = 2 sin^2(t / 2), without cancellation
    b = torch.where(small, 0.5 * _series(squared, 12, 30, 56), 2.0 * half * half)
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1)
    cross = cross.reshape(vector.shape[:-1] + (3, 3))
    identity = torch.eye(3).to(vector)
    return identity + a[..., None, None] * cross + b[..., None, None] * (cross @ cross)


def _series(squared: torch.Tensor, first: float, second: float, third: float) -> torch.Tensor:
    """1 - s/first (1 - s/second (1 - s/third)): Taylor series of the quotients above."""
    return 1 - squared / first * (1 - squared / second * (1 - squared / third))


def vector_from_rotation(rotation: torch.Tensor) -> torch.Tensor:
    """Rotation matrices (..., 3, 3) to rotation vectors (..., 3), angle in [0, pi].

    Through the unit quaternion with the largest component as pivot (Shepperd 1978), stable at
    all angles; differentiable except at exactly pi, where the axis is ambiguous.
    """
    m = rotation
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    pivots = torch.stack([1 + d0 + d1 + d2, 1 + d0 - d1 - d2, 1 - d0 + d1 - d2, 1 - d0 - d1 + d2])
    wx, wy, wz = (
        m[..., 2, 1] - m[..., 1, 2],
        m[..., 0, 2] - m[..., 2, 0],
        m[..., 1, 0] - m[..., 0, 1],
    )
    xy, xz, yz = (
        m[..., 0, 1] + m[..., 1, 0],
        m[..., 0, 2] + m[..., 2, 0],
        m[..., 1, 2] + m[..., 2, 1],
    )
    # Each row is the quaternion (w, x, y, z) times four times its pivot component.
    rows = torch.stack(
        [
            torch.stack([pivots[0], wx, wy, wz], -1),
            torch.stack([wx, pivots[1], xy, xz], -1),
            torch.stack([wy, xy, pivots[2], yz], -1),
            torch.stack([wz, xz, yz, pivots[3]], -1),
        ],
        -2,
    )
    best = pivots.argmax(0)[..., None, None].expand(rows.shape[:-2] + (1, 4))
    chosen = rows.gather(-2, best).squeeze(-2)
    quaternion = chosen / chosen.norm(dim=-1, keepdim=True)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    w, v = quaternion[..., 0], quaternion[..., 1:]
    squared = (v * v).sum(-1)
    small = squared < _SMALL_ANGLE**2
    length = torch.sqrt(torch.where(small, torch.ones_like(squared), squared))
    # t = 2 asin(s) near zero: t / s = 2 (1 + s^2/6 + 3 s^4/40 + 15 s^6/336).
    near_zero = 2 * (1 + squared / 6 * (1 + squared * 9 / 20 * (1 + squared * 25 / 42)))
    factor = torch.where(small, near_zero, 2 * torch.atan2(length, w) / length)
    return factor[..., None] * v
