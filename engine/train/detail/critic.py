"""The patch critic of the detail VAE: judges small windows, not whole maps (Isola et al. 2017)."""

from torch import Tensor, nn

FOLD = 2


class PatchCritic(nn.Module):
    """Scores of overlapping windows of about 46 texels, higher where they look real.

    After the 70 x 70 PatchGAN of Isola et al. 2017, but narrower, without normalisation, and on
    2 x 2 texels at once: half the work, and enough for pores and hairs, which are smaller.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()

        def half(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]

        self.body = nn.Sequential(
            nn.PixelUnshuffle(FOLD),
            nn.Conv2d(FOLD * FOLD, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            *half(width, 2 * width),
            *half(2 * width, 4 * width),
            nn.Conv2d(4 * width, 1, 3, padding=1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, 1, S, S) detail in units of order one to (N, 1, S/8, S/8) scores."""
        scores: Tensor = self.body(maps)
        return scores
