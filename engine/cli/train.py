"""`python -m engine train albedo`: an albedo model from a folder of skin maps."""

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocol.errors import EXIT_OK
from ..reporter import CancelToken
from .counting import CountingReporter, duration
from .interrupt import interrupt_cancels
from .outputs import check_at_least, check_pack_output, pack_id, report_path, work_path, write_json
from .train_detail import register_detail
from .train_encoder import register_encoder
from .train_occluders import register_occluders
from .train_options import add_origin
from .train_regressor import register_regressor

if TYPE_CHECKING:
    from ..train.albedo_pca import TrainedAlbedo
    from ..train.settings import TrainSettings
    from ..train.steps import Cluster

SIZES = (64, 128, 256, 512, 1024)
PACK_VERSION = "1.0.0"
SHOWN_FILES = 20
"""Left out files that are named on the terminal; the report names all."""

_DESCRIPTION = """\
Principal components of skin maps, per colour channel, over the texels that the head uses: mean,
components, deviations and their joint covariance, written as an albedo pack.

Maps are square pictures in the FFHQ-UV layout, sRGB, of 64 n pixels a side and at least --size:
PNG, JPEG, WebP, TIFF or BMP, in folders and in zip archives, which are read in place. A download
of FFHQ-UV is read as it comes: the archives 000.zip, 001.zip, ... of its script, or its folder
dataset/ffhq-uv with uv-maps/*.png; its latent codes and JSON files are passed over. Hidden files
are passed over too. Damaged files, odd sizes, pictures of another layout and maps that show the
same picture as an earlier one are left out, and listed here and in PACK.training.json.

Memory stays below --memory for any number of maps. A run that was stopped goes on where it was
when the same command is given again; what it needs for that lies in PACK.work meanwhile.
"""


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "train", help="train models on skin maps", description="Training of models."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    albedo = actions.add_parser(
        "albedo",
        help="an albedo model from skin maps",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = albedo.add_argument
    add("--maps", type=Path, required=True, metavar="DIR", help="folder of maps")
    add("--out", type=Path, required=True, metavar="PACK", help="folder of the pack to write")
    add("--size", type=int, choices=SIZES, default=256, help="texels a side (%(default)s)")
    add("--components", type=int, default=100, metavar="K", help="per channel (%(default)s)")
    add(
        "--weights",
        choices=("uniform", "face"),
        default="uniform",
        help="of texels: all alike, or the face ten times the rest (%(default)s)",
    )
    add("--limit", type=int, metavar="N", help="only the first N maps")
    add("--any-layout", action="store_true", help="take maps of any UV layout")
    add("--passes", type=int, default=2, help="power passes over many maps (%(default)s)")
    add(
        "--exact-limit",
        type=int,
        default=2000,
        metavar="N",
        help="maps up to which the result is exact (%(default)s)",
    )
    add("--seed", type=int, default=0, help="of the random directions (%(default)s)")
    add("--memory", type=float, default=4.0, metavar="GB", help="most memory (%(default)s)")
    add(
        "--cache",
        type=float,
        default=16.0,
        metavar="GB",
        help="most disk for the maps at --size; 0 reads the files in every pass (%(default)s)",
    )
    add("--workers", type=int, default=0, metavar="W", help="threads that read maps (one a core)")
    add(
        "--scheduler",
        metavar="ADDRESS",
        help="share the work with a Dask cluster, as "
        "tcp://10.0.0.5:8786, whose workers see the maps under the same paths",
    )
    add_origin(albedo)
    albedo.set_defaults(run=run_albedo)
    register_detail(actions)
    register_encoder(actions)
    register_occluders(actions)
    register_regressor(actions)


def run_albedo(arguments: argparse.Namespace) -> int:
    """Train and write; the folder of the pack goes to standard output."""
    from ..evaluate.machine import this_machine
    from ..packs.albedo import write_albedo_pack
    from ..protocol.pack_manifest import PackPart
    from ..train.record import recipe_text, report_of
    from ..train.work import WorkFolder

    out = arguments.out.absolute()
    check_pack_output(out)
    check_at_least(1, limit=arguments.limit)
    token = CancelToken()
    reporter = CountingReporter(sys.stderr, token, "maps")
    with interrupt_cancels(token):
        try:
            trained, found = _train(arguments, out, reporter)
        finally:
            reporter.close()
    recipe = recipe_text(trained, arguments.weights)
    part = PackPart("albedo", recipe, arguments.licence, arguments.origin, "")
    identifier = pack_id(out, "albedo")
    write_albedo_pack(out, trained.model, identifier, PACK_VERSION, (part,), recipe)
    report = report_of(
        trained,
        arguments.maps.absolute(),
        found,
        arguments.weights,
        _settings(arguments),
        asdict(this_machine()),
    )
    write_json(report_path(out), report)
    WorkFolder(work_path(out)).remove()
    _say(trained, recipe, report_path(out))
    print(out)
    return EXIT_OK


def _train(
    arguments: argparse.Namespace, out: Path, reporter: CountingReporter
) -> tuple["TrainedAlbedo", int]:
    from ..train.albedo_pca import train_albedo
    from ..train.maps import list_maps
    from ..train.texels import named_weights

    settings = _settings(arguments)
    files = list_maps(arguments.maps)[: arguments.limit]
    weights = named_weights(arguments.weights, arguments.size)
    with _cluster(arguments.scheduler) as cluster:
        trained = train_albedo(
            files, arguments.size, settings, reporter, work_path(out), weights, cluster, True
        )
    return trained, len(files)


def _settings(arguments: argparse.Namespace) -> "TrainSettings":
    from ..train.settings import TrainSettings

    return TrainSettings(
        components=arguments.components,
        passes=arguments.passes,
        exact_limit=arguments.exact_limit,
        seed=arguments.seed,
        check_layout=not arguments.any_layout,
        memory_gb=arguments.memory,
        cache_gb=arguments.cache,
        workers=arguments.workers,
    )


def _cluster(address: str | None) -> "AbstractContextManager[Cluster | None]":
    if address is None:
        return nullcontext(None)
    from ..train.cluster import connect

    return connect(address)


def _say(trained: "TrainedAlbedo", recipe: str, report: Path) -> None:
    for item in trained.left_out[:SHOWN_FILES]:
        print(f"Left out: {item.file}: {item.reason}", file=sys.stderr)
    more = len(trained.left_out) - SHOWN_FILES
    if more > 0:
        print(f"Left out: {more} more, named in {report}", file=sys.stderr)
    print(f"{recipe}; {duration(trained.seconds)}", file=sys.stderr)
