"""One random photo of a random head, with all that is true of it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from ...head.normals import vertex_normals
from ...protocol.conventions import uv_to_pixels
from ...render.rasterize import Fragments, rasterize
from .background import random_background
from .camera import View, random_view
from .hair import HairStyle, draw_locks, grow_locks, paint_scalp, raise_scalp, random_style
from .lens import develop
from .lights import environment_light, random_environment, shade_vertices
from .people import random_expression, random_identity
from .stage import Stage, read_skin
from .things import GLASSES, HAND, draw_clothes, draw_collar, draw_glasses, draw_hand, draw_hat

SIDE = 288
"""Pixels a side: the face then has about as many as the landmark net looks at."""
HAT = 0.06
_PARTS = {
    "teeth_upper": (0.42, 0.38, 0.31),
    "teeth_lower": (0.30, 0.27, 0.22),
    "tongue": (0.25, 0.08, 0.07),
}
"""Linear RGB; darker than they are: the mouth shades them."""
_SEED_SPACE = 7391
"""Keeps our draws apart from those of others who use the same seed. Any number does."""


@dataclass(frozen=True, eq=False)
class SyntheticPhoto:
    """image (SIDE, SIDE, 3) float32 sRGB. identity (K,), expression (E,): see HeadPack. view:
    camera. points (468, 3): landmarks of the head in model space, metres. light (9, 3): shading in
    model space at the picture's exposure up to a common factor."""

    image: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    view: View
    points: np.ndarray
    light: np.ndarray


def synthetic_photo(stage: Stage, seed: int, index: int) -> SyntheticPhoto:
    """Photo number `index` of a set: a pure function of seed and number."""
    rng = np.random.default_rng([_SEED_SPACE, seed, index])
    identity = random_identity(rng, len(stage.identity))
    expression = random_expression(rng, stage.expression_names)
    view, style = random_view(rng, SIDE), random_style(rng)
    vertices = _shaped(stage.mean, stage.identity, stage.expression, identity, expression)
    basis = stage.landmarks
    points = _shaped(basis.mean, basis.identity, basis.expression, identity, expression)
    radiance = random_environment(rng, stage.directions) @ np.eye(3)
    # Light comes to the camera's scene: windows are before the face wherever the head turns.
    light = environment_light(radiance, stage.directions)
    picture, face, view = _scene(stage, vertices, radiance, view, style, rng)
    skin = float(face[1])
    _dress(picture, stage, vertices, points, view, radiance, style, rng)
    image = develop(picture, face[0], skin, rng)
    return SyntheticPhoto(image, identity, expression, view, points, light)


def _shaped(
    mean: np.ndarray, modes: np.ndarray, shapes: np.ndarray, z: np.ndarray, w: np.ndarray
) -> np.ndarray:
    active = np.flatnonzero(w)
    moved = np.tensordot(z.astype(modes.dtype), modes, 1)
    return np.asarray(
        mean + moved + np.tensordot(w[active].astype(shapes.dtype), shapes[active], 1)
    )


def _scene(
    stage: Stage,
    vertices: np.ndarray,
    radiance: np.ndarray,
    view: View,
    style: HairStyle,
    rng: np.random.Generator,
) -> tuple[np.ndarray, tuple[np.ndarray, float], View]:
    """Linear picture of background, clothes and head; the face's mask with its mean albedo."""
    faces = torch.from_numpy(stage.triangles)
    normals = vertex_normals(torch.from_numpy(vertices.astype(np.float32)), faces).numpy()
    raised = raise_scalp(vertices, normals, stage.scalp, style)
    towards = view.eye - raised
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    near = np.flatnonzero((normals * towards).sum(1) > -0.35)  # the rest is not seen
    lit = np.zeros((2, len(raised), 3), np.float32)
    lit[:, near] = shade_vertices(
        normals[near], towards[near], radiance, stage.directions, stage.seen[near]
    )
    pixels, depth = view.project(raised)
    found = rasterize(
        torch.from_numpy(pixels).float(), torch.from_numpy(depth).float(), faces, SIDE, SIDE
    )
    skin = read_skin(stage, int(rng.integers(len(stage.skins))))
    skin = paint_scalp(skin, stage.hair, style, rng)
    colour, on_skin = _surface(stage, skin, found, lit, rng)
    picture = random_background(rng, SIDE) * radiance.mean()
    draw_clothes(picture, view, rng)
    covered = found.covered.numpy()
    flat = picture.reshape(-1, 3)
    flat[covered] = colour
    mask = np.zeros(SIDE * SIDE, np.float32)
    mask[covered] = on_skin
    face = mask.reshape(SIDE, SIDE)
    soft = _smooth_edge(picture, found.triangle.numpy() >= 0)
    return (
        soft,
        (face, float(skin[96:160, 96:160].mean())),
        replace(view, depth=found.depth.numpy()),
    )


def _smooth_edge(picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The outline without stairs."""
    edge = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.8)
    edge = (4.0 * edge * (1.0 - edge))[..., None]
    soft = cv2.GaussianBlur(picture, (0, 0), 0.8)
    return np.asarray(picture + edge * (soft - picture), np.float32)


def _surface(
    stage: Stage,
    skin: np.ndarray,
    found: Fragments,
    lit: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) linear colour of the covered pixels, and (n,) 1 where they are skin of the face."""
    covered = found.covered.numpy()
    chosen = found.triangle.numpy().ravel()[covered]
    weights = found.barycentric.numpy().reshape(-1, 3)[covered]
    corners = stage.triangles[chosen]
    attributes = np.concatenate([*lit, stage.scalp[:, None]], 1)
    mixed = np.einsum("ncx,nc->nx", attributes[corners], weights)
    diffuse, shine, scalp = np.split(mixed, (3, 6), 1)
    uv = np.einsum("ncx,nc->nx", stage.uv[chosen], weights)
    part = stage.part[chosen]
    albedo = _look_up(skin, uv)
    skin_number = stage.part_names.index("skin")
    tint = np.clip(np.exp(rng.normal(0.0, 0.35, 3)), 0.4, 1.8)
    for number, name in enumerate(stage.part_names):
        on = part == number
        if number == skin_number or not on.any():
            continue
        if name.startswith("eye"):
            iris = np.hypot(*(uv[on] - 0.5).T)[:, None] < 0.11
            albedo[on] = _look_up(stage.eye, uv[on]) * np.where(iris, tint, 1.0) * 0.8
        else:
            albedo[on] = _PARTS.get(name, (0.3, 0.25, 0.2))
    oil = np.exp(rng.normal(0.0, 0.5)) * (1.0 - 0.8 * np.clip(scalp, 0.0, 1.0))
    rough = 1.0 + 0.25 * rng.standard_normal(len(albedo)).astype(np.float32)[:, None]
    colour = albedo * diffuse + shine * oil * np.clip(rough, 0.3, 2.0)
    return colour.astype(np.float32), (part == skin_number) * (scalp[:, 0] < 0.3)


def _look_up(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(n, 3) bilinear, uv (n, 2) v up."""
    at = (uv_to_pixels(uv, texture.shape[1], texture.shape[0]) - 0.5).astype(np.float32)
    rows = -(-len(at) // 4096)  # OpenCV maps are at most 32767 long
    padded = np.zeros((rows * 4096, 2), np.float32)
    padded[: len(at)] = at
    across, down = padded.reshape(rows, 4096, 2).transpose(2, 0, 1)
    found = cv2.remap(
        texture,
        np.ascontiguousarray(across),
        np.ascontiguousarray(down),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found.reshape(-1, 3)[: len(at)])


def _dress(
    picture: np.ndarray,
    stage: Stage,
    vertices: np.ndarray,
    points: np.ndarray,
    view: View,
    radiance: np.ndarray,
    style: HairStyle,
    rng: np.random.Generator,
) -> None:
    """Collar, locks, glasses, hat, hand: drawn into the linear picture."""
    low = float(vertices[stage.neck > 0.5, 1].min())
    draw_collar(picture, view, low, rng)
    paths = grow_locks(vertices, stage.scalp, style, rng)
    glow = radiance.mean(0) * rng.uniform(0.5, 1.3)
    if len(paths):
        pixels, _ = view.project(paths)
        shown = view.shows(paths, 0.012)
        whole = np.rint(np.clip(pixels, -500, 1500) * 16).astype(np.int32)
        draw_locks(picture, whole, shown, glow, style, view.scale, rng)
    if rng.random() < GLASSES:
        eyes = np.stack([points[[33, 133]].mean(0), points[[263, 362]].mean(0)])
        ears = np.stack([[side * 0.078, 0.0, -0.07] for side in (-1.0, 1.0)])
        draw_glasses(picture, view, eyes, ears, rng)
    if rng.random() < HAT:
        draw_hat(picture, view, rng)
    if rng.random() < HAND:
        outline = view.project(points)[0]
        draw_hand(picture, outline, np.array([0.3, 0.19, 0.13]) * glow, rng)
