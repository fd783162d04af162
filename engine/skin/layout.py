"""Soft masks of anatomical regions in the FFHQ-UV layout, from the curves in `curves.py`.

Masks are drawn once at 1024 and resampled, so that every size shows the same anatomy.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np

from ..protocol.conventions import BYTE_MAX, bytes_to_unit
from ..protocol.errors import EngineError, ErrorCode
from . import curves
from .curves import REFERENCE_SIZE, Blob, Curve

SIZE_STEP = 64
MAX_SIZE = 2048
VALID_MARGIN = 8
"""Pixels (at 1024) by which the valid area exceeds the islands, so that filtering a texture at an
island's edge never mixes in unpainted texels."""

_SUBPIXEL_BITS = 6
_WIDE_BLUR = 5.0

# name: (curve, softness): Gaussian blur in reference pixels.
_CURVE_REGIONS: Mapping[str, tuple[Curve, float]] = {
    "face": (curves.FACE, 10.0),
    "forehead": (curves.FOREHEAD, 16.0),
    "nose": (curves.NOSE, 10.0),
    "nose_tip": (curves.NOSE_TIP, 10.0),
    "lips": (curves.WHOLE_LIPS, 1.8),
    "lip_upper": (curves.UPPER_LIP, 1.8),
    "lip_lower": (curves.LOWER_LIP, 1.8),
    "lip_inner": (curves.INNER_LIPS, 2.2),
    "lid_upper": (curves.UPPER_LID, 3.0),
    "lid_lower": (curves.LOWER_LID, 3.0),
    "eye_surround": (curves.EYE_SURROUND, 12.0),
    "under_eye": (curves.UNDER_EYE, 7.0),
    "ears": (curves.EAR, 8.0),
    "ear_bowl": (curves.EAR_BOWL, 7.0),
    "moustache": (curves.MOUSTACHE, 5.0),
    "chin_beard": (curves.CHIN_BEARD, 10.0),
    "jaw_beard": (curves.JAW_BEARD, 14.0),
    "neck": (curves.NECK, 22.0),
    "scalp": (curves.HAIR, 6.0),
}

_ISLANDS: Mapping[str, Curve] = {
    "main": curves.MAIN_OUTLINE,
    "sockets": curves.SOCKET_OUTLINE,
    "mouth_bag": curves.MOUTH_BAG_OUTLINE,
}

# name: (blob, hard): a hard blob is a filled ellipse with a soft rim, a soft one a Gaussian.
_BLOB_REGIONS: Mapping[str, tuple[Blob, bool]] = {
    "cheeks": (curves.CHEEK, False),
    "chin": (curves.CHIN, False),
    "nostrils": (curves.NOSTRIL, True),
    "ear_canals": (curves.EAR_CANAL, False),
    "ear_lobes": (curves.EAR_LOBE, False),
    "caruncles": (curves.CARUNCLE, False),
    "nasal_creases": (curves.NASAL_CREASE, False),
    "temple_corners": (curves.TEMPLE_CORNER, False),
    "crown_front": (curves.CROWN_FRONT, False),
    "sideburns": (curves.SIDEBURN, False),
}

# name: (curve, thickness, softness) of a line, in reference pixels.
_LINE_REGIONS: Mapping[str, tuple[tuple[Curve, ...], int, float]] = {
    "lash_lines": ((curves.UPPER_LASH_LINE, curves.LOWER_LASH_LINE), 2, 1.6),
    "mouth_slit": ((curves.MOUTH_SLIT,), 2, 2.2),
    "lip_wet": ((curves.MOUTH_SLIT,), 14, 8.0),
}

_DISTANCE_REGIONS: Mapping[str, Curve] = {
    "scalp": curves.HAIR,
    "lips": curves.WHOLE_LIPS,
    "main": curves.MAIN_OUTLINE,
}


def check_size(size: int) -> None:
    """Raise EngineError(BAD_SETTINGS) unless `size` is a multiple of 64 from 64 to 2048."""
    if not (SIZE_STEP <= size <= MAX_SIZE and size % SIZE_STEP == 0):
        raise EngineError(
            ErrorCode.BAD_SETTINGS,
            f"A skin map's size must be a multiple of {SIZE_STEP} up to {MAX_SIZE}, got {size}.",
            "Use 256 for training and 1024 for pictures.",
        )


def mirror_curve(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """(N, 2) reference pixels reflected at the mid-line, in the same order."""
    return np.array([(REFERENCE_SIZE - x, y) for x, y in points], dtype=np.float64)


def landmarks_68() -> np.ndarray:
    """(68, 2) UV places of the iBUG 68 landmarks: column, row in reference pixels."""
    table = np.zeros((68, 2))
    for index, point in curves.LANDMARKS_68_RIGHT.items():
        table[index] = point
        if index in curves.LANDMARK_MIRROR:
            table[curves.LANDMARK_MIRROR[index]] = (REFERENCE_SIZE - point[0], point[1])
    return table


def smooth_curve(points: Curve, closed: bool, per_segment: int = 8) -> np.ndarray:
    """Catmull-Rom spline through `points` (Catmull & Rom 1974, tension 1/2), (M, 2)."""
    p = np.asarray(points, dtype=np.float64)
    if closed:
        p = np.concatenate([p[-1:], p, p[:2]])
    else:
        p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0.0, 1.0, per_segment, endpoint=False)[:, None]
    a, b, c, d = p[:-3, None], p[1:-2, None], p[2:-1, None], p[3:, None]
    spline = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    spline = spline.reshape(-1, 2)
    return spline if closed else np.concatenate([spline, p[-2:-1]])


def _both_halves(points: Curve) -> list[np.ndarray]:
    """Outlines to fill: one joined outline for a region that crosses the mid-line, else two."""
    if points in _ISLANDS.values():  # measured corner by corner: straight edges
        return _straight_halves(points)
    middle = REFERENCE_SIZE / 2
    crossing = [i for i, (x, _) in enumerate(points) if x == middle]
    if not crossing:
        left = smooth_curve(points, closed=True)
        return [left, mirror_curve([tuple(p) for p in left])]
    # Start at the mid-line and end there; the other half is the mirror in reverse. Two mid-line
    # points that follow each other (lips) are the seam between the halves.
    first = next(i for i in crossing if (i - 1) % len(points) in crossing)
    ordered = points[first:] + points[:first]
    left = smooth_curve(ordered, closed=False)
    return [np.concatenate([left, mirror_curve([tuple(p) for p in left])[::-1]])]


def _straight_halves(points: Curve) -> list[np.ndarray]:
    left, right = np.asarray(points, dtype=np.float64), mirror_curve(points)
    # The half of the main island closes along the mid-line, so the two halves meet there.
    return [left, right]


def _fill(points: Curve) -> np.ndarray:
    """(1024, 1024) float32 in [0, 1], antialiased."""
    canvas = np.zeros((REFERENCE_SIZE, REFERENCE_SIZE), np.uint8)
    scale = 1 << _SUBPIXEL_BITS
    for outline in _both_halves(points):
        # OpenCV puts pixel centres at integers, ours lie at .5.
        fixed = np.rint((outline - 0.5) * scale).astype(np.int32)
        cv2.fillPoly(canvas, [fixed], BYTE_MAX, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS)
    return bytes_to_unit(canvas)


def _soften(mask: np.ndarray, softness: float) -> np.ndarray:
    """Gaussian blur in reference pixels; wide ones at a quarter of the size, for speed."""
    if softness < _WIDE_BLUR:
        return cv2.GaussianBlur(mask, (0, 0), softness)
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), softness / 4.0)
    return cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _lines(lines: Sequence[Curve], thickness: int) -> np.ndarray:
    canvas = np.zeros((REFERENCE_SIZE, REFERENCE_SIZE), np.uint8)
    scale = 1 << _SUBPIXEL_BITS
    for line in lines:
        left = smooth_curve(line, closed=False)
        for path in (left, mirror_curve([tuple(p) for p in left])):
            fixed = np.rint((path - 0.5) * scale).astype(np.int32)
            cv2.polylines(canvas, [fixed], False, BYTE_MAX, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    return bytes_to_unit(canvas)


def reference_grid() -> tuple[np.ndarray, np.ndarray]:
    """Column and row of every pixel centre of the reference map, (1024, 1024) float32 each."""
    axis = np.arange(REFERENCE_SIZE, dtype=np.float32) + 0.5
    return np.broadcast_to(axis, (REFERENCE_SIZE,) * 2), np.broadcast_to(
        axis[:, None], (REFERENCE_SIZE,) * 2
    )


def _blob(blob: Blob, hard: bool) -> np.ndarray:
    x, y = reference_grid()
    total = np.zeros((REFERENCE_SIZE, REFERENCE_SIZE), np.float32)
    for side in (1.0, -1.0):
        centre, angle = (blob[0], blob[4]) if side > 0 else (REFERENCE_SIZE - blob[0], -blob[4])
        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        dx, dy = x - centre, y - blob[1]
        along, across = (dx * cosine + dy * sine) / blob[2], (dy * cosine - dx * sine) / blob[3]
        squared = along**2 + across**2
        shape = 1.0 / (1.0 + squared**4) if hard else np.exp(-squared)
        total = np.maximum(total, shape)
    return total.astype(np.float32)


def resample(reference: np.ndarray, size: int) -> np.ndarray:
    """(1024, 1024) float32 to (size, size), area-averaged when smaller."""
    if size == REFERENCE_SIZE:
        return reference
    kind = cv2.INTER_AREA if size < REFERENCE_SIZE else cv2.INTER_LINEAR
    return cv2.resize(reference, (size, size), interpolation=kind)


def _freeze(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array, dtype=np.float32)
    array.flags.writeable = False
    return array


def _symmetric(array: np.ndarray) -> np.ndarray:
    return 0.5 * (array + array[:, ::-1])


def _reference_masks() -> dict[str, np.ndarray]:
    masks = {}
    for name, (curve, softness) in _CURVE_REGIONS.items():
        mask = _fill(curve)
        masks[name] = _soften(mask, softness)
    masks.update({name: _fill(curve) for name, curve in _ISLANDS.items()})
    for name, (blob, hard) in _BLOB_REGIONS.items():
        masks[name] = _blob(blob, hard)
    masks["brows"] = _brow_mask()
    masks["beard"] = np.maximum.reduce(
        [masks["moustache"], masks["chin_beard"], masks["jaw_beard"]]
    ) * (1.0 - masks["lips"])
    for name, (lines, thickness, softness) in _LINE_REGIONS.items():
        masks[name] = _soften(_lines(lines, thickness), softness)
    islands = np.maximum.reduce([masks[name] for name in _ISLANDS])
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * VALID_MARGIN + 1,) * 2)
    masks["valid"] = (cv2.dilate(islands, disc) > 0.5).astype(np.float32)
    for name in ("sockets", "mouth_bag"):
        masks[name + "_margin"] = cv2.dilate(masks[name], disc)
    return masks


def _brow_mask() -> np.ndarray:
    centre = smooth_curve(curves.BROW_CENTRE, closed=False)
    along = np.linspace(0, len(curves.BROW_HALF_WIDTH) - 1, len(centre))
    half = np.interp(along, range(len(curves.BROW_HALF_WIDTH)), curves.BROW_HALF_WIDTH)
    upper, lower = centre.copy(), centre.copy()
    upper[:, 1] -= half
    lower[:, 1] += half
    outline = tuple(map(tuple, np.concatenate([upper, lower[::-1]])))
    return cv2.GaussianBlur(_fill(outline), (0, 0), 3.0)


@lru_cache(maxsize=8)
def region_masks(size: int) -> Mapping[str, np.ndarray]:
    """Masks by name, each (size, size) float32 in [0, 1], symmetric, read-only.

    Names: the keys of the tables above, "brows", "beard", "sockets_margin", "mouth_bag_margin" (the
    islands with their margins) and "valid" (all islands with their margins; exactly 0 or 1).
    Raises EngineError(BAD_SETTINGS) for a size that is not allowed.
    """
    check_size(size)
    masks = {k: resample(_symmetric(m), size) for k, m in _reference_masks().items()}
    masks["valid"] = (masks["valid"] > 0.0).astype(np.float32)
    return MappingProxyType({k: _freeze(np.clip(m, 0.0, 1.0)) for k, m in masks.items()})


@lru_cache(maxsize=8)
def region_distances(size: int) -> Mapping[str, np.ndarray]:
    """Signed distances to an outline, (size, size) float32 in reference pixels, positive inside.

    Names: "scalp" (the hairline), "lips" (the vermilion border), "main" (the back seam).
    """
    check_size(size)
    result = {}
    for name, curve in _DISTANCE_REGIONS.items():
        inside = (_fill(curve) > 0.5).astype(np.uint8)
        inward = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        outward = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        result[name] = _freeze(resample(_symmetric(inward - outward), size))
    return MappingProxyType(result)
