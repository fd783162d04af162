"""Settings of the training of a regressor, beside those of the loop."""

from dataclasses import dataclass, field

from ...nets.regressor import RegressorInfo
from ...protocol.errors import EngineError, ErrorCode


@dataclass(frozen=True)
class RegressorSettings:
    """What is trained. All ours.

    samples: random photos that are made. held: share of them that is not trained on. batch: of a
    step. drop, alone: shares of the samples of a step without the picture, and with the picture
    alone, which the fit asks for. noise: added to the points, centimetres; blur: added to the
    embedding, in its own standard deviations. ridge: of the linear start, over the number of
    numbers in the embedding. The weights are of the groups in the loss, by number.
    """

    samples: int = 24000
    held: float = 0.05
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    drop: float = 0.1
    alone: float = 0.5
    noise: float = 0.05
    blur: float = 0.1
    ridge: float = 0.3
    identity_weight: float = 1.0
    expression_weight: float = 0.5
    pose_weight: float = 0.3
    light_weight: float = 0.2
    points_weight: float = 1.0
    net: RegressorInfo = field(default_factory=RegressorInfo)

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        if self.samples < 2 * self.batch or self.batch < 1:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                f"A training needs at least two batches of samples, got {self.samples} samples "
                f"in batches of {self.batch}.",
            )
        if not (
            0.0 < self.held < 1.0
            and 0.0 <= self.drop + self.alone <= 1.0
            and self.learning_rate > 0.0
        ):
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                "held must be in (0, 1), drop + alone at most 1, the rate above 0.",
            )


@dataclass(frozen=True)
class Recipe:
    """How much: samples and steps."""

    samples: int
    steps: int
    batch: int
    precision: str
    info: RegressorInfo = field(default_factory=RegressorInfo)


RECIPES = {
    # Two cores, under 2.5 hours, nearly all of it for making samples.
    "cpu": Recipe(60000, 12000, 64, "float32"),
    # The samples are made by all cores beside the GPU: 16 need about 2.5 hours for these.
    "gpu": Recipe(1000000, 120000, 256, "auto", RegressorInfo(hidden=400)),
}
