"""What to reconstruct, besides the photos and the pack."""

from dataclasses import dataclass

from ..nets.deep3d import Deep3DNet
from ..protocol.landmarks68 import Pin
from .state import FitState


@dataclass(frozen=True, eq=False)
class FitRequest:
    """face: index by size in the first photo, None for the largest; texture_size: side of the
    albedo maps in texels; seed: of the detail drawn where no photo shows anything.

    start: an earlier fit of the same photos to go on from; held: what stays as it is there, see
    `protocol.job.LOCKS`. pins: points of the face in the first photo.
    net: tells where the shape fit begins, without `start`.
    sheet: whether the pictures for people will be made.
    """

    face: int | None = None
    texture_size: int = 1024
    seed: int = 0
    start: FitState | None = None
    held: frozenset[str] = frozenset()
    pins: tuple[Pin, ...] = ()
    sheet: bool = False
    net: Deep3DNet | None = None
