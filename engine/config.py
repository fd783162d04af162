"""Settings of the front doors: worker and photo decoding. Those of the fit: `fit/settings.py`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerSettings:
    """How long a worker waits for what. Seconds."""

    idle_seconds: float = 900.0
    """Without a job for this long the process ends and frees its memory. Ours: a coffee break."""
    parent_poll_seconds: float = 1.0
    """How often the worker looks whether the process that started it still lives."""
    exit_grace_seconds: float = 20.0
    """After the client is gone a job gets this long to stop by itself, then the process ends."""
    waiting_jobs: int = 16
    """Jobs that may wait for the running one; further ones are refused."""


@dataclass(frozen=True)
class PhotoLimits:
    """What counts as a usable photo."""

    least_side: int = 200
    """Pixels. Ours: below, a face has too few texels for an albedo."""
    most_pixels: int = 50_000_000
    """Pixels in all; a float32 copy of this many needs 600 MB."""
    most_bytes: int = 512 * 2**20
    """File size; a 16-bit TIFF of the largest size needs 300 MB."""
