"""Made up looks at a face in the skin's layout: skin, occluders, missed light, view, camera."""

from dataclasses import dataclass

import cv2
import numpy as np

from ...head.numerics import smoothstep
from ...nets.occluders import SIDE, net_input, window
from ...protocol.albedo import decode_albedo
from ...protocol.conventions import linear_to_srgb, mirror_texels, srgb_to_linear
from .hair import blurred_noise, draw_hair
from .layout import Layout
from .marks import draw_marks
from .things import draw_cloth, draw_glasses, draw_hand, draw_object

DRAWN = 2 * SIDE
"""Pixels a side in which occluders are drawn: edges come out smooth."""
CHEEK = (70, 34)
"""A texel of the window that is always skin."""
TONES, SPREAD = 4, (0.07, 0.25)
"""How far a fitted coefficient is off, standard deviations: the first few are the skin's tone,
which a fit finds well. Ours."""
SURE, FAINT = 0.35, 0.15
"""Cover above which a texel is no skin, and below which it is. Ours: between, nobody can say."""


@dataclass(frozen=True, eq=False)
class Sample:
    """inputs (8, 128, 128), see `net_input`; target (128, 128) in {0, 1}; weight (128, 128)."""

    inputs: np.ndarray
    target: np.ndarray
    weight: np.ndarray


def draw_sample(skin: np.ndarray, coefficients: np.ndarray, layout: Layout, seed: int) -> Sample:
    """One look. skin (256, 256, 3) sRGB; coefficients (3, K): its own in the albedo model."""
    rng = np.random.default_rng(seed)
    skin = mirror_texels(skin) if rng.random() < 0.5 else skin
    model = layout.model
    spread = np.where(np.arange(coefficients.shape[1]) < TONES, *SPREAD)
    rough = coefficients * rng.uniform(0.85, 1.05)
    rough = rough + rng.normal(0.0, 1.0, rough.shape) * spread
    coarse = window(decode_albedo(model.mean, model.basis, model.valid, rough))
    bare = draw_marks(rng, _warp(rng, window(skin)))
    truth = _openings(rng, bare, layout.openings)
    picture, cover = _cover(rng, truth)
    seen, facing = _view(rng, layout.normals)
    light = _missed_light(rng, layout.normals)
    lit = srgb_to_linear(np.clip(picture, 0, 1)) * light + _gloss(rng, layout.normals, cover)
    unlit = _camera(rng, linear_to_srgb(np.clip(lit, 0.0, 1.0)))
    unlit, coarse = _cast(rng, unlit, np.clip(coarse, 0.0, 1.0))
    sure = smoothstep(np.abs(cover - 0.5 * (SURE + FAINT)), 0.0, 0.5 * (SURE - FAINT))
    weight = layout.trained * seen * sure * (1.0 - 0.9 * layout.openings)
    target = (cover > 0.5 * (SURE + FAINT)).astype(np.float32)
    return Sample(net_input(unlit, coarse, seen, facing), target, weight.astype(np.float32))


def _cover(rng: np.random.Generator, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Occluders over the skin: picture (128, 128, 3) sRGB and cover (128, 128)."""
    tone = truth[CHEEK]
    kinds = [
        (lambda: draw_hair(rng, DRAWN), 0.7),
        (lambda: draw_cloth(rng, DRAWN), 0.12),
        (lambda: draw_glasses(rng, DRAWN), 0.45),
        (lambda: draw_hand(rng, DRAWN, tone), 0.04),
        (lambda: draw_object(rng, DRAWN), 0.1),
    ]
    picture, cover = truth, np.zeros(truth.shape[:2], np.float32)
    for draw, share in kinds:
        if rng.random() > share:
            continue
        colour, alpha = draw()
        if _like_skin(colour, alpha, tone):
            continue
        both = np.dstack([colour * alpha[..., None], alpha])
        both = _warp(rng, cv2.resize(both, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        alpha = np.clip(both[..., 3], 0.0, 1.0)
        shift = np.float32([[1, 0, rng.normal(0, 2)], [0, 1, rng.uniform(0, 4)]])
        shadow = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.6, 3.5))
        shadow = cv2.warpAffine(shadow, shift, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        picture = picture * (1.0 - rng.uniform(0.0, 0.5) * shadow)[..., None]
        picture = picture * (1.0 - alpha)[..., None] + both[..., :3]
        cover = alpha + cover * (1.0 - alpha)
    return picture, cover


def _like_skin(colour: np.ndarray, alpha: np.ndarray, tone: np.ndarray) -> bool:
    """Plain things of the skin's own colour: nobody could tell them, and a net that tries takes
    cheeks for hands."""
    share = alpha / max(float(alpha.sum()), 1.0)
    mean = (colour * share[..., None]).sum((0, 1))
    spread = float((share * ((colour - mean) ** 2).mean(-1)).sum()) ** 0.5
    return bool(np.abs(mean - tone).max() < 0.12 and spread < 0.05)


def _warp(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Features are never quite where the fit puts them."""
    shift = rng.normal(0.0, rng.uniform(0.0, 1.8), (2, 7, 7)).astype(np.float32)
    dx, dy = (cv2.resize(x, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for x in shift)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return cv2.remap(
        picture.astype(np.float32), x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


def _openings(rng: np.random.Generator, skin: np.ndarray, openings: np.ndarray) -> np.ndarray:
    """Eyes and mouth show whatever; lashes and liner smear round them."""
    grown = cv2.GaussianBlur(openings, (0, 0), rng.uniform(0.5, 3.0))
    inside = smoothstep(grown, rng.uniform(0.1, 0.4), 0.6)[..., None]
    tone = rng.uniform(0.0, 0.95, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 0.25))
    return skin * (1.0 - inside) + tone * inside


def _view(rng: np.random.Generator, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which texels a camera sees, and how they face it."""
    yaw, pitch = rng.normal(0.0, 0.45), rng.normal(0.0, 0.15)
    way = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    facing = normals @ way
    return (facing > rng.uniform(0.0, 0.12)).astype(np.float32), facing.astype(np.float32)


def _missed_light(rng: np.random.Generator, normals: np.ndarray) -> np.ndarray:
    """(128, 128, 3) factor: light that the fit did not see, and cast shadows."""
    level, tilt, tint = rng.uniform(0.0, [0.25, 0.45, 0.06])
    tilt = 2.0 * tilt if rng.random() < 0.2 else tilt
    field = rng.normal(0, level) + normals @ rng.normal(0, tilt, 3)
    field = field + 0.5 * tilt * rng.normal() * normals[..., 0] ** 2
    light = np.exp(field)[..., None] * np.exp(rng.normal(0, tint, 3))
    if rng.random() < 0.7:
        even, hue = rng.uniform(0.0, 0.35), rng.uniform(0.0, 0.12)
        cells = int(rng.integers(3, 7))
        waves = [even * blurred_noise(rng, SIDE, cells)] * 3
        waves = [wave + hue * blurred_noise(rng, SIDE, cells) for wave in waves]
        light = light * np.exp(np.stack(waves, -1))
    if rng.random() < 0.5:
        y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
        angle, where = rng.uniform(0, 2 * np.pi), rng.normal(0.0, 0.2)
        coarse = rng.normal(0, 0.08, (6, 6)).astype(np.float32)
        edge = np.cos(angle) * x + np.sin(angle) * y - where
        edge = edge + cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        dark = np.clip(rng.uniform(0.1, 0.9) + rng.normal(0, 0.1, 3), 0.0, 0.97)
        soft = rng.uniform(0.05, 0.6) ** 2
        light = light * (1.0 - dark * smoothstep(edge, -soft, soft)[..., None])
    return light


def _gloss(rng: np.random.Generator, normals: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """(128, 128, 1) linear: highlights of up to three lamps on the bare skin (Blinn 1977)."""
    gloss = np.zeros(normals.shape[:2])
    for _ in range(int(rng.integers(0, 4))):
        half = np.array([rng.normal(0, 0.4), rng.normal(0.1, 0.4), 1.0])
        half /= np.linalg.norm(half)
        lobe = np.clip(normals @ half, 0.0, 1.0) ** rng.uniform(10, 120)
        gloss = gloss + rng.uniform(0.0, 0.5) ** 1.5 * lobe
    grain = 1.0 + 0.3 * cv2.GaussianBlur(rng.standard_normal(gloss.shape), (0, 0), 1.0)
    return (gloss * grain * (1.0 - cover))[..., None]


def _camera(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Blur, noise and clipping, sRGB."""
    if rng.random() < 0.6:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.6))
    noise = rng.normal(0.0, rng.uniform(0.0, 0.04), (*picture.shape[:2], 1))
    return np.clip(picture * rng.uniform(0.85, 1.15) + noise, 0.0, 1.0)


def _cast(
    rng: np.random.Generator, unlit: np.ndarray, coarse: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Black and white, and photos with a cast, in both maps."""
    if rng.random() < 0.06:
        return tuple(np.repeat(x.mean(-1, keepdims=True), 3, -1) for x in (unlit, coarse))
    gain = np.exp(rng.normal(0.0, 0.08, 3))
    return np.clip(unlit * gain, 0, 1), np.clip(coarse * gain, 0, 1)
