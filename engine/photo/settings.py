"""Settings of the first stage. Every number names its unit and why it is what it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PrepareSettings:
    """photo -> PreparedPhoto."""

    crop_scale: float = 2.4
    """Side of the working crop in sizes of the landmark box. Ours: the whole head fits in."""
    working_size: int = 1024
    """Longest side of the working crop, pixels. Ours: a 1024 texture resolves no more."""
    min_face_pixels: float = 40.0
    """Smallest landmark box that can be fitted. Ours: below, the mesh net guesses."""
