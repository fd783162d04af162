"""Person against background: MediaPipe's selfie segmentation.

The network sees 256x256 pixels of a square. Tried by eye on 8 portraits with squares of 1.6 to 4.5
times the landmark box: 2.0 to 2.6 gives the best edges around the head; below, hair is cut off;
above, hair and dark backgrounds run together. So a photo with known landmarks gets a square of
2.2 times the landmark box around the face, and a coarser look at the whole photo for the rest.
A guided filter on top was tried: it softened hard outlines more than it gained in hair.

The network knows no hair, skin or clothes: hands and things that a person holds count as person.
"""

import cv2
import numpy as np
import torch

from .crop import SquareCrop, check_photo, cut, to_batch
from .tflite_graph import GraphNet

INPUT = 256
HEAD_SCALE = 2.2
FEATHER = 0.06  # ours: part of the head square over which both looks are blended


def _look(net: GraphNet, photo: np.ndarray, crop: SquareCrop) -> np.ndarray:
    """(256, 256) mask of one square, [0, 1]."""
    with torch.no_grad():
        return net(to_batch([cut(photo, crop)]))[0][0, 0].numpy()


def paste(mask: np.ndarray, crop: SquareCrop, height: int, width: int) -> np.ndarray:
    """The mask of a level square at the photo's size; outside the square its rim is carried on."""
    scale = crop.size / crop.side
    corner = np.array([crop.center_x, crop.center_y]) - crop.side / 2
    by_index = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    by_index[:, 2] = (0.5 - corner) * scale - 0.5  # OpenCV counts from pixel centres
    return cv2.warpAffine(
        mask,
        by_index,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def head_crop(points: np.ndarray) -> SquareCrop:
    """The level square around a head: 2.2 times the box of landmarks (468, 2+) in photo pixels."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return SquareCrop(*((low + high) / 2), HEAD_SCALE * float((high - low).max()), 0.0, INPUT)


def person_mask(net: GraphNet, photo: np.ndarray, points: np.ndarray | None = None) -> np.ndarray:
    """Mask of the person.

    Args: net: the converted selfie segmentation; photo: (H, W, 3) float32 RGB, sRGB-encoded,
        [0, 1]; points: (468, 2+) landmarks in photo pixels, or None when the photo is already cut
        to about 2 to 2.6 times the landmark box (then one look at the whole is the best).
    Returns: (H, W) float32 in [0, 1], 1 where the person is.
    Raises: EngineError BAD_INPUT if the photo is not of that form.
    """
    check_photo(photo)
    height, width = photo.shape[:2]
    whole = SquareCrop(width / 2, height / 2, float(max(width, height)), 0.0, INPUT)
    mask = paste(_look(net, photo, whole), whole, height, width)
    if points is None:
        return mask
    head = head_crop(points)
    inner = np.zeros((INPUT, INPUT), np.float32)
    border = round(FEATHER * INPUT)
    inner[border:-border, border:-border] = 1.0
    weight = cv2.blur(inner, (border, border))
    share = paste(weight, head, height, width)
    return share * paste(_look(net, photo, head), head, height, width) + (1 - share) * mask
