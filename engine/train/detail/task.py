"""The detail VAE and its critic as a task of the gradient loop."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

import numpy as np
import torch
from torch.nn import functional

from ...nets.detail_vae import CELL, DetailVae
from ...nets.fovea import map_matrices, resample
from ...protocol.conventions import bytes_to_unit
from ...protocol.pack_manifest import DetailInfo
from ...protocol.similarity import MOST_PSNR
from ..gradient.task import Batch, Examination, Player, Turn
from .augment import CropSource, random_batch, random_crop
from .critic import PatchCritic
from .objective import DetailBatch, Perceptual, critic_active, critic_loss, generator_loss
from .samples import DetailSamples, grid_weights, sample_weights
from .settings import DetailTrainSettings
from .sheet import draw_sheet
from .statistics import LatentStatistics, draw_latents, encode_samples, latent_statistics

NET, CRITIC = "net", "critic"
MAPS = "maps"
"""Fact: the key of the samples."""
PATCHES, PER_CROP = 6000, 24
"""Patches that the linear paths start from, and how many one crop gives at most."""
LEAST_PATCH_WEIGHT = 0.5
EXAMINED = 16
"""Held-out maps of the figures; the first few are on the sheet."""
SHOWN = 3
MADE = 5
PRIOR_MAPS = 24
"""Maps whose latents the made up maps of a sheet are drawn after."""


def held_out_rows(count: int, share: float) -> range:
    """The last maps, at least one, that are not trained on."""
    held = min(count - 1, max(1, round(share * count)))
    return range(count - held, count)


def detail_info(settings: DetailTrainSettings) -> DetailInfo:
    """What a pack says of the network."""
    return DetailInfo(
        size=settings.size,
        latent_channels=4,
        latent_size=settings.size // CELL,
        widths=settings.widths,
        blocks=settings.blocks,
        directions=settings.directions,
    )


class DetailTask:
    """See `gradient/task.py`."""

    name = "detail"
    averaged = NET

    def __init__(
        self,
        samples: DetailSamples,
        samples_key: str,
        settings: DetailTrainSettings,
        perceptual: Perceptual | None,
        device: torch.device,
    ) -> None:
        """samples_key: of `samples.samples_key`. perceptual: on the device, or None."""
        self.samples, self.settings, self.perceptual = samples, settings, perceptual
        self._samples_key = samples_key
        self._device = device
        held = held_out_rows(len(samples), settings.held_out)
        self.held_out, self.trained = held, range(held.start)
        weight = grid_weights(settings.size, settings.rim_weight)
        self._map_weight = sample_weights(settings.size, settings.rim_weight)
        self._source = CropSource(
            samples.detail, samples.value, weight, self.trained, settings.crop, settings.augment
        )
        torch.manual_seed(settings.seed)
        self.net = DetailVae(detail_info(settings))
        self.net.start_linear(torch.from_numpy(self._patches()))
        self.critic = PatchCritic(settings.critic_width)
        for module in (self.net, self.critic):
            module.to(device, memory_format=torch.channels_last)

    def facts(self) -> Mapping[str, object]:
        """See Task."""
        return {**asdict(self.settings), MAPS: self._samples_key}

    def players(self) -> Mapping[str, Player]:
        """See Task."""
        s = self.settings
        return {
            NET: Player(self.net, s.learning_rate, (s.betas[0], s.betas[1])),
            CRITIC: Player(self.critic, s.critic_rate, (s.critic_betas[0], s.critic_betas[1])),
        }

    def batch(self, step: int, rank: int) -> Batch:
        """See Task. Detail, value and weight, each (B, 1, S, S) float32."""
        s = self.settings
        arrays = random_batch(self._source, s.seed, step, rank * s.batch, s.batch)
        return tuple(torch.from_numpy(array) for array in arrays)

    def turns(self, batch: Batch, step: int, random: torch.Generator) -> Iterator[Turn]:
        """See Task. The critic moves after the generator, on the same crops."""
        crops = DetailBatch(*(x.contiguous(memory_format=torch.channels_last) for x in batch))
        objective = self.settings.objective
        loss, found, terms = generator_loss(
            self.net, self.critic, self.perceptual, crops, objective, step, random
        )
        yield Turn(NET, loss, terms)
        if critic_active(objective, step):
            loss, terms = critic_loss(self.critic, crops, found, self.net.scale)
            yield Turn(CRITIC, loss, terms)

    def examine(
        self, averaged: torch.nn.Module, step: int, tick: Callable[[], None]
    ) -> Examination:
        """See Task. PSNR of V, of whole held-out maps, at the detail's size and at half of it.

        Errors are brought from the grid back to the map; what the way there and back loses is not
        in them.
        """
        assert isinstance(averaged, DetailVae)
        rows = self.held_out[:EXAMINED]
        detail = np.stack([self.samples.detail[row] for row in rows]).astype(np.float32)
        found = np.concatenate([self._rebuilt(averaged, one[None], tick) for one in detail])
        size = self.settings.size
        detail, found = (resample(maps, map_matrices(size)) for maps in (detail, found))
        errors = torch.from_numpy(found - detail)[:, None]
        weight = torch.from_numpy(self._map_weight)[None, None]
        halves = functional.avg_pool2d(errors, 2), functional.avg_pool2d(weight, 2)
        figures = {
            f"held_out_psnr_{size}": _psnr(errors, weight),
            f"held_out_psnr_{size // 2}": _psnr(*halves),
        }
        value = bytes_to_unit(np.stack([self.samples.value[row] for row in rows[:SHOWN]]))
        value = resample(value, map_matrices(size))
        made = resample(self._made_up(averaged, tick), map_matrices(size))
        sheet = draw_sheet(value, detail[:SHOWN], found[:SHOWN], made, self._map_weight)
        return Examination(figures, sheet)

    def _statistics(self, net: DetailVae, tick: Callable[[], None]) -> LatentStatistics:
        """Of the latents of a few trained maps: enough for a sheet."""
        rows = self.trained[:PRIOR_MAPS]
        if len(rows) < 2:
            rows = range(len(self.samples))
        latents, variance = encode_samples(net, self.samples, rows, lambda done: tick())
        return latent_statistics(latents, variance, min(self.settings.directions, len(rows) - 1))

    def _made_up(self, net: DetailVae, tick: Callable[[], None]) -> np.ndarray:
        latents = draw_latents(self._statistics(net, tick), MADE, self.settings.seed)
        return np.concatenate([self._decoded(net, latent[None]) for latent in latents])

    def _rebuilt(self, net: DetailVae, maps: np.ndarray, tick: Callable[[], None]) -> np.ndarray:
        tick()
        with torch.no_grad():
            mean, _ = net.encode(torch.from_numpy(maps)[:, None].to(self._device))
            return net.decode(mean)[:, 0].float().cpu().numpy()

    def _decoded(self, net: DetailVae, latents: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return (
                net.decode(torch.from_numpy(latents).to(self._device))[:, 0].float().cpu().numpy()
            )

    def _patches(self) -> np.ndarray:
        """(n, 16, 16) float32 patches of varied crops, one cell each, inside the face."""
        found: list[np.ndarray] = []
        for number in range(PATCHES // PER_CROP):
            crop = random_crop(self._source, self.settings.seed, 0, number)
            weights = _cells(crop.weight).mean((1, 2))
            inside = np.flatnonzero(weights > min(LEAST_PATCH_WEIGHT, weights.max() / 2.0))
            rng = np.random.default_rng([self.settings.seed, number])
            found += list(_cells(crop.detail)[rng.permutation(inside)[:PER_CROP]])
        return np.stack(found).astype(np.float32)


def _cells(plane: np.ndarray) -> np.ndarray:
    """(S, S) to (n, 16, 16): its latent cells."""
    count = len(plane) // CELL
    cells = plane.reshape(count, CELL, count, CELL).swapaxes(1, 2)
    return cells.reshape(-1, CELL, CELL)


def _psnr(errors: torch.Tensor, weight: torch.Tensor) -> float:
    """Decibels of errors (n, 1, S, S) in units of the full range, under weights (1, 1, S, S)."""
    mean = float((errors**2 * weight).sum() / (weight.sum() * len(errors)))
    return min(MOST_PSNR, -10.0 * float(np.log10(max(mean, 1e-30))))
