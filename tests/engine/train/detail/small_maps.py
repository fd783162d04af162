"""Small skin maps, an albedo model for them, and settings for a training of seconds."""

from pathlib import Path

import cv2
import numpy as np

from engine.packs.albedo import write_albedo_pack
from engine.protocol.albedo_pack import AlbedoModel, AlbedoPack, read_albedo_pack
from engine.protocol.pack_manifest import PackPart
from engine.skin.layout import region_masks
from engine.train.detail.objective import ObjectiveSettings
from engine.train.detail.settings import DetailTrainSettings

SIZE, COARSE = 128, 64
SETTINGS = DetailTrainSettings(
    size=SIZE,
    crop=64,
    batch=2,
    widths=(4, 6, 8),
    blocks=1,
    critic_width=4,
    directions=3,
    held_out=0.2,
    perceptual="none",
    objective=ObjectiveSettings(critic_start=4, critic_warm=2),
)


def write_maps(folder: Path, count: int, seed: int = 0) -> tuple[Path, ...]:
    """Smooth tones with fine grain, (128, 128, 3) PNG."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for index in range(count):
        tone = cv2.resize(rng.uniform(0.35, 0.65, (3, 3, 3)), (SIZE, SIZE))
        grain = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE, 1)), (0, 0), 1.5)[..., None]
        image = np.rint((tone + 0.1 * grain).clip(0.0, 1.0) * 255.0).astype(np.uint8)
        files.append(folder / f"{index:05d}.png")
        files[-1].write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return tuple(files)


def write_albedo(folder: Path, recipe: str = "test") -> AlbedoPack:
    """A model of three smooth components a channel at 64 x 64."""
    valid = region_masks(COARSE)["valid"] > 0
    rows, columns = np.nonzero(valid)
    waves = np.stack([np.ones(len(rows)), rows / COARSE - 0.5, columns / COARSE - 0.5])
    basis = np.repeat(0.1 * waves[None], 3, axis=0).astype(np.float32)
    model = AlbedoModel(
        mean=np.full((3, len(rows)), 0.5, np.float32),
        basis=basis,
        sigma=np.ones((3, 3), np.float32),
        valid=valid,
        covariance=np.eye(9, dtype=np.float32),
    )
    part = PackPart("albedo", "made for a test", "none", "made here", "")
    write_albedo_pack(folder, model, "small", "1.0.0", (part,), recipe)
    return read_albedo_pack(folder)
