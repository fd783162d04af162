"""UVAPM's released detail decoder as a detail pack that every head can use.

Our detail models have latents with a place on the map, so that a photo can be read where it shows
the skin; the released decoder's code has none. So it serves as what it is, a source of skins: codes
are drawn from its prior (unit normal), its maps become detail maps by the paper's formula, and
their mean, spread and principal directions in the latent of the default pack's net are kept. The
fit then completes, and the sliders move, as UVAPM's skins differ.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...nets.detail import load_vae
from ...nets.fovea import grid_matrices, resample
from ...protocol.albedo import decode_albedo
from ...protocol.albedo_pack import AlbedoModel
from ...protocol.detail import add_detail, detail_of, value
from ...protocol.detail_pack import DetailModel
from ...protocol.headpack import Pack, read_pack
from ...protocol.pack_manifest import PackPart, file_sha256, pack_error
from ...reporter import Reporter
from ...skin.layout import region_masks
from ...train.detail.samples import coarse_of
from ...train.detail.statistics import LatentStatistics, latent_statistics
from ..detail import write_detail_pack
from ..registry import find_pack
from ..store import check_replaceable
from .albedo import LICENCE, ORIGIN, VERSION
from .code_decoder import RELEASED, CodeLayout, decode_codes, read_decoder

CODES, SEED = 128, 0
"""Codes drawn. Ours: the 64 directions settle, and a minute is enough."""
CHECKED = 8
"""Of so many maps one is decoded again, to see what the net carries."""
PARTS_USED = ("detail", "albedo")
"""Parts of the default pack in the result: its net, and the coarse model of the formula."""


@dataclass(frozen=True, eq=False)
class Converted:
    """The model, and the share of the detail's variance that the net can carry."""

    model: DetailModel
    kept: float


def import_uvapm_detail(
    file: Path, folder: Path, codes: int, reporter: Reporter, layout: CodeLayout = RELEASED
) -> Path:
    """Write the decoder in `file` as a detail pack into `folder` and return that.

    Raises EngineError: BAD_INPUT for a file that is no such decoder, PACK_MISSING or PACK_INVALID
    without a default pack that has albedo and detail, BAD_OUTPUT; and Cancelled.
    """
    check_replaceable(folder)
    reporter.stage("Reading the decoder", 0, 4)
    weights = read_decoder(file, layout)
    pack = read_pack(find_pack())
    if pack.detail is None or pack.albedo is None:
        raise pack_error("pack.json", "detail", "albedo and detail models", "a pack without")
    digest = file_sha256(file, file.name)
    reporter.stage("Drawing skins", 1, 4)
    drawn = np.random.default_rng(SEED).standard_normal((codes, layout.code))
    maps = decode_codes(file, weights, drawn, reporter.progress)
    reporter.stage("Measuring their detail", 2, 4)
    found = convert_maps(maps, pack.detail, pack.albedo, reporter)
    reporter.stage("Writing the pack", 3, 4)
    recipe = (
        f"{codes} codes of UVAPM's released decoder, seed {SEED}, as V over the mean colour of the "
        f"albedo model, brought to its brightness; detail by projection on that model; statistics "
        f"in the latent of the default pack's net, which carries {100 * found.kept:.1f} % of their "
        "variance"
    )
    parts = (PackPart("statistics", f"UVAPM, {file.name}", LICENCE, ORIGIN, digest), *_own(pack))
    return write_detail_pack(folder, found.model, folder.name, VERSION, parts, recipe)


def _own(pack: Pack) -> tuple[PackPart, ...]:
    return tuple(part for part in pack.manifest.parts if part.name in PARTS_USED)


def convert_maps(
    maps: np.ndarray, model: DetailModel, albedo: AlbedoModel, reporter: Reporter
) -> Converted:
    """Statistics of maps (n, S * S) in the latent of `model`, S its side; n of 2 or more.

    The values of a map stand for V at an unknown scale: together they are brought to the mean V of
    the albedo model in the face, so that contrasts are kept. Raises Cancelled.
    """
    size = model.info.size
    zero = np.zeros((3, 0))
    mean = decode_albedo(albedo.mean, albedo.basis, albedo.valid, zero).clip(0.0, 1.0)
    coarse, masks = coarse_of(albedo), region_masks(size)
    colour = coarse.of(mean, size)
    face = masks["face"].ravel()
    bright = float((value(colour).ravel() * face).sum() / face.sum())
    gain = bright / max(float((maps.astype(np.float32) @ face).mean() / face.sum()), 1e-6)
    vae, grid = load_vae(model), grid_matrices(size)
    means, variance, error, total = [], np.zeros(model.latent_mean.shape), 0.0, 0.0
    for done, drawn in enumerate(maps):
        reporter.progress(done, len(maps))
        wanted = gain * drawn.astype(np.float32).reshape(size, size)
        skin = add_detail(colour, wanted - value(colour)).astype(np.float32)
        detail = resample(detail_of(skin, coarse.of(skin, size)) * masks["valid"], grid)
        seen = torch.from_numpy(np.ascontiguousarray(detail, dtype=np.float32))[None, None]
        with torch.no_grad():
            latent, log_variance = vae.encode(seen)
            if done % CHECKED == 0:
                error += float(((vae.decode(latent) - seen) ** 2).sum())
                total += float((seen**2).sum())
        means.append(latent[0].numpy())
        variance += log_variance.exp()[0].numpy()
    reporter.progress(len(maps), len(maps))
    found = latent_statistics(np.stack(means), variance / len(maps), model.info.directions)
    return Converted(_with_statistics(model, found), 1.0 - error / max(total, 1e-12))


def _with_statistics(model: DetailModel, found: LatentStatistics) -> DetailModel:
    return DetailModel(
        info=model.info,
        net=model.net,
        latent_mean=found.mean,
        latent_sigma=found.sigma,
        directions=found.directions,
        residual_sigma=found.residual_sigma,
    )
