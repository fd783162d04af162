"""Renders of random heads, and the 468 landmarks that the network sees on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from ...head.camera import Camera, project
from ...head.lighting import rotate_light
from ...nets.bundle import Nets
from ...nets.crop import SquareCrop
from ...nets.face_mesh import CROP_SCALE, INPUT, crop_from_points, run_mesh
from ...protocol.conventions import (
    FRONTAL_ROTATION,
    ambient_light,
    bytes_to_unit,
    linear_to_srgb,
    srgb_to_linear,
)
from ...protocol.headpack import HeadPack, split_quads
from ...render.render import Material, orbit_camera, render_head, studio_light

SIZE = 448
BACKGROUND = 0.25
"""Linear grey behind the heads."""
IDENTITY_SPREAD = 0.7
"""Standard deviations of the random identities: varied, but all plain faces."""
YAWS = (-38.0, -25.0, -12.0, 0.0, 12.0, 25.0, 38.0)
PITCHES = (-15.0, 0.0, 15.0)
OPEN_JAW = (0.25, 0.6)
"""Range of jawOpen in the renders with an open mouth."""
FACING = 0.35
"""Least cosine between the surface normal and the view direction for a point to count."""
FACE_CENTRE, FACE_SIDE = (0.0, -0.035, 0.0), 0.17
"""Metres: middle and extent of the face about the origin between the eyeballs."""
LEAST_PRESENCE = 0.9
REACH = 0.02
"""Pixels, as a share of the picture, that a dot off the skin may be moved to reach it."""


@dataclass(frozen=True, eq=False)
class Skin:
    """A skin to render: image (H, W, 3) sRGB in [0, 1]; corner_uv (F, 4, 2) over all quads of
    the head; has_brows: whether brows are painted."""

    image: np.ndarray
    corner_uv: np.ndarray
    has_brows: bool


@dataclass(frozen=True)
class Sighting:
    """One render's landmarks on the head: triangle (468,) (-1: not on the skin), barycentric
    (468, 3), points (468, 3) network output in pixels, yaw in degrees (camera towards the
    subject's left), mouth_open, has_brows."""

    triangle: np.ndarray
    barycentric: np.ndarray
    points: np.ndarray
    yaw: float
    mouth_open: bool
    has_brows: bool


def load_picture(path: Path) -> np.ndarray:
    """(H, W, 3) f32 sRGB in [0, 1] of a picture file, without applying its orientation tag."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    data = cv2.imdecode(np.frombuffer(path.read_bytes(), dtype=np.uint8), flags)
    return bytes_to_unit(cv2.cvtColor(data, cv2.COLOR_BGR2RGB))


def interleave(first: Sequence[Skin], second: Sequence[Skin]) -> list[Skin]:
    """The second list with skins of the first, in turn, between them; then the first again."""
    out = []
    for number, skin in enumerate(second):
        out += [first[number % len(first)], skin]
    return [*out, *first]


def sight_landmarks(
    head: HeadPack,
    nets: Nets,
    skins: Sequence[Skin],
    eye: np.ndarray,
    allowed: np.ndarray,
    count: int,
    seed: int,
) -> list[Sighting]:
    """Render `count` random heads and lift the landmarks found on them to the surface.

    eye: (H, W, 3) eye texture, sRGB. allowed: (T,) bool, triangles a landmark may lie on.
    Renders in which no face is found are left out.
    """
    rng = np.random.default_rng(seed)
    out = []
    for number in range(count):
        skin = skins[number % len(skins)]
        mouth_open = bool(rng.random() < 0.4)
        vertices = _random_head(head, rng, mouth_open)
        yaw = YAWS[number % len(YAWS)] + rng.uniform(-5.0, 5.0)
        pitch = PITCHES[(number // len(YAWS)) % len(PITCHES)] + rng.uniform(-5.0, 5.0)
        sighting = _sight(head, nets, skin, eye, allowed, vertices, (yaw, pitch), mouth_open)
        if sighting is not None:
            out.append(sighting)
    return out


def _random_head(head: HeadPack, rng: np.random.Generator, mouth_open: bool) -> np.ndarray:
    identity = IDENTITY_SPREAD * rng.standard_normal(len(head.identity))
    vertices = head.mean + np.tensordot(identity.astype(np.float32), head.identity, 1)
    if mouth_open:
        jaw = head.expression[head.expression_names.index("jawOpen")]
        vertices = vertices + rng.uniform(*OPEN_JAW) * jaw
    return vertices.astype(np.float32)


def _materials(head: HeadPack, skin: Skin, eye: np.ndarray) -> list[Material]:
    white = torch.ones(3)
    plain = {"teeth_upper": 0.6, "teeth_lower": 0.6, "tongue": 0.25}
    hidden = Material(white, torch.zeros(1, 1, 4))
    out = []
    for name in head.part_names:
        if name == "skin":
            out.append(Material(white, _linear(skin.image)))
        elif name.startswith("eye"):
            out.append(Material(white, _linear(eye)))
        else:
            out.append(Material(plain[name] * white) if name in plain else hidden)
    return out


def _linear(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(srgb_to_linear(image).astype(np.float32))


def _sight(
    head: HeadPack,
    nets: Nets,
    skin: Skin,
    eye: np.ndarray,
    allowed: np.ndarray,
    vertices: np.ndarray,
    view: tuple[float, float],
    mouth_open: bool,
) -> Sighting | None:
    points = torch.from_numpy(vertices)
    triangles = torch.from_numpy(head.triangles)
    part = torch.from_numpy(np.repeat(head.face_part, 2).astype(np.int64))
    camera = orbit_camera(points, *view, SIZE)
    light = 0.5 * studio_light() + 0.6 * torch.as_tensor(ambient_light(), dtype=torch.float32)
    frontal = torch.as_tensor(FRONTAL_ROTATION, dtype=torch.float32)
    light = rotate_light(light, camera.rotation.T @ frontal)
    with torch.no_grad():
        corner_uv = torch.from_numpy(split_quads(skin.corner_uv).astype(np.float32))
        output = render_head(
            points, triangles, corner_uv, part, _materials(head, skin, eye), light, camera
        )
        pixels, depth = project(points, camera)
    linear = output.rgb + (1.0 - output.alpha[..., None]) * BACKGROUND
    picture = linear_to_srgb(linear.clamp(0.0, 1.0), xp=torch).numpy()
    mesh = run_mesh(nets.landmarks, picture, _first_crop(camera))
    mesh = run_mesh(nets.landmarks, picture, crop_from_points(mesh.points))
    if mesh.presence < LEAST_PRESENCE:
        return None
    found = mesh.points
    shown = output.fragments.triangle.numpy()
    ok = np.append(allowed & _facing(vertices, head.triangles, camera.rotation.numpy()), False)
    usable = ok[shown]
    triangle = _triangle_under(shown, usable, found[:, :2])
    bary = _weights_in(found[:, :2], triangle, head.triangles, pixels.numpy(), depth.numpy())
    return Sighting(triangle, bary, found, view[0], mouth_open, skin.has_brows)


def _first_crop(camera: Camera) -> SquareCrop:
    """Crop around the face for the first pass; the detector is not needed, the camera is known."""
    middle = torch.tensor([FACE_CENTRE], dtype=torch.float32)
    pixel, depth = project(middle, camera)
    side = CROP_SCALE * FACE_SIDE * float(camera.intrinsics[0, 0] / depth[0])
    return SquareCrop(float(pixel[0, 0]), float(pixel[0, 1]), side, 0.0, INPUT)


def _facing(vertices: np.ndarray, triangles: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """(T,) bool: turned towards the camera by more than FACING."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a) @ rotation.T
    length = np.linalg.norm(normal, axis=1)
    return -normal[:, 2] > FACING * np.maximum(length, 1e-20)


def _triangle_under(shown: np.ndarray, usable: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) usable triangle at or near each dot (n, 2), -1 where there is none within reach."""
    reach = round(REACH * len(shown))
    rows, columns = np.nonzero(usable)
    out = np.full(len(points), -1)
    for number, (x, y) in enumerate(points):
        squared = (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2
        best = squared.argmin()
        if squared[best] <= reach**2:
            out[number] = shown[rows[best], columns[best]]
    return out


def _weights_in(
    points: np.ndarray,
    triangle: np.ndarray,
    triangles: np.ndarray,
    pixels: np.ndarray,
    depth: np.ndarray,
) -> np.ndarray:
    """(n, 3) perspective-correct weights of dots in their triangles, kept inside."""
    corner = triangles[np.maximum(triangle, 0)]
    a, b, c = (pixels[corner[:, k]].astype(np.float64) for k in range(3))
    twice = _cross(b - a, c - a)
    twice = np.where(np.abs(twice) < 1e-12, 1.0, twice)
    first, second = _cross(b - points, c - points) / twice, _cross(c - points, a - points) / twice
    screen = np.clip(np.stack([first, second, 1.0 - first - second], axis=1), 0.0, None)
    weights = screen / depth[corner]
    return weights / weights.sum(axis=1, keepdims=True)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
