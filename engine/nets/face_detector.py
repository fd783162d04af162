"""Find faces: MediaPipe's short-range detector (BlazeFace) on a pyramid of tiles.

The network sees 128x128 pixels and finds faces between about a fifth and two thirds of that. A
photo is therefore searched as a whole and in overlapping tiles of half, a quarter, ... its longer
side. Each find is looked at once more in a levelled crop of its own, which removes most false
alarms and makes its score and keypoints independent of the tile it came from.

Sources: Bazarevsky et al. 2019 (BlazeFace); anchors and decoding as in MediaPipe's
face_detection_short_range graph (strides 8 and 16, two and six anchors per cell, fixed size).
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from .crop import SquareCrop, check_photo, cut, to_batch
from .tflite_graph import GraphNet

INPUT = 128
KEYPOINTS = 6
"""Right eye, left eye, nose tip, mouth centre, right and left ear (the subject's sides)."""


@dataclass(frozen=True)
class DetectedFace:
    """One face in a photo.

    box_xyxy: (4,) float64 photo pixels, brows to chin; for a tilted face the box of the levelled
    face moved to its centre. keypoints: (6, 2) float64 photo pixels, order as in KEYPOINTS.
    score: [0, 1].
    """

    box_xyxy: np.ndarray
    keypoints: np.ndarray
    score: float

    @property
    def center(self) -> np.ndarray:
        """(2,) centre of the box, photo pixels."""
        return (self.box_xyxy[:2] + self.box_xyxy[2:]) / 2

    @property
    def side(self) -> float:
        """Longer side of the box, photo pixels."""
        return float((self.box_xyxy[2:] - self.box_xyxy[:2]).max())

    @property
    def area(self) -> float:
        """Area of the box, square pixels."""
        return float(np.prod(self.box_xyxy[2:] - self.box_xyxy[:2]))

    @property
    def angle(self) -> float:
        """Roll of the eye line in the photo, radians, clockwise as seen."""
        across = self.keypoints[1] - self.keypoints[0]
        return math.atan2(across[1], across[0])


@dataclass(frozen=True)
class DetectorSettings:
    """How far and how strictly faces are searched."""

    min_score: float = 0.5
    """Of a first find; MediaPipe's own threshold."""
    min_confirmed_score: float = 0.6
    """Of the second look at a find. Ours, tuned by eye on portraits, groups and profiles."""
    min_face_pixels: float = 40.0
    """Tiles stop shrinking where they would only add smaller faces."""
    min_size_ratio: float = 0.5
    """Tiles stop shrinking where they would only add faces below this part of the largest one."""
    max_overlap: float = 0.3
    """Finds whose intersection over union is larger are the same face; MediaPipe's own value."""
    most_levels: int = 4
    """The smallest tiles have an eighth of the longer side: faces down to a fortieth of it."""
    sure_score: float = 0.8
    """With a best face below this the photo is searched turned by 90, 180 and 270 degrees too.
    Ours: upright faces score above, profiles included; upside-down ones are misread below."""
    turned_gain: float = 0.1
    """A turned photo must score this much better to be believed. Ours."""


def _anchors() -> np.ndarray:
    """(896, 2) anchor centres in input pixels."""
    centers = []
    for cells, count in ((16, 2), (8, 6)):
        places = (np.arange(cells) + 0.5) * (INPUT / cells)
        y, x = np.meshgrid(places, places, indexing="ij")
        centers.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), count, axis=0))
    return np.concatenate(centers)


ANCHORS = _anchors()


@dataclass(frozen=True)
class _Finds:
    """Raw finds of a batch: tile index (n,), box centre and size (n, 4), keypoints (n, 6, 2)."""

    tile: np.ndarray
    box: np.ndarray
    keypoints: np.ndarray
    score: np.ndarray


def run_network(net: GraphNet, tiles: list[np.ndarray], min_score: float) -> _Finds:
    """Run the detector on 128x128x3 tiles in [0, 1]; finds in tile pixels."""
    found = []
    with torch.no_grad():
        for start in range(0, len(tiles), 16):
            regressors, logits = net(to_batch(tiles[start : start + 16]) * 2.0 - 1.0)
            scores = torch.sigmoid(logits[..., 0].clamp(-100, 100)).numpy()
            tile, anchor = np.nonzero(scores >= min_score)
            values = regressors.numpy()[tile, anchor].astype(np.float64).reshape(-1, 8, 2)
            values[:, [0, *range(2, 8)]] += ANCHORS[anchor][:, None, :]
            found.append((tile + start, values, scores[tile, anchor]))
    tile, values, score = (np.concatenate(part) for part in zip(*found, strict=True))
    return _Finds(tile, values[:, :2].reshape(-1, 4), values[:, 2:], score)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two xyxy boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    inside = np.prod(np.clip(high - low, 0, None))
    return float(inside / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inside))


def suppress(faces: list[DetectedFace], max_overlap: float) -> list[DetectedFace]:
    """Non-maximum suppression: of faces that overlap, or lie inside one another, keep the best."""
    kept: list[DetectedFace] = []
    for face in sorted(faces, key=lambda face: -face.score):
        near = [
            other
            for other in kept
            if _overlap(face.box_xyxy, other.box_xyxy) > max_overlap
            or np.linalg.norm(face.center - other.center) < 0.3 * max(face.side, other.side)
        ]
        if not near:
            kept.append(face)
    return kept


def _to_face(finds: _Finds, index: int, scale: float, offset: np.ndarray) -> DetectedFace:
    center, size = finds.box[index, :2] * scale + offset, np.abs(finds.box[index, 2:]) * scale
    box = np.concatenate([center - size / 2, center + size / 2])
    return DetectedFace(box, finds.keypoints[index] * scale + offset, float(finds.score[index]))


def _tile_starts(extent: int) -> list[int]:
    """Left edges of tiles that overlap by half and cover `extent` pixels."""
    count = max(1, math.ceil((extent - INPUT) / (INPUT // 2)) + 1)
    return [round(step) for step in np.linspace(0, max(0, extent - INPUT), count)]


def _search_level(
    net: GraphNet, photo: np.ndarray, tile_side: float, settings: DetectorSettings
) -> list[DetectedFace]:
    """All finds with tiles of `tile_side` photo pixels."""
    height, width = photo.shape[:2]
    scale = tile_side / INPUT
    extent = [max(1, round(width / scale)), max(1, round(height / scale))]
    shrinks = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    small = cv2.resize(photo, extent, interpolation=shrinks)
    spare = [max(0, INPUT - length) for length in extent]
    left, top = spare[0] // 2, spare[1] // 2
    small = cv2.copyMakeBorder(
        small, top, spare[1] - top, left, spare[0] - left, cv2.BORDER_CONSTANT, value=0
    )
    corners = [(x, y) for y in _tile_starts(small.shape[0]) for x in _tile_starts(small.shape[1])]
    tiles = [small[y : y + INPUT, x : x + INPUT] for x, y in corners]
    finds = run_network(net, tiles, settings.min_score)
    offsets = (np.array(corners, dtype=np.float64) - [left, top]) * scale
    return [_to_face(finds, i, scale, offsets[finds.tile[i]]) for i in range(len(finds.score))]


def _confirm(
    net: GraphNet, photo: np.ndarray, face: DetectedFace, settings: DetectorSettings
) -> DetectedFace | None:
    """Look again at a find in a levelled crop of 2.5 times its size; None if it does not hold."""
    crop = SquareCrop(*face.center, 2.5 * face.side, face.angle, INPUT)
    finds = run_network(net, [cut(photo, crop)], settings.min_confirmed_score)
    reach = np.linalg.norm(finds.box[:, :2] - INPUT / 2, axis=1)
    near = np.nonzero(reach < INPUT / 5)[0]  # ours: half the expected face
    if not len(near):
        return None
    best = near[np.argmax(finds.score[near])]
    center = crop.to_photo(finds.box[best, :2])
    size = np.abs(finds.box[best, 2:]) * crop.side / INPUT
    return DetectedFace(
        np.concatenate([center - size / 2, center + size / 2]),
        crop.to_photo(finds.keypoints[best]),
        float(finds.score[best]),
    )


def _search_upright(
    net: GraphNet, photo: np.ndarray, settings: DetectorSettings
) -> list[DetectedFace]:
    longer = max(photo.shape[:2])
    faces: list[DetectedFace] = []
    # The first level is larger than the photo: a face that fills the frame needs a margin.
    for level in range(-1, settings.most_levels):
        tile_side = 1.6 * longer if level < 0 else longer / 2**level
        largest = max((face.side for face in faces), default=0.0)
        reach = 0.6 * tile_side  # ours: the largest face that such a tile finds reliably
        if reach < max(settings.min_face_pixels, settings.min_size_ratio * largest):
            break
        finds = suppress(_search_level(net, photo, tile_side, settings), settings.max_overlap)
        confirmed = [_confirm(net, photo, find, settings) for find in finds]
        faces = suppress([*faces, *filter(None, confirmed)], settings.max_overlap)
    return faces


def _turn_back(face: DetectedFace, turns: int, width: int, height: int) -> DetectedFace:
    """Carry a face found in np.rot90(photo, turns) back to the photo of width x height."""
    points = np.concatenate([face.keypoints, face.center[None]])
    size = face.box_xyxy[2:] - face.box_xyxy[:2]
    for step in range(turns, 0, -1):
        width_before = width if step % 2 else height  # of the picture that this turn was made on
        points = np.stack([width_before - points[:, 1], points[:, 0]], 1)
    center = points[-1]
    return DetectedFace(
        np.concatenate([center - size / 2, center + size / 2]), points[:-1], face.score
    )


def detect_faces(
    net: GraphNet, photo: np.ndarray, settings: DetectorSettings | None = None
) -> list[DetectedFace]:
    """Find all faces in a photo.

    Args: net: the converted short-range detector; photo: (H, W, 3) float32 RGB, sRGB-encoded,
        [0, 1]; settings: defaults when None.
    Returns: faces, largest first (empty list if there are none).
    Raises: EngineError BAD_INPUT if the photo is not of that form.
    """
    check_photo(photo)
    settings = settings or DetectorSettings()
    small, scale = _searched_size(photo, settings)
    settings = replace(settings, min_face_pixels=settings.min_face_pixels / scale)
    faces = _search_upright(net, small, settings)
    for turns in (1, 3, 2) if _best_score(faces) < settings.sure_score else ():
        turned = np.ascontiguousarray(np.rot90(small, turns))
        found = _search_upright(net, turned, settings)
        if _best_score(found) > _best_score(faces) + settings.turned_gain:
            faces = [_turn_back(face, turns, small.shape[1], small.shape[0]) for face in found]
    faces = [
        DetectedFace(face.box_xyxy * scale, face.keypoints * scale, face.score) for face in faces
    ]
    return sorted(faces, key=lambda face: -face.area)


def _searched_size(photo: np.ndarray, settings: DetectorSettings) -> tuple[np.ndarray, float]:
    """The photo shrunk to what the smallest tiles resolve, and photo pixels per pixel of it."""
    height, width = photo.shape[:2]
    scale = max(height, width) / (INPUT * 2 ** (settings.most_levels - 1))
    if scale <= 1.0:
        return photo, 1.0
    # One scale for both axes: the shorter side is rounded by less than half a pixel of the small.
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA), scale


def _best_score(faces: list[DetectedFace]) -> float:
    return max((face.score for face in faces), default=0.0)
