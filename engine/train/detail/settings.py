"""Settings of the training of a detail model."""

from dataclasses import dataclass, field, fields

from ...protocol.detail import DETAIL_SIZE
from ...protocol.errors import EngineError, ErrorCode
from .objective import ObjectiveSettings

CROP_STEP = 16
"""Texels of a latent cell: crops begin and end between cells, as they will in the whole map."""


@dataclass(frozen=True)
class AugmentSettings:
    """How samples are varied, so that the model is no list of the people it saw. All ours.

    strength: least and largest factor of the detail. zoom_share: of crops that are enlarged or
    reduced by a factor of zoom, so that no latent cell is bound to one frequency. mix_share: of
    crops that are put together from two people. tone_share: of crops with a smooth shift of tone
    (1/f, down to cells of 8 texels), which real maps show twice as strong as generated ones; each
    octave is log-normal with the median `tone` (sRGB units) and the deviation `tone_spread`.
    flip: half of the crops are mirrored.
    """

    strength: tuple[float, ...] = (0.5, 1.6)
    zoom: tuple[float, ...] = (0.85, 1.2)
    zoom_share: float = 0.5
    mix_share: float = 0.3
    tone_share: float = 0.5
    tone: float = 0.003
    tone_spread: float = 0.7
    flip: bool = True

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        for name in ("strength", "zoom"):
            pair = getattr(self, name)
            if len(pair) != 2 or not 0.0 < pair[0] <= pair[1] <= 4.0:
                raise _bad(f"{name} must be two rising factors up to 4, got {pair}.")
        for name in ("zoom_share", "mix_share", "tone_share", "tone", "tone_spread"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise _bad(f"{name} must be from 0 to 1, got {getattr(self, name)}.")


@dataclass(frozen=True)
class DetailTrainSettings:
    """What the curve of a detail training depends on, beside the loop's settings.

    size: of the detail maps; crop: side of what is trained on. batch: crops a step and process.
    seed: of the weights and the samples. widths, blocks: of the network (`nets/detail_vae.py`).
    critic_width: of the patch critic. learning_rate, critic_rate: the highest; betas,
    critic_betas: of Adam. held_out: share of the maps, the last ones, that are only looked at.
    rim_weight: weight of texels outside the face, which are mostly hair, neck and invention.
    directions: principal directions of the latent in the pack. encoded: most maps that the
    latent's statistics are taken from. perceptual: "none", "pack" or "lpips".
    """

    size: int = DETAIL_SIZE
    crop: int = 256
    batch: int = 4
    seed: int = 0
    widths: tuple[int, ...] = (48, 96, 160)
    blocks: int = 2
    critic_width: int = 32
    learning_rate: float = 5e-4
    critic_rate: float = 2.5e-4
    betas: tuple[float, ...] = (0.9, 0.99)
    critic_betas: tuple[float, ...] = (0.5, 0.99)
    held_out: float = 0.02
    rim_weight: float = 0.25
    directions: int = 64
    encoded: int = 2000
    perceptual: str = "pack"
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)

    def __post_init__(self) -> None:
        """Raises EngineError(BAD_SETTINGS)."""
        if self.crop % CROP_STEP or not CROP_STEP * 4 <= self.crop <= self.size:
            raise _bad(
                f"The crop must be a multiple of {CROP_STEP} from {CROP_STEP * 4} to {self.size}, "
                f"got {self.crop}."
            )
        for item in fields(self):
            value = getattr(self, item.name)
            if item.type in (int, "int") and item.name != "seed" and value < 1:
                raise _bad(f"{item.name} must be 1 or more, got {value}.")
            if item.type in (float, "float") and not 0.0 <= value <= 1.0:
                raise _bad(f"{item.name} must be from 0 to 1, got {value}.")
        for pair in (self.betas, self.critic_betas):
            if len(pair) != 2 or not all(0.0 <= beta < 1.0 for beta in pair):
                raise _bad(f"betas must be two numbers from 0 to below 1, got {pair}.")
        if self.perceptual not in ("none", "pack", "lpips"):
            raise _bad(f"perceptual must be none, pack or lpips, got {self.perceptual}.")


@dataclass(frozen=True)
class Recipe:
    """What a recipe sets unless an option says otherwise; names as in the settings."""

    steps: int
    batch: int
    crop: int
    learning_rate: float
    widths: tuple[int, ...]
    blocks: int
    precision: str
    critic_start: int


RECIPES = {
    # Two cores, under 2.5 hours.
    "cpu": Recipe(4300, 4, 256, 5e-4, (48, 96, 160), 2, "float32", 3000),
    # One data-centre GPU, about an hour; more of them by torchrun.
    "gpu": Recipe(60000, 16, 512, 4e-4, (64, 128, 192), 3, "auto", 20000),
}


def _bad(message: str) -> EngineError:
    return EngineError(ErrorCode.BAD_SETTINGS, message)
