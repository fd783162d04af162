"""Settings of the training of an albedo model."""

import os
from dataclasses import dataclass, fields

from ..protocol.errors import EngineError, ErrorCode

GIGABYTE = 10**9


@dataclass(frozen=True)
class TrainSettings:
    """How an albedo model is trained. The result depends on the first group only.

    components: K per channel. oversampling: further directions that are followed and dropped at
    the end (Halko, Martinsson & Tropp 2011, section 4.2, advise 5 to 10; more here, as the
    spectrum of skin falls slowly). passes: power passes over all maps of the randomised way.
    exact_limit: up to this many maps the Gram matrix is taken, which is exact. seed: of the
    random directions. check_layout: leave out what is no map of our layout.

    memory_gb: most memory that the process may hold, in 10^9 bytes. cache_gb: most disk for the
    maps at the size of training, 0 for none. workers: threads that decode, 0 for one per core.
    checkpoint_seconds: time between checkpoints inside a pass.
    """

    components: int = 100
    oversampling: int = 20
    passes: int = 2
    exact_limit: int = 2000
    seed: int = 0
    check_layout: bool = True
    memory_gb: float = 4.0
    cache_gb: float = 16.0
    workers: int = 0
    checkpoint_seconds: float = 120.0

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        least = {"components": 1, "passes": 1, "memory_gb": 0.3}
        for field in fields(self):
            value = getattr(self, field.name)
            if value < least.get(field.name, 0):
                raise EngineError(
                    ErrorCode.BAD_SETTINGS,
                    f"{field.name} must be at least {least.get(field.name, 0)}, got {value}.",
                )

    @property
    def threads(self) -> int:
        """Threads that decode maps."""
        return self.workers or os.cpu_count() or 1
