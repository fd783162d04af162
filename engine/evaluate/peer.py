"""Another method's own re-renders of photos, to be judged on its own crops.

A folder of folders, one a photo: `input.jpg` or `.png`, and `deep3d_output.npz` with
`cropped_img_rgb` and `recon_img_rgb` (224, 224, 3) uint8, black where that method drew nothing
(Deng et al. 2019).
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..nets.crop import resample
from ..protocol.conventions import bytes_to_unit
from ..protocol.errors import EngineError, ErrorCode
from .likeness import CROP_SIZE

OUTPUT_FILE = "deep3d_output.npz"
_ARRAYS = ("cropped_img_rgb", "recon_img_rgb")


@dataclass(frozen=True, eq=False)
class PeerPair:
    """One photo and what the other method made of it.

    picture, render (224, 224, 3) sRGB in [0, 1]: its crop of the photo and its render;
    covered (224, 224) bool: where it drew the face.
    """

    name: str
    photo: Path
    picture: np.ndarray
    render: np.ndarray
    covered: np.ndarray


def read_pairs(folder: Path) -> list[PeerPair]:
    """All pairs of a folder, by name. Raises EngineError(BAD_INPUT)."""
    outputs = sorted(folder.glob(f"*/{OUTPUT_FILE}"))
    if not outputs:
        raise EngineError(
            ErrorCode.BAD_INPUT,
            f"No pairs were found in {folder}.",
            f"Expected folders with a photo called input and {OUTPUT_FILE}.",
        )
    return [_read_pair(path) for path in outputs]


def _read_pair(path: Path) -> PeerPair:
    photos = [p for p in sorted(path.parent.glob("input.*")) if p.suffix in (".jpg", ".png")]
    try:
        with np.load(path, allow_pickle=False) as arrays:
            pictures = [arrays[name] for name in _ARRAYS]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _bad(path, f"it cannot be read: {error}") from error
    if not photos or any(
        p.shape != (CROP_SIZE, CROP_SIZE, 3) or p.dtype != np.uint8 for p in pictures
    ):
        raise _bad(path, f"expected an input photo beside it and pictures of {CROP_SIZE} pixels")
    covered = pictures[1].max(axis=-1) > 0
    picture, render = (bytes_to_unit(p).astype(np.float32) for p in pictures)
    return PeerPair(path.parent.name, photos[0], picture, render, covered)


def _bad(path: Path, why: str) -> EngineError:
    return EngineError(ErrorCode.BAD_INPUT, f"The pair {path} cannot be used: {why}.")


def similarity_2d(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3): the scale and shift, without rotation, that carry source (n, 2) to target best."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    scale = float((a * b).sum() / (a * a).sum())
    shift = target.mean(axis=0) - scale * source.mean(axis=0)
    return np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])


def locate_crop(photo: np.ndarray, picture: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(2, 3) map from a crop's coordinates to those of the photo that it was cut from.

    photo (H, W, 3), picture (S, S, 3) sRGB; start (2, 3): a first guess, a few pixels off at most.
    Maximises the correlation (Evangelidis & Psarakis 2008) over affine maps, of which the scale
    and shift are kept: crops are not turned. The guess stays where that fails.
    """
    found = resample(photo, start, len(picture))
    grey = [cv2.cvtColor(x.astype(np.float32), cv2.COLOR_RGB2GRAY) for x in (picture, found)]
    inside = (np.minimum(*grey) > 0.02).astype(np.uint8)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-6)
    identity = np.eye(2, 3, dtype=np.float32)
    try:
        _, warp = cv2.findTransformECC(*grey, identity, cv2.MOTION_AFFINE, stop, inside, 3)
    except cv2.error:
        return start
    # OpenCV counts from pixel centres; the middle of the crop goes where the warp takes it.
    middle = np.full(2, len(picture) / 2.0)
    moved = warp[:, :2] @ (middle - 0.5) + warp[:, 2] + 0.5
    scale = float(np.sqrt(np.linalg.det(warp[:, :2])))
    linear = start[:, :2] * scale
    return np.column_stack([linear, start[:, :2] @ moved + start[:, 2] - linear @ middle])
