"""Settings of the training of a coarse encoder, beside those of the loop."""

from dataclasses import dataclass

from ...protocol.errors import EngineError, ErrorCode
from ...protocol.pack_manifest import EncoderInfo

RESNET_50 = EncoderInfo(128, (64, 128, 256, 512), (3, 4, 6, 3))
"""Sees maps at half the default model's size: a quarter of the work. The paper takes 224."""


@dataclass(frozen=True)
class AugmentSettings:
    """How maps are varied. All ours.

    flip: share of mirrored maps. exposure, tint: deviation, in stops of linear light, of the gain
    of all channels, and of each channel by itself. whole: share of maps without holes; the others
    lack one side or spots, as maps unwrapped from one photo do.
    """

    flip: float = 0.5
    exposure: float = 0.15
    tint: float = 0.03
    whole: float = 0.5

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        _check_shares(self, ("flip", "whole"))
        _check_from_zero(self, ("exposure", "tint"))


@dataclass(frozen=True)
class EncoderSettings:
    """What is trained and against what. The default learning rate is the paper's.

    batch: maps of a step on each process. weights: of texels in the squared error, a name of
    `train.texels.named_weights`. pull: weight of the squared distance from the exact projection's
    coefficients, in standard deviations, beside the squared error in variances of the model.
    Without it the gradient of a component falls with its variance, so that all but the first stay
    unlearned for long: after 240 steps of a narrow network 0, 0.1 and 1 gave 31.8, 31.9 and
    32.1 dB on held-out maps. held: maps kept from the training, for its figures.
    """

    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    weights: str = "face"
    pull: float = 1.0
    held: int = 200

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        _check_from_zero(self, ("weight_decay", "pull"))
        if self.batch < 2 or self.held < 1:
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                "A batch needs 2 maps or more (batch norm), and 1 or more must be held back; "
                f"got {self.batch} and {self.held}.",
            )
        if not 0.0 < self.learning_rate < float("inf"):
            raise EngineError(
                ErrorCode.BAD_SETTINGS,
                f"The learning rate must be above 0, got {self.learning_rate}.",
            )


def _check_shares(settings: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(settings, name)
        if not 0.0 <= value <= 1.0:
            raise EngineError(
                ErrorCode.BAD_SETTINGS, f"{name} must be a share from 0 to 1, got {value}."
            )


def _check_from_zero(settings: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(settings, name)
        if not 0.0 <= value < float("inf"):
            raise EngineError(ErrorCode.BAD_SETTINGS, f"{name} must be 0 or more, got {value}.")
