"""compare.png and contact sheets: pictures for people, not for measuring."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..protocol.conventions import bytes_to_unit, unit_to_bytes

BACKGROUND = 0.11
"""Grey behind the tiles, sRGB. Ours: dark enough to judge skin by."""
TEXT_COLOUR = (0.92, 0.92, 0.92)


def fit_tile(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width, 3) tile with the whole picture centred in it. image (H, W, 3) sRGB."""
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    resized = np.clip(cv2.resize(image.astype(np.float32), size, interpolation=method), 0.0, 1.0)
    tile = np.full((height, width, 3), BACKGROUND, dtype=np.float32)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = resized
    return tile


def caption(tile: np.ndarray, text: str) -> np.ndarray:
    """The tile with one line of text in its lower left corner."""
    picture = Image.fromarray(unit_to_bytes(tile))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(12, tile.shape[0] // 28))
    color = tuple(int(v) for v in unit_to_bytes(np.array(TEXT_COLOUR)))
    spot = (8, tile.shape[0] - font.size - 8)
    draw.text(spot, text, fill=color, font=font, stroke_width=2, stroke_fill=(0, 0, 0))
    return bytes_to_unit(np.asarray(picture))


def contact_sheet(rows: list[list[tuple[np.ndarray, str]]], tile: int, gap: int = 6) -> np.ndarray:
    """Pictures with captions in rows of square tiles, (H, W, 3) sRGB."""
    columns = max(len(row) for row in rows)
    step = tile + gap
    sheet = np.full((len(rows) * step + gap, columns * step + gap, 3), BACKGROUND, np.float32)
    for y, row in enumerate(rows):
        for x, (image, text) in enumerate(row):
            top, left = y * step + gap, x * step + gap
            sheet[top : top + tile, left : left + tile] = caption(fit_tile(image, tile, tile), text)
    return sheet


def heat_picture(values: np.ndarray, weight: np.ndarray, hottest: float) -> np.ndarray:
    """Values (H, W) as colours, black over red to white at `hottest`, to lay over a picture.

    weight (H, W) in [0, 1]: where there are values. Returns (H, W, 4) sRGB with straight alpha.
    """
    grey = unit_to_bytes(np.clip(values / hottest, 0.0, 1.0))
    heat = bytes_to_unit(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1])
    return np.dstack([heat, weight.astype(np.float32)])


def over(front: np.ndarray, alpha: np.ndarray, back: np.ndarray) -> np.ndarray:
    """`front` (H, W, 3) over `back` by alpha (H, W), all sRGB, straight alpha."""
    share = cv2.merge([alpha, alpha, alpha])  # laid out like the pictures: several times as fast
    return back + (front - back) * share
