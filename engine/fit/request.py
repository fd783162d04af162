"""What to reconstruct, besides the photos and the pack."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FitRequest:
    """face: index by size in the first photo, None for the largest; texture_size: side of the
    albedo maps in texels; seed: of the detail drawn where no photo shows anything."""

    face: int | None = None
    texture_size: int = 1024
    seed: int = 0
