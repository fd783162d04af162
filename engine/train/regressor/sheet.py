"""Random photos on one sheet, to be looked at before they are learned from."""

import numpy as np

from ...protocol.conventions import unit_to_bytes
from .picture import synthetic_photo
from .stage import Stage

ROWS, COLUMNS = 5, 8


def photo_sheet(stage: Stage, seed: int, rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """(rows * S, columns * S, 3) uint8: the first photos of a set."""
    lines = [
        np.concatenate(
            [
                synthetic_photo(stage, seed, row * columns + column).image
                for column in range(columns)
            ],
            axis=1,
        )
        for row in range(rows)
    ]
    return unit_to_bytes(np.concatenate(lines))
