"""The eyes as the photo shows them: where they look, and the colours of iris and white.

Light, shape and lids are fitted already. The window of the photo round both eyes is compared with
the pack's eye texture, turned to a trial gaze and with two free colours: a linear least-squares
problem for each of a grid of gazes. Ours: no published figures, judged by `evaluate photos`.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch

from ...head.camera import Camera, crop_camera, project, resize_camera
from ...head.lighting import shade
from ...head.normals import unit, vertex_normals
from ...head.numerics import smoothstep
from ...head.transfer import picture_to_linear, picture_to_srgb
from ...photo.prepare import WorkingCrop
from ...protocol.conventions import LUMINANCE_WEIGHTS, srgb_to_linear
from ...render.interpolate import covered_barycentric, interpolate_covered
from ...render.rasterize import rasterize
from ..loaded import EYE_PARTS, LoadedPack
from .settings import EyeSettings

UV_ANGLE = np.radians(110.0)
UV_RADIUS = 0.49
IRIS_ANGLE = np.radians(23.0)
PUPIL_ANGLE = np.radians(8.0)
RIM_ANGLE = np.radians(2.2)
"""The layout of the eye texture: see `packs/build/eyeball.py` and `textures.py`."""
MODEL_SIZE = 256
MOST_COLOUR = (0.3, 1.5)
"""Largest iris albedo and factor of the white: beyond lie glints. Ours."""
EYE_SHADE = 0.5
"""Share of the light that lids, lashes and brow leave to an eyeball. Ours, measured on photos; our
renderer casts no shadow into the socket."""


@dataclass(frozen=True, eq=False)
class EyeFit:
    """gaze (2,) radians: towards the subject's left and up, against the head; iris (3,) linear RGB
    albedo; white (3,) factor on that of the pack's eye; seen: pixels that told them."""

    gaze: np.ndarray
    iris: np.ndarray
    white: np.ndarray
    seen: int


@dataclass(frozen=True, eq=False)
class EyeView:
    """The pixels of the photo in which eyeballs are seen (n of them).

    colour (n, 3) linear RGB of the photo; direction (n, 3) unit, in the eye's own frame with the
    axis at rest along +z; shading (n, 3) linear RGB; weight (n,) in [0, 1].
    """

    colour: np.ndarray
    direction: np.ndarray
    shading: np.ndarray
    weight: np.ndarray


def eye_directions(uv: np.ndarray) -> np.ndarray:
    """(n, 2) UV of the eye texture to (n, 3) unit directions from the eye's centre."""
    flat = uv - 0.5
    radius = np.maximum(np.hypot(flat[:, 0], flat[:, 1]), 1e-9)
    polar = np.minimum(radius / UV_RADIUS, 1.0) * UV_ANGLE
    sine = np.sin(polar) / radius
    return np.column_stack([flat * sine[:, None], np.cos(polar)])


def turned(directions: np.ndarray, gaze: np.ndarray) -> np.ndarray:
    """Directions (n, 3) as an eye sees them that looks along gaze (2,): yaw, then pitch undone."""
    (yaw_cos, pitch_cos), (yaw_sin, pitch_sin) = np.cos(gaze), np.sin(gaze)
    x, y, z = directions.T
    x, z = yaw_cos * x - yaw_sin * z, yaw_sin * x + yaw_cos * z
    y, z = pitch_cos * y - pitch_sin * z, pitch_sin * y + pitch_cos * z
    return np.column_stack([x, y, z])


def iris_share(polar: np.ndarray) -> np.ndarray:
    """In [0, 1]: how much of a texel at this angle from the axis is iris or pupil; a soft rim."""
    return smoothstep(polar, IRIS_ANGLE + 0.5 * RIM_ANGLE, IRIS_ANGLE - 0.5 * RIM_ANGLE)


@dataclass(frozen=True, eq=False)
class EyeModel:
    """The pack's eye as its colour over the angle from the axis.

    polar (m,) radians, rising; iris (m,): luminance of the iris with its pupil over the iris's
    mean; white (3,) linear RGB.
    """

    polar: np.ndarray
    iris: np.ndarray
    white: np.ndarray


def _polar(size: int) -> np.ndarray:
    """(size, size) radians: angle from the axis of each texel of the eye texture."""
    axis = (np.arange(size) + 0.5) / size - 0.5
    return np.hypot(axis[None, :], axis[:, None]) / UV_RADIUS * UV_ANGLE


def _iris_level(linear: np.ndarray, polar: np.ndarray) -> float:
    """Mean luminance of the iris without its pupil."""
    inside = (polar > PUPIL_ANGLE) & (polar < IRIS_ANGLE)
    return float((linear[inside] @ LUMINANCE_WEIGHTS).mean())


def eye_model(texture: np.ndarray) -> EyeModel:
    """Read a texture (S, S, 3 or 4) sRGB."""
    small = cv2.resize(texture[..., :3].astype(np.float32), (MODEL_SIZE,) * 2)
    linear, polar = srgb_to_linear(small), _polar(MODEL_SIZE)
    steps = np.linspace(0.0, IRIS_ANGLE + RIM_ANGLE, 33)
    ring = np.digitize(polar, steps).ravel()
    luminance = (linear @ LUMINANCE_WEIGHTS / _iris_level(linear, polar)).ravel()
    count = np.maximum(np.bincount(ring, minlength=34)[1:33], 1)
    profile = np.bincount(ring, luminance, minlength=34)[1:33] / count
    white = linear[(polar > 1.3 * IRIS_ANGLE) & (polar < 2.0 * IRIS_ANGLE)].mean(axis=0)
    return EyeModel(0.5 * (steps[1:] + steps[:-1]), profile, white)


def _window(points: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the eyes' pixels (n, 2) with a margin, inside the picture."""
    low, high = points.min(axis=0) - 3.0, points.max(axis=0) + 3.0
    left, top = (max(0, int(v)) for v in low)
    return left, top, min(size[0], int(high[0]) + 1), min(size[1], int(high[1]) + 1)


def _near(pixels: torch.Tensor, triangles: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(n,) int64: the triangles whose boxes touch the picture (width, height)."""
    corners = pixels[triangles]
    low, high = corners.amin(1), corners.amax(1)
    limit = pixels.new_tensor(size)
    return ((high > 0.0) & (low < limit)).all(-1).nonzero()[:, 0]


def eye_view(
    loaded: LoadedPack,
    vertices: torch.Tensor,
    camera: Camera,
    crop: WorkingCrop,
    light: np.ndarray,
    settings: EyeSettings,
) -> EyeView | None:
    """What the working crop shows of the eyes; None where it shows hardly any of them.

    vertices (V, 3) model space with the expression; camera of the crop; light (9, 3).
    """
    head = loaded.head
    numbers = [head.part_names.index(name) for name in EYE_PARTS]
    solid = loaded.solid
    eyeball = np.isin(np.repeat(head.face_part, 2)[solid.numpy()], numbers)
    corners = loaded.triangles[solid][torch.from_numpy(eyeball)]
    pixels, _ = project(vertices[corners.reshape(-1)], camera)
    left, top, right, bottom = _window(pixels.numpy(), (camera.width, camera.height))
    if right - left < 4 or bottom - top < 4:
        return None
    scale = settings.width / (right - left)
    size = (settings.width, max(4, round((bottom - top) * scale)))
    part = crop_camera(camera, left, top, right - left, bottom - top)
    near = resize_camera(part, *size)
    method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    picture = cv2.resize(crop.image[top:bottom, left:right], size, interpolation=method)
    pixels, depth = project(vertices, near)
    near_by = _near(pixels, loaded.triangles[solid], size)
    triangles, eyeball = loaded.triangles[solid][near_by], eyeball[near_by.numpy()]
    corner_uv = torch.from_numpy(head.triangle_uv)[solid[near_by]]
    raster = rasterize(pixels, depth, triangles, near.height, near.width)
    chosen = raster.triangle.reshape(-1)[raster.covered].long()
    hit = torch.from_numpy(eyeball)[chosen]
    weights = covered_barycentric(pixels, depth, triangles, raster)
    uv = interpolate_covered(corner_uv, raster, None, weights)[hit]
    normals = vertex_normals(vertices, triangles[torch.from_numpy(eyeball)])
    normal = unit(interpolate_covered(normals, raster, triangles, weights)[hit])
    shading = shade(normal, torch.from_numpy(light.astype(np.float32))).clamp(min=0.05)
    place = raster.covered[hit].numpy()
    if len(place) < settings.least_pixels:
        return None
    inside = np.zeros(size[::-1], np.float32)
    inside.reshape(-1)[place] = 1.0
    edge = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3).reshape(-1)[place]
    linear = srgb_to_linear(picture.reshape(-1, 3)[place]).astype(np.float64)
    glint = 1.0 - smoothstep(linear.max(axis=1), 0.75, 0.95)
    return EyeView(
        linear,
        eye_directions(uv.numpy().astype(np.float64)),
        shading.numpy().astype(np.float64),
        np.minimum(edge / (settings.lid_edge * settings.width), 1.0) * glint,
    )


def _solve(
    view: EyeView, model: EyeModel, gaze: np.ndarray, settings: EyeSettings
) -> tuple[float, np.ndarray]:
    """Cost of the pixels at a gaze, and the iris colour and white factors (2, 3) that explain them
    best."""
    polar = np.arccos(np.clip(turned(view.direction, gaze)[:, 2], -1.0, 1.0))
    iris = iris_share(polar)
    level = np.interp(polar, model.polar, model.iris)
    shading = EYE_SHADE * view.shading
    weight = view.weight * (settings.pixels / max(float(view.weight.sum()), 1.0))
    weight = weight / settings.noise**2
    mean = np.array([settings.iris_mean, (1.0, 1.0, 1.0)])
    precision = np.diag([settings.iris_sigma**-2.0, settings.white_sigma**-2.0])
    found, cost, errors = np.empty((2, 3)), 0.0, 0.0
    for channel in range(3):
        rows = np.stack([iris * level, (1.0 - iris) * model.white[channel]], axis=1)
        rows = rows * shading[:, channel : channel + 1]
        weighted = rows * weight[:, None]
        target = weighted.T @ view.colour[:, channel] + precision @ mean[:, channel]
        best = np.clip(np.linalg.solve(weighted.T @ rows + precision, target), 0.005, MOST_COLOUR)
        off, left = best - mean[:, channel], view.colour[:, channel] - rows @ best
        cost += float(off @ precision @ off)
        errors += float(view.weight @ left**2) / max(3.0 * float(view.weight.sum()), 1.0)
        found[:, channel] = best
    # The spread of the pixels is not known, so it is fitted too: what is left is its logarithm.
    return cost + settings.pixels * np.log(errors + settings.least_noise**2), found


def _unlikely(gaze: np.ndarray, lens: np.ndarray, settings: EyeSettings) -> float:
    """Twice the negative log prior: people look at the lens, or less often straight ahead."""
    at_lens, ahead = (
        float((((gaze - aim) / settings.gaze_sigma) ** 2).sum()) for aim in (lens, np.zeros(2))
    )
    return min(at_lens, ahead + settings.ahead_cost)


def fit_eyes(
    view: EyeView, model: EyeModel, lens: np.ndarray, free: bool, settings: EyeSettings
) -> EyeFit:
    """Gaze and colours: the best of a grid of gazes, then of finer ones round it.

    lens (2,): the gaze that meets the camera, which stays where the pixels tell little. free:
    whether the eyes may turn; else the colours alone are found, for eyes that look as they do.
    """
    if not free:
        still = np.zeros(2)
        found = _solve(view, model, still, settings)[1]
        return EyeFit(still, found[0], found[1], len(view.weight))
    limit = settings.gaze_step * np.array(settings.gaze_steps)
    first = np.clip(lens, -limit, limit)
    seen, colours = _solve(view, model, first, settings)
    lowest = seen + _unlikely(first, lens, settings) - settings.least_gain
    best, found = first, colours
    for part in range(settings.refinements + 1):
        reach = settings.gaze_step / 2.0**part
        yaws, pitches = settings.gaze_steps if part == 0 else (1, 1)
        centre = np.zeros(2) if part == 0 else best
        for yaw in range(-yaws, yaws + 1):
            for pitch in range(-pitches, pitches + 1):
                gaze = np.clip(centre + reach * np.array([yaw, pitch]), -limit, limit)
                seen, colours = _solve(view, model, gaze, settings)
                cost = seen + _unlikely(gaze, lens, settings)
                if cost < lowest:
                    lowest, best, found = cost, gaze, colours
    return EyeFit(best, found[0], found[1], len(view.weight))


@lru_cache(maxsize=4)
def _texel_irises(size: int) -> np.ndarray:
    """(size, size, 1) float32: `iris_share` of each texel of the eye texture."""
    return iris_share(_polar(size)).astype(np.float32)[..., None]


def tinted_eye(texture: np.ndarray, eyes: EyeFit) -> np.ndarray:
    """The pack's eye texture (S, S, 3) sRGB in the fitted colours."""
    linear, share = picture_to_linear(texture[..., :3]), _texel_irises(len(texture))
    level = _iris_level(linear, _polar(len(texture)))
    mixed = linear * eyes.white.astype(np.float32)
    rows, columns = (slice(line.min(), line.max() + 1) for line in np.nonzero(share[..., 0]))
    part, inside = linear[rows, columns], share[rows, columns]
    iris = (part @ np.float32(LUMINANCE_WEIGHTS) / level)[..., None] * eyes.iris.astype(np.float32)
    mixed[rows, columns] += inside * (iris - mixed[rows, columns])
    return picture_to_srgb(np.clip(mixed, 0.0, 1.0))
