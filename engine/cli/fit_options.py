"""Options that `fit` and `fit-many` share: everything of a job but its photos and output."""

import argparse
from collections.abc import Sequence

from ..protocol.job import (
    DEVICES,
    FINE_SIZES,
    LANDMARKS,
    PRESETS,
    RASTERIZERS,
    TEXTURE_SIZES,
    FitJob,
)

DEFAULTS = FitJob(photos=("photo",), output="output")


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Add the options; `fit_job` reads them."""
    add = parser.add_argument
    add("--pack", default=DEFAULTS.pack, help="head pack (%(default)s)")
    for name, model in (("--albedo", "albedo"), ("--detail", "detail")):
        add(name, metavar="PACK", help=f"{model} pack, an id or a folder (the head pack's own)")
    add("--device", choices=DEVICES, default=DEFAULTS.device)
    add("--seed", type=int, default=DEFAULTS.seed)
    add("--face", type=int, default=None, metavar="N", help="face by size, 0 is the largest")
    add("--texture-size", type=int, choices=TEXTURE_SIZES, default=DEFAULTS.texture_size)
    add(
        "--fine-maps",
        type=int,
        choices=FINE_SIZES,
        default=DEFAULTS.fine_size,
        help="side of the normal and roughness maps; 2048 adds pores (%(default)s)",
    )
    add(
        "--landmarks",
        choices=LANDMARKS,
        default=DEFAULTS.landmarks,
        help="face-alignment: an optional package's 68 points (%(default)s)",
    )
    add(
        "--rasterizer",
        choices=RASTERIZERS,
        default=DEFAULTS.rasterizer,
        help="nvdiffrast: an optional package, for NVIDIA cards (%(default)s)",
    )
    add(
        "--preset",
        choices=PRESETS,
        default=DEFAULTS.preset,
        help="paper: the UVAPM paper's own recipe, slow, to compare with (%(default)s)",
    )
    add(
        "--start-net",
        metavar="FILE",
        help="begin with what this network of Deep3D's kind tells of the photo (.pth, as FFHQ-UV "
        "trained one for HiFi3D++; for that head pack only)",
    )
    add(
        "--arcface",
        metavar="FILE",
        help="ArcFace's weights (.pth) for the identity loss of --preset paper",
    )
    add(
        "--parsing",
        metavar="FILE",
        help="BiSeNet's weights (.pth) of face-parsing.PyTorch: finds hair, glasses and hats",
    )
    add(
        "--allow-download",
        action="store_true",
        help="let an optional package fetch its weights from its authors' site, once",
    )


def fit_job(arguments: argparse.Namespace, photos: Sequence[str], output: str) -> FitJob:
    """The job with these options. Raises EngineError(BAD_SETTINGS)."""
    return FitJob(
        photos=tuple(photos),
        output=output,
        pack=arguments.pack,
        device=arguments.device,
        seed=arguments.seed,
        face=arguments.face,
        texture_size=arguments.texture_size,
        fine_size=arguments.fine_maps,
        albedo=arguments.albedo,
        detail=arguments.detail,
        landmarks=arguments.landmarks,
        rasterizer=arguments.rasterizer,
        allow_download=arguments.allow_download,
        preset=arguments.preset,
        start_net=arguments.start_net,
        arcface=arguments.arcface,
        parsing=arguments.parsing,
    )
